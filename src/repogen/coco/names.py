"""Names of joints and categories in other people's files, whatever their spelling and order."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from reprlib import repr as shortened
from typing import Any

import numpy as np

from repogen.arrays import Float
from repogen.bodies.skeleton import COCO_KEYPOINTS, COCO_SKELETON
from repogen.coco.records import numbers
from repogen.messages import say

PERSON = 1
"""The id of COCO's category of persons."""

CATEGORY: dict[str, Any] = {
    "id": PERSON,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(COCO_KEYPOINTS),
    "skeleton": [[a + 1, b + 1] for a, b in COCO_SKELETON],
}
"""COCO's category of persons as headers have it."""

_PERSON_NAMES = {"person", "persons", "people", "human", "humans", "pedestrian", "pedestrians"}

COCO_FIRST = (17, 23, 26, 133, 136)
"""Numbers of keypoints in layouts that begin with COCO's 17: COCO, with feet, Halpe's 26 and 136
(AlphaPose), COCO-WholeBody."""

_PARTS = "|".join(sorted({name.rpartition("_")[2] for name in COCO_KEYPOINTS}))
_JOINT = re.compile(rf"(left|right|l|r)?({_PARTS})(left|right|l|r)?")


def person_name(name: object) -> bool:
    """Whether a category's name, in any case, means a person."""
    return str(name).strip().lower() in _PERSON_NAMES


def joint_name(name: object) -> str:
    """COCO's name of a joint: `Left Eye`, `left-eye`, `eyeLeft` and `LEye` are `left_eye`.

    Other names are returned in lower case without punctuation.
    """
    plain = re.sub(r"[^a-z0-9]", "", str(name).lower())
    found = _JOINT.fullmatch(plain)
    if found is None:
        return plain
    before, part, after = found.groups()
    sides = [side for side in (before, after) if side]
    if len(sides) != (part != "nose"):
        return plain
    return "_".join([*({"l": "left", "r": "right"}.get(s, s) for s in sides), part])


def joint_columns(names: Sequence[object] | None) -> list[int] | None:
    """Index of each of COCO's 17 joints in a header's names, -1 where it has none.

    None for an absent or empty header. Raises `ValueError` where no name or only one of a pair of
    equal names can be meant.
    """
    if not names:
        return None
    known = [joint_name(name) for name in names]
    twice = [name for name in COCO_KEYPOINTS if known.count(name) > 1]
    if twice:
        raise ValueError(f"its keypoints name {twice[0]} more than once")
    columns = [known.index(name) if name in known else -1 for name in COCO_KEYPOINTS]
    if max(columns) < 0:
        shown = ", ".join(str(name) for name in names[:3])
        raise ValueError(
            f"its {len(names)} keypoints ({shown}, …) are none of COCO's 17; rename them as in "
            "nose, left_eye, right_eye"
        )
    return columns


def coco_joints(flat: object, columns: list[int] | None, named: int) -> Float[np.ndarray, "17 3"]:
    """The COCO joints x, y, v of a record's keypoints; zeros where they are absent.

    `columns` are those of a header with `named` names. Raises `ValueError` where it is unclear
    which numbers belong to which joint, and for numbers that are not finite.
    """
    if flat is None or flat == []:
        return np.zeros((17, 3))
    table = joint_table(flat)
    points = len(table)
    in_order = list(range(17))
    if columns is None and points in COCO_FIRST:
        columns = in_order
    elif points != named and not (columns == in_order and points in (17, *COCO_FIRST)):
        if columns is None:
            known = ", ".join(map(str, COCO_FIRST))
            names = f"the header names none; name them, or give {known} that begin with COCO's 17"
        else:
            names = f"the header names {named}; give as many of both"
        raise ValueError(f"keypoints has {3 * points} numbers, {points} joints, and {names}")
    assert columns is not None
    joints = np.where(np.array(columns)[:, None] >= 0, table[columns], 0.0)
    joints[(joints[:, 2] == 0) & ~np.isfinite(joints).all(axis=1)] = 0.0  # null: not labelled
    if not np.isfinite(joints).all():
        raise ValueError("keypoints holds a number that is not finite")
    return joints


def joint_table(flat: object) -> Float[np.ndarray, "k 3"]:
    """The joints x, y, v of a record's keypoints. Raises `ValueError` for another number of
    numbers."""
    found = numbers(flat, "keypoints")
    if len(found) % 3:
        raise ValueError(f"keypoints has {len(found)} numbers; x, y, v of each joint are needed")
    return found.reshape(-1, 3)


def person_categories(categories: Iterable[Mapping[str, Any]]) -> dict[str, Sequence[object]]:
    """The keypoint names of each category of persons, by `id_key` of its id.

    A category is of persons if its name says so or if its keypoints are all of COCO's.
    """
    out: dict[str, Sequence[object]] = {}
    for category in categories:
        names = category.get("keypoints") or []
        if not isinstance(names, list):
            raise ValueError(f"keypoints {shortened(names)} is not a list of names")
        is_body = {joint_name(name) for name in names} >= set(COCO_KEYPOINTS)
        if person_name(category["name"]) or is_body:
            out[id_key(category["id"])] = names
    return out


def id_key(value: object) -> str:
    """An id as text: 7, 7.0 and "7" are the same."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def detected_persons(
    used: Collection[str],
    where: str,
    persons: Collection[str] = (str(PERSON),),
    others: Collection[str] = (),
) -> Collection[str]:
    """The category ids of persons in a list of detections, which has no table of categories.

    `used` are the ids in the list; `persons` and `others` those of the set it belongs to. COCO's
    categories begin at 1; where 0 is used, they are numbered as YOLO does, persons first, and a
    line on stderr says so.
    """
    if "0" in used and "0" not in {*persons, *others}:
        say(f"{where}: category 0 is read as persons, as YOLO numbers categories")
        return ("0",)
    return persons
