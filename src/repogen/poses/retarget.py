"""Retarget the motion of a foreign skeleton to our joints: bones follow the joints' positions.

Every skeleton has its own rest pose (all rotations zero). Comparable are the joints' rotations
from the T-pose: the rotation in the file, after the one from the T-pose to the file's rest pose.
They say how a bone is twisted. Where it points, the positions of its two ends say: a file may
split a bone, move its joints, or give a joint without length any rotation. The file's scale does
not matter.
"""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from repogen.arrays import Float, Float32
from repogen.bodies.rigging import nearest_rotations
from repogen.bodies.rotations import matrices_to_vectors
from repogen.bodies.skeleton import BODY_JOINTS
from repogen.errors import UserError
from repogen.poses.bvh import Skeleton
from repogen.poses.calibration import rotations_to_tpose_from_motion
from repogen.poses.clearance import LEG, clearances
from repogen.poses.clips import Clip
from repogen.poses.kinematics import (
    ancestors,
    joint_positions,
    rest_positions,
    with_first_frame_as_rest,
    world_rotations,
)
from repogen.poses.limb_check import angles_deg, compare_limbs
from repogen.poses.rest_pose import body_axes, is_straight, rotations_to_tpose
from repogen.poses.rigs import Rig, find_joints
from repogen.poses.tree import (
    BONE_ENDS,
    PARENTS,
    SAME_POSITION,
    SIDES,
    are_apart,
    finger_joints,
    parent_of,
    targets,
    tpose_direction,
)

_SAME_DIRECTION_DEG = 15.0
"""Rigs put the joints of legs and feet at other points of the body. A bone whose direction at rest
is nearer to ours than this is taken for ours in T-pose."""

_OWN_ROTATION = 1e-6
"""Weight of a joint's own rotation against the positions of the joints that it moves."""

_SPINE = ("spine1", "spine2", "spine3", "neck", "head")
_SPINE_LENGTH = 0.03
"""Share of its length that the spine counts in a pelvis whose own joint only moves joints at its
position: the spine bends there, but hips on a line with the pelvis do not say how it tips."""

_EXACT = 1e-7

Rotations = Float[np.ndarray, "frames 3 3"]


def retarget(
    skeleton: Skeleton,
    rotations: Float[np.ndarray, "frames joints 3 3"],
    translations: Float[np.ndarray, "frames joints 3"],
    where: str,
) -> Clip:
    """The clip of our joints' angles for a skeleton's rotations and translations relative to the
    parent joints, as `read_bvh` returns them.

    The whole body's orientation is relative to the skeleton as it stands; where it never does, y
    is up. Fingers are used from hands with all fifteen joints. If the skeleton does not stand in
    its rest pose, the first frame serves as rest pose, if it stands there with straight limbs: many
    files begin with a T-pose. If it stands in neither, bends of knees and elbows show how the bones
    are twisted. Warns, once for each call, of limbs that deviate from the file's by more than 25
    degrees. Raises `UserError`, naming `where`, for a skeleton that is not human or has a limb of
    zero length.
    """
    world = world_rotations(skeleton, rotations)
    positions = joint_positions(skeleton, world, translations)
    rig = find_joints(skeleton, where, positions)
    axes = body_axes(rest_positions(skeleton), rig)
    if axes is None:
        first, turned = with_first_frame_as_rest(skeleton, world, positions)
        if is_straight(positions[0], rig):
            axes = body_axes(positions[0], rig)
        if axes is not None:
            skeleton, world = first, turned
    at_rest = rest_positions(skeleton)
    rest = {"pelvis": at_rest[rig.pelvis]} | {j: at_rest[i] for j, i in rig.joints.items()}
    _check_limbs(rest, where)
    source = {"pelvis": positions[:, rig.pelvis]}
    source |= {joint: positions[:, index] for joint, index in rig.joints.items()}
    owners = {joint: _owner(skeleton, rig, rest, joint) for joint in rest}
    turning = {joint: world[:, owner] for joint, owner in owners.items()}
    if axes is None:
        from_rest = rotations_to_tpose_from_motion(rest, source, turning)
    else:
        standing = rotations_to_tpose({joint: axes @ at for joint, at in rest.items()})
        from_rest = {joint: standing.get(joint, np.eye(3)) @ axes for joint in rest}
    bones = {
        joint: _tpose_bones(joint, rest, from_rest[joint])
        for joint, owner in owners.items()
        if joint in BONE_ENDS or owner != rig.joints.get(joint, rig.pelvis)
    }
    hands = [side for side in SIDES if f"{side}_wrist" in rest and axes is not None]
    fingers = [j for side in hands for j in finger_joints(side) if _has_fingers(rig, side)]
    ours: dict[str, Rotations] = {}
    local = {}
    for joint in ("pelvis", *PARENTS, *fingers):
        if joint not in rest:
            ours[joint] = ours[parent_of(joint)]
            continue
        turned = turning[joint] @ from_rest[joint].T
        moved = bones.get(joint, {})
        vectors = {end: source[end] - source[joint] for end in moved}
        ours[joint] = _towards_targets(turned, moved, vectors)
    for joint in (*BODY_JOINTS, *fingers):
        if joint in rest:
            local[joint] = ours[parent_of(joint)].swapaxes(1, 2) @ ours[joint]
    compare_limbs(ours, source, where)
    matrices = np.stack(list(local.values()), axis=1)
    vectors = np.rad2deg(matrices_to_vectors(matrices.reshape(-1, 3, 3)))
    stance = np.eye(3) if axes is None else axes
    orientations = np.rad2deg(matrices_to_vectors(stance @ ours["pelvis"])).astype(np.float32)
    degrees = vectors.reshape(*matrices.shape[:2], 3).astype(np.float32)
    root = translations[:, ancestors(skeleton, rig.pelvis)[-1]]
    above = None
    if np.ptp(root, axis=0).any():
        heights = (root + source["pelvis"]) @ stance[1]
        above = _clearances(local, orientations, heights, rest)
    return Clip(tuple(local), degrees, orientations, above)


