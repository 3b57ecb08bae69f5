"""The connected pieces of a garment."""

import numpy as np

from repogen.arrays import Float, Int, UInt8
from repogen.bodies.nearest import NearestPoint
from repogen.people.outfit import REGIONS

_PAIR = 0.02
"""Metres between a piece's centre and its mirrored twin's, at most."""


def find_regions(
    faces: Int[np.ndarray, "f 3"], canonical: Float[np.ndarray, "v 3"]
) -> UInt8[np.ndarray, " f"]:
    """Each face's connected piece, a left and right pair as one, numbered by descending area.

    Pieces after the largest `REGIONS`, and those below 2 % of the area, are `REGIONS`.
    """
    part = connected(faces, len(canonical))[faces[:, 0]]
    a, b, c = canonical[faces].swapaxes(0, 1)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    sizes = np.bincount(part, area)
    sums = np.stack([np.bincount(part, area * axis) for axis in (a + b + c).T / 3], axis=1)
    middles = sums / np.maximum(sizes, 1e-9)[:, None]
    distance, twin = NearestPoint(middles).query(middles * [-1, 1, 1])
    paired = (distance < _PAIR) & (np.abs(sizes[twin] - sizes) < 0.1 * sizes)
    numbers = np.arange(len(sizes))
    piece = np.where(paired, np.minimum(twin, numbers), numbers)[part]
    sizes = np.bincount(piece, area, minlength=len(sizes))
    rank = np.full(len(sizes), REGIONS)
    largest = np.argsort(-sizes, kind="stable")[:REGIONS]
    largest = largest[sizes[largest] > 0.02 * sizes.sum()]
    rank[largest] = np.arange(len(largest))
    return rank[piece].astype(np.uint8)


def connected(faces: Int[np.ndarray, "f 3"], count: int) -> Int[np.ndarray, " n"]:
    """The number of the connected piece of each of `count` vertices, by its first vertex."""
    edges = np.concatenate([faces[:, :2], faces[:, 1:]])
    lowest, before = np.arange(count), None
    while before is None or (lowest != before).any():
        before = lowest.copy()
        least = lowest[edges].min(axis=1)
        np.minimum.at(lowest, lowest[edges[:, 0]], least)
        np.minimum.at(lowest, lowest[edges[:, 1]], least)
        lowest = lowest[lowest]
    return np.unique(lowest, return_inverse=True)[1]


def count_edges(
    edges: Int[np.ndarray, "e 2"],
) -> tuple[Int[np.ndarray, " e"], Int[np.ndarray, " u"]]:
    """A number for each edge, equal ones with the same, and how often each number is there."""
    keys = edges[:, 0].astype(np.int64) << 32 | edges[:, 1]
    _, number, times = np.unique(keys, return_inverse=True, return_counts=True)
    return number, times
