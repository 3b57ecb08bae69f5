"""Lenses that can be: random ones of plausible size, and whether a measured one folds."""

from dataclasses import replace

import numpy as np

from repogen.cameras.camera import Camera
from repogen.cameras.lens import FISHEYES, check_circle, half_width, max_angle
from repogen.errors import UserError, check_range, unknown_choice

_RANGES: dict[str, tuple[tuple[float, float], ...]] = {
    "pinhole": (),
    "opencv": ((-0.12, 0.06), (0.0, 0.02), (-0.002, 0.002), (-0.002, 0.002), (0.0, 0.0)),
    "equidistant": (),
    "kannala-brandt": ((-0.03, 0.03), (-0.004, 0.004), (-0.0005, 0.0005), (0.0, 0.0)),
}
"""(lowest, highest) of each coefficient of `Camera.distortion`, our choice. The lowest values allow
a field of view of 100 degrees for opencv and 220 for kannala-brandt."""


_WIDE = np.radians(90)
"""A fisheye may end beyond this angle off the axis inside its picture: that is its image circle."""


def check_optics(
    model: str, fov_deg: tuple[float, float], circle_deg: tuple[float, float] | None = None
) -> None:
    """Raises `UserError` for an unknown model, or a field of view or image circle, in degrees, that
    some of its random lenses cannot have."""
    if model not in _RANGES:
        raise unknown_choice("lens", model, _RANGES)
    check_range("--fov", fov_deg, 1e-3, 360)
    for width in fov_deg:
        half_width(model, [low for low, _ in _RANGES[model]], width)
    for width in circle_deg or ():
        check_circle(model, width)
    if circle_deg and circle_deg[0] > circle_deg[1]:
        low, high = circle_deg
        raise UserError(f"image circle {low:g} to {high:g} degrees: give the lower value first")


def sample_distortion(rng: np.random.Generator, model: str) -> tuple[float, ...]:
    """Random coefficients for a lens of this model, as `Camera.distortion` takes them."""
    return tuple(float(rng.uniform(*limits)) for limits in _RANGES[model])


def check_folds(camera: Camera, where: str) -> None:
    """Raises `UserError` where the distortion folds inside the picture: a pixel would see two
    directions. A fisheye may end beyond 90 degrees off its axis, or at its image circle."""
    most = max_angle(camera.model, camera.distortion)
    if camera.model in FISHEYES:
        ends = np.inf if camera.circle_deg is None else np.radians(camera.circle_deg) / 2
        if most >= min(_WIDE, ends):
            return
    wide = int(2 * np.degrees(most))
    circle = f", or give --circle {wide} {wide}" if camera.model in FISHEYES else ""
    whole = replace(camera, circle_deg=None)
    across, down = np.linspace(0, camera.width, 65), np.linspace(0, camera.height, 65)
    border = [(x, y) for x in (0, camera.width) for y in down]
    border += [(x, y) for y in (0, camera.height) for x in across]
    if np.isnan(whole.rays(np.array(border))).any():
        raise UserError(
            f"{where}: the distortion {camera.distortion} folds inside the picture, "
            f"{np.degrees(most):.4g} degrees off the axis; calibrate with points up to the corners"
            f"{circle}"
        )
