"""Read the colours of OpenEXR files: plain, in layers, grey, and as luminance and chroma.

Names of channels and chroma are those of OpenEXR's technical introduction.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from repogen.arrays import Float32
from repogen.errors import UserError, check_not_empty, first_line
from repogen.files import path_for_library
from repogen.limits import MAX_PICTURE, MAX_PIXELS

_PICTURE_LAYERS = ("combined", "beauty", "rgba", "rgb", "color", "image")
"""Last words of layers that hold the whole picture, the surest first."""

_LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Luminance of the colours that a file has if it states no chromaticities (BT.709)."""


def read_exr(path: Path) -> Float32[np.ndarray, "h w 3"]:
    """The linear RGB of a file's first part that has colours.

    Raises `UserError` for a file that cannot be read, is too large, or has no colours.
    """
    import OpenEXR

    check_not_empty(path)
    try:
        with (
            path_for_library(path, MAX_PICTURE) as own,
            redirect_stdout(StringIO()),  # it prints what it raises
            silenced_stderr(),
        ):
            headers = OpenEXR.File(own, header_only=True).parts
            for part in headers:
                check_size(path, *_size(part.header))
            parts = OpenEXR.File(own, separate_channels=True).parts
        if len(parts) < len(headers):  # it drops what it cannot read
            deep = any("deep" in str(part.header.get("type")).lower() for part in headers)
            kind = "it holds deep data (several values a pixel)" if deep else "it is truncated"
            raise UserError(f"{path} cannot be read: {kind}")
    except UserError:
        raise
    except Exception as error:
        reason = "it is truncated, or not an OpenEXR file"
        if isinstance(error, FileNotFoundError):
            reason = "it is missing; install its pack again with repogen assets add"
        elif isinstance(error, OSError):
            reason = first_line(error)
        raise UserError(f"{path} cannot be read: {reason}") from error
    for part in parts:
        found = _colors(part)
        if found is not None:
            return found
    names = [name for part in parts for name in part.channels]
    raise UserError(
        f"{path} has channels {', '.join(names) or 'none'}; R, G and B, or Y, of half or float "
        "numbers are needed"
    )


def _colors(part: Any) -> Float32[np.ndarray, "h w 3"] | None:
    """The RGB of a part; of several layers, the one that holds the whole picture."""
    layers: dict[str, dict[str, Any]] = {}
    for name, channel in part.channels.items():
        if channel.pixels.dtype.kind == "f":
            layer, _, color = name.rpartition(".")
            layers.setdefault(layer, {})[color.upper()] = channel
    width, height = _size(part.header)
    for needed in (("R", "G", "B"), ("Y", "RY", "BY"), ("Y",)):
        fitting = [layer for layer in layers if set(needed) <= set(layers[layer])]
        if fitting:
            channels = layers[min(fitting, key=_layer_rank)]
            planes = [_full_size(channels[name], height, width) for name in needed]
            return _to_rgb(needed, planes, part.header)
    return None


def _layer_rank(layer: str) -> tuple[int, int]:
    """Sorts layers: without a name first, then by `_PICTURE_LAYERS`, then as in the file."""
    last = layer.lower().rpartition(".")[2]
    if not layer:
        return 0, 0
    known = last in _PICTURE_LAYERS
    return (1, _PICTURE_LAYERS.index(last)) if known else (2, 0)


def _to_rgb(
    names: tuple[str, ...], planes: list[Float32[np.ndarray, "h w"]], header: dict[str, Any]
) -> Float32[np.ndarray, "h w 3"]:
    if names == ("R", "G", "B"):
        return np.stack(planes, axis=2)
    if names == ("Y",):
        return np.repeat(planes[0][..., None], 3, axis=2)
    y, red_share, blue_share = planes
    red, blue = (red_share + 1) * y, (blue_share + 1) * y
    weights = _luminance(header)
    green = (y - weights[0] * red - weights[2] * blue) / weights[1]
    return np.stack([red, green, blue], axis=2).astype(np.float32)


def _luminance(header: dict[str, Any]) -> tuple[float, ...]:
    """Luminance of red, green and blue of the file's chromaticities."""
    stated = header.get("chromaticities")
    if stated is None:
        return _LUMINANCE
    xy = np.array(stated, float).reshape(4, 2)
    xyz = np.column_stack([xy, 1 - xy.sum(axis=1)]).T
    white = xyz[:, 3] / xyz[1, 3]
    return tuple((np.linalg.solve(xyz[:, :3], white) * xyz[1, :3]).tolist())


def _full_size(channel: Any, height: int, width: int) -> Float32[np.ndarray, "h w"]:
    """A channel's values at every pixel; between the pixels of a coarser one, interpolated."""
    values = np.asarray(channel.pixels, np.float32)
    for axis, count in enumerate((height, width)):
        if values.shape[axis] != count:
            step = -(-count // values.shape[axis])
            at = np.arange(count) / step
            low = at.astype(int)
            high = np.minimum(low + 1, values.shape[axis] - 1)
            share = np.expand_dims((at - low).astype(np.float32), 1 - axis)
            values = values.take(low, axis) * (1 - share) + values.take(high, axis) * share
    return values


def _size(header: dict[str, Any]) -> tuple[int, int]:
    low, high = header["dataWindow"]
    return int(high[0]) - int(low[0]) + 1, int(high[1]) - int(low[1]) + 1


def check_size(path: Path, width: int, height: int) -> None:
    """Raises `UserError` for a picture without pixels, or with too many."""
    if width < 1 or height < 1:
        raise UserError(f"{path} is damaged: its header says {width} x {height} pixels")
    if width * height > MAX_PIXELS:
        raise UserError(f"{path} has {width} x {height} pixels; the limit is {MAX_PIXELS:,}")


@contextmanager
def silenced_stderr() -> Iterator[None]:
    """Discard what the block prints on stderr, C libraries included."""
    stderr, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)
