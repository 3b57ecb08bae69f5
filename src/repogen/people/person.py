"""A person in a scene, as plain numbers."""

from dataclasses import dataclass

from repogen.people.outfit import Outfit


@dataclass(frozen=True)
class Person:
    """One person: body shape, expression and joint angles (see `Body.pose`), clothes, position.

    `position` is the mid-hip in the world frame, metres. `yaw_deg` rotates the person
    anticlockwise seen from above; at 0 the person faces -y.
    """

    body: str
    shape: dict[str, float]
    face: dict[str, float]
    angles: dict[str, tuple[float, float, float]]
    outfit: Outfit
    position: tuple[float, float, float]
    yaw_deg: float
