"""Directional lights from random directions."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class DirectionalLight:
    """A directional light.

    `direction` is the unit vector towards the light, in the world's frame. `color` is its linear
    RGB irradiance on a surface that faces it; at 1 white paper is white. `shadow` is whether it
    casts shadows.
    """

    direction: tuple[float, float, float]
    color: tuple[float, float, float]
    shadow: bool


def sample_lights(
    rng: np.random.Generator, count: int, shadows: int
) -> tuple[DirectionalLight, ...]:
    """`count` nearly white lights whose colours sum to 0.9 to 1.5, strongest first.

    Directions are uniform on the sphere (Purkrabek & Matas, FG 2024; `docs/method.md`). The
    strongest `shadows` lights cast shadows. Strengths differ, as in a real room.
    """
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
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
