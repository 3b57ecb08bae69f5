"""Directional lights from random directions."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from repogen.records import Between, Component

LIGHT_MODELS = ("varied", "equal")
"""`varied`: nearly white lights of different strengths, as in a real room. `equal`: white lights of
one strength (Purkrabek & Matas, FG 2024; `docs/method.md`)."""

_EQUAL_TOTAL = 2.0
"""Irradiance that equal lights sum to: as bright a picture as with varied lights, our choice."""

_EQUAL_AMBIENT = 0.05
"""Light from all sides with equal lights: only so much that unlit skin is not black."""


_Light = Annotated[float, Between(0, 1e9)]
"""A sun in an unclipped panorama exceeds 100,000."""


@dataclass(frozen=True)
class DirectionalLight:
    """A directional light.

    `direction` is the unit vector towards the light, in the world's frame. `color` is its linear
    RGB irradiance on a surface that faces it; at 1 white paper is white. `shadow` is whether it
    casts shadows.
    """

    direction: tuple[Component, Component, Component]
    color: tuple[_Light, _Light, _Light]
    shadow: bool


def sample_lights(
    rng: np.random.Generator, count: int, shadows: int, model: str = "varied"
) -> tuple[DirectionalLight, ...]:
    """`count` lights of one of `LIGHT_MODELS`, their directions uniform on the sphere.

    Varied lights sum to 0.9 to 1.5, the strongest comes first; equal ones sum to 2. The first
    `shadows` lights cast shadows.
    """
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    if model == "equal":
        strength = (_EQUAL_TOTAL / max(count, 1),) * 3
        return tuple(
            DirectionalLight((float(x), float(y), float(z)), strength, i < shadows)
            for i, (x, y, z) in enumerate(directions)
        )
    shares = np.sort(rng.dirichlet(np.full(count, 0.8)))[::-1] if count else np.empty(0)
    total = rng.uniform(0.9, 1.5)
    return tuple(
        DirectionalLight(
            direction=tuple(float(v) for v in direction),  # type: ignore[arg-type]
            color=tuple(float(v) for v in share * total * (1 + rng.normal(0, 0.03, 3))),  # type: ignore[arg-type]
            shadow=i < shadows and float(share) > 0.1,
        )
        for i, (direction, share) in enumerate(zip(directions, shares, strict=True))
    )


def sample_ambient(rng: np.random.Generator, model: str) -> float:
    """Strength of the light from all sides under one of `LIGHT_MODELS`."""
    return _EQUAL_AMBIENT if model == "equal" else float(rng.uniform(0.35, 0.75))


def is_tinted(model: str) -> bool:
    """Whether the light from all sides has the background's colours."""
    return model == "varied"