def _clearances(
    local: Mapping[str, Rotations],
    orientations: Float[np.ndarray, "frames 3"],
    heights: Float[np.ndarray, " frames"],
    rest: Mapping[str, Float[np.ndarray, "3"]],
) -> Float32[np.ndarray, " frames"]:
    """`Clip.clearances`, of the pelvis's heights in the file's unit."""
    legs = [
        np.linalg.norm(rest[f"{side}_{end}"] - rest[f"{side}_{start}"])
        for side in SIDES
        for start, end in (("hip", "knee"), ("knee", "ankle"))
    ]
    vectors = np.zeros((len(heights), len(BODY_JOINTS), 3))
    for index, joint in enumerate(BODY_JOINTS):
        if joint in local:
            vectors[:, index] = matrices_to_vectors(local[joint])
    metres = heights * LEG / (sum(legs) / len(SIDES))
    return clearances(vectors, np.deg2rad(orientations), metres)


def _check_limbs(rest: Mapping[str, Float[np.ndarray, "3"]], where: str) -> None:
    for joint, end in BONE_ENDS.items():
        if joint in rest and end in rest and not are_apart(rest, joint, end):
            raise UserError(
                f"{where}: {joint} and {end} have the same position; export the whole skeleton"
            )


def _has_fingers(rig: Rig, side: str) -> bool:
    return all(joint in rig.joints for joint in finger_joints(side))


def _owner(
    skeleton: Skeleton, rig: Rig, rest: Mapping[str, Float[np.ndarray, "3"]], joint: str
) -> int:
    """Index of the joint in the file whose rotation twists the bone at our `joint`.

    A joint that only moves joints at its own position may have any rotation, so another on the way
    to the bone's end takes its place. A rig may split a thigh or upper arm to twist it: the hinge
    at its end has the last piece's axis.
    """
    start = rig.joints.get(joint, rig.pelvis)
    is_split = joint.endswith(("_hip", "_shoulder"))
    found = []
    for end in targets(joint, rest):
        path = ancestors(skeleton, rig.joints[end])
        path = path[: path.index(start) + 1][::-1]
        size = np.linalg.norm(rest[end] - rest[joint])
        turning = [
            above
            for above, below in pairwise(path)
            if np.linalg.norm(skeleton.offsets[below]) > SAME_POSITION * size
        ]
        found.append(turning[-1 if is_split else 0])
    return start if start in found or not found else found[0]


def _tpose_bones(
    joint: str, rest: Mapping[str, Float[np.ndarray, "3"]], from_rest: Float[np.ndarray, "3 3"]
) -> dict[str, Float[np.ndarray, "3"]]:
    """Where the joints that a joint moves are in T-pose, from it, with the body's axes."""
    ends = targets(joint, rest)
    if joint == "pelvis":
        ends += [spine for spine in _SPINE if spine in rest and are_apart(rest, joint, spine)][:1]
    out = {end: from_rest @ (rest[end] - rest[joint]) for end in ends}
    direction = None if joint.endswith("collar") else tpose_direction(joint)
    for end, bone in out.items():
        if direction is not None and angles_deg(bone, direction) > _SAME_DIRECTION_DEG:
            out[end] = direction * np.linalg.norm(bone)
        elif joint == "pelvis" and end in _SPINE:
            out[end] = bone * _SPINE_LENGTH
    return out


def _towards_targets(
    turned: Rotations,
    bones: Mapping[str, Float[np.ndarray, "3"]],
    vectors: Mapping[str, Float[np.ndarray, "frames 3"]],
) -> Rotations:
    """The rotations nearest to `turned` that point the bones along the vectors (Kabsch 1976)."""
    longest = max((np.linalg.norm(bone) for bone in bones.values()), default=0.0)
    total, error = _OWN_ROTATION * turned, 0.0
    for end, bone in bones.items():
        length = np.linalg.norm(bone)
        lengths = np.linalg.norm(vectors[end], axis=1, keepdims=True)
        wanted = np.where(lengths > 0, vectors[end] / np.maximum(lengths, 1e-12), 0.0)
        error = max(error, float(np.abs(turned @ (bone / length) - wanted).max()))
        total += np.einsum("fi,j->fij", wanted, bone * length / longest**2)
    return turned if error < _EXACT else nearest_rotations(total)
