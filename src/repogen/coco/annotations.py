"""COCO keypoint annotation files, real or synthetic, read into arrays over persons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

import numpy as np
from pycocotools import mask as rle

from repogen.arrays import Bool, Float, Int
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.coco.names import (
    coco_joints,
    detected_persons,
    id_key,
    joint_columns,
    joint_table,
    person_categories,
)
from repogen.coco.records import naming_record, number, numbers
from repogen.coco.references import Reference, match_files
from repogen.coco.segmentation import compress_mask
from repogen.errors import UserError, plain_number
from repogen.json_files import read_json
from repogen.messages import warn

_TABLES = ("images", "annotations")


@dataclass(frozen=True)
class PersonAnnotations:
    """The n person annotations of one set of i images, in the file's order.

    Keypoints are x, y in pixels and v = 0 not labelled, 1 occluded, 2 visible; boxes are x, y, w,
    h in pixels.
    """

    name: str
    root: Path
    files: tuple[str, ...]
    """Path of each image, relative to `root`; as the file writes it until `with_true_sizes`."""
    sizes: Int[np.ndarray, "i 2"]
    """Width and height of each image; 0 where the file does not say."""
    image_ids: np.ndarray
    """Integers, or text where not all of the file's ids are integers; shape (i,)."""
    image: Int[np.ndarray, " n"]
    """Index of each person's image."""
    ids: Int[np.ndarray, " n"]
    boxes: Float[np.ndarray, "n 4"]
    areas: Float[np.ndarray, " n"]
    keypoints: Float[np.ndarray, "n 17 3"]
    crowd: Bool[np.ndarray, " n"]
    views: Float[np.ndarray, "n 3"]
    """Azimuth, elevation and roll of the camera relative to each person, in degrees: from the
    annotation, else from its image, else NaN."""
    records: tuple[Mapping[str, Any], ...]
    """The annotations as the file has them."""
    rendered: Bool[np.ndarray, " i"]
    """Whether each image is synthetic: its record has a camera."""
    label_convention: str = "annotators"
    """Where shoulders and hips are: `annotators`, or `anatomical` where the file's info says so."""
    as_stored: bool | None = None
    """Whether labels are in the pixels as stored, before EXIF orientation; None until
    `with_true_sizes` has looked at the images."""
    category_ids: tuple[Any, ...] = ()
    """The ids of all categories of the file, of persons and others."""
    computed: int = 0
    """The number of persons to score whose box or area is unknown and was computed."""

    def __len__(self) -> int:
        return len(self.ids)

    def path(self, person: int) -> Path:
        """Path of the image that shows a person."""
        return self.root / self.files[self.image[person]]

    @property
    def pixel_centers(self) -> Float[np.ndarray, "n 1"]:
        """Coordinate of the first pixel's centre, for each person.

        0.5 in synthetic images, whose labels are measured from the image's edge; 0 in others, whose
        annotators count pixels.
        """
        return 0.5 * self.rendered[self.image, None]

    def labelled(self) -> Int[np.ndarray, " m"]:
        """Indices of the persons that are scored: a labelled joint and not a crowd."""
        return np.flatnonzero((self.keypoints[:, :, 2] > 0).any(axis=1) & ~self.crowd)

    def take(self, persons: Sequence[int] | Int[np.ndarray, " m"]) -> "PersonAnnotations":
        """The same set with only these persons; all images stay."""
        index = np.asarray(persons, dtype=np.int64)
        return replace(
            self,
            records=tuple(self.records[i] for i in index),
            **{name: getattr(self, name)[index] for name in _PER_PERSON},
        )

    def with_sizes(self, sizes: Int[np.ndarray, "i 2"]) -> "PersonAnnotations":
        """The same set with the true sizes of its images, and boxes clipped to them."""
        boxes = self.boxes.copy()
        for person in np.flatnonzero((sizes != self.sizes).any(axis=1)[self.image]):
            size = sizes[self.image[person]]
            box = known_box(self.records[person])
            boxes[person] = _clipped(boxes[person] if box is None else box, size)
        return replace(self, sizes=sizes, boxes=boxes)

    def trainable(self) -> "PersonAnnotations":
        """The persons to train on: not a crowd, with a labelled joint and a box to crop."""
        labelled = self.labelled()
        return self.take(labelled[(self.boxes[labelled, 2:] > 1).all(axis=1)])


_PER_PERSON = ("image", "ids", "boxes", "areas", "keypoints", "crowd", "views")


def read_person_annotations(name: str, annotations: Path, images: Path) -> PersonAnnotations:
    """The person annotations of a COCO keypoints file with its images in the folder `images`.

    Crowds and persons without keypoints are included. Boxes are clipped to the image. Areas and
    boxes that are absent, null, 0 or negative are unknown: a box is that of the mask, else of the
    labelled joints; an area that of the mask, else 0.53 of the box's. Keypoints and categories
    may be spelled and ordered in other ways (see `coco.names`). Raises `UserError`, naming the
    record, for a file that is not COCO keypoints.
    """
    people = parse_person_annotations(name, _read_json(annotations), str(annotations), images)
    if people.computed:
        warn(
            f"{annotations}: {people.computed} of {len(people)} persons have no bbox or area above "
            "0; computed from their mask, else their joints"
        )
    return people


