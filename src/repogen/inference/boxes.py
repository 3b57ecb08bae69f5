"""Person boxes from a file, and the images and frames they belong to."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from jaxtyping import Float

from repogen.errors import UserError
from repogen.inference.frames import Frame, MediaFile
from repogen.json_files import read_json

ScoredBoxes = Float[np.ndarray, "n 5"]
"""x, y, w, h in pixels and the score of each box; (0, 0) is the image's corner."""

PersonDetector = Callable[[Frame], ScoredBoxes]
"""A function from a frame to its person boxes."""

_ImageName = str | int
"""How a file of boxes names an image: a path, or an image id that equals the file's stem."""

_BROKEN = (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError)

_PERSON = 1
"""COCO's category of persons, for lists of detections, which have no table of categories."""


@dataclass(frozen=True)
class FileBoxes:
    """A `PersonDetector` that looks the boxes up in a file."""

    boxes: Mapping[tuple[MediaFile, int], list[list[float]]]
    """By media file and frame number; the number is -1 for an image."""
    ids: Mapping[MediaFile, int]
    """The image ids of a COCO file; empty for a list of detections."""
    sizes: Mapping[MediaFile, tuple[int, int]]
    """Width and height of the images, where a COCO file holds them."""

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

    A detection has bbox, file_name (or image_id), frame (of a video, from 0), score and
    category_id. A name belongs to a media file when one of the two paths ends in the other.
    Raises `UserError` for another kind of file, for a name that fits several media files, and
    where no name fits any of them.
    """
    data = read_json(path, "--boxes")
    ids: dict[_ImageName, int] = {}
    sizes: dict[_ImageName, tuple[int, int]] = {}
    if isinstance(data, list):
        rows = _parse_entries(path, "detections", data, _parse_detection)
    else:
        ids, sizes, rows = _parse_coco(path, data)
    owners = _files_of_names(path, {*ids, *(row[0] for row in rows)}, sources)
    boxes: dict[tuple[MediaFile, int], list[list[float]]] = defaultdict(list)
    for name, frame, box in rows:
        source = owners.get(name)
        if source is None or box[4] < min_score:
            continue
        if source.is_video and frame < 0:
            raise UserError(f"--boxes {path}: a box of the video {name} has no frame number")
        boxes[source, frame if source.is_video else -1].append(box)
    return FileBoxes(
        boxes,
        {owners[name]: number for name, number in ids.items() if name in owners},
        {owners[name]: size for name, size in sizes.items() if name in owners},
    )


def _parse_coco(
    path: Path, data: Any
) -> tuple[
    dict[_ImageName, int],
    dict[_ImageName, tuple[int, int]],
    list[tuple[_ImageName, int, list[float]]],
]:
    """Image ids by name, image sizes by name, and (name, frame, box) of each person."""
    tables = ("images", "annotations")
    if not isinstance(data, dict) or not all(isinstance(data.get(t), list) for t in tables):
        raise UserError(
            f"--boxes {path} is neither a COCO file nor a list of detections with bbox and "
            "file_name or image_id"
        )
    categories = data.get("categories") or []
    if not isinstance(categories, list):
        raise UserError(f"--boxes {path}: categories is not a list")
    persons = _parse_entries(
        path, "categories", categories, lambda c: c["id"] if c.get("name") == "person" else None
    )
    if categories and not persons:
        raise UserError(f"--boxes {path} has no category named person")
    images = _parse_entries(path, "images", data["images"], _parse_image)
    names = {number: name for number, name, _ in images}

    def annotation(record: dict[str, Any]) -> tuple[_ImageName, int, list[float]] | None:
        if record.get("iscrowd") or (persons and record["category_id"] not in persons):
            return None
        return names[record["image_id"]], -1, _parse_box(record)

    rows = _parse_entries(path, "annotations", data["annotations"], annotation)
    sizes = {name: size for _, name, size in images if size}
    return {name: number for number, name in names.items()}, sizes, rows


def _parse_image(record: dict[str, Any]) -> tuple[int, str, tuple[int, int] | None]:
    size = int(record.get("width", 0)), int(record.get("height", 0))
    return int(record["id"]), str(record["file_name"]), size if min(size) > 0 else None


def _parse_detection(record: dict[str, Any]) -> tuple[_ImageName, int, list[float]] | None:
    if record.get("category_id", _PERSON) != _PERSON:
        return None
    name = str(record["file_name"]) if "file_name" in record else int(record["image_id"])
    return name, int(record.get("frame", -1)), _parse_box(record)


def _parse_box(record: dict[str, Any]) -> list[float]:
    x, y, w, h, score = (float(v) for v in (*record["bbox"], record.get("score", 1.0)))
    if not np.isfinite([x, y, w, h, score]).all() or min(w, h) < 0:
        raise ValueError(f"bbox {record['bbox']} and score {score:g} must be x, y, w, h and finite")
    return [x, y, w, h, score]


def _parse_entries(
    path: Path, table: str, records: list[Any], read: Callable[[Any], Any]
) -> list[Any]:
    out = []
    for i, record in enumerate(records):
        try:
            out.append(read(record))
        except _BROKEN as error:
            raise UserError(f"--boxes {path}: {table}[{i}] is not valid: {error!r}") from error
    return [entry for entry in out if entry is not None]


def _files_of_names(
    path: Path, names: Iterable[_ImageName], sources: list[MediaFile]
) -> dict[_ImageName, MediaFile]:
    """The media file that each name belongs to, for names that belong to one."""
    by_file_name: dict[_ImageName, list[_ImageName]] = defaultdict(list)
    for name in names:
        by_file_name[name if isinstance(name, int) else PurePosixPath(name).name].append(name)
    owners: dict[_ImageName, MediaFile] = {}
    for source in sources:
        stem = source.path.stem
        candidates = [
            *by_file_name[source.path.name],
            *(by_file_name[int(stem)] if stem.isdecimal() else []),
        ]
        fitting = sorted(
            (n for n in candidates if _names_file(n, source)),
            key=lambda n: _shared_path_parts(n, source),
        )
        if len(fitting) > 1 and _shared_path_parts(fitting[-1], source) == _shared_path_parts(
            fitting[-2], source
        ):
            raise UserError(
                f"--boxes {path}: {fitting[-2]} and {fitting[-1]} both fit {source.path}; "
                "give a folder further up"
            )
        for name in fitting[-1:]:
            other = owners.get(name)
            if other is None or name == source.name:
                owners[name] = source
            elif name != other.name:
                raise UserError(
                    f"--boxes {path}: {name} fits both {other.path} and {source.path}; add their "
                    "folders to file_name"
                )
    if not owners:
        raise UserError(
            f"--boxes {path} names none of the {len(sources)} input files, the first of which is "
            f"{sources[0].name}"
        )
    return owners


def _names_file(name: _ImageName, source: MediaFile) -> bool:
    if isinstance(name, int):
        return True
    parts = PurePosixPath(name).parts
    return _shared_path_parts(name, source) >= min(
        len(parts), len(PurePosixPath(source.name).parts)
    )


def _shared_path_parts(name: _ImageName, source: MediaFile) -> int:
    """The number of path parts that a name and a file's path share at their ends."""
    if isinstance(name, int):
        return 1
    shared = 0
    for ours, theirs in zip(
        reversed(source.path.parts), reversed(PurePosixPath(name).parts), strict=False
    ):
        if ours != theirs:
            break
        shared += 1
    return shared


def _to_array(boxes: list[list[float]]) -> ScoredBoxes:
    return np.array(boxes, dtype=float).reshape(-1, 5)
