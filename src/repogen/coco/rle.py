"""Run-length encoded masks (RLE), also from untrusted files: pycocotools checks little."""

import re
from reprlib import repr as shortened
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as rle

from repogen.arrays import UInt8
from repogen.limits import MAX_PIXELS

_RUNS = re.compile(r"(?:[0-o]*[0-O])?")


def encode_rle(mask: UInt8[np.ndarray, "h w"]) -> dict[str, Any]:
    """A mask as pycocotools' compressed RLE."""
    return rle.encode(cv2.transpose(mask).T)


def rle_to_json(encoded: dict[str, Any]) -> dict[str, Any]:
    """A compressed RLE with plain integers and text, as JSON needs it."""
    return {
        "size": [int(v) for v in encoded["size"]],
        "counts": encoded["counts"].decode("ascii"),
    }


def is_complete_rle(counts: str) -> bool:
    """Whether the last number of a compressed RLE ends; pycocotools would read beyond it."""
    return _RUNS.fullmatch(counts) is not None


def decode_rle(segmentation: dict[str, Any]) -> UInt8[np.ndarray, "h w"]:
    """The mask of a compressed RLE: 1 inside, 0 outside.

    Raises `ValueError` for runs that do not fill the mask exactly (pycocotools would return
    uninitialized memory) and for more than `MAX_PIXELS`; `KeyError` or `TypeError` for anything
    that is not an RLE.
    """
    (height, width), counts = segmentation["size"], segmentation["counts"]
    if not (type(height) is type(width) is int and 0 < height * width <= MAX_PIXELS and width > 0):
        raise ValueError(f"a mask of {shortened(height)} x {shortened(width)} pixels")
    if not isinstance(counts, str):
        raise TypeError(f"a mask's counts {shortened(counts)} are not text")
    if not is_complete_rle(counts):
        raise ValueError(f"a mask's counts {shortened(counts)} are truncated")
    mask = rle.decode({"size": [height, width], "counts": counts})
    if rle.encode(mask)["counts"] != counts.encode():
        raise ValueError(f"a mask's counts are not of {height} x {width} pixels")
    return mask
