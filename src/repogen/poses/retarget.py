"""Rotations of a foreign skeleton, told as turns of our own joints.

Every skeleton has its own pose at zero. What can be compared is where a joint has been turned to
in the world, from the T-pose: its rotation in the file, after the turn that takes the T-pose to
the file's own pose at zero. That turn follows from the bones' directions at zero; how the file
is scaled and which of its axes is up does not matter.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from repogen.bodies.skeleton import BODY_JOINTS
from repogen.errors import UserError
from repogen.poses.bvh import Skeleton
from repogen.poses.clips import Clip
from repogen.poses.rest import body_axes, finger_joints, is_straight, to_tpose
from repogen.poses.rigs import Rig, find_joints

_PARENTS = (
    {"left_hip": "pelvis", "right_hip": "pelvis", "spine1": "pelvis", "spine2": "spine1"}
    | {"spine3": "spine2", "neck": "spine3", "head": "neck"}
    | {
        f"{side}_{joint}": parent if parent == "spine3" else f"{side}_{parent}"
        for side in ("left", "right")
        for joint, parent in {
            "knee": "hip",
            "ankle": "knee",
            "foot": "ankle",
            "collar": "spine3",
            "shoulder": "collar",
            "elbow": "shoulder",
            "wrist": "elbow",
        }.items()
    }
)
"""SMPL-X's tree."""

_BONE_ENDS = {"hip": "knee", "knee": "ankle", "shoulder": "elbow", "elbow": "wrist"}


def retarget(skeleton: Skeleton, turns: Float[np.ndarray, "frames joints 3 3"], where: str) -> Clip:
    """A clip of our joints from each joint's rotation relative to its parent.

    How the whole body is turned in the world is left out (see `repogen.poses.motion`); fingers
    are taken from hands that have all fifteen joints. Where the skeleton does not stand at zero,
    its first frame takes that pose's place, if it stands there with straight limbs: many files
    begin with a T-pose. Raises `UserError` for a skeleton that is no human's, stands in neither, or
    has a bone of no length.
    """
    rig = find_joints(skeleton, where)
    at_rest = _at_zero(skeleton)
    axes = body_axes(at_rest, rig)
    if axes is None:
        skeleton, turns = _from_first_frame(skeleton, turns)
        at_rest = _at_zero(skeleton)
        axes = body_axes(at_rest, rig) if is_straight(at_rest, rig) else None
    if axes is None:
        raise UserError(
            f"{where}: the skeleton does not stand upright, neither with all rotations at zero "
            "nor, with straight limbs, in its first frame, so its bones cannot be compared; export "
            "it with a T-pose or A-pose at rest or as the first frame"
        )
    rest = {joint: axes @ at_rest[index] for joint, index in rig.joints.items()}
    for joint, place in rest.items():
        tip = _bone_end(joint)
        if tip in rest and np.allclose(place, rest[tip]):
            raise UserError(f"{where}: {joint} and {tip} are in the same place; is it cut off?")
    from_rest = to_tpose(rest)
    world = _compose(skeleton, turns)
    places = _positions(skeleton, world) @ axes.T

    def turned(index: int, joint: str) -> Float[np.ndarray, "frames 3 3"]:
        return axes @ world[:, index] @ axes.T @ from_rest.get(joint, np.eye(3)).T

    ours = {"pelvis": turned(rig.pelvis, "pelvis")}
    local = {}
    hands = [side for side in ("left", "right") if f"{side}_wrist" in rig.joints]
    fingers = [f for side in hands for f in finger_joints(side) if _has_fingers(rig, side)]
    for joint in (*BODY_JOINTS, *fingers):
        parent = _PARENTS.get(joint) or _finger_parent(joint)
        if joint not in rig.joints:
            ours[joint] = ours[parent]
            continue
        start, end = rig.joints[joint], rig.joints.get(_bone_end(joint), -1)
        last = skeleton.parents[end] if end >= 0 else start
        # Bones that a rig splits for their twist: a hinge's axis is that of the last piece.
        hinge = joint.endswith(("_hip", "_shoulder"))
        ours[joint] = turned(last if hinge else start, joint)
        if last != start:
            along = from_rest[joint] @ (rest[_bone_end(joint)] - rest[joint])
            bone = places[:, end] - places[:, start]
            ours[joint] = _shortest_rotations(ours[joint] @ along, bone) @ ours[joint]
        local[joint] = ours[parent].swapaxes(1, 2) @ ours[joint]
    matrices = np.stack(list(local.values()), axis=1)
    vectors = Rotation.from_matrix(matrices.reshape(-1, 3, 3)).as_rotvec(degrees=True)
    return Clip(tuple(local), vectors.reshape(*matrices.shape[:2], 3).astype(np.float32))


def _bone_end(joint: str) -> str:
    side, _, name = joint.partition("_")
    return f"{side}_{_BONE_ENDS[name]}" if name in _BONE_ENDS else ""


def _has_fingers(rig: Rig, side: str) -> bool:
    return all(joint in rig.joints for joint in finger_joints(side))


def _finger_parent(joint: str) -> str:
    knuckle = int(joint[-1])
    return f"{joint[:-1]}{knuckle - 1}" if knuckle > 1 else joint.partition("_")[0] + "_wrist"


def _compose(
    skeleton: Skeleton, turns: Float[np.ndarray, "frames joints 3 3"]
) -> Float[np.ndarray, "frames joints 3 3"]:
    out = turns.copy()
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            out[:, joint] = out[:, parent] @ turns[:, joint]
    return out


def _positions(
    skeleton: Skeleton, world: Float[np.ndarray, "frames joints 3 3"]
) -> Float[np.ndarray, "frames joints 3"]:
    out = np.zeros((*world.shape[:2], 3))
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            out[:, joint] = out[:, parent] + world[:, parent] @ skeleton.offsets[joint]
    return out


def _at_zero(skeleton: Skeleton) -> Float[np.ndarray, "joints 3"]:
    """Where the joints are with none of them turned."""
    return _positions(skeleton, np.broadcast_to(np.eye(3), (1, len(skeleton.names), 3, 3)))[0]


def _from_first_frame(
    skeleton: Skeleton, turns: Float[np.ndarray, "frames joints 3 3"]
) -> tuple[Skeleton, Float[np.ndarray, "frames joints 3 3"]]:
    """The same motion of a skeleton that at zero is as it was in the first frame."""
    world = _compose(skeleton, turns)
    places = _positions(skeleton, world[:1])[0]
    parents = np.array(skeleton.parents)
    offsets = np.where(parents[:, None] >= 0, places - places[parents], skeleton.offsets)
    world = world @ world[0].swapaxes(1, 2)
    local = np.where((parents >= 0)[:, None, None], world[:, parents].swapaxes(2, 3) @ world, world)
    return replace(skeleton, offsets=offsets), local


def _shortest_rotations(
    sources: Float[np.ndarray, "n 3"], targets: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n 3 3"]:
    """`shortest_rotation` for many pairs that are not opposite."""
    across = np.cross(sources, targets)
    sine = np.linalg.norm(across, axis=1, keepdims=True)
    angle = np.arctan2(sine, np.einsum("ni,ni->n", sources, targets)[:, None])
    return Rotation.from_rotvec(across * angle / np.maximum(sine, 1e-12)).as_matrix()
