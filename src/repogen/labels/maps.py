"""Pictures read off the G-buffer: masks, depth, body parts, normals."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int, UInt8, UInt16

from repogen.rendering.gbuffer import GBuffer, key_depth
from repogen.rendering.kernels.raster import EMPTY
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
    """Per person, 1 where at least half of a pixel's samples see that person; a pixel that two
    share evenly is the nearer one's."""
    return [rendering.gbuffer.to_image(mask) for mask in _window_masks(rendering)]


def depth_map(rendering: Rendering) -> UInt16[np.ndarray, "h w"]:
    """Millimetres of depth (`Camera.depth_of`) of people and things, 0 for the background, at
    most 65,535.

    Where a pixel sees several depths the nearest counts; pixels are those of which half or more
    sees something, the masks' among them.
    """
    g = rendering.gbuffer
    millimetres = np.minimum(np.rint(1000 * key_depth(g.nearest_keys)), 65535)
    return g.to_image(millimetres.astype(np.uint16) * _anybody(g))


def part_map(rendering: Rendering) -> UInt8[np.ndarray, "h w"]:
    """Index into `PARTS` of what each pixel shows of the person whose mask it is in, 0 for
    nobody."""
    g, masks = rendering.gbuffer, _window_masks(rendering)
    owner = np.max([(place + 1) * mask for place, mask in enumerate(masks)], axis=0)
    anybody = owner > 0
    if not _alone(rendering):
        wanted = owner.repeat(g.samples, axis=0).repeat(g.samples, axis=1)
        own = _people_of(rendering) + 1 == wanted
        g = replace(g, depth_face_keys=np.where(own, g.depth_face_keys, np.uint64(EMPTY)))
    faces = np.where(anybody, g.nearest_keys.astype(np.uint32), 0)
    return g.to_image(rendering.mesh.parts[faces] * anybody)


def normal_map(rendering: Rendering) -> UInt8[np.ndarray, "h w 3"]:
    """Geometric surface normals in the camera's frame as RGB: 128 + 127 n, black for the
    background; pixels are those of `depth_map`.

    n points towards the camera: x right, y up, z out of the picture.
    """
    g = rendering.gbuffer
    index, mask = g.nearest_keys.astype(np.uint32), _anybody(g)
    used, inverse = np.unique(np.where(mask > 0, index, 0), return_inverse=True)
    corners = _corners(rendering, used)
    normals: Float[np.ndarray, "n 3"] = np.cross(
        corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    )
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    normals *= -np.sign((normals * corners[:, 0]).sum(axis=1, keepdims=True))
    rgb = np.rint(128 + 127 * normals * [1, -1, -1]).astype(np.uint8)
    return g.to_image(rgb[inverse.reshape(index.shape)] * mask[:, :, None])


def barycentrics(rendering: Rendering) -> Float[np.ndarray, "sh sw 3"]:
    """Where on its face each sample of the G-buffer's window lies: the weights of the face's
    three corners, zeros for the background."""
    g, camera = rendering.gbuffer, rendering.scene.camera
    rows, columns = np.nonzero(g.covered)
    x, y = g.left + (columns + 0.5) / g.samples, g.top + (rows + 0.5) / g.samples
    ray = camera.rays(np.stack([x, y], axis=1))
    a, b, c = _corners(rendering, g.faces[rows, columns]).swapaxes(0, 1)
    weights = np.stack([(np.cross(p, q) * ray).sum(axis=1) for p, q in ((b, c), (c, a), (a, b))], 1)
    out = np.zeros((*g.depth_face_keys.shape, 3))
    out[rows, columns] = weights / weights.sum(axis=1, keepdims=True)
    return out


def _window_masks(rendering: Rendering) -> list[UInt8[np.ndarray, "h w"]]:
    """`person_masks` of the G-buffer's window."""
    g = rendering.gbuffer
    if _alone(rendering):
        return [_anybody(g)]
    rows, columns = np.nonzero(g.counts > 0)
    keys = g.sample_keys(rows, columns)
    people = np.append(rendering.mesh.people, -1).astype(np.int16)
    owners = people[np.minimum(keys.astype(np.uint32), np.uint32(len(people) - 1))]
    front = people[keys.min(axis=0).astype(np.uint32)]
    places = range(len(rendering.people))
    halves = [2 * (owners == place).sum(axis=0, dtype=np.uint8) >= len(keys) for place in places]
    shared = np.sum(halves, axis=0) > 1
    masks = []
    for place, half in enumerate(halves):
        window = np.zeros(g.counts.shape, dtype=np.uint8)
        window[rows, columns] = half & (~shared | (front == place))
        masks.append(window)
    return masks


def _alone(rendering: Rendering) -> bool:
    return len(rendering.people) == 1 and not rendering.scene.occluders


def _people_of(rendering: Rendering) -> Int[np.ndarray, "sh sw"]:
    """Whom each sample sees, by the place in the scene; -1 for nobody."""
    g = rendering.gbuffer
    return np.where(g.covered, rendering.mesh.people[g.faces], -1)


def _corners(rendering: Rendering, faces: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n 3 3"]:
    """The corners of faces of the mesh, in the camera's frame."""
    return rendering.vertices[rendering.mesh.faces[faces]].astype(np.float64)


def _anybody(g: GBuffer) -> UInt8[np.ndarray, "h w"]:
    return (2 * g.counts >= g.samples**2).astype(np.uint8)
