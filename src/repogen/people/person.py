"""A person in a scene, as plain numbers."""

from dataclasses import dataclass

from repogen.people.outfit import Outfit


@dataclass(frozen=True)
class Person:
    """One person: a body's shape, expression and joint angles (see `Body.pose`), clothes, place.

    `position` is where the hips' middle is, metres in the world; `yaw_deg` turns the person
    anticlockwise seen from above, 0 faces -y.
    """

    body: str
    shape: dict[str, float]
    face: dict[str, float]
    angles: dict[str, tuple[float, float, float]]
    outfit: Outfit
    position: tuple[float, float, float]
    yaw_deg: float
