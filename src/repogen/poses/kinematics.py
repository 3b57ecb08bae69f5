"""Forward kinematics of a foreign skeleton: rotations and positions of its joints in the file's
axes. A root is at the origin, since where the person is does not matter."""

from dataclasses import replace

import numpy as np

from repogen.arrays import Float
from repogen.poses.bvh import Skeleton


def world_rotations(
    skeleton: Skeleton, rotations: Float[np.ndarray, "frames joints 3 3"]
) -> Float[np.ndarray, "frames joints 3 3"]:
    """Each joint's rotation in the file's axes, from those relative to the parents."""
    out = rotations.copy()
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            out[:, joint] = out[:, parent] @ rotations[:, joint]
    return out


def joint_positions(
    skeleton: Skeleton,
    world: Float[np.ndarray, "frames joints 3 3"],
    translations: Float[np.ndarray, "frames joints 3"],
) -> Float[np.ndarray, "frames joints 3"]:
    """Each joint's position, from its translations in its parent's axes."""
    out = np.zeros((*world.shape[:2], 3))
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            moved = np.einsum("fij,fj->fi", world[:, parent], translations[:, joint])
            out[:, joint] = out[:, parent] + moved
    return out


def rest_positions(skeleton: Skeleton) -> Float[np.ndarray, "joints 3"]:
    """Positions of the joints with all rotations zero."""
    still = np.broadcast_to(np.eye(3), (1, len(skeleton.names), 3, 3))
    return joint_positions(skeleton, still, skeleton.offsets[None])[0]


def with_first_frame_as_rest(
    skeleton: Skeleton,
    world: Float[np.ndarray, "frames joints 3 3"],
    positions: Float[np.ndarray, "frames joints 3"],
) -> tuple[Skeleton, Float[np.ndarray, "frames joints 3 3"]]:
    """The skeleton and world rotations of the same motion with the first frame as rest pose."""
    parents = np.array(skeleton.parents)
    first = positions[0]
    offsets = np.where(parents[:, None] >= 0, first - first[parents], skeleton.offsets)
    return replace(skeleton, offsets=offsets), world @ world[0].swapaxes(1, 2)


def ancestors(skeleton: Skeleton, joint: int) -> list[int]:
    """Indices of a joint, its parent, and so on up to the root."""
    out = []
    while joint >= 0:
        out.append(joint)
        joint = skeleton.parents[joint]
    return out
