"""Centred blurs, which move nothing: along a line, and by a disc."""

from functools import lru_cache

import cv2
import numpy as np

from repogen.arrays import Float, Float32

_WIDEST_KERNEL = 9.0
"""OpenCV filters kernels below 11 x 11 directly; larger ones by a Fourier transform, which is
slower."""


def motion_blur(
    light: Float32[np.ndarray, "h w c"], length: float, angle_deg: float
) -> Float32[np.ndarray, "h w c"]:
    """Linear light blurred uniformly along a centred line of `length` pixels, `angle_deg` degrees
    clockwise from the picture's right."""
    if length <= 0:
        return light
    angle = np.radians(angle_deg)
    whole = np.array([np.cos(angle), np.sin(angle)]) * length
    # A long line is split into pieces, each a small kernel around the nearest pixel.
    pieces = int(np.ceil(length / (_WIDEST_KERNEL - 2)))
    if pieces == 1:
        return cv2.filter2D(light, -1, _line(whole, np.zeros(2)), borderType=cv2.BORDER_REPLICATE)
    middles = ((np.arange(pieces) + 0.5) / pieces - 0.5)[:, None] * whole
    shifts = np.rint(middles).astype(int)
    pad_x, pad_y = (int(v) for v in np.abs(shifts).max(axis=0))
    padded = cv2.copyMakeBorder(light, pad_y, pad_y, pad_x, pad_x, cv2.BORDER_REPLICATE)
    height, width = light.shape[:2]
    out = np.zeros_like(light)
    for (x, y), middle in zip(shifts, middles, strict=True):
        kernel = _line(whole / pieces, middle - (x, y)) / pieces
        piece = cv2.filter2D(padded, -1, kernel, borderType=cv2.BORDER_REPLICATE)
        top, left = pad_y + y, pad_x + x
        cv2.accumulate(piece[top : top + height, left : left + width], out)
    return out


def _line(
    step: Float[np.ndarray, "2"], middle: Float[np.ndarray, "2"]
) -> Float32[np.ndarray, "n n"]:
    """Kernel of a line segment `step` around `middle`: 64 points, each shared among four taps."""
    points = middle + ((np.arange(64) + 0.5) / 64 - 0.5)[:, None] * step
    reach = int(np.ceil(np.abs(points).max()))
    taps = np.arange(-reach, reach + 1)
    x, y = (np.maximum(1 - np.abs(taps - along[:, None]), 0) for along in points.T)
    return (np.einsum("py,px->yx", y, x) / 64).astype(np.float32)


@lru_cache(maxsize=64)
def _disc(diameter: float) -> Float32[np.ndarray, "n n"]:
    """Kernel of a uniform disc, from 8 x 8 samples of every tap."""
    reach = int(np.ceil(diameter / 2 - 0.5))
    fine = (np.arange(8 * (2 * reach + 1)) + 0.5) / 8 - reach - 0.5
    inside = (fine[:, None] ** 2 + fine**2 <= diameter**2 / 4).astype(np.float32)
    kernel = inside.reshape(2 * reach + 1, 8, 2 * reach + 1, 8).sum(axis=(1, 3))
    return kernel / kernel.sum()


def disc_blur(light: Float32[np.ndarray, "h w c"], diameter: float) -> Float32[np.ndarray, "h w c"]:
    """Linear light blurred by a uniform disc `diameter` pixels wide; wide discs are coarser."""
    height, width = light.shape[:2]
    shrink = int(np.ceil(diameter / _WIDEST_KERNEL))
    if shrink > 1:
        small = (max(width // shrink, 1), max(height // shrink, 1))
        light = cv2.resize(light, small, interpolation=cv2.INTER_AREA)
    kernel = _disc(round(diameter / shrink, 2))
    light = cv2.filter2D(light, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(light, (width, height)) if shrink > 1 else light
