"""Rotations of a foreign skeleton, told as turns of our own joints.

Every skeleton has its own pose at zero. What can be compared is where a joint has been turned to
in the world, from the T-pose: its rotation in the file, after the turn that takes the T-pose to
the file's own pose at zero. That turn follows from the bones' directions at zero; how the file
is scaled and which of its axes is up does not matter.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from repogen.bodies.rigging import shortest_rotation
from repogen.bodies.skeleton import BODY_JOINTS, FINGERS
from repogen.errors import UserError
from repogen.poses.bvh import Skeleton
from repogen.poses.clips import Clip
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

_LEGS_APART_DEG = 5.0
"""How far thighs and shins lean outwards in T-pose: the average adult's joints by 4.8 and 5.5."""

_BENT_DEG = 10.0
"""An elbow bent by more at zero shows how its hinge lies."""

Vectors = Mapping[str, Float[np.ndarray, "3"]]


def retarget(skeleton: Skeleton, turns: Float[np.ndarray, "frames joints 3 3"], where: str) -> Clip:
    """A clip of our joints from each joint's rotation relative to its parent.

    How the whole body is turned in the world is left out (see `repogen.poses.motion`); fingers
    are taken from hands that have all fifteen joints. Raises `UserError` for a skeleton that is
    no human's or, at zero, does not stand.
    """
    rig = find_joints(skeleton, where)
    at_rest = _positions(skeleton, np.broadcast_to(np.eye(3), (1, len(skeleton.names), 3, 3)))[0]
    axes = _body_axes(at_rest, rig, skeleton, where)
    rest = {joint: axes @ at_rest[index] for joint, index in rig.joints.items()}
    to_tpose = _to_tpose(rest)
    world = _compose(skeleton, turns)
    places = _positions(skeleton, world) @ axes.T

    def turned(index: int, joint: str) -> Float[np.ndarray, "frames 3 3"]:
        return axes @ world[:, index] @ axes.T @ to_tpose.get(joint, np.eye(3)).T

    ours = {"pelvis": turned(rig.pelvis, "pelvis")}
    local = {}
    hands = [side for side in ("left", "right") if f"{side}_wrist" in rig.joints]
    fingers = [f for side in hands for f in _finger_joints(side) if _has_fingers(rig, side)]
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
            along = to_tpose[joint] @ (rest[_bone_end(joint)] - rest[joint])
            bone = places[:, end] - places[:, start]
            ours[joint] = _shortest_rotations(ours[joint] @ along, bone) @ ours[joint]
        local[joint] = ours[parent].swapaxes(1, 2) @ ours[joint]
    vectors = [Rotation.from_matrix(m).as_rotvec(degrees=True) for m in local.values()]
    return Clip(tuple(local), np.stack(vectors, axis=1).astype(np.float32))


def _bone_end(joint: str) -> str:
    side, _, name = joint.partition("_")
    return f"{side}_{_BONE_ENDS[name]}" if name in _BONE_ENDS else ""


def _finger_joints(side: str) -> list[str]:
    return [f"{side}_{finger}{knuckle}" for finger in FINGERS for knuckle in (1, 2, 3)]


def _has_fingers(rig: Rig, side: str) -> bool:
    return all(joint in rig.joints for joint in _finger_joints(side))


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


def _body_axes(
    at_rest: Float[np.ndarray, "joints 3"], rig: Rig, skeleton: Skeleton, where: str
) -> Float[np.ndarray, "3 3"]:
    """The body's axes (rows: left, up, front) in the file's.

    Up is the file's axis that is nearest to hips → head; left is right hip → left hip.
    """
    left_hip, right_hip = (at_rest[rig.joints[f"{side}_hip"]] for side in ("left", "right"))
    hips = (left_hip + right_hip) / 2
    trunk = at_rest[rig.joints["head"]] - hips
    axis = int(np.argmax(np.abs(trunk)))
    up = np.sign(trunk[axis]) * np.eye(3)[axis]
    left = left_hip - right_hip
    left = left - (left @ up) * up
    width, height = np.linalg.norm(left), trunk @ up
    knees = [at_rest[rig.joints[f"{side}_knee"]] - hips for side in ("left", "right")]
    stands = height > 0.8 * np.linalg.norm(trunk) and all(knee @ up < 0 for knee in knees)
    if not stands or width < 0.01 * height:
        raise UserError(
            f"{where}: with all rotations at zero the skeleton does not stand upright, so its "
            "bones cannot be compared; export it with a T-pose or A-pose at rest"
        )
    left = left / width
    return np.stack([left, up, np.cross(left, up)])


def _to_tpose(rest: Vectors) -> dict[str, Float[np.ndarray, "3 3"]]:
    """World rotation from the file's pose at zero to the T-pose, by joint, in the body's axes.

    Arms turn the shortest way until they point sideways, with the hinge of an elbow that is bent
    at zero upright and the palms, where knuckles show them, down. Legs turn sideways alone: a
    knee is straight at zero, however its rig places it between hip and ankle. Trunk, head and
    feet are taken to be as in T-pose.
    """
    out = {}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        upper, fore = _straight_arm(rest, side, sign)
        out[f"{side}_shoulder"], out[f"{side}_elbow"] = upper, fore
        hand = _flat_hand(rest, side, sign, fore)
        out[f"{side}_wrist"] = hand
        out |= dict.fromkeys(_finger_joints(side), hand)
        for joint, end in (("hip", "knee"), ("knee", "ankle")):
            if f"{side}_{end}" in rest:
                bone = rest[f"{side}_{end}"] - rest[f"{side}_{joint}"]
                lean = sign * _LEGS_APART_DEG - np.degrees(np.arctan2(bone[0], -bone[1]))
                out[f"{side}_{joint}"] = Rotation.from_euler("z", lean, degrees=True).as_matrix()
    return out


def _straight_arm(
    rest: Vectors, side: str, sign: float
) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3 3"]]:
    sideways = np.array([sign, 0.0, 0.0])
    shoulder, elbow = rest[f"{side}_shoulder"], rest[f"{side}_elbow"]
    upper = shortest_rotation(elbow - shoulder, sideways)
    if f"{side}_wrist" not in rest:
        return upper, upper
    bone = rest[f"{side}_wrist"] - elbow
    bent = upper @ bone
    off = np.array([0.0, bent[1], bent[2]])
    if np.degrees(np.arctan2(np.linalg.norm(off), bent @ sideways)) > _BENT_DEG:
        upper = shortest_rotation(off, np.array([0.0, 0.0, 1.0])) @ upper
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


def _shortest_rotations(
    sources: Float[np.ndarray, "n 3"], targets: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n 3 3"]:
    """`shortest_rotation` for many pairs that are not opposite."""
    across = np.cross(sources, targets)
    sine = np.linalg.norm(across, axis=1, keepdims=True)
    angle = np.arctan2(sine, np.einsum("ni,ni->n", sources, targets)[:, None])
    return Rotation.from_rotvec(across * angle / np.maximum(sine, 1e-12)).as_matrix()
