"""Rotations to the T-pose of a skeleton that stands neither at rest nor in its first frame.

LaFAN1, 100STYLE and Bandai-Namco's files have rest poses with all bones along one axis. Which
rotation of a joint is a T-pose's follows from the motion: a bone points at the next joint, knees
and elbows show the axis about which they bend, and what nothing shows is on average as in T-pose.
"""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from repogen.arrays import Float
from repogen.bodies.rigging import nearest_rotations
from repogen.poses.tree import PARENTS, SIDES, finger_joints, parent_of, targets, tpose_direction

_BENT = np.sin(np.radians(5.0))
"""Hinges that bend less than this on average do not show their axis."""

_LEFT, _UP, _FRONT = np.eye(3)

_HINGES = {
    "hip": ("hip", "knee", "ankle"),
    "knee": ("hip", "knee", "ankle"),
    "ankle": ("knee", "ankle", "foot"),
    "shoulder": ("shoulder", "elbow", "wrist"),
    "elbow": ("shoulder", "elbow", "wrist"),
}
"""The three joints whose bend shows how the bone at a joint is twisted."""


def rotations_to_tpose_from_motion(
    rest: Mapping[str, Float[np.ndarray, "3"]],
    source: Mapping[str, Float[np.ndarray, "frames 3"]],
    turning: Mapping[str, Float[np.ndarray, "frames 3 3"]],
) -> dict[str, Float[np.ndarray, "3 3"]]:
    """Rotations from the rest pose to the T-pose, by joint.

    `rest` and `source` are the joints' positions at rest and in the motion, `turning` their world
    rotations in the motion.
    """
    out: dict[str, Float[np.ndarray, "3 3"]] = {}
    ours: dict[str, Float[np.ndarray, "frames 3 3"]] = {}
    for joint in ("pelvis", *PARENTS):
        parent = PARENTS.get(joint, "")
        if joint not in rest:
            ours[joint] = ours[parent]
            continue
        turned = turning[joint]
        bone, across = _axes_at_rest(joint, rest)
        bone_tpose, across_tpose = _axes_in_tpose(joint)
        if bone is None:
            mean = np.mean(turned.swapaxes(1, 2) @ ours[parent], axis=0)
            out[joint] = nearest_rotations(mean[None])[0].T
        else:
            if across is None:
                across = _bend_axis(joint, source, turned)
            if across is None:
                across = np.einsum("fji,fj->i", turned, ours[parent] @ across_tpose)
            out[joint] = _frame(bone_tpose, across_tpose) @ _frame(bone, across).T
        ours[joint] = turned @ out[joint].T
    for side in SIDES:
        for finger in finger_joints(side):
            if finger in rest:
                out[finger] = out.get(parent_of(finger), np.eye(3))
    return out


def _axes_at_rest(
    joint: str, rest: Mapping[str, Float[np.ndarray, "3"]]
) -> tuple[Float[np.ndarray, "3"] | None, Float[np.ndarray, "3"] | None]:
    """Where a joint's bone points at rest, and, for pelvis and chest, where left is."""
    if joint == "pelvis":
        hips = (rest["left_hip"] + rest["right_hip"]) / 2
        up = next(rest[j] for j in ("spine1", "spine3", "neck", "head") if j in rest) - hips
        return up, rest["left_hip"] - rest["right_hip"]
    ends = targets(joint, rest)
    if not ends:
        return None, None
    pairs = [(end, end.replace("left", "right")) for end in ends if end.startswith("left")]
    left = next((rest[a] - rest[b] for a, b in pairs if b in rest), None)
    middle = [end for end in ends if not end.startswith(("left", "right"))]
    if joint == "spine3":
        return rest[(middle or ["head"])[0]] - rest[joint], left
    return rest[ends[0]] - rest[joint], None


def _axes_in_tpose(joint: str) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    side, _, name = joint.partition("_")
    direction = tpose_direction(joint)
    if direction is None:
        return _UP, _LEFT
    if name in ("shoulder", "elbow"):
        return direction, -SIDES[side] * _UP
    return direction, {"ankle": -_LEFT, "collar": _UP}.get(name, _LEFT)


def _bend_axis(
    joint: str,
    source: Mapping[str, Float[np.ndarray, "frames 3"]],
    turned: Float[np.ndarray, "frames 3 3"],
) -> Float[np.ndarray, "3"] | None:
    """The axis of the hinge at or after a joint, with the joint's axes; None if it is straight."""
    side, _, name = joint.partition("_")
    hinge = [f"{side}_{j}" for j in _HINGES.get(name, ())]
    if not hinge or not all(j in source for j in hinge):
        return None
    first, second = (source[b] - source[a] for a, b in pairwise(hinge))
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    axes = np.cross(first, second) / np.maximum(lengths, 1e-12)[:, None]
    axis = np.einsum("fji,fj->i", turned, axes) / len(axes)
    return axis if np.linalg.norm(axis) > _BENT else None


def _frame(
    bone: Float[np.ndarray, "3"], across: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "3 3"]:
    """Axes (columns) along a bone, across it, and across both."""
    along = bone / np.linalg.norm(bone)
    side = across - (across @ along) * along
    if np.linalg.norm(side) < 1e-9:
        side = np.cross(along, np.eye(3)[np.argmin(np.abs(along))])
    side = side / np.linalg.norm(side)
    return np.stack([along, side, np.cross(along, side)], axis=1)
