"""Masks of COCO records: polygons and run-length encoded masks (RLE)."""

from collections.abc import Mapping
from reprlib import repr as shortened
from typing import Any

import numpy as np
from pycocotools import mask as rle

from repogen.coco.records import numbers
from repogen.coco.rle import is_complete_rle
from repogen.errors import plain_number

_MAX_OUTLINE = 10**6
"""Pixels along a polygon's outline: pycocotools allocates memory for each, without a limit."""


def compress_mask(segmentation: object, size: tuple[int, int]) -> dict[str, Any] | None:
    """A record's segmentation, polygons or an RLE, as pycocotools' compressed RLE.

    None where it has none, and for polygons in an image whose size is unknown. Raises `ValueError`
    for anything else.
    """
    width, height = size
    if not segmentation:
        return None
    if isinstance(segmentation, list):
        outline = sum(_outline_length(polygon) for polygon in segmentation)
        if min(size) < 1:
            return None
        if not outline < _MAX_OUTLINE:
            raise ValueError(
                f"segmentation has an outline of {plain_number(outline)} pixels around "
                f"{width} x {height}; the limit is {_MAX_OUTLINE}"
            )
        return _compressed(segmentation, height, width)
    if not (isinstance(segmentation, Mapping) and {"size", "counts"} <= set(segmentation)):
        raise ValueError(
            f"segmentation {shortened(segmentation)} is neither polygons nor an RLE (size, counts)"
        )
    counts, sides = segmentation["counts"], numbers(segmentation["size"], "segmentation's size")
    if len(sides) != 2 or not all(0 < side < 2**31 for side in sides):
        raise ValueError(
            f"segmentation's size {shortened(segmentation['size'])} must be height and width "
            "above 0"
        )
    if isinstance(counts, list):
        return _compressed(segmentation, height, width)
    if not isinstance(counts, str):
        raise ValueError(f"segmentation's counts {shortened(counts)} must be text or a list")
    if not is_complete_rle(counts):
        raise ValueError("segmentation's counts are truncated")
    return dict(segmentation)


def _compressed(segmentation: Any, height: int, width: int) -> dict[str, Any]:
    """Polygons or an RLE with a list of counts as a compressed RLE."""
    try:
        found = rle.frPyObjects(segmentation, height, width)
        return rle.merge(found) if isinstance(segmentation, list) else found
    except Exception as error:  # pycocotools raises no narrower one
        kind = "polygons are" if isinstance(segmentation, list) else "counts are"
        raise ValueError(f"segmentation's {kind} not valid: {error}") from error


def _outline_length(polygon: object) -> float:
    """Approximate length of a polygon's outline in pixels, a lower bound.

    Raises `ValueError` for anything that is not a polygon.
    """
    flat = numbers(polygon, "segmentation's polygon")
    if not len(flat):
        raise ValueError("segmentation has a polygon without corners")
    if len(flat) % 2:
        raise ValueError(f"segmentation has a polygon of {len(flat)} numbers: an x without a y")
    if not np.isfinite(flat).all():
        raise ValueError("segmentation has a corner that is not finite")
    corners = flat.reshape(-1, 2)
    return float(np.abs(corners - np.roll(corners, 1, axis=0)).max(axis=1).sum())
