"""A person in a scene, as plain numbers."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from repogen.arrays import Float
from repogen.bodies.rotations import vectors_to_matrices
from repogen.cameras.camera import yaw_matrix
from repogen.people.outfit import Outfit
from repogen.poses.clips import Vector
from repogen.poses.orientation import without_heading
from repogen.records import Angle, Between, Point

_Strength = Annotated[float, Between(-10, 10)]

_TO_WORLD = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""From the axes of a person who stands at yaw 0 (left, up, front) to the world's."""


@dataclass(frozen=True)
class Person:
    """One person: body shape, expression and joint angles (see `Body.pose`), clothes, position.

    `position` is the mid-hip in the world frame, metres. `orientation` turns the hips from a person
    who stands and faces -y: a rotation vector in degrees about that person's left, up and front.
    `yaw_deg` then turns the person anticlockwise seen from above.
    """

    body: str
    shape: dict[str, _Strength]
    face: dict[str, _Strength]
    angles: dict[str, tuple[Angle, Angle, Angle]]
    outfit: Outfit
    position: Point
    yaw_deg: Angle
    orientation: tuple[Angle, Angle, Angle] = (0.0, 0.0, 0.0)


def world_rotation(person: Person) -> Float[np.ndarray, "3 3"]:
    """The rotation that takes the upright body at yaw 0 to the person in the world; its columns
    are where that body's left, back and up point."""
    return yaw_matrix(np.radians(person.yaw_deg)) @ orientation_to_world(person.orientation)


def orientation_to_world(orientation: Vector) -> Float[np.ndarray, "3 3"]:
    """`world_rotation` of a person at yaw 0."""
    tilt = vectors_to_matrices(np.radians([orientation]))[0]
    return _TO_WORLD @ tilt @ _TO_WORLD.T


def world_to_orientation(rotation: Float[np.ndarray, "3 3"]) -> Vector:
    """The orientation without heading that turns a person like a rotation in the world."""
    return without_heading(_TO_WORLD.T @ rotation @ _TO_WORLD)
