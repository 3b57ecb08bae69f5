"""How much of the picture people take, whatever stands before them."""

import numpy as np
from jaxtyping import Bool, Float

from repogen.rendering.kernels.raster import NEAR
from repogen.rendering.mesh import Mesh
from repogen.views.camera import Camera


def extents(
    camera: Camera,
    mesh: Mesh,
    vertices: Float[np.ndarray, "v 3"],
    shown: Bool[np.ndarray, " f"],
    owner: int,
) -> Float[np.ndarray, "4"]:
    """Left, top, right and bottom in pixels of all shown faces of a person (-1: of all things),
    not cut to the picture; empty (left > right) where nothing is."""
    used = np.zeros(len(vertices), dtype=bool)
    used[mesh.faces[shown & (mesh.people == owner)].ravel()] = True
    points = vertices[used].astype(np.float64)
    points = points[camera.in_view(points) & (camera.depth_of(points) > NEAR)]
    if len(points) == 0:
        return np.array([np.inf, np.inf, -np.inf, -np.inf])
    pixels = camera.to_pixels(points)
    return np.concatenate([pixels.min(axis=0), pixels.max(axis=0)])


def overlapping(boxes: Float[np.ndarray, "n 4"]) -> Bool[np.ndarray, " n"]:
    """Which boxes share pixels with another (two pixels apart counts as shared)."""
    low, high = boxes[:, :2] - 1, boxes[:, 2:] + 1
    meets = np.all((low[:, None] <= high[None]) & (low[None] <= high[:, None]), axis=2)
    np.fill_diagonal(meets, False)
    return np.any(meets, axis=1)
