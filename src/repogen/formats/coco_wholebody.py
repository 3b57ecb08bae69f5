"""COCO-WholeBody (https://github.com/jin-s13/COCO-WholeBody): COCO keypoints with the points of
feet, face and hands in fields of their own."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from repogen.bodies.wholebody import GROUPS
from repogen.coco.names import CATEGORY, joint_table
from repogen.errors import UserError
from repogen.formats.coco import coco_annotation, coco_file, flat_keypoints, rounded
from repogen.formats.labelled import LabelledImage, LabelledPerson, LabelledSet
from repogen.formats.output import Output


def write_coco_wholebody(source: LabelledSet, images: Iterator[LabelledImage], out: Output) -> None:
    """Write annotations/person_keypoints.json with the fields of COCO-WholeBody, and images/.

    Raises `UserError` for people without points of feet, face and hands.
    """
    with coco_file(out, "annotations/person_keypoints.json", source, CATEGORY) as file:
        for image in images:
            out.place(image, f"images/{image.name}")
            file.add(image, [coco_annotation(p) | _groups(p, image) for p in image.people])


def _groups(person: LabelledPerson, image: LabelledImage) -> dict[str, Any]:
    """The fields of each group, with whole-number pixel centres."""
    shift = 0.5 * ("camera" in image.record)
    fields: dict[str, Any] = {}
    for group, names in GROUPS.items():
        given = person.record.get(f"{group}_kpts")
        if given is None:
            raise UserError(
                f"{image.name}: its people have no {group}_kpts; generate with --keypoints "
                "wholebody"
            )
        try:
            points = joint_table(given)
        except ValueError as error:
            raise UserError(f"{image.name}: {group}_kpts: {error}") from error
        if len(points) != len(names) or not np.isfinite(points).all():
            raise UserError(f"{image.name}: {group}_kpts should be {len(names)} points x, y, v")
        seen = points[:, 2] > 0
        points[:, :2] -= shift
        fields[f"{group}_kpts"] = flat_keypoints(points)
        fields[f"{group}_valid"] = bool(seen.any())
        if group != "foot":
            ends = points[seen, :2] if seen.any() else np.zeros((1, 2))
            low, high = ends.min(axis=0), ends.max(axis=0)
            fields[f"{group}_box"] = rounded(np.concatenate([low, high - low]))
    return fields
