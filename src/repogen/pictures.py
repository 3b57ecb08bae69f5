"""Decoding untrusted pictures, with a limit on their pixels, and encoding our own.

OpenCV reads its limit when it is imported, so `repogen/__init__.py` sets it.
"""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from repogen.limits import MAX_PIXELS

JPEG_QUALITY = 92
"""JPEG quality without the jpeg effect."""


def has_picture_header(path: Path) -> bool:
    """Whether a file has the header of a picture of at most `MAX_PIXELS`."""
    try:
        with Image.open(path) as picture:
            return picture.width * picture.height <= MAX_PIXELS
    except Exception:  # Pillow's decoders raise many kinds
        return False


def read_picture(path: str, flags: int = cv2.IMREAD_COLOR) -> np.ndarray | None:
    """The picture as `cv2.imread` gives it; None for other files and for more than `MAX_PIXELS`."""
    try:
        return cv2.imread(path, flags)
    except cv2.error:
        return None


def decode_picture(
    data: UInt8[np.ndarray, " n"], flags: int = cv2.IMREAD_COLOR
) -> np.ndarray | None:
    """The picture as `cv2.imdecode` gives it; None as in `read_picture`."""
    try:
        return cv2.imdecode(data, flags) if data.size else None
    except cv2.error:
        return None


def encode_jpeg(picture: np.ndarray, quality: int = JPEG_QUALITY) -> bytes:
    """A BGR picture as JPEG of a quality from 1 to 100."""
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError(f"OpenCV cannot encode {picture.shape} {picture.dtype} as JPEG")
    return data.tobytes()


def encode_png(picture: np.ndarray) -> bytes:
    """A BGR or one-channel picture of 8 or 16 bits as PNG.

    Rows are not predicted and zlib runs at its fastest level: on masks and depth this is much
    faster than OpenCV's writer, and hardly larger (PNG specification, third edition, 2025).
    """
    height, width = picture.shape[:2]
    color = 2 if picture.ndim == 3 else 0
    samples = picture[..., ::-1] if picture.ndim == 3 else picture
    big_endian = np.ascontiguousarray(samples, dtype=picture.dtype.newbyteorder(">"))
    rows = big_endian.view(np.uint8).reshape(height, -1)
    filtered = np.pad(rows, ((0, 0), (1, 0)))  # filter type 0 before every row
    header = struct.pack(">IIBBBBB", width, height, 8 * picture.itemsize, color, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
