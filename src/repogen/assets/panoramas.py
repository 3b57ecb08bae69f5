"""Panoramas of real places: light from every direction, in .exr and .hdr files."""

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
from repogen.pictures import MAX_PIXELS, decode_picture

SUFFIXES = (".exr", ".hdr")

_STRONG = 20.0
"""A light this many times brighter than the mean of the panorama can spoil its surroundings."""
_REACH = 17
"""Pixels: a block of the compression (8) either side, and the middle."""
_LOST = 1e-3

_HDR_HEAD = 4096
_HDR_SIZE = re.compile(rb"\n-Y (\d{1,9}) \+X (\d{1,9})\n")
_HDR_PIXELS = 32
"""At most a byte of a Radiance file holds: of 127 equal pixels two bytes for each channel."""


def read_panorama(path: Path) -> Float32[np.ndarray, "h w 3"]:
    """A latitude-longitude panorama: linear RGB, zenith in the first row, nothing below 0.

    Lossy compression leaves pixels beside strong lights negative or without some of their
    channels (the sun of @pmndrs/assets' `park` is only blue); they are given the colour around
    them. Raises `UserError` for a file that cannot be read, is not twice as wide as it is high,
    holds no R, G and B, or no finite light.
    """
    if path.suffix.lower() == ".exr":
        pixels = _read_exr(path)
    elif path.suffix.lower() == ".hdr":
        pixels = _read_hdr(path)
    else:
        raise UserError(f"{path} is no panorama; give a file ending in .exr or .hdr")
    height, width = pixels.shape[:2]
    if width != 2 * height:
        raise UserError(f"{path} is {width} x {height} px; a panorama is twice as wide as high")
    if not np.isfinite(pixels).all():
        raise UserError(f"{path} holds values that are not finite")
    if pixels.max() <= 0:
        raise UserError(f"{path} holds no light: every pixel is black")
    return _mended(pixels)


def write_panorama(path: Path, pixels: Float32[np.ndarray, "h w 3"]) -> None:
    """Write a panorama as .exr, half floats."""
    import OpenEXR

    header = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}
    half = np.minimum(pixels, np.finfo(np.float16).max).astype(np.float16)
    OpenEXR.File(header, {"RGB": half}).write(str(path))


def _read_exr(path: Path) -> Float32[np.ndarray, "h w 3"]:
    import OpenEXR

    try:
        with redirect_stdout(StringIO()), _nothing_on_stderr():  # it prints what it raises
            _check_size(path, *_exr_size(OpenEXR.File(str(path), header_only=True).header()))
            channels = OpenEXR.File(str(path)).channels()
    except UserError:
        raise
    except Exception as error:
        why = "it is cut short, or no OpenEXR file"
        if not path.exists():
            why = "it is missing; repogen assets add the pack that it came with"
        raise UserError(f"{path} cannot be read: {why}") from error
    for name in ("RGB", "RGBA"):
        if name in channels and channels[name].pixels.dtype.kind == "f":
            return np.ascontiguousarray(channels[name].pixels[..., :3], np.float32)
    raise UserError(f"{path} has channels {', '.join(channels) or 'none'}; R, G and B are needed")


def _exr_size(header: dict[str, Any]) -> tuple[int, int]:
    low, high = header["dataWindow"]
    return int(high[0]) - int(low[0]) + 1, int(high[1]) - int(low[1]) + 1


def _check_size(path: Path, width: int, height: int) -> None:
    if not 0 < width * height <= MAX_PIXELS:
        raise UserError(f"{path} has {width} x {height} pixels; {MAX_PIXELS:,} are the most")


@contextmanager
def _nothing_on_stderr() -> Iterator[None]:
    """What C libraries print, too."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _read_hdr(path: Path) -> Float32[np.ndarray, "h w 3"]:
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    size = _HDR_SIZE.search(data[:_HDR_HEAD].tobytes())
    if size is not None:
        height, width = int(size[1]), int(size[2])
        _check_size(path, width, height)
        if width * height > _HDR_PIXELS * len(data):
            raise UserError(f"{path} cannot be read: it is cut short")
    with _nothing_on_stderr():
        pixels = decode_picture(data, cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.float32 or pixels.ndim != 3:
        raise UserError(f"{path} cannot be read: it is cut short, or no Radiance file")
    return np.ascontiguousarray(pixels[..., 2::-1])


def _mended(pixels: Float32[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """Nothing below 0, and beside strong lights no pixel with a channel that is lost.

    Such a pixel takes the mean colour of the good ones around it, made as bright as its own
    brightest channel where that is brighter.
    """
    clean = np.maximum(pixels, 0)
    strongest = cv2.dilate(clean.max(axis=2), np.ones((_REACH, _REACH)))
    near_light = strongest > _STRONG * clean.mean()
    if not near_light.any():
        return clean
    around = cv2.blur(clean.min(axis=2), (_REACH, _REACH))
    lost = near_light & (pixels.min(axis=2) < _LOST * around)
    good = (~lost).astype(np.float32)
    weight = cv2.blur(good, (_REACH, _REACH))
    fill = cv2.blur(clean * good[..., None], (_REACH, _REACH)) / np.maximum(weight, 1e-6)[..., None]
    top = np.maximum(fill.max(axis=2), 1e-12)
    gain = np.maximum(1, clean.max(axis=2) / top)
    return np.where((lost & (weight > 0))[..., None], fill * gain[..., None], clean)
