"""Boxes of a detector, from a file of COCO results."""

from pathlib import Path
from typing import Any

import numpy as np

from repogen.coco.annotations import PersonAnnotations
from repogen.errors import UserError
from repogen.inference.estimate import Boxes
from repogen.json_files import read_json

_BROKEN = (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError)


def read_detections(path: Path, people: PersonAnnotations) -> Boxes:
    """The person boxes in a JSON list of image_id, bbox (pixels), score and category_id.

    Boxes are clipped to their images; boxes of other categories or less than a pixel wide or
    high are left out. Raises `UserError` for another kind of file, for an image that the set does
    not have, and where no box is left.
    """
    records = read_json(path)
    if not isinstance(records, list):
        raise UserError(
            f"{path} is not a list of detections; give COCO results: image_id, bbox, score"
        )
    image_index = {image_id: i for i, image_id in enumerate(people.image_ids.tolist())}
    categories = {record["category_id"] for record in people.records}
    rows = []
    for number, record in enumerate(records):
        try:
            if record.get("category_id", min(categories)) not in categories:
                continue
            row = _parse_detection(record, people, image_index)
        except _BROKEN as error:
            raise UserError(f"{path}: detections[{number}] is not valid: {error!r}") from error
        if row is None:
            raise UserError(
                f"{path}: detections[{number}] has image_id {record['image_id']}, which set "
                f"{people.name} does not have; give detections of this set's images"
            )
        if min(row[2:4]) > 1:
            rows.append(row)
    if not rows:
        raise UserError(f"{path} holds no person boxes for set {people.name}")
    table = np.array(rows)
    return Boxes(
        boxes=table[:, :4],
        scores=table[:, 4],
        image=table[:, 5].astype(np.int64),
        person=np.full(len(table), -1),
    )


def _parse_detection(
    record: dict[str, Any], people: PersonAnnotations, image_index: dict[Any, int]
) -> list[float] | None:
    """x, y, w, h, score and the image's index; None for an image that the set does not have."""
    x, y, w, h = (float(v) for v in record["bbox"])
    score = float(record["score"])
    if not np.isfinite([x, y, w, h, score]).all():
        raise ValueError(f"bbox {record['bbox']} and score {score} must be finite")
    if record["image_id"] not in image_index:
        return None
    index = image_index[record["image_id"]]
    width, height = people.sizes[index].tolist()
    left, top = min(max(x, 0), width), min(max(y, 0), height)
    right, bottom = min(max(x + w, 0), width), min(max(y + h, 0), height)
    return [left, top, right - left, bottom - top, score, index]
