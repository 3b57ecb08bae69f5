"""A person in a scene, as plain numbers."""

from dataclasses import dataclass
from typing import Annotated

from repogen.people.outfit import Outfit
from repogen.records import Angle, Between, Point

_Strength = Annotated[float, Between(-10, 10)]


@dataclass(frozen=True)
class Person:
    """One person: body shape, expression and joint angles (see `Body.pose`), clothes, position.

    `position` is the mid-hip in the world frame, metres. `yaw_deg` rotates the person
    anticlockwise seen from above; at 0 the person faces -y.
    """

    body: str
    shape: dict[str, _Strength]
    face: dict[str, _Strength]
    angles: dict[str, tuple[Angle, Angle, Angle]]
    outfit: Outfit
    position: Point
    yaw_deg: Angle
