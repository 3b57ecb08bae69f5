"""Decoding pictures that people give: no more pixels than memory takes, and never an exception.

OpenCV reads its limit when it is loaded, so `repogen/__init__.py` sets that.
"""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from repogen.limits import MAX_PIXELS

__all__ = ["MAX_PIXELS", "begins_as_picture", "decode_picture", "read_picture"]


def begins_as_picture(path: Path) -> bool:
    """Whether a file says that it is a picture of no more than `MAX_PIXELS`."""
    try:
        with Image.open(path) as picture:
            return picture.width * picture.height <= MAX_PIXELS
    except Exception:  # Pillow's decoders raise many kinds
        return False


def read_picture(path: str, flags: int = cv2.IMREAD_COLOR) -> np.ndarray | None:
    """`cv2.imread`; None for what is no picture or has more than `MAX_PIXELS`."""
    try:
        return cv2.imread(path, flags)
    except cv2.error:
        return None


def decode_picture(
    data: UInt8[np.ndarray, " n"], flags: int = cv2.IMREAD_COLOR
) -> np.ndarray | None:
    """`cv2.imdecode`, likewise."""
    try:
        return cv2.imdecode(data, flags) if data.size else None
    except cv2.error:
        return None
