"""Read and write latitude-longitude panoramas, .exr and .hdr."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32

from repogen.errors import UserError
from repogen.limits import MAX_PIXELS
from repogen.pictures import decode_picture

SUFFIXES = (".exr", ".hdr")

_STRONG_LIGHT = 20.0
"""Times the panorama's mean from which a light's compression damages the pixels around it."""
_WINDOW = 17
"""Pixels: a block of the compression (8) on either side, and the centre."""
_LOST_CHANNEL = 1e-3
"""Share of the surroundings' darkest channel below which a channel counts as lost."""

_HDR_HEADER_BYTES = 4096
_HDR_SIZE = re.compile(rb"\n-Y (\d{1,9}) \+X (\d{1,9})\n")
_MAX_HDR_PIXELS_PER_BYTE = 32
"""Limit for a Radiance file: a run of 127 equal pixels takes two bytes in each of four channels."""


def read_panorama(path: Path) -> Float32[np.ndarray, "h w 3"]:
    """A latitude-longitude panorama: linear RGB, not negative, the zenith in the first row.

    Lossy compression leaves pixels beside strong lights negative or without some channels (the
    sun of @pmndrs/assets' `park` is only blue); they get the colour of their surroundings. Raises
    `UserError` for a file that cannot be read, is not twice as wide as high, lacks R, G or B, or
    has values that are all black or not finite.
    """
    if path.suffix.lower() == ".exr":
        pixels = _read_exr(path)
    elif path.suffix.lower() == ".hdr":
        pixels = _read_hdr(path)
    else:
        raise UserError(f"{path} is not a panorama; give a file that ends in .exr or .hdr")
    height, width = pixels.shape[:2]
    if width != 2 * height:
        raise UserError(
            f"{path} is {width} x {height} px; a panorama must be twice as wide as high"
        )
    if not np.isfinite(pixels).all():
        raise UserError(f"{path} has values that are not finite")
    if pixels.max() <= 0:
        raise UserError(f"{path} holds no light: every pixel is black")
    return _repair(pixels)


def write_panorama(path: Path, pixels: Float32[np.ndarray, "h w 3"]) -> None:
    """Write a panorama of linear RGB as .exr, in half precision."""
    import OpenEXR

    header = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}
    half = np.minimum(pixels, np.finfo(np.float16).max).astype(np.float16)
    OpenEXR.File(header, {"RGB": half}).write(str(path))


def _read_exr(path: Path) -> Float32[np.ndarray, "h w 3"]:
    import OpenEXR

    try:
        with redirect_stdout(StringIO()), _silenced_stderr():  # it prints what it raises
            _check_size(path, *_exr_size(OpenEXR.File(str(path), header_only=True).header()))
            channels = OpenEXR.File(str(path)).channels()
    except UserError:
        raise
    except Exception as error:
        reason = "it is truncated, or not an OpenEXR file"
        if not path.exists():
            reason = "it is missing; install its pack again with repogen assets add"
        raise UserError(f"{path} cannot be read: {reason}") from error
    for name in ("RGB", "RGBA"):
        if name in channels and channels[name].pixels.dtype.kind == "f":
            return np.ascontiguousarray(channels[name].pixels[..., :3], np.float32)
    raise UserError(f"{path} has channels {', '.join(channels) or 'none'}; R, G and B are needed")


def _exr_size(header: dict[str, Any]) -> tuple[int, int]:
    low, high = header["dataWindow"]
    return int(high[0]) - int(low[0]) + 1, int(high[1]) - int(low[1]) + 1


def _check_size(path: Path, width: int, height: int) -> None:
    if not 0 < width * height <= MAX_PIXELS:
        raise UserError(f"{path} has {width} x {height} pixels; the limit is {MAX_PIXELS:,}")


@contextmanager
def _silenced_stderr() -> Iterator[None]:
    """Discard what the block prints on stderr, C libraries included."""
    stderr, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)


def _read_hdr(path: Path) -> Float32[np.ndarray, "h w 3"]:
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    size = _HDR_SIZE.search(data[:_HDR_HEADER_BYTES].tobytes())
    if size is not None:
        height, width = int(size[1]), int(size[2])
        _check_size(path, width, height)
        if width * height > _MAX_HDR_PIXELS_PER_BYTE * len(data):
            raise UserError(f"{path} cannot be read: it is truncated")
    with _silenced_stderr():
        pixels = decode_picture(data, cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.float32 or pixels.ndim != 3:
        raise UserError(f"{path} cannot be read: it is truncated, or not a Radiance file")
    return np.ascontiguousarray(pixels[..., 2::-1])


def _repair(pixels: Float32[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """The pixels without negative values and without lost channels beside strong lights.

    A pixel with a lost channel gets the mean colour of the good pixels around it, scaled to its
    own brightest channel where that is brighter.
    """
    clean = np.maximum(pixels, 0)
    strongest = cv2.dilate(clean.max(axis=2), np.ones((_WINDOW, _WINDOW)))
    near_light = strongest > _STRONG_LIGHT * clean.mean()
    if not near_light.any():
        return clean
    around = cv2.blur(clean.min(axis=2), (_WINDOW, _WINDOW))
    lost = near_light & (pixels.min(axis=2) < _LOST_CHANNEL * around)
    good = (~lost).astype(np.float32)
    weight = cv2.blur(good, (_WINDOW, _WINDOW))
    total = cv2.blur(clean * good[..., None], (_WINDOW, _WINDOW))
    fill = total / np.maximum(weight, 1e-6)[..., None]
    top = np.maximum(fill.max(axis=2), 1e-12)
    gain = np.maximum(1, clean.max(axis=2) / top)
    return np.where((lost & (weight > 0))[..., None], fill * gain[..., None], clean)
