"""Built-in rooms and open ground, which repogen draws itself."""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from repogen.colors import to_hex
from repogen.errors import unknown_choice
from repogen.records import Angle, Between, Color, Distance, Position

FLOOR_PATTERNS = ("plain", "tiles", "planks", "noise")

_Half = Annotated[float, Between(0, 1e5)]


@dataclass(frozen=True)
class Room:
    """A built-in room, seen in the camera's true direction: a floor with walls or a horizon.

    Metres in the world frame; `half_size` is the distance from the centre to the walls along x
    and y, 0 without walls (then there is a horizon under a sky). `yaw_deg` turns the room
    anticlockwise seen from above. Colours are `#rrggbb`, sRGB. Raises `UserError` for a
    `floor_pattern` that is not in `FLOOR_PATTERNS`.
    """

    floor_z: Position
    floor: Color
    floor_accent: Color
    floor_pattern: str
    floor_scale: Distance
    half_size: tuple[_Half, _Half]
    height: Distance
    wall: Color
    ceiling: Color
    sky_zenith: Color
    sky_horizon: Color
    yaw_deg: Angle

    def __post_init__(self) -> None:
        if self.floor_pattern not in FLOOR_PATTERNS:
            raise unknown_choice("floor pattern", self.floor_pattern, FLOOR_PATTERNS)


def sample_room(rng: np.random.Generator, lowest: float, reach: float) -> Room:
    """A random room around the origin that holds a scene: `lowest` is the z of its lowest point,
    `reach` the distance to its farthest, metres."""
    indoors = bool(rng.random() < 0.5)
    floor_z = lowest - (0.0 if rng.random() < 0.7 else float(rng.exponential(1.0)))
    walls = (reach + 0.5 + float(rng.exponential(2.0)), reach + 0.5 + float(rng.exponential(2.0)))
    pattern = FLOOR_PATTERNS[int(rng.integers(len(FLOOR_PATTERNS)))]
    floor = _muted(rng)
    zenith = np.array([0.25, 0.45, 0.75]) * rng.uniform(0.6, 1.25) + rng.normal(0, 0.04, 3)
    return Room(
        floor_z=floor_z,
        floor=to_hex(floor),
        floor_accent=to_hex(floor * rng.uniform(0.55, 1.3) + rng.normal(0, 0.01, 3)),
        floor_pattern=pattern,
        floor_scale=float(np.exp(rng.uniform(np.log(0.12), np.log(1.0)))),
        half_size=walls if indoors else (0.0, 0.0),
        height=max(reach + 0.3, 1.2) - floor_z + float(rng.exponential(1.0)),
        wall=to_hex(_muted(rng, 0.75)),
        ceiling=to_hex(np.full(3, rng.uniform(0.6, 0.95))),
        sky_zenith=to_hex(zenith),
        sky_horizon=to_hex(np.array([0.75, 0.8, 0.85]) * rng.uniform(0.7, 1.15)),
        yaw_deg=float(rng.uniform(0, 360)),
    )


def within_walls(rng: np.random.Generator, room: Room, reach: float) -> Room:
    """The room, or open ground as a room whose walls are farther than `reach` metres away."""
    if all(room.half_size):
        return room
    far = reach + 0.5
    half_size = far + float(rng.exponential(2.0)), far + float(rng.exponential(2.0))
    return replace(room, half_size=half_size)


def as_pool(rng: np.random.Generator, room: Room) -> Room:
    """The room as a pool of pale tiles, or open ground as a bottom of sand or stone under water."""
    indoors = all(room.half_size)
    color = rng.uniform(0.5, 0.85) + rng.uniform(0.3, 1.0) * np.array([-0.12, 0.02, 0.06])
    if not indoors:
        color = rng.uniform(0.3, 0.7) + rng.uniform(0.0, 1.0) * np.array([0.06, 0.02, -0.08])
    lines = np.clip(color * rng.uniform(0.65, 1.1), 0, 0.95)
    return replace(
        room,
        floor=to_hex(np.clip(color, 0, 0.95)),
        floor_accent=to_hex(lines),
        floor_pattern="tiles" if indoors else "noise",
        wall=to_hex(np.clip(color * rng.uniform(0.9, 1.05), 0, 0.95)),
    )


_WARM = np.array([0.07, 0.0, -0.09])
"""What paint, wood and earth have more than grey, sRGB; twice as much is brown."""


def _muted(rng: np.random.Generator, level: float = 0.5) -> np.ndarray:
    """A random sRGB colour near grey, of about this level, mostly warm."""
    grey = np.clip(rng.normal(level, 0.18), 0.1, 0.95)
    return np.clip(grey + rng.normal(0.5, 0.7) * _WARM + rng.normal(0, 0.015, 3), 0.03, 1.0)
