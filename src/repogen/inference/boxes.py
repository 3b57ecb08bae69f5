"""People's boxes from a file: whose they are, and which are worth a look."""

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
"""x, y, w, h in pixels and the score of each box."""

PersonDetector = Callable[[Frame], ScoredBoxes]
"""Where the people of a picture are."""

_ImageName = str | int
"""What a file calls an image: a path, or an id that is the number its name consists of."""

_BROKEN = (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError)

_PERSON = 1
"""COCO's category, which a list of detections has no table for."""


@dataclass(frozen=True)
class FileBoxes:
    """The boxes of a file: a finder."""

    boxes: Mapping[tuple[MediaFile, int], list[list[float]]]
    """By file and frame; -1 for an image."""
    ids: Mapping[MediaFile, int]
    """The image ids of a COCO file."""
    sizes: Mapping[MediaFile, tuple[int, int]]
    """Width and height of its images, where it says them."""

    def __call__(self, frame: Frame) -> ScoredBoxes:
        return _to_array(self.boxes.get((frame.source, frame.number), []))


def whole_image_box(frame: Frame) -> ScoredBoxes:
    """The finder that takes every picture for one person's box."""
    height, width = frame.picture.shape[:2]
    return _to_array([[0.0, 0.0, width, height, 1.0]])


def clip_boxes(boxes: ScoredBoxes, width: int, height: int) -> ScoredBoxes:
    """Boxes cut to the picture; those with less than a pixel in it are left out."""
    low = np.clip(boxes[:, :2], 0, (width, height))
    high = np.clip(boxes[:, :2] + boxes[:, 2:4], 0, (width, height))
    out = np.hstack([low, high - low, boxes[:, 4:]])
    return out[(out[:, 2:4] >= 1).all(axis=1)]


def read_boxes(path: Path, sources: list[MediaFile], least: float) -> FileBoxes:
    """The boxes of persons in a COCO file, or in a list of bbox, file_name (or image_id), frame
    (of a video, from 0), score and category_id; those that score less than `least` are left out.

    A name finds the file it is the path of, or the end of the path of, or which its own end is.
    Raises `UserError` for another kind of file, a name that fits several files, and where none
    of the files is named.
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
        if source is None or box[4] < least:
            continue
        if source.video and frame < 0:
            raise UserError(f"--boxes {path}: a box of the video {name} says not of which frame")
        boxes[source, frame if source.video else -1].append(box)
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
    """Ids and sizes of the images by name, and the boxes."""
    tables = ("images", "annotations")
    if not isinstance(data, dict) or not all(isinstance(data.get(t), list) for t in tables):
        raise UserError(
            f"--boxes {path} is neither a COCO file nor a list of detections with bbox and "
            "file_name or image_id"
        )
    categories = data.get("categories") or []
    if not isinstance(categories, list):
        raise UserError(f"--boxes {path}: categories is no list")
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
    for place, record in enumerate(records):
        try:
            out.append(read(record))
        except _BROKEN as error:
            raise UserError(f"--boxes {path}: {table}[{place}] is none: {error!r}") from error
    return [entry for entry in out if entry is not None]


def _files_of_names(
    path: Path, names: Iterable[_ImageName], sources: list[MediaFile]
) -> dict[_ImageName, MediaFile]:
    """The file each name is of, where there is one."""
    alike: dict[_ImageName, list[_ImageName]] = defaultdict(list)
    for name in names:
        alike[name if isinstance(name, int) else PurePosixPath(name).name].append(name)
    owners: dict[_ImageName, MediaFile] = {}
    for source in sources:
        stem = source.path.stem
        near = [*alike[source.path.name], *(alike[int(stem)] if stem.isdecimal() else [])]
        fitting = sorted(
            (n for n in near if _names_file(n, source)), key=lambda n: _shared_path_parts(n, source)
        )
        if len(fitting) > 1 and _shared_path_parts(fitting[-1], source) == _shared_path_parts(
            fitting[-2], source
        ):
            raise UserError(
                f"--boxes {path}: {fitting[-2]} and {fitting[-1]} both fit {source.path}; "
                "look at the folder above"
            )
        for name in fitting[-1:]:
            other = owners.get(name)
            if other is None or name == source.name:
                owners[name] = source
            elif name != other.name:
                raise UserError(
                    f"--boxes {path}: {name} fits both {other.path} and {source.path}; name files "
                    "with their folders"
                )
    if not owners:
        raise UserError(
            f"--boxes {path} names none of the {len(sources)} files, the first of which is "
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
    """How many parts the ends of a name and of a file's path have in common."""
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
