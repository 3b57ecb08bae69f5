"""Pictures read off the G-buffer: masks, depth, body parts, normals."""

import numpy as np
from jaxtyping import Float, UInt8, UInt16

from repogen.rendering.gbuffer import GBuffer, key_depth
from repogen.rendering.renderer import Rendering

PART_COLORS = np.array(
    [
        (0, 0, 0), (255, 224, 189), (200, 60, 60), (240, 150, 40), (60, 110, 220),
        (250, 210, 60), (70, 180, 230), (255, 120, 160), (150, 110, 240), (180, 40, 120),
        (30, 130, 90), (220, 90, 190), (80, 200, 120), (130, 80, 50), (60, 60, 120),
    ],
    dtype=np.uint8,
)  # fmt: skip
"""RGB of every part index, for looking at part images."""


def person_masks(rendering: Rendering) -> list[UInt8[np.ndarray, "h w"]]:
    """Per person, 1 where at least half of a pixel's samples see that person."""
    g = rendering.gbuffer
    if len(rendering.posed) == 1:
        return [g.whole(g.half_covered(g.covered))]
    owner = np.where(g.covered, g.faces // g.faces_per_person, -1)
    return [g.whole(g.half_covered(owner == place)) for place in range(len(rendering.posed))]


def depth_map(rendering: Rendering) -> UInt16[np.ndarray, "h w"]:
    """Millimetres along the camera's z axis, 0 for nobody, at most 65,535.

    Where a pixel sees several depths the nearest counts; pixels are those of the masks.
    """
    g = rendering.gbuffer
    millimetres = np.minimum(np.rint(1000 * key_depth(g.nearest)), 65535)
    return g.whole(millimetres.astype(np.uint16) * _anybody(g))


def part_map(rendering: Rendering) -> UInt8[np.ndarray, "h w"]:
    """Index into `PARTS` of what each pixel shows, 0 for nobody."""
    g = rendering.gbuffer
    faces = g.nearest.astype(np.uint32) % np.uint32(g.faces_per_person)
    return g.whole(rendering.surface.face_parts[faces] * _anybody(g))


def normal_map(rendering: Rendering) -> UInt8[np.ndarray, "h w 3"]:
    """Geometric surface normals in the camera's frame as RGB: 128 + 127 n, black for nobody.

    n points towards the camera: x right, y up, z out of the picture.
    """
    g = rendering.gbuffer
    surface = rendering.surface
    index, mask = g.nearest.astype(np.uint32), _anybody(g)
    used, inverse = np.unique(np.where(mask > 0, index, 0), return_inverse=True)
    person, face = np.divmod(used, g.faces_per_person)
    corners = rendering.vertices[
        surface.faces[face] + person[:, None] * len(surface.canonical)
    ].astype(np.float64)
    normals: Float[np.ndarray, "n 3"] = np.cross(
        corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    )
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    normals *= -np.sign((normals * corners[:, 0]).sum(axis=1, keepdims=True))
    rgb = np.rint(128 + 127 * normals * [1, -1, -1]).astype(np.uint8)
    return g.whole(rgb[inverse.reshape(index.shape)] * mask[:, :, None])


def _anybody(g: GBuffer) -> UInt8[np.ndarray, "h w"]:
    return g.half_covered(g.covered)