def parse_person_annotations(
    name: str, data: Mapping[str, Any], where: str, images: Path
) -> PersonAnnotations:
    """The person annotations of a COCO file's content; `where` names the file in errors.

    See `read_person_annotations`.
    """
    used = [r for r in data["annotations"] if isinstance(r, dict)]
    categories = data.get("categories") or [
        {"id": number, "name": "person"}
        for number in detected_persons({id_key(r.get("category_id", 1)) for r in used}, where)
    ]
    columns = _person_columns(where, categories)
    image_index: dict[Reference, int] = {}
    images_read = []
    for i, image in enumerate(data["images"]):
        with naming_record(where, "images", i, image):
            image_index[id_key(image["id"])] = i
            images_read.append(_parse_image(image))
    keys = {id_key(record.get("image_id")) for record in used} - image_index.keys()
    if keys:  # file names, or their stems
        image_index |= match_files(keys, [image[0] for image in images_read], images, where)
    rows, records = [], []
    for i, record in enumerate(data["annotations"]):
        with naming_record(where, "annotations", i, record):
            category = id_key(record.get("category_id", next(iter(columns))))
            if category in columns:
                key = id_key(record["image_id"])
                if key not in image_index:
                    raise ValueError(f"its image_id {shortened(key)} is none of the images")
                _, size, _, image_view = images_read[image_index[key]]
                view = _parse_view(record) or image_view
                parsed = _parse_annotation(record, size, *columns[category])
                rows.append((image_index[key], _record_id(record), view, *parsed))
                records.append(record)
    files, sizes, rendered, _ = zip(*images_read, strict=True) if images_read else [()] * 4
    out = list(zip(*rows, strict=True)) if rows else [()] * 8
    numbered = all(number is not None for number in out[1])
    return PersonAnnotations(
        name=name,
        root=images,
        files=tuple(files),
        sizes=np.array(sizes, dtype=np.int64).reshape(-1, 2),
        image_ids=_id_array([image["id"] for image in data["images"]]),
        image=np.array(out[0], dtype=np.int64),
        ids=np.array(out[1] if numbered else np.arange(len(rows)) + 1, dtype=np.int64),
        boxes=np.array(out[3], dtype=np.float64).reshape(-1, 4),
        areas=np.array(out[4], dtype=np.float64),
        keypoints=np.array(out[5], dtype=np.float64).reshape(-1, 17, 3),
        crowd=np.array(out[6], dtype=bool),
        views=np.array(out[2], dtype=np.float64).reshape(-1, 3),
        records=tuple(records),
        rendered=np.array(rendered, dtype=bool),
        label_convention=label_convention(data),
        category_ids=tuple(category["id"] for category in categories),
        computed=sum(out[7]),
    )


def label_convention(data: Mapping[str, Any]) -> str:
    """`anatomical` where the info of a COCO file says so, else `annotators`."""
    info = data.get("info")
    anatomical = isinstance(info, dict) and info.get("label_convention") == "anatomical"
    return "anatomical" if anatomical else "annotators"


def _id_array(ids: list[Any]) -> np.ndarray:
    whole = all(type(i) is int and abs(i) < 2**63 for i in ids)
    return np.array(ids if whole else [id_key(i) for i in ids])


def _record_id(record: Mapping[str, Any]) -> int | None:
    """An annotation's id; None where it is not a number (then persons are counted from 1)."""
    given = record.get("id")
    if isinstance(given, int) and abs(given) >= 2**63:
        raise ValueError(f"id {given} has more than 64 bits")
    return given if isinstance(given, int) else None


def _person_columns(where: str, categories: list[Any]) -> dict[str, tuple[list[int] | None, int]]:
    """By id of a category of persons: the columns of COCO's joints, and how many it names.

    Raises `UserError` where there is none, and for keypoints that are none of COCO's. Joints that
    it does not name are reported on stderr.
    """
    out: dict[str, tuple[list[int] | None, int]] = {}
    for i, category in enumerate(categories):
        with naming_record(where, "categories", i, category):
            for key, names in person_categories([category]).items():
                out[key] = joint_columns(names), len(names)
    if not out:
        shown = ", ".join(str(category["name"]) for category in categories[:5])
        raise UserError(
            f"{where} has no category named person, but {shown}; rename the one that means people"
        )
    for columns, _ in out.values():
        missing = [n for n, at in zip(COCO_KEYPOINTS, columns or [], strict=False) if at < 0]
        if missing:
            warn(
                f"{where}: its keypoints lack {len(missing)} of COCO's 17, which count as not "
                f"labelled: {', '.join(missing)}"
            )
    return out


