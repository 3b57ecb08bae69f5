"""Person boxes from a file, and the images and frames they belong to."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from repogen.arrays import Float
from repogen.coco.annotations import record_box
from repogen.coco.images import labels_as_stored
from repogen.coco.names import PERSON, detected_persons, id_key, person_categories
from repogen.coco.records import box_score, naming_record, number
from repogen.coco.references import match_files
from repogen.errors import UserError
from repogen.inference.frames import Frame, MediaFile
from repogen.json_files import read_json
from repogen.messages import warn
from repogen.pictures import read_header

ScoredBoxes = Float[np.ndarray, "n 5"]
"""x, y, w, h in pixels and the score of each box; (0, 0) is the image's corner."""

PersonDetector = Callable[[Frame], ScoredBoxes]
"""A function from a frame to its person boxes."""


@dataclass(frozen=True)
class FileBoxes:
    """A `PersonDetector` that looks the boxes up in a file."""

    boxes: Mapping[tuple[MediaFile, int], list[list[float]]]
    """By media file and frame number; the number is -1 for an image."""
    ids: Mapping[MediaFile, int | str]
    """The image ids of a COCO file; empty for a list of detections."""
    sizes: Mapping[MediaFile, tuple[int, int]]
    """Width and height of the images, where a COCO file holds them."""
    as_stored: bool = False
    """Whether the boxes are in the pixels as stored, before EXIF orientation."""

    def __call__(self, frame: Frame) -> ScoredBoxes:
        return _to_array(self.boxes.get((frame.source, frame.number), []))


def whole_image_box(frame: Frame) -> ScoredBoxes:
    """A `PersonDetector` that returns the whole image as one box of score 1."""
    height, width = frame.image.shape[:2]
    return _to_array([[0.0, 0.0, width, height, 1.0]])


def clip_boxes(boxes: ScoredBoxes, width: int, height: int) -> ScoredBoxes:
    """Boxes clipped to an image; boxes with less than a pixel inside it are left out."""
    low = np.clip(boxes[:, :2], 0, (width, height))
    high = np.clip(boxes[:, :2] + boxes[:, 2:4], 0, (width, height))
    out = np.hstack([low, high - low, boxes[:, 4:]])
    return out[(out[:, 2:4] >= 1).all(axis=1)]


def read_boxes(path: Path, sources: list[MediaFile], min_score: float) -> FileBoxes:
    """The person boxes that score at least `min_score` in a COCO file or a list of detections.

    A detection has bbox (or box), file_name or image_id, frame (of a video, from 0), score and
    category_id. Names and ids belong to media files as `match_files` says. Raises `UserError` for
    another kind of file, for a name that fits several media files, where no name fits any of them,
    and for a list without persons.
    """
    data = read_json(path, "--boxes")
    ids: dict[str, int | str] = {}
    sizes: dict[str, tuple[int, int]] = {}
    if isinstance(data, list):
        rows = _parse_detections(path, data)
    else:
        ids, sizes, rows = _parse_coco(path, data)
    root = sources[0].folder if sources else Path()
    names = [source.name for source in sources]
    owners = match_files([*ids, *(row[0] for row in rows)], names, root, f"--boxes {path}")
    if not owners:
        named = [*ids, *(row[0] for row in rows)]
        if not named:
            raise UserError(f"--boxes {path} holds no boxes of persons")
        raise UserError(
            f"--boxes {path} names none of the {len(sources)} input files: it names {named[0]}, "
            f"and the first of them is {names[0]}"
        )
    boxes: dict[tuple[MediaFile, int], list[list[float]]] = defaultdict(list)
    for name, frame, box in rows:
        if name not in owners or box[4] < min_score:
            continue
        source = sources[owners[name]]
        if source.is_video and frame < 0:
            raise UserError(f"--boxes {path}: a box of the video {name} has no frame number")
        boxes[source, frame if source.is_video else -1].append(box)
    found = FileBoxes(
        boxes,
        {sources[owners[name]]: number for name, number in ids.items() if name in owners},
        {sources[owners[name]]: size for name, size in sizes.items() if name in owners},
    )
    return _with_true_sizes(found, f"--boxes {path}")


def _with_true_sizes(boxes: FileBoxes, where: str) -> FileBoxes:
    """The boxes with the sizes that the images have as the boxes see them; see
    `labels_as_stored`."""
    images = [source for source in boxes.sizes if not source.is_video]
    headers = [read_header(source.path) for source in images]
    extents = [
        np.max(
            [np.zeros(2), *(np.add(b[:2], b[2:4]) for b in boxes.boxes.get((s, -1), []))], axis=0
        )
        for s in images
    ]
    sizes = np.array([boxes.sizes[source] for source in images]).reshape(-1, 2)
    as_stored = labels_as_stored(headers, sizes, np.array(extents).reshape(-1, 2), where)
    true = {
        source: header.stored if as_stored else header.size
        for source, header in zip(images, headers, strict=True)
        if header is not None and header.stored == boxes.sizes[source]
    }
    return replace(boxes, sizes={**boxes.sizes, **true}, as_stored=as_stored)


