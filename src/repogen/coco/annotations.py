"""COCO keypoint annotation files, real or synthetic, read into arrays over persons."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from pycocotools import mask as rle

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.coco.rle import is_complete_rle
from repogen.errors import UserError
from repogen.json_files import read_json

_TABLES = ("images", "annotations", "categories")

_MAX_OUTLINE = 10**6
"""Pixels along a polygon's outline: pycocotools allocates memory for each, without a limit."""


@dataclass(frozen=True)
class PersonAnnotations:
    """The n person annotations of one set of i images, in the file's order.

    Keypoints are x, y in pixels and v = 0 not labelled, 1 occluded, 2 visible; boxes are x, y, w,
    h in pixels.
    """

    name: str
    root: Path
    files: tuple[str, ...]
    """Path of each image, relative to `root`."""
    sizes: Int[np.ndarray, "i 2"]
    """Width and height of each image."""
    image_ids: Int[np.ndarray, " i"]
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

    def trainable(self) -> "PersonAnnotations":
        """The persons to train on: not a crowd, with a labelled joint and a box to crop."""
        labelled = self.labelled()
        return self.take(labelled[(self.boxes[labelled, 2:] > 1).all(axis=1)])


_PER_PERSON = ("image", "ids", "boxes", "areas", "keypoints", "crowd", "views")


def read_person_annotations(name: str, annotations: Path, images: Path) -> PersonAnnotations:
    """The person annotations of a COCO keypoints file with its images in the folder `images`.

    Crowds and persons without keypoints are included. Boxes are clipped to the image; a missing
    box is computed from the mask or the keypoints, a missing `area` from the mask or the box.
    Raises `UserError`, naming the record, for a file that is not COCO keypoints.
    """
    return parse_person_annotations(name, _read_json(annotations), str(annotations), images)


def parse_person_annotations(
    name: str, data: Mapping[str, Any], where: str, images: Path
) -> PersonAnnotations:
    """The person annotations of a COCO file's content; `where` names the file in errors.

    See `read_person_annotations`.
    """
    person_ids = _person_categories(where, data["categories"])
    id_to_index, images_read = {}, []
    for i, image in enumerate(data["images"]):
        with _naming_record(where, "images", i):
            id_to_index[image["id"]] = i
            images_read.append(_parse_image(image))
    rows, records = [], []
    for i, record in enumerate(data["annotations"]):
        with _naming_record(where, "annotations", i):
            if record["category_id"] in person_ids:
                image_index = id_to_index[record["image_id"]]
                _, size, _, image_view = images_read[image_index]
                person_id = int(np.int64(record["id"]))
                view = _parse_view(record) or image_view
                rows.append((image_index, person_id, view, *_parse_annotation(record, size)))
                records.append(record)
    files, sizes, rendered, _ = zip(*images_read, strict=True) if images_read else [()] * 4
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    return PersonAnnotations(
        name=name,
        root=images,
        files=files,
        sizes=np.array(sizes, dtype=np.int64).reshape(-1, 2),
        image_ids=np.array([image["id"] for image in data["images"]]),
        image=np.array(columns[0], dtype=np.int64),
        ids=np.array(columns[1], dtype=np.int64),
        boxes=np.array(columns[3], dtype=np.float64).reshape(-1, 4),
        areas=np.array(columns[4], dtype=np.float64),
        keypoints=np.array(columns[5], dtype=np.float64).reshape(-1, 17, 3),
        crowd=np.array(columns[6], dtype=bool),
        views=np.array(columns[2], dtype=np.float64).reshape(-1, 3),
        records=tuple(records),
        rendered=np.array(rendered, dtype=bool),
        label_convention=label_convention(data),
    )


def label_convention(data: Mapping[str, Any]) -> str:
    """`anatomical` where the info of a COCO file says so, else `annotators`."""
    info = data.get("info")
    anatomical = isinstance(info, dict) and info.get("label_convention") == "anatomical"
    return "anatomical" if anatomical else "annotators"


