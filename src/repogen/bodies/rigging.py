"""Rotations and forward kinematics, in NumPy."""

from collections.abc import Mapping

import numpy as np

from repogen.arrays import Float, Int
from repogen.bodies.rotations import vectors_to_matrices
from repogen.bodies.skeleton import Angles

BODY_TO_WORLD = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Rotation from the body's axes (x = left, y = up, z = front) to the world's."""


def shortest_rotation(
    source: Float[np.ndarray, "3"], target: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "3 3"]:
    """The rotation by the least angle from direction `source` to direction `target`.

    For opposite directions it is one of the possible half turns.
    """
    a = source / np.linalg.norm(source)
    b = target / np.linalg.norm(target)
    axis, cosine = np.cross(a, b), float(a @ b)
    sine = float(np.linalg.norm(axis))
    if sine < 1e-9:
        if cosine > 0:
            return np.eye(3)
        axis, sine = np.cross(a, np.eye(3)[np.argmin(np.abs(a))]), 1.0
        return vectors_to_matrices(np.pi * axis[None] / np.linalg.norm(axis))[0]
    return vectors_to_matrices(np.arctan2(sine, cosine) * axis[None] / sine)[0]


def joint_rotations(
    angles: Angles,
    indices: Mapping[str, int],
    count: int,
    axes: Float[np.ndarray, "3 3"],
) -> Float[np.ndarray, "b 3 3"]:
    """The rotation of each of `count` bones, about axes to which `axes` takes the body's.

    `indices` are the bones of joints; joints without one are ignored.
    """
    rotations = np.tile(np.eye(3), (count, 1, 1))
    named = [joint for joint in angles if joint in indices]
    if named:
        vectors = np.radians([angles[joint] for joint in named]) @ axes.T
        rotations[[indices[joint] for joint in named]] = vectors_to_matrices(vectors)
    return rotations


def nearest_rotations(matrices: Float[np.ndarray, "n 3 3"]) -> Float[np.ndarray, "n 3 3"]:
    """The proper rotation nearest to each matrix in the Frobenius norm (Kabsch 1976)."""
    u, _, vt = np.linalg.svd(matrices)
    u[:, :, 2] *= np.sign(np.linalg.det(u @ vt))[:, None]
    return u @ vt


class KinematicTree:
    """A tree of joints, traversed level by level from its single root at index 0.

    `parents` are the indices of the joints' parents, each before its child. Raises `ValueError`
    otherwise.
    """

    def __init__(self, parents: Int[np.ndarray, " n"]) -> None:
        self.parents = np.maximum(np.asarray(parents, dtype=np.int64), 0)
        depth = np.zeros(len(parents), dtype=np.int64)
        for child in range(1, len(parents)):
            if not 0 <= parents[child] < child:
                raise ValueError(f"joint {child} must come after its parent {parents[child]}")
            depth[child] = depth[parents[child]] + 1
        self.levels = [np.flatnonzero(depth == d) for d in range(1, int(depth.max()) + 1)]

    def compose(self, local: Float[np.ndarray, "n 3 3"]) -> Float[np.ndarray, "n 3 3"]:
        """Global rotations: the product of each joint's ancestors' rotations and its own."""
        out = local.copy()
        for level in self.levels:
            out[level] = out[self.parents[level]] @ local[level]
        return out

    def accumulate(self, offsets: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """Positions: each joint's offset added to its parent's position; the root's is its own."""
        out = offsets.copy()
        for level in self.levels:
            out[level] += out[self.parents[level]]
        return out
