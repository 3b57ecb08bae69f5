"""Colours: sRGB hex strings, as scenes hold them, sRGB and linear light in 0..1."""

import re

import numpy as np

from repogen.arrays import Float
from repogen.errors import UserError

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Luminance of linear sRGB (ITU-R BT.709)."""


def to_hex(rgb: Float[np.ndarray, "3"]) -> str:
    """An sRGB colour in 0..1 as `#rrggbb`; values outside are clipped."""
    return "#" + np.rint(255 * np.clip(rgb, 0.0, 1.0)).astype(np.uint8).tobytes().hex()


def from_hex(color: str) -> Float[np.ndarray, "3"]:
    """`#rrggbb` as sRGB in 0..1. Raises `UserError` for any other string."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise UserError(f"colour {color!r}: write it as #rrggbb, for example #7f7f7f")
    return np.frombuffer(bytes.fromhex(color[1:]), np.uint8) / 255


def to_linear(srgb: np.ndarray) -> np.ndarray:
    """sRGB in 0..1 to linear light (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear light in 0..1 to sRGB (IEC 61966-2-1)."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