def _parse_image(image: Mapping[str, Any]) -> tuple[str, tuple[int, int], bool, list[float]]:
    """File name, (width, height), whether it is synthetic, and view of one image."""
    size = number(image, "width"), number(image, "height")
    if not all(0 <= side < 2**31 for side in size):
        shown = " x ".join(map(plain_number, size))
        raise ValueError(f"width x height {shown} must lie between 0 and 2147483647")
    rendered = isinstance(image.get("camera"), Mapping)
    view = _parse_view(image) or _UNKNOWN
    return str(image["file_name"]), (int(size[0]), int(size[1])), rendered, view


def _parse_view(record: Mapping[str, Any]) -> list[float]:
    """The angles of a record's view, azimuth and elevation by the person's own axes where it has
    those; empty where it has none of ours."""
    view, own = record.get("view"), record.get("subject_view")
    if isinstance(view, Mapping) and isinstance(own, Mapping):
        view = {**view, **own}
    return [number(view, k, np.nan) for k in _VIEW] if isinstance(view, Mapping) and view else []


_VIEW = ("azimuth_deg", "elevation_deg", "roll_deg")
_UNKNOWN = [np.nan] * 3


def _read_json(path: Path) -> dict[str, Any]:
    data: Any = read_json(path)
    missing = [
        t for t in _TABLES if not isinstance(data, dict) or not isinstance(data.get(t), list)
    ]
    if missing:
        raise UserError(f"{path} is not a COCO file: it has no list of {' or '.join(missing)}")
    if not isinstance(data.get("categories") or [], list):
        raise UserError(f"{path} is not a COCO file: its categories are not a list")
    return data


def _parse_annotation(
    record: Mapping[str, Any], size: tuple[int, int], columns: list[int] | None, named: int
) -> tuple[list[float], float, Float[np.ndarray, "17 3"], bool, bool]:
    """Box clipped to the image, area, keypoints, crowd flag, and whether box or area of a person
    to score had to be computed."""
    keypoints = coco_joints(record.get("keypoints"), columns, named)
    box, area = known_box(record), _known_area(record)
    unknown = box is None or area is None
    mask = compress_mask(record.get("segmentation"), size) if unknown else None
    if box is None:
        box = rle.toBbox(mask) if mask is not None else _box_of_joints(keypoints)
    if area is None:
        inside = _AREA_SHARE * float(box[2] * box[3])
        area = float(rle.area(mask)) if mask is not None else inside
    crowd = number(record, "iscrowd") != 0
    computed = unknown and not crowd and bool((keypoints[:, 2] > 0).any())
    return _clipped(box, size), area, keypoints, crowd, computed


_AREA_SHARE = 0.53
"""A person's area as a share of their box: what mmpose takes for datasets without areas."""

_BOX_MARGIN = 0.1
"""Margin of a box around joints, as a share of its longer side: the median in COCO."""


def known_box(record: Mapping[str, Any]) -> Float[np.ndarray, "4"] | None:
    """A record's bbox (AlphaPose: box) x, y, w, h; None where it is unknown: absent, null, or not
    above 0 wide and high. Raises `ValueError` for anything else."""
    given = record.get("bbox", record.get("box"))
    if given is None or given == []:
        return None
    box = numbers(given, "bbox")
    if box.shape != (4,):
        raise ValueError(f"bbox {shortened(given)} must be x, y, w, h")
    if np.isnan(box).any() or min(box[2:]) <= 0:
        return None
    if not np.isfinite(box).all():
        raise ValueError(f"bbox {shortened(given)} must be finite")
    return box


def record_box(record: Mapping[str, Any]) -> Float[np.ndarray, "4"] | None:
    """The box of a record that may have keypoints of any layout: its own, else that around its
    joints; None where both are unknown."""
    box = known_box(record)
    if box is None and (flat := record.get("keypoints")):
        box = _box_of_joints(joint_table(flat))
    return box if box is not None and min(box[2:]) > 0 else None


def _known_area(record: Mapping[str, Any]) -> float | None:
    area = number(record, "area")
    if area == np.inf:
        raise ValueError(f"area {area} must be finite")
    return area if area > 0 else None


def _box_of_joints(keypoints: Float[np.ndarray, "k 3"]) -> Float[np.ndarray, "4"]:
    """The box around the labelled joints with a margin; of size 0 without any."""
    labelled = keypoints[keypoints[:, 2] > 0, :2]
    if len(labelled) == 0:
        return np.zeros(4)
    low, high = labelled.min(axis=0), labelled.max(axis=0)
    margin = _BOX_MARGIN * (high - low).max()
    return np.concatenate([low - margin, high - low + 2 * margin])


def _clipped(box: Float[np.ndarray, "4"], size: Sequence[int]) -> list[float]:
    """A box clipped to an image of this width and height, or as it is if they are 0."""
    if min(size) < 1:
        return box.tolist()
    low = np.clip(box[:2], 0, size)
    high = np.clip(box[:2] + box[2:], 0, size)
    return [*low.tolist(), *(high - low).tolist()]
