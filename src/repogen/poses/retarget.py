"""Retarget the joint rotations of a foreign skeleton to our joints.

Every skeleton has its own rest pose (all rotations zero). Comparable are the joints' global
rotations from the T-pose: the rotation in the file, after the rotation from the T-pose to the
file's rest pose. The latter follows from the bones' directions at rest; the file's scale and its
up axis do not matter.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from repogen.bodies.skeleton import BODY_JOINTS
from repogen.errors import UserError
from repogen.poses.bvh import Skeleton
from repogen.poses.clips import Clip
from repogen.poses.rest_pose import body_axes, finger_joints, is_straight, rotations_to_tpose
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
"""The parent of each body joint in SMPL-X's tree."""

_BONE_ENDS = {"hip": "knee", "knee": "ankle", "shoulder": "elbow", "elbow": "wrist"}


def retarget(
    skeleton: Skeleton, rotations: Float[np.ndarray, "frames joints 3 3"], where: str
) -> Clip:
    """The clip of our joints' angles for a skeleton's rotations relative to the parent joints.

    The rotation of the whole body is ignored (see `repogen.poses.motion`); fingers are used from
    hands with all fifteen joints. If the skeleton does not stand in its rest pose, the first frame
    serves as rest pose, if it stands there with straight limbs: many files begin with a T-pose.
    Raises `UserError`, naming `where`, for a skeleton that is not human, stands in neither, or
    has a bone of zero length.
    """
    rig = find_joints(skeleton, where)
    rest_positions = _rest_positions(skeleton)
    axes = body_axes(rest_positions, rig)
    if axes is None:
        skeleton, rotations = _with_first_frame_as_rest(skeleton, rotations)
        rest_positions = _rest_positions(skeleton)
        axes = body_axes(rest_positions, rig) if is_straight(rest_positions, rig) else None
    if axes is None:
        raise UserError(
            f"{where}: the skeleton does not stand upright, neither with all rotations at zero "
            "nor, with straight limbs, in its first frame, so its bones cannot be compared; export "
            "it with a T-pose or A-pose as rest pose or first frame"
        )
    rest = {joint: axes @ rest_positions[index] for joint, index in rig.joints.items()}
    for joint, position in rest.items():
        tip = _bone_end(joint)
        if tip in rest and np.allclose(position, rest[tip]):
            raise UserError(
                f"{where}: {joint} and {tip} have the same position; export the whole skeleton"
            )
    to_tpose = rotations_to_tpose(rest)
    world = _compose(skeleton, rotations)
    positions = _positions(skeleton, world) @ axes.T

    def from_tpose(index: int, joint: str) -> Float[np.ndarray, "frames 3 3"]:
        return axes @ world[:, index] @ axes.T @ to_tpose.get(joint, np.eye(3)).T

    ours = {"pelvis": from_tpose(rig.pelvis, "pelvis")}
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
        # A rig may split a bone to twist it: the hinge at its end has the last piece's axis.
        has_hinge = joint.endswith(("_hip", "_shoulder"))
        ours[joint] = from_tpose(last if has_hinge else start, joint)
        if last != start:
            tpose_bone = to_tpose[joint] @ (rest[_bone_end(joint)] - rest[joint])
            bone = positions[:, end] - positions[:, start]
            ours[joint] = _shortest_rotations(ours[joint] @ tpose_bone, bone) @ ours[joint]
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
    skeleton: Skeleton, rotations: Float[np.ndarray, "frames joints 3 3"]
) -> Float[np.ndarray, "frames joints 3 3"]:
    out = rotations.copy()
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            out[:, joint] = out[:, parent] @ rotations[:, joint]
    return out


def _positions(
    skeleton: Skeleton, world: Float[np.ndarray, "frames joints 3 3"]
) -> Float[np.ndarray, "frames joints 3"]:
    out = np.zeros((*world.shape[:2], 3))
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            out[:, joint] = out[:, parent] + world[:, parent] @ skeleton.offsets[joint]
    return out


def _rest_positions(skeleton: Skeleton) -> Float[np.ndarray, "joints 3"]:
    """Positions of the joints with all rotations zero."""
    return _positions(skeleton, np.broadcast_to(np.eye(3), (1, len(skeleton.names), 3, 3)))[0]


def _with_first_frame_as_rest(
    skeleton: Skeleton, rotations: Float[np.ndarray, "frames joints 3 3"]
) -> tuple[Skeleton, Float[np.ndarray, "frames joints 3 3"]]:
    """The same motion of a skeleton whose rest pose is the first frame."""
    world = _compose(skeleton, rotations)
    first = _positions(skeleton, world[:1])[0]
    parents = np.array(skeleton.parents)
    offsets = np.where(parents[:, None] >= 0, first - first[parents], skeleton.offsets)
    world = world @ world[0].swapaxes(1, 2)
    local = np.where((parents >= 0)[:, None, None], world[:, parents].swapaxes(2, 3) @ world, world)
    return replace(skeleton, offsets=offsets), local


def _shortest_rotations(
    sources: Float[np.ndarray, "n 3"], targets: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n 3 3"]:
    """`shortest_rotation` of many pairs of vectors that are not opposite."""
    across = np.cross(sources, targets)
    sine = np.linalg.norm(across, axis=1, keepdims=True)
    angle = np.arctan2(sine, np.einsum("ni,ni->n", sources, targets)[:, None])
    return Rotation.from_rotvec(across * angle / np.maximum(sine, 1e-12)).as_matrix()