@contextmanager
def _naming_record(where: str, table: str, index: int) -> Iterator[None]:
    """Turn errors into a `UserError` that names the record."""
    try:
        yield
    except KeyError as error:
        raise UserError(f"{where}: {table}[{index}] lacks {error}") from error
    except (AttributeError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise UserError(f"{where}: {table}[{index}] cannot be read: {error}") from error


def _person_categories(where: str, categories: list[Any]) -> set[Any]:
    """The ids of the categories named person.

    Raises `UserError` where there is none, and for keypoints other than COCO's 17.
    """
    out = set()
    for i, category in enumerate(categories):
        with _naming_record(where, "categories", i):
            if category["name"] == "person":
                out.add(category["id"])
                names = category.get("keypoints")
                if names is not None and list(names) != list(COCO_KEYPOINTS):
                    raise ValueError(
                        f"its {len(names)} keypoints {names[:2]} … are not COCO's 17 in order"
                    )
    if not out:
        raise UserError(f"{where} has no category named person")
    return out


def _parse_image(image: Mapping[str, Any]) -> tuple[str, tuple[int, int], bool, list[float]]:
    """File name, (width, height), whether it is synthetic, and view of one image."""
    size = int(image["width"]), int(image["height"])
    if not all(0 <= side < 2**31 for side in size):
        raise ValueError(f"width and height {size} must lie between 0 and 2**31")
    return str(image["file_name"]), size, "camera" in image, _parse_view(image) or _UNKNOWN


def _parse_view(record: Mapping[str, Any]) -> list[float]:
    """The angles of a record's view; empty where it has none."""
    view = record.get("view")
    return [float(view.get(k, np.nan)) for k in _VIEW] if view else []


_VIEW = ("azimuth_deg", "elevation_deg", "roll_deg")
_UNKNOWN = [np.nan] * 3


def _read_json(path: Path) -> dict[str, Any]:
    data: Any = read_json(path)
    missing = [
        t for t in _TABLES if not isinstance(data, dict) or not isinstance(data.get(t), list)
    ]
    if missing:
        raise UserError(f"{path} is not a COCO file: it has no list of {' or '.join(missing)}")
    return data


def _parse_annotation(
    record: Mapping[str, Any], size: tuple[int, int]
) -> tuple[list[float], float, Float[np.ndarray, "17 3"], bool]:
    """Box clipped to the image, area, keypoints and crowd flag of one annotation."""
    flat = np.array(record.get("keypoints") or np.zeros(51), dtype=np.float64)
    if flat.shape != (51,) or not np.isfinite(flat).all():
        raise ValueError(f"keypoints must be 51 numbers, not {flat.size}")
    keypoints = flat.reshape(17, 3)
    area, mask = record.get("area"), None
    if area is None or "bbox" not in record:
        mask = _parse_segmentation(record.get("segmentation"), size)
    if "bbox" in record:
        box = np.array(record["bbox"], dtype=np.float64)
        if box.shape != (4,) or not np.isfinite(box).all():
            raise ValueError(f"bbox {record['bbox']} must be x, y, w, h")
    elif mask is not None:
        box = rle.toBbox(mask)
    else:
        labelled = keypoints[keypoints[:, 2] > 0, :2]
        if len(labelled) == 0:
            raise KeyError("bbox")
        box = np.concatenate([labelled.min(axis=0), np.ptp(labelled, axis=0)])
    if area is None:
        area = float(rle.area(mask)) if mask is not None else float(box[2] * box[3])
    low = np.clip(box[:2], 0, size)
    high = np.clip(box[:2] + box[2:], 0, size)
    clipped = [*low.tolist(), *(high - low).tolist()]
    if not np.isfinite(float(area)):
        raise ValueError(f"area {area} must be finite")
    return clipped, float(area), keypoints, bool(record.get("iscrowd", 0))


def _parse_segmentation(segmentation: Any, size: tuple[int, int]) -> dict[str, Any] | None:
    """A list of polygons or an RLE, compressed or not, as pycocotools' compressed RLE."""
    width, height = size
    if not segmentation:
        return None
    try:
        if isinstance(segmentation, list):
            outline = sum(_outline_length(polygon) for polygon in segmentation)
            if not outline < _MAX_OUTLINE or min(size) < 1:
                raise ValueError(f"an outline of {outline:g} pixels around {width} x {height}")
            return rle.merge(rle.frPyObjects(segmentation, height, width))
        counts = segmentation["counts"]
        if any(not 0 < int(side) < 2**31 for side in segmentation["size"]):
            raise ValueError(f"size {segmentation['size']}")
        if isinstance(counts, list):
            return rle.frPyObjects(segmentation, height, width)
        if len(segmentation["size"]) != 2 or not is_complete_rle(counts):
            raise ValueError("its counts are truncated")
    except Exception as error:  # pycocotools raises no narrower one
        raise ValueError(f"segmentation is neither polygons nor an RLE ({error})") from error
    return dict(segmentation)


def _outline_length(polygon: list[float]) -> float:
    """Approximate length of a polygon's outline in pixels, a lower bound.

    Raises `ValueError` for anything that is not a polygon.
    """
    corners = np.array(polygon, dtype=np.float64).reshape(-1, 2)
    if not len(corners) or not np.isfinite(corners).all():
        raise ValueError("a polygon without corners")
    return float(np.abs(corners - np.roll(corners, 1, axis=0)).max(axis=1).sum())
