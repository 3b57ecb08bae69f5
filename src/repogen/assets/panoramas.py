"""Read and write latitude-longitude panoramas, .exr and .hdr."""

from pathlib import Path

import cv2
import numpy as np

from repogen.arrays import Bool, Float32
from repogen.assets.exr import read_exr
from repogen.assets.radiance import read_hdr
from repogen.errors import UserError
from repogen.files import path_for_library

SUFFIXES = (".exr", ".hdr")

_STRONG_LIGHT = 20.0
"""Times the panorama's mean from which a light's compression damages the pixels around it."""
_WINDOW = 17
"""Pixels: a block of the compression (8) on either side, and the centre."""
_LOST_CHANNEL = 1e-3
"""Share of the surroundings' darkest channel below which a channel counts as lost."""

_OVERFLOW = 65504.0
"""Least value of an infinite pixel: the largest half, which suns exceed."""
_MOST = 1e9
"""Values above it count as infinite: sums of them would overflow."""


def read_panorama(path: Path) -> Float32[np.ndarray, "h w 3"]:
    """A latitude-longitude panorama: linear RGB, finite, not negative, the zenith in the first row.

    Infinite values become the largest finite one, at least 65,504, and values that are not numbers
    get the colour of their surroundings. So do pixels beside strong lights that lossy compression
    leaves negative or without some channels (the sun of @pmndrs/assets' `park` is only blue).
    Raises `UserError` for a file that cannot be read, is not twice as wide as high, has no colours
    or is all black.
    """
    pixels = _read(path)
    return _repair(_finite(pixels))


def check_panorama(path: Path) -> str | None:
    """What `read_panorama` changes in a file, in words; None for nothing. Raises as it does."""
    pixels = _read(path)
    _repair(_finite(pixels))
    unknown = np.isnan(pixels).any(axis=2)
    infinite = int(((~_is_usable(pixels)).any(axis=2) & ~unknown).sum())
    changes = [f"{infinite} infinite pixels are clamped"] * (infinite > 0)
    if unknown.any():
        changes += [f"{unknown.sum()} pixels that are not numbers get the colour around them"]
    return f"{path}: {', '.join(changes)}" if changes else None


def _is_usable(pixels: Float32[np.ndarray, "h w 3"]) -> Bool[np.ndarray, "h w 3"]:
    return np.abs(pixels) <= _MOST  # false for NaN


def write_panorama(path: Path, pixels: Float32[np.ndarray, "h w 3"]) -> None:
    """Write a panorama of linear RGB as .exr, in half precision."""
    import OpenEXR

    header = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}
    half = np.minimum(pixels, np.finfo(np.float16).max).astype(np.float16)
    with path_for_library(path, None) as own:
        OpenEXR.File(header, {"RGB": half}).write(own)


def _read(path: Path) -> Float32[np.ndarray, "h w 3"]:
    if path.suffix.lower() == ".exr":
        pixels = read_exr(path)
    elif path.suffix.lower() == ".hdr":
        pixels = read_hdr(path)
    else:
        raise UserError(f"{path} is not a panorama; give a file that ends in .exr or .hdr")
    height, width = pixels.shape[:2]
    if width != 2 * height:
        raise UserError(
            f"{path} is {width} x {height} px; a panorama must be twice as wide as high"
        )
    if not (pixels > 0).any():
        raise UserError(f"{path} holds no light: no pixel is above 0")
    return pixels


def _finite(pixels: Float32[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """The pixels with `inf` clamped, and the colours of their surroundings for NaN."""
    usable = _is_usable(pixels)
    if usable.all():
        return pixels
    largest = pixels.max(initial=_OVERFLOW, where=usable)
    clamped = np.where(usable, pixels, np.where(pixels > 0, largest, 0)).astype(np.float32)
    unknown = np.isnan(pixels).any(axis=2)
    return np.where(unknown[..., None], _mean_around(clamped, ~unknown), clamped)


def _mean_around(
    pixels: Float32[np.ndarray, "h w 3"], good: Bool[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w 3"]:
    """The mean colour of the good pixels in the window around each pixel; black without any."""
    weight = good.astype(np.float32)
    total = cv2.blur(pixels * weight[..., None], (_WINDOW, _WINDOW))
    return total / np.maximum(cv2.blur(weight, (_WINDOW, _WINDOW)), 1e-6)[..., None]


def _repair(pixels: Float32[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """The pixels without negative values and without lost channels beside strong lights.

    A pixel with a lost channel gets the mean colour of the good pixels around it, scaled to its
    own brightest channel where that is brighter.
    """
    clean = np.maximum(pixels, 0)
    brightest = _channels(np.maximum, clean)
    strong = brightest > _STRONG_LIGHT * clean.mean()
    if not strong.any():
        return clean
    near_light = cv2.dilate(strong.astype(np.uint8), np.ones((_WINDOW, _WINDOW))) > 0
    around = cv2.blur(_channels(np.minimum, clean), (_WINDOW, _WINDOW))
    lost = near_light & (_channels(np.minimum, pixels) < _LOST_CHANNEL * around)
    if not lost.any():
        return clean
    weight = cv2.blur((~lost).astype(np.float32), (_WINDOW, _WINDOW))
    at = lost & (weight > 0)
    fill = _mean_around(clean, ~lost)[at]
    gain = np.maximum(1, brightest[at] / np.maximum(fill.max(axis=1), 1e-12))
    clean[at] = fill * gain[:, None]
    return clean


def _channels(
    extreme: np.ufunc, pixels: Float32[np.ndarray, "h w 3"]
) -> Float32[np.ndarray, "h w"]:
    """The extreme of each pixel's channels; much faster than a reduction over the last axis."""
    red, green, blue = np.moveaxis(pixels, 2, 0)
    return extreme(extreme(red, green), blue)
