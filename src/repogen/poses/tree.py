"""The body's joints in our skeleton's tree, and where its bones point in T-pose."""

from collections.abc import Mapping

import numpy as np

from repogen.arrays import Float
from repogen.bodies.skeleton import FINGERS

SIDES = {"left": 1.0, "right": -1.0}
"""The sign of x on each side."""

_OF_A_SIDE = {
    "hip": "pelvis",
    "knee": "hip",
    "ankle": "knee",
    "foot": "ankle",
    "collar": "spine3",
    "shoulder": "collar",
    "elbow": "shoulder",
    "wrist": "elbow",
}
PARENTS = {
    "spine1": "pelvis",
    "spine2": "spine1",
    "spine3": "spine2",
    "neck": "spine3",
    "head": "neck",
} | {
    f"{side}_{joint}": parent if parent in ("pelvis", "spine3") else f"{side}_{parent}"
    for side in SIDES
    for joint, parent in _OF_A_SIDE.items()
}
"""The parent of each body joint in SMPL-X's tree, parents first."""

BONE_ENDS = {
    f"{side}_{start}": f"{side}_{end}"
    for side in SIDES
    for start, end in {
        "hip": "knee", "knee": "ankle", "ankle": "foot", "shoulder": "elbow", "elbow": "wrist",
    }.items()
}  # fmt: skip
"""The bones of the limbs: their first joint, and their second."""

LEGS_APART_DEG = 5.0
"""Outward lean of thighs and shins in T-pose; the average adult's are 4.8 and 5.5."""

SAME_POSITION = 1e-4
"""Joints nearer than this share of the body's size have the same position."""

_LEAN = np.radians(LEGS_APART_DEG)


def tpose_direction(joint: str) -> Float[np.ndarray, "3"] | None:
    """Where the limb bone that begins at `joint` points in T-pose, with x left, y up and z front;
    None for a joint of the trunk."""
    side, _, name = joint.partition("_")
    sign = SIDES.get(side, 0.0)
    if name in ("hip", "knee"):
        return np.array([sign * np.sin(_LEAN), -np.cos(_LEAN), 0.0])
    if name == "ankle":
        return np.array([0.0, -0.45, 0.893])
    if name in ("collar", "shoulder", "elbow"):
        return np.array([sign, 0.0, 0.0])
    return None


def targets(joint: str, at: Mapping[str, Float[np.ndarray, "3"]]) -> list[str]:
    """The nearest joints below `joint` that have another position than it in the skeleton at rest,
    whose joints are at the positions `at`."""
    out = []
    for child in (child for child, parent in PARENTS.items() if parent == joint):
        found = child in at and are_apart(at, joint, child)
        if joint == "pelvis":
            out += [child] * (found and child.endswith("hip"))  # at the spine it bends
        elif found:
            out.append(child)
        else:
            out += [below for below in targets(child, at) if are_apart(at, joint, below)]
    return out


def are_apart(at: Mapping[str, Float[np.ndarray, "3"]], joint: str, other: str) -> bool:
    """Whether two joints have different positions; true if there is no `joint`."""
    if joint not in at:
        return True
    size = max(np.abs(position - at["pelvis"]).max() for position in at.values())
    return bool(np.abs(at[joint] - at[other]).max() > SAME_POSITION * size)


def finger_joints(side: str) -> list[str]:
    """Our names of a hand's fifteen joints, each finger's from the palm to the tip."""
    return [f"{side}_{finger}{knuckle}" for finger in FINGERS for knuckle in (1, 2, 3)]


def parent_of(joint: str) -> str:
    """The parent of a body or finger joint."""
    if joint in PARENTS:
        return PARENTS[joint]
    knuckle = int(joint[-1])
    return f"{joint[:-1]}{knuckle - 1}" if knuckle > 1 else joint.partition("_")[0] + "_wrist"
