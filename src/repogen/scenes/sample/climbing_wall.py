"""Drawing a climbing wall behind a person, seen from the cameras."""

import colorsys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from repogen.arrays import Float
from repogen.cameras.camera import Camera
from repogen.colors import to_hex
from repogen.environment.occluders import CLIMBING_WALL, HOLDS, Occluder
from repogen.people.outfit import Fabric, sample_fabric
from repogen.people.posing import PosedPerson

_SINKS = 0.005
"""Metres that the nearest part of the person is inside the wall."""

_FACING, _ASIDE = 25.0, 40.0
"""Degrees by which the wall may be turned from the one that the person faces, and from one that
the cameras face."""

_OVERHANG = (-8.0, 25.0)
"""Degrees by which the wall leans towards the person."""

_BESIDE = 0.25
"""Sine of the angle between the wall and the ways to the cameras, at least."""

_BOARD = (2.4, 3.4)
"""Metres of a side of a square of the wall with one colour of holds."""

_THICK = 0.1
"""Metres that the wall is thick."""

_PROTRUDES = (0.05, 0.09)
"""Metres that holds stand off the wall."""

_GRIPS = (9, 10, 15, 16)
"""COCO keypoints of wrists and ankles."""

_IN_REACH, _AROUND = 0.16, 0.2
"""Metres to the wall up to which a hand or foot gets a hold, and around the wrist or ankle within
which its points are."""


def sample_wall(
    rng: np.random.Generator, posed: PosedPerson, cameras: Sequence[Camera], floor: float
) -> tuple[Occluder, ...]:
    """A wall that the person touches, from the floor (a height in metres) up to above the person,
    and its holds; on the other side of the person than the cameras."""
    points = posed.outer_points.astype(np.float64)
    middle = np.array(posed.person.position)
    eyes = np.array([camera.position() for camera in cameras]) - middle
    away = _direction(rng, eyes, np.radians(posed.person.yaw_deg))
    lean = np.radians(rng.uniform(*_OVERHANG))
    into = np.array([*(np.cos(lean) * away), np.sin(lean)])
    if (eyes @ into > -_BESIDE * np.linalg.norm(eyes, axis=1)).any():
        into = np.array([*away, 0.0])
    along = np.array([away[1], -away[0], 0.0])
    axes = np.column_stack([along, into, np.cross(along, into)])
    surface = float((points @ into).max()) - _SINKS
    high = float(points[:, 2].max() + rng.uniform(0.4, 2.5))
    low, top = (np.array([floor, high]) - surface * into[2]) / axes[2, 2]
    width = float(rng.uniform(3.5, 7.0))
    aside = float(middle @ along + rng.uniform(-0.5, 0.5) * (width - 2.0))
    first, second, third = (tuple(row) for row in axes.tolist())

    def part(
        shape: str, at: tuple[float, float, float], size: tuple[float, float, float], fabric: Fabric
    ) -> Occluder:
        x, y, z = (axes @ np.array(at)).tolist()
        return Occluder(shape, (x, y, z), size, (first, second, third), fabric)

    board = (width, _THICK, top - low)
    parts = [
        part(CLIMBING_WALL, (aside, surface + _THICK / 2, (low + top) / 2), board, _paint(rng))
    ]
    side = float(rng.uniform(*_BOARD))
    columns, rows = (max(round(length / side), 1) for length in (width, top - low))
    across, up = width / columns, (top - low) / rows
    for column in range(columns):
        for row in range(rows):
            x, z = aside - width / 2 + (column + 0.5) * across, low + (row + 0.5) * up
            shape = HOLDS[int(rng.integers(len(HOLDS)))]
            size = (across, 2 * float(rng.uniform(*_PROTRUDES)), up)
            parts.append(part(shape, (x, surface, z), size, _plastic(rng)))
    for grip in _GRIPS:
        near = points[np.linalg.norm(points - posed.body.keypoints[grip], axis=1) < _AROUND]
        if not len(near):
            continue
        tip = near[(near @ into).argmax()]
        gap = surface - float(tip @ into)
        if gap < _IN_REACH:
            wide, high = rng.uniform((0.1, 0.07), (0.2, 0.13)).tolist()
            size = (wide, 2 * max(gap + 0.015, 0.03), high)
            x, z = float(tip @ along), float(tip @ axes[:, 2])
            parts.append(part("ball", (x, surface, z), size, _plastic(rng)))
    return tuple(parts)


def _direction(
    rng: np.random.Generator, eyes: Float[np.ndarray, "n 3"], yaw: float
) -> Float[np.ndarray, "2"]:
    """The horizontal direction from the person, turned by `yaw` (radians), into the wall: about
    where the person faces, if all cameras, at `eyes` from the person, see them from behind."""
    facing = yaw - np.pi / 2 + np.radians(rng.uniform(-_FACING, _FACING))
    aside = np.radians(rng.uniform(-_ASIDE, _ASIDE))
    towards = np.array([np.cos(facing), np.sin(facing)])
    if (eyes[:, :2] @ towards < -0.5 * np.linalg.norm(eyes, axis=1)).all():
        return towards
    x, y = -eyes[:, :2].mean(axis=0)
    heading = np.arctan2(y, x) + aside
    return np.array([np.cos(heading), np.sin(heading)])


def _paint(rng: np.random.Generator) -> Fabric:
    """The wall's colour, light and muted, with faint traces of chalk and shoes."""
    rgb = rng.uniform(0.45, 0.85) + rng.uniform(-0.5, 1.0) * np.array([0.12, 0.02, -0.1])
    color, accent = np.clip(rgb, 0, 1), np.clip(rgb * rng.uniform(0.94, 0.985), 0, 1)
    return Fabric(to_hex(color), to_hex(accent), "noise", float(rng.uniform(0.1, 0.4)), 0.0)


def _plastic(rng: np.random.Generator) -> Fabric:
    """The bright plain surface of holds."""
    hsv = rng.uniform([0.0, 0.5, 0.3], [1.0, 0.85, 0.8])
    return replace(
        sample_fabric(rng, False), color=to_hex(np.array(colorsys.hsv_to_rgb(*hsv))), wrinkles=0.0
    )
