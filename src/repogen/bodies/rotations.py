"""Rotation vectors (axis times angle, radians) and rotation matrices, by way of quaternions.

Near angle 0 the quotients of sine and angle are their Taylor series.
"""

import numpy as np

from repogen.arrays import Float

_SMALL = 1e-3
"""Angles, radians, up to which the series are exact to rounding."""

Quaternions = Float[np.ndarray, "n 4"]
"""x, y, z, w."""


def vectors_to_matrices(vectors: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3 3"]:
    """The rotation matrix of each rotation vector."""
    vectors = np.asarray(vectors, dtype=float)
    angle = _norm(*vectors.T)
    squared = angle * angle
    series = 0.5 - squared / 48 + squared * squared / 3840
    scale = np.where(angle <= _SMALL, series, np.sin(angle / 2) / np.maximum(angle, _SMALL))
    x, y, z = (scale[:, None] * vectors).T
    return _matrices(x, y, z, np.cos(angle / 2))


def quaternions_to_matrices(quaternions: Quaternions) -> Float[np.ndarray, "n 3 3"]:
    """The rotation matrix of each quaternion of any length; raises `ValueError` for length 0."""
    norm = np.linalg.norm(quaternions, axis=1, keepdims=True)
    if (norm == 0).any():
        raise ValueError("a quaternion of length 0")
    x, y, z, w = (quaternions / norm).T
    return _matrices(x, y, z, w)


def matrices_to_vectors(matrices: Float[np.ndarray, "n 3 3"]) -> Float[np.ndarray, "n 3"]:
    """The rotation vector of each rotation matrix, by the least angle."""
    x, y, z, w = _quaternions(np.asarray(matrices, dtype=float)).T
    sign = np.where(w < 0, -1.0, 1.0)
    x, y, z, w = sign * x, sign * y, sign * z, sign * w
    angle = 2 * np.arctan2(_norm(x, y, z), w)
    squared = angle * angle
    series = 2 + squared / 12 + 7 * squared * squared / 2880
    scale = np.where(angle <= _SMALL, series, angle / np.sin(np.maximum(angle, _SMALL) / 2))
    return scale[:, None] * np.stack([x, y, z], axis=1)


def _norm(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.sqrt(x * x + y * y + z * z)


def _matrices(
    x: np.ndarray, y: np.ndarray, z: np.ndarray, w: np.ndarray
) -> Float[np.ndarray, "n 3 3"]:
    xx, yy, zz, ww = x * x, y * y, z * z, w * w
    rows = (
        (xx - yy - zz + ww, 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), -xx + yy - zz + ww, 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), -xx - yy + zz + ww),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _quaternions(matrices: Float[np.ndarray, "n 3 3"]) -> Quaternions:
    """A unit quaternion of each rotation matrix, from the largest of its components."""
    diagonal = np.diagonal(matrices, axis1=1, axis2=2)
    trace = diagonal.sum(axis=1)
    largest = np.argmax(np.column_stack([diagonal, trace]), axis=1)
    out = np.empty((len(matrices), 4))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        chosen = largest == i
        m = matrices[chosen]
        out[chosen, i] = 1 - trace[chosen] + 2 * m[:, i, i]
        out[chosen, j] = m[:, j, i] + m[:, i, j]
        out[chosen, k] = m[:, k, i] + m[:, i, k]
        out[chosen, 3] = m[:, k, j] - m[:, j, k]
        turned = largest == 3
        out[turned, i] = matrices[turned, k, j] - matrices[turned, j, k]
    out[turned, 3] = 1 + trace[turned]
    return out / np.linalg.norm(out, axis=1, keepdims=True)
