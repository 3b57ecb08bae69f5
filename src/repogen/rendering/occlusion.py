"""People as capsules that take light from what is near them, and the floor's map of it."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from repogen.arrays import Float, Int
from repogen.bodies.protocol import PARTS, Surface
from repogen.environment.panoramas import Panorama
from repogen.environment.rooms import Room
from repogen.people.posing import PosedPerson
from repogen.rendering.buffers import array, launch, struct_array
from repogen.rendering.kernels import occlusion
from repogen.rendering.kernels.occlusion import CAPSULES, REACH
from repogen.scenes.scene import Scene
from repogen.warp_setup import struct_dtype, wp

_CAPSULE_DTYPE = struct_dtype(occlusion.Capsule)

_POINTS = 48
"""Points of the skin that a capsule is fitted to."""
_END = 17
"""How many of them, at either end, have their middle at an end of the axis."""

_SEEN = 36
"""Index of the distance from the axis that is the radius, of `_POINTS` in order."""

_TEXELS = 72
"""Width and height of the floor's map."""
_HIGHEST = 1.5
"""Metres above the floor from which on nobody takes its light."""

_NO_FLOOR = -1e6


def make_bodies(scene: Scene, people: Sequence[PosedPerson], device: str) -> occlusion.Bodies:
    """The people's capsules and the background's floor, as kernels read them."""
    capsules = np.zeros(len(people) * CAPSULES, dtype=_CAPSULE_DTYPE)
    spheres = np.zeros((len(people), 4), dtype=np.float32)
    for i, posed in enumerate(people):
        a, b, radii = person_capsules(posed.surface, posed.body.vertices)
        own = capsules[i * CAPSULES : (i + 1) * CAPSULES]
        lengths = np.linalg.norm(b - a, axis=1)
        own["end"], own["axis"], own["radius"] = a, b - a, radii
        own["length"], own["inverse"] = lengths, 1 / np.maximum(lengths, 1e-3) ** 2
        ends = np.concatenate([a, b])
        middle = (ends.min(axis=0) + ends.max(axis=0)) / 2
        spheres[i, :3] = middle
        spheres[i, 3] = np.linalg.norm(ends - middle, axis=1).max() + radii.max()
    out = occlusion.Bodies()
    out.capsules = struct_array(capsules, occlusion.Capsule, device)
    out.spheres = array(spheres, wp.vec4, device)
    background = scene.background
    out.floor_z = _NO_FLOOR
    # White light from all sides, as in the paper, knows no floor.
    if scene.tinted and isinstance(background, Room | Panorama):
        out.floor_z = background.floor_z
    return out


def person_capsules(
    surface: Surface, vertices: Float[np.ndarray, "v 3"]
) -> tuple[Float[np.ndarray, "c 3"], Float[np.ndarray, "c 3"], Float[np.ndarray, " c"]]:
    """Both ends of the axis of each of a body's capsules, and their radii; metres, in the frame of
    the vertices."""
    points = vertices[_capsule_points(surface)].astype(np.float64)
    a, b = points[:, :_END].mean(axis=1), points[:, -_END:].mean(axis=1)
    axis = b - a
    from_a = points - a[:, None]
    square = np.maximum(np.einsum("ci,ci->c", axis, axis), 1e-6)
    along = np.einsum("cpi,ci->cp", from_a, axis) / square[:, None]
    away = from_a - np.clip(along, 0, 1)[..., None] * axis[:, None]
    # Skin within the mouth and between fingers is nearer to the axis than what is seen.
    return a, b, np.sort(np.linalg.norm(away, axis=2), axis=1)[:, _SEEN]


@lru_cache(maxsize=8)
def _capsule_points(surface: Surface) -> Int[np.ndarray, "c p"]:
    """Vertices of the skin of each capsule, from one end to the other, uniform by area."""
    skin = surface.faces_of("skin")
    corners = surface.canonical[surface.faces]
    areas = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    sides = corners.mean(axis=1)[:, 0] > 0
    groups = []
    for part, name in enumerate(PARTS[1:], 1):
        own = skin & (surface.face_parts == part)
        groups += [own & sides, own & ~sides] if name == "torso" else [own]
    out = np.zeros((CAPSULES, _POINTS), dtype=np.int32)
    for row, group in zip(out, groups, strict=True):
        ids = np.flatnonzero(group)
        centres = corners[ids].mean(axis=1)
        longest = int(np.argmax(np.ptp(centres, axis=0)))
        ids = ids[np.argsort(centres[:, longest], kind="stable")]
        reached = np.cumsum(areas[ids])
        shares = (np.arange(_POINTS) + 0.5) / _POINTS * reached[-1]
        row[:] = surface.faces[ids[np.searchsorted(reached, shares)], 0]
    return out


def floor_map(scene: Scene, bodies: occlusion.Bodies, device: str) -> occlusion.FloorMap:
    """The floor's map around people; empty without a floor, or without people near it."""
    out = occlusion.FloorMap()
    out.share = wp.zeros(1, dtype=wp.float32, device=device)
    spheres = bodies.spheres.numpy().astype(np.float64)
    near = spheres[spheres[:, 2] - spheres[:, 3] < bodies.floor_z + _HIGHEST]
    if not len(near) or bodies.floor_z == _NO_FLOOR:
        return out
    reach = near[:, 3:] + REACH
    low, high = (near[:, :2] - reach).min(axis=0), (near[:, :2] + reach).max(axis=0)
    step = float((high - low).max()) / _TEXELS
    corner = (low + high - step * _TEXELS) / 2
    out.share = wp.empty(_TEXELS**2, dtype=wp.float32, device=device)
    out.size = _TEXELS
    launch(
        device, occlusion.fill_floor, (_TEXELS, _TEXELS),
        bodies, wp.vec2(*corner), step, _TEXELS, out.share,
    )  # fmt: skip
    camera = scene.camera
    to_world = np.array(camera.rotation).T
    origin = camera.position() - np.array([*corner, bodies.floor_z])
    out.matrix = wp.mat33(*(to_world / step).ravel())
    out.offset = wp.vec3(*(origin / step))
    return out
