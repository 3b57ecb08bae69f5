"""How much of the picture people take, whatever stands before them."""

import numpy as np
from jaxtyping import Bool, Float, Float32

from repogen.rendering.kernels.raster import NEAR
from repogen.rendering.mesh import Mesh


def extents(
    mesh: Mesh, landed: Float32[np.ndarray, "v 3"], shown: Bool[np.ndarray, " f"], owner: int
) -> Float[np.ndarray, "4"]:
    """Left, top, right and bottom in pixels of all shown faces of a person (-1: of all things),
    not cut to the picture; empty (left > right) where nothing is.

    `landed` has the pixel and the depth of each vertex, as `place_vertices` writes them: what a
    lens cannot image is at its rim.
    """
    used = np.zeros(len(landed), dtype=bool)
    used[mesh.faces[shown & (mesh.people == owner)].ravel()] = True
    pixels = landed[used & (landed[:, 2] > NEAR), :2].astype(np.float64)
    if len(pixels) == 0:
        return np.array([np.inf, np.inf, -np.inf, -np.inf])
    return np.concatenate([pixels.min(axis=0), pixels.max(axis=0)])


def overlapping(boxes: Float[np.ndarray, "n 4"]) -> Bool[np.ndarray, " n"]:
    """Which boxes share pixels with another (two pixels apart counts as shared)."""
    low, high = boxes[:, :2] - 1, boxes[:, 2:] + 1
    meets = np.all((low[:, None] <= high[None]) & (low[None] <= high[:, None]), axis=2)
    np.fill_diagonal(meets, False)
    return np.any(meets, axis=1)
