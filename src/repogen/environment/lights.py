"""Lamps: directional lights from random directions."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class DirectionalLight:
    """A directional light: `direction` points from the scene towards it (world, unit length);
    `color` is the linear irradiance it gives a surface that faces it, 1 = white paper is white."""

    direction: tuple[float, float, float]
    color: tuple[float, float, float]
    shadow: bool


def sample_lights(
    rng: np.random.Generator, count: int, shadows: int
) -> tuple[DirectionalLight, ...]:
    """`count` white lights from directions uniform on the sphere, total 0.9 to 1.5
    (docs/method.md#views).

    The strongest `shadows` of them cast shadows. Strengths are uneven, as in a real room.
    """
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    shares = np.sort(rng.dirichlet(np.full(count, 0.8)))[::-1] if count else np.empty(0)
    total = rng.uniform(0.9, 1.5)
    return tuple(
        DirectionalLight(
            direction=tuple(float(v) for v in direction),  # type: ignore[arg-type]
            color=tuple(float(v) for v in share * total * (1 + rng.normal(0, 0.03, 3))),  # type: ignore[arg-type]
            shadow=place < shadows and float(share) > 0.1,
        )
        for place, (direction, share) in enumerate(zip(directions, shares, strict=True))
    )
