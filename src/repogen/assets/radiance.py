"""Read Radiance's .hdr files: RGBE and XYZE, all orientations, compressed or not.

The format is that of Radiance's "File formats" (G. Ward, 1991), pages 29 to 32.
"""

import re
from pathlib import Path

import cv2
import numpy as np

from repogen.arrays import Float32, UInt8
from repogen.assets.exr import check_size, silenced_stderr
from repogen.errors import UserError, check_not_empty
from repogen.files import cannot_read, read_regular
from repogen.limits import MAX_PICTURE
from repogen.pictures import decode_picture

_HEADER_BYTES = 65536
_SIZE = re.compile(rb"\n([-+])([XY]) (\d{1,9}) ([-+])([XY]) (\d{1,9})\n")
_MAX_PIXELS_PER_BYTE = 32
"""Limit for compressed lines: a run of 127 equal pixels takes two bytes in each of four
channels."""

_XYZ_TO_RGB = np.array(
    [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]], np.float32
)
"""CIE XYZ to linear sRGB (IEC 61966-2-1)."""


def read_hdr(path: Path) -> Float32[np.ndarray, "h w 3"]:
    """The linear RGB of a file, upright. Raises `UserError` for a file that cannot be read."""
    try:
        data = read_regular(path, MAX_PICTURE)
    except OSError as error:
        raise cannot_read(path, error) from error
    header = data[:_HEADER_BYTES].replace(b"\r\n", b"\n")
    size = _SIZE.search(header)
    check_not_empty(path)
    if not data.startswith(b"#?"):
        raise UserError(f"{path} is not a Radiance file: it does not begin with #?")
    if size is None or size[2] == size[5]:
        raise UserError(
            f"{path} is truncated or damaged: it has no line with its size, such as -Y 512 +X 1024"
        )
    lines, length = int(size[3]), int(size[6])
    check_size(path, length, lines)
    # Where Windows' line ends were replaced, the header in the file is longer.
    start = data[:_HEADER_BYTES].index(size[0].strip()) + len(size[0].strip())
    body = data[data.index(b"\n", start) + 1 :]
    pixels = _pixels(body, lines, length)
    if pixels is None:
        raise UserError(f"{path} is truncated or damaged: pixels are missing")
    if b"xyze" in header[: size.start()].lower():
        pixels = pixels @ _XYZ_TO_RGB.T
    return np.ascontiguousarray(_upright(pixels, size), np.float32)


def _upright(pixels: Float32[np.ndarray, "n m 3"], size: re.Match[bytes]) -> np.ndarray:
    """The pixels with rows from top to bottom (-Y) and columns from left to right (+X)."""
    signs = {size[2]: size[1], size[5]: size[4]}
    if size[2] == b"X":
        pixels = pixels.transpose(1, 0, 2)
    if signs[b"Y"] == b"+":
        pixels = pixels[::-1]
    return pixels[:, ::-1] if signs[b"X"] == b"-" else pixels


def _pixels(body: bytes, lines: int, length: int) -> Float32[np.ndarray, "n m 3"] | None:
    """The lines of a file; None if bytes are missing."""
    if 8 <= length < 32768 and body.startswith(b"\2\2" + length.to_bytes(2, "big")):
        if lines * length > _MAX_PIXELS_PER_BYTE * len(body):
            return None
        head = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n" % (lines, length)
        with silenced_stderr():
            found = decode_picture(np.frombuffer(head + body, np.uint8), cv2.IMREAD_UNCHANGED)
        return None if found is None or found.ndim != 3 else found[..., 2::-1]
    quads = np.frombuffer(body[: len(body) // 4 * 4], np.uint8).reshape(-1, 4)
    if len(quads) < lines * length:
        quads = _without_runs(quads, lines * length)
    if len(quads) < lines * length:
        return None
    rgbe = quads[: lines * length].reshape(lines, length, 4)
    scale = np.where(rgbe[..., 3:] > 0, np.ldexp(1.0, rgbe[..., 3:].astype(int) - 136), 0)
    return (rgbe[..., :3] * scale).astype(np.float32)


def _without_runs(quads: UInt8[np.ndarray, "n 4"], most: int) -> UInt8[np.ndarray, "m 4"]:
    """Pixels of Radiance's first compression: (1, 1, 1, n) repeats the pixel before it n times.

    Several in a row are the bytes of one number, the lowest first.
    """
    run = (quads[:, :3] == 1).all(axis=1)
    first = np.flatnonzero(~run)
    if not len(first):
        return quads[:0]
    position = np.arange(len(quads))
    owner = np.maximum.accumulate(np.where(run, 0, position))
    shift = np.minimum(8 * (position - owner - 1), 24).clip(0)
    counts = np.where(run, quads[:, 3].astype(np.int64) << shift, 1)
    counts = np.add.reduceat(counts, first).clip(max=most)
    counts = np.minimum(counts, np.maximum(most - (np.cumsum(counts) - counts), 0))
    return np.repeat(quads[first], counts, axis=0)
