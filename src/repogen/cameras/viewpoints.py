"""Named viewpoints: distributions of the camera's direction, and weighted mixes of them."""

from collections.abc import Callable

import numpy as np

from repogen.cameras.camera import angles_to_direction, direction_to_angles, wrap_degrees
from repogen.mixes import Mix, parse_mix

Sampler = Callable[[np.random.Generator, float], tuple[float, float]]
"""Draws (azimuth, elevation) in degrees, given the camera's distance in metres."""

BANDS = (-90, -60, -30, 0, 30, 60, 90)
"""Borders, in degrees of elevation, of the bands by which scores are reported; 90 is above."""

POLE_SIGMA = np.pi / 3
"""Standard deviation in metres, per axis, of the noise on a camera straight above or below
(docs/method.md)."""


def _sphere(rng: np.random.Generator, _distance: float) -> tuple[float, float]:
    # The height of a uniform point on the sphere is uniform (Archimedes).
    return float(rng.uniform(-180, 180)), float(np.degrees(np.arcsin(rng.uniform(-1, 1))))


def _band(azimuth: float, half_width: float, half_height: float) -> Sampler:
    def sample(rng: np.random.Generator, _distance: float) -> tuple[float, float]:
        drawn = azimuth + rng.uniform(-half_width, half_width)
        return float(wrap_degrees(drawn)), float(rng.uniform(-half_height, half_height))

    return sample


def _pole(elevation: float, fixed_distance: float | None = None) -> Sampler:
    """A camera straight above or below, moved by noise and put back at its distance. With
    `fixed_distance`, metres, the noise is that of a camera at this distance."""

    def sample(rng: np.random.Generator, distance: float) -> tuple[float, float]:
        straight = (fixed_distance or distance) * angles_to_direction(0.0, elevation)
        return direction_to_angles(straight + rng.normal(0.0, POLE_SIGMA, 3))

    return sample


def _side(rng: np.random.Generator, distance: float) -> tuple[float, float]:
    return _band(float(rng.choice([-90.0, 90.0])), 20.0, 60.0)(rng, distance)


_TOP, _BOTTOM = _pole(90.0), _pole(-90.0)


def _topbottom(rng: np.random.Generator, distance: float) -> tuple[float, float]:
    return (_TOP if rng.random() < 0.5 else _BOTTOM)(rng, distance)


VIEWS: dict[str, Sampler] = {
    "sphere": _sphere,
    "perimeter": _band(0.0, 180.0, 20.0),
    "front": _band(0.0, 20.0, 60.0),
    "back": _band(180.0, 20.0, 60.0),
    "side": _side,
    "top": _TOP,
    "bottom": _BOTTOM,
    "topbottom": _topbottom,
    "top-wide": _pole(90.0, fixed_distance=1.0),
    "bottom-wide": _pole(-90.0, fixed_distance=1.0),
}
"""The paper's named views (docs/method.md), the whole sphere, and wide views from above and below,
which do not depend on the distance."""

FIXED_VIEW = "camera-"
"""Begins the names of the views of cameras that stand at one position: camera-1, camera-2."""


def parse_views(entries: tuple[str, ...]) -> Mix:
    """The mix of views that entries such as `("top=0.5", "bottom=0.5")` name; see `parse_mix`."""
    return parse_mix("view", entries, VIEWS, "--views top bottom")


def sample_direction(
    rng: np.random.Generator, mix: Mix, distance: float
) -> tuple[str, float, float]:
    """The name of a view drawn by weight, and an azimuth and elevation in degrees drawn from it for
    a camera at this distance in metres."""
    name = mix[int(rng.choice(len(mix), p=[weight for _, weight in mix]))][0]
    return (name, *VIEWS[name](rng, distance))
