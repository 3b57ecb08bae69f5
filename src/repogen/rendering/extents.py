"""How much of the picture people take, whatever stands before them."""

import numpy as np
from jaxtyping import Bool, Float, Float32

from repogen.rendering.kernels.raster import NEAR
from repogen.rendering.mesh import Mesh


def extents(
    mesh: Mesh, landed: Float32[np.ndarray, "v 3"], shown: Bool[np.ndarray, " f"], people: int
) -> Float[np.ndarray, "n 4"]:
    """Left, top, right and bottom in pixels of all shown faces of each person, then of all
    things, not cut to the picture; empty (left > right) where nothing is.

    `landed` has the pixel and the depth of each vertex, as `place_vertices` writes them: what a
    lens cannot image is at its rim.
    """
    used = np.zeros(len(landed), dtype=bool)
    used[mesh.faces[shown].ravel()] = True
    used &= landed[:, 2] > NEAR
    pixels, owners = landed[used, :2].astype(np.float64), mesh.fixed["person"][used]
    out = np.tile([np.inf, np.inf, -np.inf, -np.inf], (people + 1, 1))
    for row, owner in enumerate((*range(people), -1)):
        own = pixels[owners == owner]
        if len(own):
            out[row] = (*own.min(axis=0), *own.max(axis=0))
    return out


def shared_parts(boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, "n 4"]:
    """The box around all that each box shares with others, each grown by two pixels; empty where
    it shares nothing."""
    grown = boxes + np.array([-2.0, -2.0, 2.0, 2.0])
    low = np.maximum(grown[:, None, :2], grown[None, :, :2])
    high = np.minimum(grown[:, None, 2:], grown[None, :, 2:])
    meets = (low <= high).all(axis=2, keepdims=True)
    meets[np.arange(len(boxes)), np.arange(len(boxes))] = False
    lows = np.where(meets, low, np.inf).min(axis=1, initial=np.inf)
    highs = np.where(meets, high, -np.inf).max(axis=1, initial=-np.inf)
    return np.concatenate([lows, highs], axis=1)
