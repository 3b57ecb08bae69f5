"""The rest pose of a foreign skeleton (all rotations zero), and its rotations to our T-pose."""

from collections.abc import Mapping

import numpy as np

from repogen.arrays import Float
from repogen.bodies.rigging import shortest_rotation
from repogen.bodies.rotations import vectors_to_matrices
from repogen.poses.rigs import Rig
from repogen.poses.tree import LEGS_APART_DEG, finger_joints

_STRAIGHT_DEG = 20.0
"""Limbs bent by less than this count as straight, as in a T-pose or A-pose."""

_BENT_DEG = 10.0
"""An elbow bent by more than this at rest shows the axis of its hinge."""

Vectors = Mapping[str, Float[np.ndarray, "3"]]


def body_axes(
    positions: Float[np.ndarray, "joints 3"], rig: Rig
) -> Float[np.ndarray, "3 3"] | None:
    """The body's axes (rows: left, up, front) in the file's frame; None if it does not stand.

    `positions` are the joints' in the rest pose. Up is the file's axis nearest to hips → head;
    left is right hip → left hip.
    """
    left_hip, right_hip = (positions[rig.joints[f"{side}_hip"]] for side in ("left", "right"))
    hips = (left_hip + right_hip) / 2
    trunk = positions[rig.joints["head"]] - hips
    axis = int(np.argmax(np.abs(trunk)))
    up = np.sign(trunk[axis]) * np.eye(3)[axis]
    left = left_hip - right_hip
    left = left - (left @ up) * up
    width, height = np.linalg.norm(left), trunk @ up
    knees = [positions[rig.joints[f"{side}_knee"]] - hips for side in ("left", "right")]
    stands = height > 0.8 * np.linalg.norm(trunk) and all(knee @ up < 0 for knee in knees)
    if not stands or width < 0.01 * height:
        return None
    left = left / width
    return np.stack([left, up, np.cross(left, up)])


def is_straight(positions: Float[np.ndarray, "joints 3"], rig: Rig) -> bool:
    """Whether every elbow and knee is bent by less than 20 degrees."""
    for side in ("left", "right"):
        for limb in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
            indices = [rig.joints[name] for j in limb if (name := f"{side}_{j}") in rig.joints]
            if len(indices) < 3:
                continue
            first, second = np.diff(positions[indices], axis=0)
            bend = np.arctan2(np.linalg.norm(np.cross(first, second)), first @ second)
            if np.degrees(bend) > _STRAIGHT_DEG:
                return False
    return True


def rotations_to_tpose(rest: Vectors) -> dict[str, Float[np.ndarray, "3 3"]]:
    """World rotations from the file's rest pose to the T-pose, by joint, in the body's axes.

    `rest` are the joints' positions in the rest pose, in the body's axes. Arms take the shortest
    rotation to point sideways, with the hinge of an elbow bent at rest upright and the palms,
    where knuckles show them, down. Legs rotate sideways only, since a knee is straight at rest
    wherever its rig puts it between hip and ankle. Trunk, head and feet are assumed to be as in
    T-pose.
    """
    out = {}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        upper, fore = _straight_arm(rest, side, sign)
        out[f"{side}_shoulder"], out[f"{side}_elbow"] = upper, fore
        hand = _flat_hand(rest, side, sign, fore)
        out[f"{side}_wrist"] = hand
        out |= dict.fromkeys(finger_joints(side), hand)
        for joint, end in (("hip", "knee"), ("knee", "ankle")):
            if f"{side}_{end}" in rest:
                bone = rest[f"{side}_{end}"] - rest[f"{side}_{joint}"]
                lean = sign * LEGS_APART_DEG - np.degrees(np.arctan2(bone[0], -bone[1]))
                about_z = np.radians([[0.0, 0.0, lean]])
                out[f"{side}_{joint}"] = vectors_to_matrices(about_z)[0]
    return out


def _straight_arm(
    rest: Vectors, side: str, sign: float
) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3 3"]]:
    """Rotations of upper and lower arm that bring the arm into the T-pose; `sign` is +1 on the
    left, -1 on the right."""
    sideways = np.array([sign, 0.0, 0.0])
    shoulder, elbow = rest[f"{side}_shoulder"], rest[f"{side}_elbow"]
    upper = shortest_rotation(elbow - shoulder, sideways)
    if f"{side}_wrist" not in rest:
        return upper, upper
    bone = rest[f"{side}_wrist"] - elbow
    bent = upper @ bone
    across = np.array([0.0, bent[1], bent[2]])
    if np.degrees(np.arctan2(np.linalg.norm(across), bent @ sideways)) > _BENT_DEG:
        upper = shortest_rotation(across, np.array([0.0, 0.0, 1.0])) @ upper
    return upper, shortest_rotation(upper @ bone, sideways) @ upper


def _flat_hand(
    rest: Vectors, side: str, sign: float, fore: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "3 3"]:
    knuckles = [rest.get(f"{side}_{finger}1") for finger in ("index", "middle", "ring", "pinky")]
    known = [k for k in knuckles if k is not None]
    if len(known) < 4 or f"{side}_wrist" not in rest:
        return fore
    sideways = np.array([sign, 0.0, 0.0])
    hand = shortest_rotation(
        fore @ (np.mean(known, axis=0) - rest[f"{side}_wrist"]), sideways
    ) @ fore  # fmt: skip
    palm = sign * np.cross(sideways, hand @ (known[0] - known[-1]))
    twist = shortest_rotation(np.array([0.0, palm[1], palm[2]]), np.array([0.0, -1.0, 0.0]))
    return twist @ hand
