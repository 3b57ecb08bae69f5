"""COCO-keypoint sets as they come, real or ours: one record for each labelled person."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from pycocotools import mask as rle

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.coco.rle import is_whole
from repogen.errors import UserError
from repogen.json_files import read_json

_TABLES = ("images", "annotations", "categories")

_LONGEST_OUTLINE = 10**6
"""Pixels around a polygon: pycocotools sets memory aside for all of them, and checks nothing."""


@dataclass(frozen=True)
class PersonAnnotations:
    """The annotations of one set that are of a person, in the file's order; n of them.

    Keypoints are pixels with v = 0 absent, 1 hidden, 2 visible; boxes are x, y, w, h.
    """

    name: str
    root: Path
    files: tuple[str, ...]
    """The file of each image, below `root`."""
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
    """Azimuth, elevation and roll in degrees of the camera, from each person: the annotation's
    own, else its image's; NaN where the set does not say."""
    records: tuple[Mapping[str, Any], ...]
    """The annotations themselves, with whatever else they hold."""
    rendered: Bool[np.ndarray, " i"]
    """Which images are ours: they come with their camera."""

    def __len__(self) -> int:
        return len(self.ids)

    def path(self, person: int) -> Path:
        """The image a person is in."""
        return self.root / self.files[self.image[person]]

    @property
    def pixel_centers(self) -> Float[np.ndarray, "n 1"]:
        """Where the middle of the first pixel lies, for each person: annotators name pixels, our
        labels are measured from the picture's edge."""
        return 0.5 * self.rendered[self.image, None]

    def labelled(self) -> Int[np.ndarray, " m"]:
        """Index of every person with a labelled joint that is no crowd: those who are scored."""
        return np.flatnonzero((self.keypoints[:, :, 2] > 0).any(axis=1) & ~self.crowd)

    def take(self, persons: Sequence[int] | Int[np.ndarray, " m"]) -> "PersonAnnotations":
        """Only these persons; the images stay."""
        index = np.asarray(persons, dtype=np.int64)
        return replace(
            self,
            records=tuple(self.records[i] for i in index),
            **{name: getattr(self, name)[index] for name in _PER_PERSON},
        )

    def trainable(self) -> "PersonAnnotations":
        """Those with a joint to learn from and a box to crop: no crowds, nobody unlabelled."""
        labelled = self.labelled()
        return self.take(labelled[(self.boxes[labelled, 2:] > 1).all(axis=1)])


_PER_PERSON = ("image", "ids", "boxes", "areas", "keypoints", "crowd", "views")


def read_people(name: str, annotations: Path, images: Path) -> PersonAnnotations:
    """The persons of a COCO-keypoints file whose images lie below the folder `images`.

    Crowds and people without keypoints are kept and marked as the file marks them. Boxes are cut
    to the image; a missing box comes from the mask or the keypoints, a missing `area` from the
    mask or the box. Raises `UserError` for a file that is no such file, naming the record.
    """
    return people_of(name, _read_json(annotations), str(annotations), images)


def people_of(name: str, data: Mapping[str, Any], where: str, images: Path) -> PersonAnnotations:
    """`read_people` of what a COCO file holds; `where` stands in errors for the file."""
    skeleton = _person_categories(where, data["categories"])
    index, frames = {}, []
    for place, image in enumerate(data["images"]):
        with _record(where, "images", place):
            index[image["id"]] = place
            frames.append(_frame(image))
    rows, records = [], []
    for place, record in enumerate(data["annotations"]):
        with _record(where, "annotations", place):
            if record["category_id"] in skeleton:
                at = index[record["image_id"]]
                view = _view(record) or frames[at][3]
                rows.append(
                    (at, int(np.int64(record["id"])), view, *_mended(record, frames[at][1]))
                )
                records.append(record)
    files, sizes, rendered, _ = zip(*frames, strict=True) if frames else [()] * 4
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
    )