_Row = tuple[str, int, list[float]]
"""Name of the image, frame number or -1, and x, y, w, h and score of a box."""


def _parse_coco(
    path: Path, data: Any
) -> tuple[dict[str, int | str], dict[str, tuple[int, int]], list[_Row]]:
    """Image ids by name, image sizes by name, and the box of each person."""
    known = data if isinstance(data, dict) else {}
    lacking = [t for t in ("images", "annotations") if not isinstance(known.get(t), list)]
    if lacking:
        raise UserError(
            f"--boxes {path} is neither a list of detections (bbox, and file_name or image_id) nor "
            f"a COCO file: it has no list of {' or '.join(lacking)}"
        )
    categories = data.get("categories") or []
    if not isinstance(categories, list):
        raise UserError(f"--boxes {path}: categories is not a list")
    read = _parse_entries(path, "categories", categories, lambda c: person_categories([c]))
    persons = {key for found in read for key in found}
    if categories and not persons:
        raise UserError(
            f"--boxes {path} has no category named person, but "
            f"{', '.join(str(c['name']) for c in categories[:5])}; rename the one of persons"
        )
    images = _parse_entries(path, "images", data["images"], _parse_image)
    names = {id_key(number): name for number, name, _ in images}
    keys = {id_key(r.get("image_id")) for r in data["annotations"] if isinstance(r, dict)}
    others = match_files(keys - names.keys(), [*names.values()], Path(), f"--boxes {path}")
    names |= {str(key): [*names.values()][index] for key, index in others.items()}

    def annotation(record: dict[str, Any]) -> _Row | None:
        person = not persons or id_key(record["category_id"]) in persons
        if record.get("iscrowd") or not person:
            return None
        key = id_key(record["image_id"])
        if key not in names:
            raise ValueError(f"its image_id {key} is none of the images")
        return names[key], -1, _parse_box(record)

    rows = _parse_entries(path, "annotations", data["annotations"], annotation)
    sizes = {name: size for _, name, size in images if size}
    return {name: number for number, name, _ in images}, sizes, _known(path, rows)


def _parse_image(record: dict[str, Any]) -> tuple[int | str, str, tuple[int, int] | None]:
    size = number(record, "width"), number(record, "height")
    known = (int(size[0]), int(size[1])) if all(0 < side < 2**31 for side in size) else None
    key = record["id"] if isinstance(record["id"], int) else id_key(record["id"])
    return key, str(record["file_name"]), known


def _parse_detections(path: Path, data: list[Any]) -> list[_Row]:
    """The boxes of the persons in a list of detections. Raises `UserError` where it has none."""
    where = f"--boxes {path}"
    used = {id_key(r.get("category_id", PERSON)) for r in data if isinstance(r, dict)}
    persons = detected_persons(used, where)
    if used and not used & {*persons}:
        raise UserError(
            f"{where} holds no persons: its category_id is {', '.join(sorted(used)[:5])}, and "
            f"COCO's category of persons is {PERSON}"
        )

    def detection(record: dict[str, Any]) -> _Row | None:
        if id_key(record.get("category_id", PERSON)) not in (*persons, str(None)):
            return None
        name = str(record["file_name"]) if "file_name" in record else id_key(record["image_id"])
        return name, int(number(record, "frame", -1)), _parse_box(record)

    return _known(path, _parse_entries(path, "detections", data, detection))


def _known(path: Path, rows: list[_Row]) -> list[_Row]:
    """The rows with a box; the others are counted on stderr."""
    known = [row for row in rows if row[2]]
    if len(known) < len(rows):
        warn(f"--boxes {path}: {len(rows) - len(known)} boxes are empty and left out")
    return known


def _parse_box(record: dict[str, Any]) -> list[float]:
    """x, y, w, h and score; empty where the box is unknown."""
    if "bbox" not in record and "box" not in record and not record.get("keypoints"):
        raise KeyError("bbox")
    box = record_box(record)
    score = box_score(record, unknown=1.0)
    return [] if box is None else [*box.tolist(), score]


def _parse_entries(
    path: Path, table: str, records: list[Any], read: Callable[[Any], Any]
) -> list[Any]:
    out = []
    for i, record in enumerate(records):
        with naming_record(f"--boxes {path}", table, i, record):
            out.append(read(record))
    return [entry for entry in out if entry is not None]


def _to_array(boxes: list[list[float]]) -> ScoredBoxes:
    return np.array(boxes, dtype=float).reshape(-1, 5)
