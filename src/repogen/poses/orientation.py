"""How a whole person is turned: as the pose says, or at random.

Rotations are about the axes of a person who stands and faces the front: x = left, y = up, z =
front. They have no heading, since cameras are placed around the person: see `without_heading`.
"""

from collections.abc import Callable

import numpy as np

from repogen.arrays import Float
from repogen.bodies.rotations import (
    matrices_to_vectors,
    quaternions_to_matrices,
    vectors_to_matrices,
)
from repogen.mixes import Mix, parse_mix
from repogen.poses.clips import UPRIGHT, Vector

OF_POSE = "file"

_INVERTED_DEG = 35.0
_LYING_DEG = 20.0
"""How far an inverted trunk is off the vertical and a lying one off the horizontal, at most."""

_FACING_UP = np.sqrt(0.5)
"""Height of the front axis above which a person lies on the back (below its negative: the face)."""

Matrix = Float[np.ndarray, "3 3"]


def _any(rng: np.random.Generator) -> Matrix:
    return quaternions_to_matrices(rng.normal(size=(1, 4)))[0]


def _inverted(rng: np.random.Generator) -> Matrix:
    tilt, towards = 180.0 - rng.uniform(0.0, _INVERTED_DEG), rng.uniform(0.0, 2 * np.pi)
    return _turn(tilt * np.cos(towards), 0.0, tilt * np.sin(towards))


def _lying(rng: np.random.Generator) -> Matrix:
    rolled = _turn(0.0, rng.uniform(-180.0, 180.0), 0.0)
    return _turn(-90.0 + rng.uniform(-_LYING_DEG, _LYING_DEG), 0.0, 0.0) @ rolled


_SAMPLERS: dict[str, Callable[[np.random.Generator], Matrix]] = {
    "upright": lambda rng: np.eye(3),
    "any": _any,
    "inverted": _inverted,
    "lying": _lying,
}

ORIENTATIONS = (*_SAMPLERS, OF_POSE)
"""Upright, any direction alike, upside down, lying on any side, as the pose says."""


def parse_orientations(entries: tuple[str, ...]) -> Mix:
    """The mix of orientations that entries such as `("upright=0.5", "any=0.5")` name."""
    return parse_mix("orientation", entries, ORIENTATIONS, "--orientation upright any")


def sample_orientation(rng: np.random.Generator, mix: Mix, of_pose: Vector) -> Vector:
    """A rotation vector in degrees, without heading, of the mix; `of_pose` is that of the pose."""
    name = mix[int(rng.choice(len(mix), p=[weight for _, weight in mix]))][0]
    if name != OF_POSE:
        return without_heading(_SAMPLERS[name](rng))
    return without_heading(_turn(*of_pose)) if any(of_pose) else UPRIGHT


def without_heading(rotation: Matrix) -> Vector:
    """The rotation vector in degrees of a rotation, turned about the vertical so that the person's
    front is in front: the camera's azimuth is then relative to it.

    A person on the back or face has the front above or below; there the left side is at the left.
    """
    left, front = rotation[:, 0], rotation[:, 2]
    faces_up = abs(front[1]) > _FACING_UP
    x, z = (-left[2], left[0]) if faces_up else (front[0], front[2])
    turned = _turn(0.0, -float(np.degrees(np.arctan2(x, z))), 0.0) @ rotation
    x, y, z = (np.degrees(matrices_to_vectors(turned[None])[0]).round(6) + 0.0).tolist()
    return x, y, z


def _turn(x: float, y: float, z: float) -> Matrix:
    return vectors_to_matrices(np.radians([[x, y, z]]))[0]
