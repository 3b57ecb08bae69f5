"""Lenses as cameras have them: a model and random coefficients of plausible size."""

import numpy as np

from repogen.cameras.lens import check_circle, half_width
from repogen.errors import UserError, unknown_choice

_RANGES: dict[str, tuple[tuple[float, float], ...]] = {
    "pinhole": (),
    "opencv": ((-0.12, 0.06), (0.0, 0.02), (-0.002, 0.002), (-0.002, 0.002), (0.0, 0.0)),
    "equidistant": (),
    "kannala-brandt": ((-0.03, 0.03), (-0.004, 0.004), (-0.0005, 0.0005), (0.0, 0.0)),
}
"""From low to high, of every coefficient of `Camera.distortion`. With the low ends opencv is good
for a picture 100 degrees wide, kannala-brandt for 220."""


def check_optics(
    model: str, fov_deg: tuple[float, float], circle_deg: tuple[float, float] | None = None
) -> None:
    """Raises `UserError` for an unknown model, or widths of the picture or of the image circle
    that some of its lenses cannot have."""
    if model not in _RANGES:
        raise unknown_choice("lens", model, _RANGES)
    for width in fov_deg:
        half_width(model, [low for low, _ in _RANGES[model]], width)
    for width in circle_deg or ():
        check_circle(model, width)
    if circle_deg and circle_deg[0] > circle_deg[1]:
        low, high = circle_deg
        raise UserError(f"image circle {low:g} to {high:g} degrees: give the lower value first")


def sample_distortion(rng: np.random.Generator, model: str) -> tuple[float, ...]:
    """Coefficients for a lens of this model."""
    return tuple(float(rng.uniform(*limits)) for limits in _RANGES[model])
