"""Run-length encoded masks of files that may say anything: pycocotools checks little of them."""

import re
from reprlib import repr as shortened
from typing import Any

import numpy as np
from jaxtyping import UInt8
from pycocotools import mask as rle

from repogen.limits import MOST_PIXELS

_RUNS = re.compile(r"(?:[0-o]*[0-O])?")


def is_whole(counts: str) -> bool:
    """Whether the last number of a compressed RLE ends: pycocotools would read on behind it."""
    return _RUNS.fullmatch(counts) is not None


def decoded(segmentation: dict[str, Any]) -> UInt8[np.ndarray, "h w"]:
    """A compressed RLE's mask, 1 where it is.

    Raises `ValueError` where its runs are not those of a whole mask (pycocotools would return
    whatever is in the memory) and for one of more than `MOST_PIXELS`; `KeyError` and `TypeError`
    for what is no RLE.
    """
    (height, width), counts = segmentation["size"], segmentation["counts"]
    if not (type(height) is type(width) is int and 0 < height * width <= MOST_PIXELS and width > 0):
        raise ValueError(f"a mask of {shortened(height)} x {shortened(width)} pixels")
    if not isinstance(counts, str) or not is_whole(counts):
        raise ValueError(f"a mask's counts {shortened(counts)} are cut off")
    mask = rle.decode({"size": [height, width], "counts": counts})
    if rle.encode(mask)["counts"] != counts.encode():
        raise ValueError(f"a mask's counts are not of {height} x {width} pixels")
    return mask
