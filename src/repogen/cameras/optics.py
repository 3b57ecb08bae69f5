"""Random lenses: distortion coefficients of plausible size for each lens model."""

import numpy as np

from repogen.cameras.lens import check_circle, half_width
from repogen.errors import UserError, check_range, unknown_choice

_RANGES: dict[str, tuple[tuple[float, float], ...]] = {
    "pinhole": (),
    "opencv": ((-0.12, 0.06), (0.0, 0.02), (-0.002, 0.002), (-0.002, 0.002), (0.0, 0.0)),
    "equidistant": (),
    "kannala-brandt": ((-0.03, 0.03), (-0.004, 0.004), (-0.0005, 0.0005), (0.0, 0.0)),
}
"""(lowest, highest) of each coefficient of `Camera.distortion`, our choice. The lowest values allow
a field of view of 100 degrees for opencv and 220 for kannala-brandt."""


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
