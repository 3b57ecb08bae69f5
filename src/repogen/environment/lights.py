"""Directional lights from random directions."""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from repogen.arrays import Float
from repogen.colors import LUMINANCE
from repogen.records import Between, Component

LIGHT_MODELS = ("varied", "equal")
"""`varied`: nearly white lights of different strengths, as in a real room. `equal`: white lights of
one strength (Purkrabek & Matas, FG 2024; `docs/method.md`)."""

_EQUAL_TOTAL = 2.0
"""Irradiance that equal lights sum to: as bright a picture as with varied lights, our choice."""

_EQUAL_AMBIENT = 0.05
"""Light from all sides with equal lights: only so much that unlit skin is not black."""

_METERED = 0.75
"""Share, in stops, of what the light on the side that the camera sees differs by from the light
all around, that the exposure makes up for: cameras see people and what is behind them."""

_MOST_STOPS = 2.0

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


def seen_share(cosine: float) -> float:
    """Mean irradiance, of the side of a sphere that is seen, from a light at this cosine to the
    direction it is seen from, over the irradiance on a surface that faces the light: 2/3 of
    Lambert's phase function (sin a + (π - a) cos a) / π."""
    phase = np.arccos(np.clip(cosine, -1, 1))
    return float(2 / 3 * (np.sin(phase) + (np.pi - phase) * np.cos(phase)) / np.pi)


def metered_gain(seen: float, around: float) -> float:
    """The gain of a camera that sees people of this mean irradiance, where it is `around` on all
    their sides."""
    stops = _METERED * np.log2((1e-9 + around) / max(seen, 1e-9))
    return float(2 ** np.clip(stops, -_MOST_STOPS, _MOST_STOPS))


def expose_lights(
    lights: tuple[DirectionalLight, ...], ambient: float, towards: Float[np.ndarray, "3"]
) -> tuple[tuple[DirectionalLight, ...], float]:
    """Lights and the light from all sides, exposed for people whom a camera sees from the unit
    vector `towards` (from them to it, world frame)."""
    strengths = [float(np.dot(light.color, LUMINANCE)) for light in lights]
    seen = ambient + sum(
        strength * seen_share(float(np.dot(light.direction, towards)))
        for light, strength in zip(lights, strengths, strict=True)
    )
    gain = metered_gain(seen, ambient + sum(strengths) / 4)

    def exposed(light: DirectionalLight) -> DirectionalLight:
        red, green, blue = (gain * channel for channel in light.color)
        return replace(light, color=(red, green, blue))

    return tuple(exposed(light) for light in lights), gain * ambient


def is_tinted(model: str) -> bool:
    """Whether the light from all sides has the background's colours."""
    return model == "varied"
