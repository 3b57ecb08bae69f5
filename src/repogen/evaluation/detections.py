"""Boxes of a detector, from a file of COCO results."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from repogen.coco.annotations import PersonAnnotations, record_box
from repogen.coco.names import PERSON, detected_persons, id_key
from repogen.coco.records import box_score, naming_record
from repogen.coco.references import Reference, match_files
from repogen.errors import UserError
from repogen.inference.estimate import Boxes
from repogen.json_files import read_json


def read_detections(path: Path, people: PersonAnnotations) -> Boxes:
    """The person boxes in a JSON list of image_id, bbox (pixels), score and category_id.

    `image_id` is an id of the set's images, or a file name or its stem. Boxes are clipped to their
    images; boxes of other categories or less than a pixel wide or high are left out. Raises
    `UserError` for another kind of file, for an image that the set does not have, and where no box
    is left.
    """
    records = read_json(path)
    if not isinstance(records, list):
        raise UserError(
            f"{path} is not a list of detections; give COCO results: image_id, bbox, score"
        )
    known = [record for record in records if isinstance(record, dict)]
    persons = _person_categories(path, known, people)
    image_index: dict[Reference, int] = {
        id_key(image_id): i for i, image_id in enumerate(people.image_ids.tolist())
    }
    names = {_image_name(record) for record in known} - image_index.keys()
    if names:
        image_index |= match_files(names, people.files, people.root, str(path))
    rows = []
    others: set[str] = set()
    for number, record in enumerate(records):
        with naming_record(str(path), "detections", number, record):
            category = id_key(record.get("category_id", next(iter(persons))))
            if category not in persons:
                others.add(category)
                continue
            row = _parse_detection(record, people, image_index)
            if min(row[2:4]) > 1:
                rows.append(row)
    if not rows:
        raise UserError(f"{path} {_why_none(records, others, persons)}")
    table = np.array(rows)
    return Boxes(
        boxes=table[:, :4],
        scores=table[:, 4],
        image=table[:, 5].astype(np.int64),
        person=np.full(len(table), -1),
    )


def _why_none(records: list[Any], others: Collection[str], persons: Collection[str]) -> str:
    """Why no box is left of these records, in words that follow the file's name."""
    if not records:
        return "is an empty list; give at least one box"
    if others:
        return (
            f"holds no persons: its category_id is {', '.join(sorted(others)[:5])}, and that of "
            f"the set's persons is {', '.join(sorted(persons))}"
        )
    return f"holds {len(records)} boxes, all at most a pixel wide or high inside their images"


def _person_categories(
    path: Path, records: list[dict[str, Any]], people: PersonAnnotations
) -> Collection[str]:
    """The category ids of persons in detections of a set."""
    persons = {id_key(record.get("category_id", PERSON)) for record in people.records}
    used = {id_key(record["category_id"]) for record in records if "category_id" in record}
    others = {id_key(number) for number in people.category_ids} - persons
    return detected_persons(used, str(path), persons or {str(PERSON)}, others)


def _image_name(record: dict[str, Any]) -> str:
    """The image that a detection names, by its id, else by its file name."""
    return id_key(record.get("image_id", record.get("file_name")))


def _parse_detection(
    record: dict[str, Any], people: PersonAnnotations, image_index: Mapping[Reference, int]
) -> list[float]:
    """x, y, w, h, score and the image's index. An unknown box has width and height 0.

    Raises `KeyError` and `ValueError` for a detection that is not valid.
    """
    if "bbox" not in record and "box" not in record and not record.get("keypoints"):
        raise KeyError("bbox")
    box = record_box(record)
    x, y, w, h = np.zeros(4) if box is None else box
    score = box_score(record, unknown=None)
    if "image_id" not in record and "file_name" not in record:
        raise KeyError("image_id")
    name = _image_name(record)
    if name not in image_index:
        raise ValueError(
            f"it has image_id {name}, which set {people.name} does not have; give detections of "
            "this set's images"
        )
    index = image_index[name]
    width, height = people.sizes[index].tolist()
    left, top = min(max(x, 0), width), min(max(y, 0), height)
    right, bottom = min(max(x + w, 0), width), min(max(y + h, 0), height)
    return [left, top, right - left, bottom - top, score, index]