@contextmanager
def _record(where: str, table: str, place: int) -> Iterator[None]:
    """Names the record that something is wrong with."""
    try:
        yield
    except KeyError as error:
        raise UserError(f"{where}: {table}[{place}] lacks {error}") from error
    except (AttributeError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise UserError(f"{where}: {table}[{place}] cannot be read: {error}") from error


def _person_categories(where: str, categories: list[Any]) -> set[Any]:
    """The ids of the categories named person. Raises `UserError` where there is none, and for
    another skeleton than COCO's."""
    out = set()
    for place, category in enumerate(categories):
        with _record(where, "categories", place):
            if category["name"] == "person":
                out.add(category["id"])
                names = category.get("keypoints")
                if names is not None and list(names) != list(COCO_KEYPOINTS):
                    raise UserError(
                        f"{where}: keypoints of another skeleton ({len(names)}: {names[:2]} …); "
                        "COCO's 17 are needed, in COCO's order"
                    )
    if not out:
        raise UserError(f"{where} has no category named person")
    return out


def _frame(image: Mapping[str, Any]) -> tuple[str, tuple[int, int], bool, list[float]]:
    """File, size, whether it is ours, and view, of one image."""
    size = int(image["width"]), int(image["height"])
    if not all(0 <= side < 2**31 for side in size):
        raise ValueError(f"width and height {size} are no picture's")
    return str(image["file_name"]), size, "camera" in image, _view(image) or _UNKNOWN


def _view(record: Mapping[str, Any]) -> list[float]:
    """The angles of a record's view; nothing where it has none."""
    view = record.get("view")
    return [float(view.get(k, np.nan)) for k in _VIEW] if view else []


_VIEW = ("azimuth_deg", "elevation_deg", "roll_deg")
_UNKNOWN = [np.nan] * 3


def _read_json(path: Path) -> dict[str, Any]:
    data = read_json(path)
    missing = [
        t for t in _TABLES if not isinstance(data, dict) or not isinstance(data.get(t), list)
    ]
    if missing:
        raise UserError(f"{path} is not a COCO file: it has no list of {' or '.join(missing)}")
    return data


def _mended(
    record: Mapping[str, Any], size: tuple[int, int]
) -> tuple[list[float], float, Float[np.ndarray, "17 3"], bool]:
    """Box within the image, area, keypoints and whether it is a crowd, of one annotation."""
    flat = np.array(record.get("keypoints") or np.zeros(51), dtype=np.float64)
    if flat.shape != (51,) or not np.isfinite(flat).all():
        raise ValueError(f"keypoints must be 51 numbers, not {flat.size}")
    keypoints = flat.reshape(17, 3)
    area, mask = record.get("area"), None
    if area is None or "bbox" not in record:
        mask = _encoded(record.get("segmentation"), size)
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


def _encoded(segmentation: Any, size: tuple[int, int]) -> dict[str, Any] | None:
    """A polygon list or an RLE, compressed or not, as pycocotools' compressed RLE."""
    width, height = size
    if not segmentation:
        return None
    try:
        if isinstance(segmentation, list):
            outline = sum(_outline(polygon) for polygon in segmentation)
            if not outline < _LONGEST_OUTLINE or min(size) < 1:
                raise ValueError(f"an outline of {outline:g} pixels around {width} x {height}")
            return rle.merge(rle.frPyObjects(segmentation, height, width))
        counts = segmentation["counts"]
        if any(not 0 < int(side) < 2**31 for side in segmentation["size"]):
            raise ValueError(f"size {segmentation['size']}")
        if isinstance(counts, list):
            return rle.frPyObjects(segmentation, height, width)
        if len(segmentation["size"]) != 2 or not is_whole(counts):
            raise ValueError("its counts are cut off")
    except Exception as error:  # pycocotools raises no narrower one
        raise ValueError(f"segmentation is no polygon and no RLE ({error})") from error
    return dict(segmentation)


def _outline(polygon: list[float]) -> float:
    """Pixels around a polygon, about; at least; raises `ValueError` where it is none."""
    corners = np.array(polygon, dtype=np.float64).reshape(-1, 2)
    if not len(corners) or not np.isfinite(corners).all():
        raise ValueError("a polygon without corners")
    return float(np.abs(corners - np.roll(corners, 1, axis=0)).max(axis=1).sum())
