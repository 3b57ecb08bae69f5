"""Socks and shoes that lie under trousers stay under them.

A vertex below a garment is bound to the face above it on the T-pose. On a posed body, where it has
come out through that face, it is put back below.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from repogen.arrays import Float, Int
from repogen.bodies.kernels import find_faces
from repogen.bodies.surface import vertex_normals
from repogen.people.garments import FittedGarment
from repogen.warp_setup import wp

_BELOW, _ABOVE = 0.012, 0.06
"""Metres along the normal of what is under a garment, in which the garment's face is."""

_GAP = 0.006
"""Metres between a garment and what is put back under it."""

_FARTHEST = 0.025
"""Metres that a vertex is moved, at most."""


class Binding(NamedTuple):
    """Vertices under a garment, and where on it the face over each of them is."""

    vertices: Int[np.ndarray, " n"]
    faces: Int[np.ndarray, "n 3"]
    """Vertices of the garment, anticlockwise seen from outside."""
    weights: Float[np.ndarray, "n 3"]


def bind(inner: FittedGarment, outer: FittedGarment) -> Binding:
    """The vertices of a garment under another one, bound to it."""
    if (alteration := outer.alteration) is None:
        return _bind(inner, outer)
    whole = bind(inner, alteration.original)
    faces = alteration.kept[whole.faces]
    left = (faces >= 0).all(axis=1)
    return Binding(whole.vertices[left], faces[left], whole.weights[left])


@lru_cache(maxsize=256)
def _bind(inner: FittedGarment, outer: FittedGarment) -> Binding:
    under, over = inner.surface, outer.surface
    normals = vertex_normals(under.canonical, under.faces)
    mesh = wp.Mesh(
        wp.array(over.canonical, dtype=wp.vec3, device="cpu"),
        wp.array(over.faces.ravel(), dtype=wp.int32, device="cpu"),
    )
    found = wp.empty(len(normals), dtype=wp.int32, device="cpu")
    weights = wp.empty(len(normals), dtype=wp.vec3, device="cpu")
    wp.launch(
        find_faces,
        dim=len(normals),
        inputs=[
            mesh.id,
            wp.array(under.canonical, dtype=wp.vec3, device="cpu"),
            wp.array(normals, dtype=wp.vec3, device="cpu"),
            _BELOW,
            _ABOVE,
        ],
        outputs=[found, weights],
        device="cpu",
    )
    hit = found.numpy() >= 0
    corners = over.faces[found.numpy()[hit]]
    weights = weights.numpy()[hit].astype(np.float64)
    a, b, c = over.canonical[corners].swapaxes(0, 1)
    inwards = (np.cross(b - a, c - a) * normals[hit]).sum(axis=1) < 0
    corners[inwards], weights[inwards] = corners[inwards][:, ::-1], weights[inwards][:, ::-1]
    return Binding(np.flatnonzero(hit), corners, weights)


def tucked(
    points: Float[np.ndarray, "v 3"], under: Binding, garment: Float[np.ndarray, "g 3"]
) -> Float[np.ndarray, "v 3"]:
    """The points of a posed surface, those of `under` that are outside the posed garment put back
    below it; metres, one frame."""
    a, b, c = garment.take(under.faces.T, axis=0).astype(np.float64)
    outwards = np.cross(b - a, c - a)
    outwards /= np.maximum(np.linalg.norm(outwards, axis=1, keepdims=True), 1e-12)
    above = np.einsum("nk,nki->ni", under.weights, np.stack([a, b, c], axis=1))
    out = points.copy()
    height = ((out[under.vertices] - above) * outwards).sum(axis=1)
    down = np.clip(height + _GAP, 0, _FARTHEST)
    out[under.vertices] -= (down[:, None] * outwards).astype(out.dtype)
    return out
