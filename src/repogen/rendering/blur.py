"""Blurs that move nothing: an even line's and an even disc's, both centred."""

from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float, Float32

_WIDEST_KERNEL = 9.0
"""OpenCV sums the taps of kernels below 11 x 11; larger ones it transforms, which is slow."""


def motion_blurred(
    light: Float32[np.ndarray, "h w c"], length: float, angle_deg: float
) -> Float32[np.ndarray, "h w c"]:
    """Linear light smeared evenly along a line of `length` pixels, centred."""
    if length <= 0:
        return light
    angle = np.radians(angle_deg)
    step = np.array([np.cos(angle), np.sin(angle)]) * length
    # Long lines are short ones, one after the other.
    pieces = int(np.ceil(length / (_WIDEST_KERNEL - 1)))
    light = cv2.filter2D(light, -1, _line(step / pieces), borderType=cv2.BORDER_REPLICATE)
    if pieces == 1:
        return light
    offsets = np.rint((np.arange(pieces) - (pieces - 1) / 2)[:, None] * step / pieces).astype(int)
    height, width = light.shape[:2]
    pad_x, pad_y = (int(v) for v in np.abs(offsets).max(axis=0))
    padded = cv2.copyMakeBorder(light, pad_y, pad_y, pad_x, pad_x, cv2.BORDER_REPLICATE)
    out = np.zeros_like(light)
    for x, y in offsets + np.array([pad_x, pad_y]):
        cv2.accumulate(padded[y : y + height, x : x + width], out)
    return cv2.multiply(out, (1 / pieces,) * 4)


def _line(step: Float[np.ndarray, "2"]) -> Float32[np.ndarray, "n n"]:
    """A kernel of the line from -step/2 to step/2: points of it, shared among four taps each."""
    reach = int(np.ceil(np.abs(step).max() / 2))
    points = ((np.arange(64) + 0.5) / 64 - 0.5)[:, None] * step
    taps = np.arange(-reach, reach + 1)
    x, y = (np.maximum(1 - np.abs(taps - along[:, None]), 0) for along in points.T)
    return (np.einsum("py,px->yx", y, x) / 64).astype(np.float32)


@lru_cache(maxsize=64)
def _disc(diameter: float) -> Float32[np.ndarray, "n n"]:
    """A kernel of an even disc, from 8 x 8 samples of every tap."""
    reach = int(np.ceil(diameter / 2 - 0.5))
    fine = (np.arange(8 * (2 * reach + 1)) + 0.5) / 8 - reach - 0.5
    inside = (fine[:, None] ** 2 + fine**2 <= diameter**2 / 4).astype(np.float32)
    kernel = inside.reshape(2 * reach + 1, 8, 2 * reach + 1, 8).sum(axis=(1, 3))
    return kernel / kernel.sum()


def disc_blurred(
    light: Float32[np.ndarray, "h w c"], diameter: float
) -> Float32[np.ndarray, "h w c"]:
    """Linear light as out of focus as an even disc of this many pixels; wide discs coarsely."""
    height, width = light.shape[:2]
    shrink = int(np.ceil(diameter / _WIDEST_KERNEL))
    if shrink > 1:
        small = (max(width // shrink, 1), max(height // shrink, 1))
        light = cv2.resize(light, small, interpolation=cv2.INTER_AREA)
    kernel = _disc(round(diameter / shrink, 2))
    light = cv2.filter2D(light, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(light, (width, height)) if shrink > 1 else light
