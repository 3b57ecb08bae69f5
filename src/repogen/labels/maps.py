"""Per-pixel labels from the G-buffer: masks, depth, body parts, normals."""

from dataclasses import replace

import numpy as np

from repogen.arrays import Float, Float32, Int, UInt8, UInt16
from repogen.rendering.gbuffer import GBuffer, key_depth, pixel_owners
from repogen.rendering.kernels.raster import EMPTY
from repogen.rendering.renderer import RenderResult

PART_COLORS = np.array(
    [
        (0, 0, 0), (255, 224, 189), (200, 60, 60), (240, 150, 40), (60, 110, 220),
        (250, 210, 60), (70, 180, 230), (255, 120, 160), (150, 110, 240), (180, 40, 120),
        (30, 130, 90), (220, 90, 190), (80, 200, 120), (130, 80, 50), (60, 60, 120),
    ],
    dtype=np.uint8,
)  # fmt: skip
"""RGB of every part index, to view part images."""


def person_masks(result: RenderResult) -> list[UInt8[np.ndarray, "h w"]]:
    """Masks of each person: 1 where at least half of a pixel's samples see that person.

    A pixel of which two people have half each is the nearer person's.
    """
    return [result.gbuffer.to_image(mask) for mask in _window_masks(result)]


def depth_map(result: RenderResult) -> UInt16[np.ndarray, "h w"]:
    """`depth_metres` in whole millimetres, at most 65,535."""
    g = result.gbuffer
    return g.to_image(np.minimum(np.rint(1000 * _window_depth(g)), 65535).astype(np.uint16))


def depth_metres(result: RenderResult) -> Float32[np.ndarray, "h w"]:
    """Metres of depth (`Camera.depth_of`) of people and occluders, 0 for the background.

    A pixel has a depth where at least half of its samples see a person or an occluder; it is the
    nearest of them.
    """
    g = result.gbuffer
    return g.to_image(_window_depth(g).astype(np.float32))


def part_map(result: RenderResult) -> UInt8[np.ndarray, "h w"]:
    """Index into `PARTS` of the body part in each pixel of a person's mask; 0 elsewhere."""
    g, masks = result.gbuffer, _window_masks(result)
    owner = np.max([(index + 1) * mask for index, mask in enumerate(masks)], axis=0)
    in_mask = owner > 0
    if not _is_single_person(result):
        wanted = owner.repeat(g.samples, axis=0).repeat(g.samples, axis=1)
        own = _sample_people(result) + 1 == wanted
        g = replace(g, depth_face_keys=np.where(own, g.depth_face_keys, np.uint64(EMPTY)))
    faces = np.where(in_mask, g.nearest_keys.astype(np.uint32), 0)
    return g.to_image(result.mesh.parts[faces] * in_mask)


def normal_map(result: RenderResult) -> UInt8[np.ndarray, "h w 3"]:
    """Surface normals n as RGB: 128 + 127 n in the pixels of `depth_map`, black elsewhere.

    They are the mesh's geometric normals, on the side towards the camera. Axes: x right, y up, z
    out of the picture.
    """
    g = result.gbuffer
    index, mask = g.nearest_keys.astype(np.uint32), _covered(g)
    used, inverse = np.unique(np.where(mask > 0, index, 0), return_inverse=True)
    corners = _face_corners(result, used)
    normals: Float[np.ndarray, "n 3"] = np.cross(
        corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    )
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    normals *= -np.sign((normals * corners[:, 0]).sum(axis=1, keepdims=True))
    rgb = np.rint(128 + 127 * normals * [1, -1, -1]).astype(np.uint8)
    return g.to_image(rgb[inverse.reshape(index.shape)] * mask[:, :, None])


def barycentrics(result: RenderResult) -> Float[np.ndarray, "sh sw 3"]:
    """Barycentric coordinates of each sample of the G-buffer's window: the weights of its face's
    three corners, zeros for the background."""
    g, camera = result.gbuffer, result.scene.camera
    rows, columns = np.nonzero(g.covered)
    x, y = g.left + (columns + 0.5) / g.samples, g.top + (rows + 0.5) / g.samples
    ray = camera.rays(np.stack([x, y], axis=1))
    a, b, c = _face_corners(result, g.faces[rows, columns]).swapaxes(0, 1)
    weights = np.stack([(np.cross(p, q) * ray).sum(axis=1) for p, q in ((b, c), (c, a), (a, b))], 1)
    out = np.zeros((*g.depth_face_keys.shape, 3))
    out[rows, columns] = weights / weights.sum(axis=1, keepdims=True)
    return out


def _window_masks(result: RenderResult) -> list[UInt8[np.ndarray, "h w"]]:
    """`person_masks`, cut to the G-buffer's window."""
    g = result.gbuffer
    if _is_single_person(result):
        return [_covered(g)]
    owners = pixel_owners(g, result.mesh.people)
    return [(owners == index).view(np.uint8) for index in range(len(result.people))]


def _window_depth(g: GBuffer) -> Float[np.ndarray, "h w"]:
    return key_depth(g.nearest_keys) * _covered(g)


def _is_single_person(result: RenderResult) -> bool:
    return len(result.people) == 1 and not result.scene.occluders


def _sample_people(result: RenderResult) -> Int[np.ndarray, "sh sw"]:
    """Index of the person that each sample sees; -1 for none."""
    g = result.gbuffer
    return np.where(g.covered, result.mesh.people[g.faces], -1)


def _face_corners(result: RenderResult, faces: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n 3 3"]:
    """The corners of faces of the mesh, metres in the camera's frame."""
    return result.vertices[result.mesh.faces[faces]].astype(np.float64)


def _covered(g: GBuffer) -> UInt8[np.ndarray, "h w"]:
    """1 for the window's pixels of which at least half sees a person or an occluder."""
    return (2 * g.counts >= g.samples**2).astype(np.uint8)
