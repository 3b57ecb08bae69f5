"""Named views: distributions of the camera's direction, and weighted mixes of them."""

from collections.abc import Callable

import numpy as np

from repogen.cameras.camera import angles, direction
from repogen.errors import UserError, unknown_choice

Sampler = Callable[[np.random.Generator], tuple[float, float]]
"""Draws (azimuth, elevation) in degrees."""

BANDS = (-90, -60, -30, 0, 30, 60, 90)
"""Elevations in degrees between which scores and people are told apart; 90 is straight above."""

POLE_SIGMA = np.pi / 3
"""Standard deviation of the noise of `top` and `bottom`, per axis, as a share of the distance
(docs/method.md#views: the release has this many metres)."""


def _sphere(rng: np.random.Generator) -> tuple[float, float]:
    # Archimedes: the height of a uniform point on the sphere is uniform.
    return float(rng.uniform(-180, 180)), float(np.degrees(np.arcsin(rng.uniform(-1, 1))))


def _band(azimuth: float, half_width: float, half_height: float) -> Sampler:
    def sample(rng: np.random.Generator) -> tuple[float, float]:
        drawn = azimuth + rng.uniform(-half_width, half_width)
        return float((drawn + 180) % 360 - 180), float(rng.uniform(-half_height, half_height))

    return sample


def _pole(elevation: float) -> Sampler:
    def sample(rng: np.random.Generator) -> tuple[float, float]:
        return angles(direction(0.0, elevation) + rng.normal(0.0, POLE_SIGMA, 3))

    return sample


def _side(rng: np.random.Generator) -> tuple[float, float]:
    return _band(float(rng.choice([-90.0, 90.0])), 20.0, 60.0)(rng)


_TOP, _BOTTOM = _pole(90.0), _pole(-90.0)


def _topbottom(rng: np.random.Generator) -> tuple[float, float]:
    return (_TOP if rng.random() < 0.5 else _BOTTOM)(rng)


VIEWS: dict[str, Sampler] = {
    "sphere": _sphere,
    "perimeter": _band(0.0, 180.0, 20.0),
    "front": _band(0.0, 20.0, 60.0),
    "back": _band(180.0, 20.0, 60.0),
    "side": _side,
    "top": _TOP,
    "bottom": _BOTTOM,
    "topbottom": _topbottom,
}
"""The paper's named views (docs/method.md#views)."""


def parse_views(entries: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    """`("top=0.5", "bottom=0.5")` or `("top", "front")` as (name, weight), weights summing to 1.

    Names without weights share evenly. Raises `UserError` for an unknown name, a weight that is
    no positive number, a mix of both styles, or weights that do not sum to 1.
    """
    if not entries:
        raise UserError("no views given; name at least one, e.g. --views top bottom")
    names, weights = [], []
    for entry in entries:
        name, equals, text = entry.partition("=")
        if name not in VIEWS:
            raise unknown_choice("view", name, VIEWS)
        if name in names:
            raise UserError(f"view {name!r} is given twice; give it once")
        names.append(name)
        if equals:
            try:
                weight = float(text)
            except ValueError:
                weight = float("nan")
            if not 0 < weight <= 1:
                raise UserError(f"view weight {entry!r} must be a number in (0, 1]")
            weights.append(weight)
    if weights and len(weights) != len(names):
        raise UserError(f"give every view a weight or none of them: {' '.join(entries)}")
    if weights and abs(sum(weights) - 1) > 1e-6:
        raise UserError(f"view weights sum to {sum(weights):g}, not 1: {' '.join(entries)}")
    return tuple(zip(names, weights or [1 / len(names)] * len(names), strict=True))


def sample_direction(
    rng: np.random.Generator, mix: tuple[tuple[str, float], ...]
) -> tuple[str, float, float]:
    """A view's name by weight, then (azimuth, elevation) in degrees from it."""
    name = mix[int(rng.choice(len(mix), p=[weight for _, weight in mix]))][0]
    return (name, *VIEWS[name](rng))
