"""Water that people are in: a level surface with small waves, and what it does to light."""

import colorsys
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from repogen.colors import to_hex
from repogen.records import Between, Color, Position


@dataclass(frozen=True)
class Water:
    """Water below the height `surface_z`, metres in the world frame.

    `color` is what deep water looks like, sRGB hex. `clarity_m` is the way in metres after which
    e times less green light is left. `slope` is the standard deviation of the waves' slope; their
    directions and lengths follow from `seed`.
    """

    surface_z: Position
    color: Color
    clarity_m: Annotated[float, Between(0.05, 1000)]
    slope: Annotated[float, Between(0, 1)]
    seed: Annotated[int, Between(0, 2**32 - 1)]


def sample_water(rng: np.random.Generator, low: float, high: float) -> Water:
    """Water for a person between these heights, metres: up to somewhere between the knees of who
    stands and over the head."""
    submerged = rng.uniform(0.4, 1.0) if rng.random() < 0.6 else rng.uniform(1.0, 1.4)
    color = colorsys.hsv_to_rgb(
        rng.uniform(0.45, 0.58), rng.uniform(0.4, 0.85), rng.uniform(0.35, 0.8)
    )
    return Water(
        surface_z=float(low + submerged * (high - low)),
        color=to_hex(np.array(color)),
        clarity_m=float(np.exp(rng.uniform(np.log(6.0), np.log(40.0)))),
        slope=float(rng.uniform(0.04, 0.2)),
        seed=int(rng.integers(2**32)),
    )
