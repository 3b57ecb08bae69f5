"""What was found, as COCO results and as a COCO-keypoint set."""

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from repogen.files import atomic_path
from repogen.labels.annotation import CATEGORY


@dataclass(frozen=True)
class Found:
    """The n people of a picture, in pixels counted from the middle of its first."""

    name: str
    """Of the file, below the folder that holds all files."""
    frame: int
    """Of a video, from 0; -1 for an image."""
    image_id: int
    width: int
    height: int
    keypoints: Float[np.ndarray, "n 17 3"]
    """x, y and the joint's score."""
    boxes: Float[np.ndarray, "n 4"]
    scores: Float[np.ndarray, " n"]


@dataclass(frozen=True)
class Person:
    """Somebody worth handing on: at least one joint is seen."""

    keypoints: Float[np.ndarray, "17 3"]
    seen: Bool[np.ndarray, "17"]
    box: list[float]
    score: float


def persons(found: Found, least: float) -> Iterator[Person]:
    """Those of whom a joint in the picture scores at least `least`: these are seen."""
    for keypoints, box, score in zip(found.keypoints, found.boxes, found.scores, strict=True):
        inside = np.abs(2 * keypoints[:, :2] + 1 - (found.width, found.height))
        seen = (keypoints[:, 2] >= least) & (inside <= (found.width, found.height)).all(axis=1)
        if seen.any():
            yield Person(keypoints, seen, box.round(2).tolist(), round(float(score), 6))


def write_results(path: Path, found: Iterable[Found]) -> None:
    """COCO results: image_id, category_id, keypoints, bbox and score of everybody, and file_name
    and frame, so that it can serve as --boxes."""
    write_text(path, (*_listed(_results(found)), "\n"))


def write_people(path: Path, found: list[Found], least: float, info: str) -> None:
    """A COCO-keypoint set, which the other verbs read and CVAT imports as COCO Keypoints 1.0.

    Joints that score at least `least` are visible (v = 2), the others not labelled. A frame of a
    video is the file VIDEO/frame_000000.jpg.
    """
    head = {"info": {"description": info}, "licenses": [], "categories": [CATEGORY]}
    images = ({**_image(f), "width": f.width, "height": f.height} for f in found)
    text = itertools.chain(
        [json.dumps(head)[:-1], ', "images": '], _listed(images),
        [', "annotations": '], _listed(_annotations(found, least)), ["}\n"],
    )  # fmt: skip
    write_text(path, text)


def write_text(path: Path, pieces: Iterable[str]) -> None:
    """Write text whole or not at all. Raises `UserError` where it cannot be written."""
    with atomic_path(path) as partial, partial.open("w", encoding="utf-8") as out:
        out.writelines(pieces)


def _results(found: Iterable[Found]) -> Iterator[dict[str, Any]]:
    for f in found:
        where: dict[str, Any] = {"file_name": f.name, "image_id": f.image_id}
        if f.frame >= 0:
            where["frame"] = f.frame
        for keypoints, box, score in zip(f.keypoints, f.boxes, f.scores, strict=True):
            yield where | {
                "category_id": CATEGORY["id"],
                "keypoints": keypoints.round(3).ravel().tolist(),
                "bbox": box.round(2).tolist(),
                "score": round(float(score), 6),
            }


def _image(found: Found) -> dict[str, Any]:
    frame = f"/frame_{found.frame:06d}.jpg" if found.frame >= 0 else ""
    return {"id": found.image_id, "file_name": found.name + frame}


def _annotations(found: Iterable[Found], least: float) -> Iterator[dict[str, Any]]:
    numbers = itertools.count(1)
    for f in found:
        for person in persons(f, least):
            flat = np.where(person.seen[:, None], person.keypoints, 0)
            flat[:, 2] = 2 * person.seen
            yield {
                "id": next(numbers),
                "image_id": f.image_id,
                "category_id": CATEGORY["id"],
                "iscrowd": 0,
                "keypoints": flat.round(3).ravel().tolist(),
                "num_keypoints": int(person.seen.sum()),
                "bbox": person.box,
                "area": round(person.box[2] * person.box[3], 2),
                "segmentation": [],  # CVAT's reader insists on it
                "score": person.score,
            }


def _listed(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A JSON list, a record a line."""
    yield "["
    for place, record in enumerate(records):
        yield (",\n" if place else "\n") + json.dumps(record)
    yield "\n]"
