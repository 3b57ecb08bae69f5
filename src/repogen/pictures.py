"""Decoding untrusted pictures, with a limit on their pixels and without exceptions.

OpenCV reads its limit when it is imported, so `repogen/__init__.py` sets it.
"""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from repogen.limits import MAX_PIXELS

__all__ = ["MAX_PIXELS", "decode_picture", "has_picture_header", "read_picture"]


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
