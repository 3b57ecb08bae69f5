"""A person in a scene, as plain numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np

from repogen.arrays import Float
from repogen.bodies.rotations import vectors_to_matrices
from repogen.cameras.camera import yaw_matrix
from repogen.people.outfit import Outfit
from repogen.poses.clips import Pose, Vector
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


@dataclass(frozen=True)
class Given:
    """What is set of a person instead of being drawn: a pose, strengths of body shape labels, an
    outfit. None, and labels that are left out, are drawn."""

    pose: Pose | None = None
    shape: Mapping[str, float] = field(default_factory=dict)
    outfit: Outfit | None = None

    def __bool__(self) -> bool:
        return self != Given()


def with_given(person: Person, given: Given) -> Person:
    """The person with what is given. Joints and labels that are not given stay."""
    if given.pose is not None:
        angles, orientation = person.angles | given.pose.angles, given.pose.orientation
        person = replace(person, angles=angles, orientation=orientation)
    if given.outfit is not None:
        person = replace(person, outfit=given.outfit)
    return replace(person, shape=person.shape | dict(given.shape))


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
