"""Estimated poses written as COCO results and as a COCO-keypoints file."""

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from repogen.arrays import Bool, Float
from repogen.coco.names import CATEGORY
from repogen.outputs import OutputFolder


@dataclass(frozen=True)
class FramePoses:
    """The n poses in an image or a video frame, in pixels; (0, 0) is the first pixel's centre."""

    name: str
    """The file's path below the folder that holds all input files."""
    frame: int
    """The frame number in a video, from 0; -1 for an image."""
    image_id: int | str
    width: int
    height: int
    keypoints: Float[np.ndarray, "n 17 3"]
    """x, y and the joint's score."""
    boxes: Float[np.ndarray, "n 4"]
    scores: Float[np.ndarray, " n"]

    @property
    def file_name(self) -> str:
        """The name of the image in a COCO file."""
        return image_name(self.name, self.frame)


def image_name(name: str, frame: int) -> str:
    """The name of an image, or of frame `frame` of the video `name`, in a COCO file."""
    return name if frame < 0 else f"{name}/frame_{frame:06d}.jpg"


@dataclass(frozen=True)
class ExportedPerson:
    """A pose with at least one joint to label."""

    keypoints: Float[np.ndarray, "17 3"]
    labelled: Bool[np.ndarray, "17"]
    box: list[float]
    score: float


def exported_persons(found: FramePoses, min_score: float) -> Iterator[ExportedPerson]:
    """The persons with a labelled joint: one inside the image that scores at least `min_score`."""
    for keypoints, box, score in zip(found.keypoints, found.boxes, found.scores, strict=True):
        inside = np.abs(2 * keypoints[:, :2] + 1 - (found.width, found.height))
        labelled = (keypoints[:, 2] >= min_score) & (inside <= (found.width, found.height)).all(
            axis=1
        )
        if labelled.any():
            yield ExportedPerson(keypoints, labelled, box.round(2).tolist(), round(float(score), 6))


def write_results(out: OutputFolder, path: Path, found: Iterable[FramePoses]) -> None:
    """Write COCO results: image_id, category_id, keypoints, bbox and score of each person.

    file_name and frame are added, so that the file can be given as --boxes.
    """
    out.write_text(path, (*_json_list(_results(found)), "\n"))


def write_people(
    out: OutputFolder, path: Path, found: list[FramePoses], min_score: float, info: str
) -> None:
    """Write a COCO-keypoints file, for the other commands and for CVAT (COCO Keypoints 1.0).

    Joints that score at least `min_score` are visible (v = 2), the others not labelled (v = 0). A
    video frame is named VIDEO/frame_000000.jpg.
    """
    head = {"info": {"description": info}, "licenses": [], "categories": [CATEGORY]}
    images = ({**_image(f), "width": f.width, "height": f.height} for f in found)
    text = itertools.chain(
        [json.dumps(head)[:-1], ', "images": '], _json_list(images),
        [', "annotations": '], _json_list(_annotations(found, min_score)), ["}\n"],
    )  # fmt: skip
    out.write_text(path, text)


def _results(found: Iterable[FramePoses]) -> Iterator[dict[str, Any]]:
    for f in found:
        image: dict[str, Any] = {"file_name": f.name, "image_id": f.image_id}
        if f.frame >= 0:
            image["frame"] = f.frame
        for keypoints, box, score in zip(f.keypoints, f.boxes, f.scores, strict=True):
            yield image | {
                "category_id": CATEGORY["id"],
                "keypoints": keypoints.round(3).ravel().tolist(),
                "bbox": box.round(2).tolist(),
                "score": round(float(score), 6),
            }


def _image(found: FramePoses) -> dict[str, Any]:
    return {"id": found.image_id, "file_name": found.file_name}


def _annotations(found: Iterable[FramePoses], min_score: float) -> Iterator[dict[str, Any]]:
    numbers = itertools.count(1)
    for f in found:
        for person in exported_persons(f, min_score):
            flat = np.where(person.labelled[:, None], person.keypoints, 0)
            flat[:, 2] = 2 * person.labelled
            yield {
                "id": next(numbers),
                "image_id": f.image_id,
                "category_id": CATEGORY["id"],
                "iscrowd": 0,
                "keypoints": flat.round(3).ravel().tolist(),
                "num_keypoints": int(person.labelled.sum()),
                "bbox": person.box,
                "area": round(person.box[2] * person.box[3], 2),
                "segmentation": [],  # CVAT's reader requires it
                "score": person.score,
            }


def _json_list(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A JSON list, one record per line."""
    yield "["
    for i, record in enumerate(records):
        yield (",\n" if i else "\n") + json.dumps(record)
    yield "\n]"
