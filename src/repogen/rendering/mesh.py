"""All that is seen in a scene as one mesh: bodies, what they wear, and things."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int, UInt8, UInt32

from repogen.bodies.protocol import Surface
from repogen.rendering.kernels import geometry
from repogen.rendering.kernels.texture import Material
from repogen.warp_setup import records

MATERIAL = np.dtype(records(Material))
_FIXED = np.dtype(records(geometry.Fixed))


@dataclass(frozen=True, eq=False)
class Piece:
    """A body, a garment or a thing, posed in the world (metres)."""

    surface: Surface
    vertices: Float[np.ndarray, "v 3"]
    person: int
    """Whose it is, by the place in `Scene.people`; -1 for nobody's."""
    cover: UInt8[np.ndarray, " v"] | None = None
    """As `geometry.Fixed.cover`."""
    materials: np.ndarray = field(default_factory=lambda: np.zeros(0, MATERIAL))
    face_materials: Int[np.ndarray, " f"] | None = None
    """Index into `materials` of each face; -1, or no array, where it has none."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """The pieces one after the other. Faces and their attributes:"""

    faces: Int[np.ndarray, "f 3"]
    people: Int[np.ndarray, " f"]
    """Whose face it is; -1 for nobody's."""
    layers: UInt8[np.ndarray, " f"]
    parts: UInt8[np.ndarray, " f"]
    keypoints: UInt32[np.ndarray, " f"]
    more: UInt32[np.ndarray, "f 4"]
    """`Surface.face_extra_keypoints`, zeros for a surface without."""
    uvs: Float[np.ndarray, "g 2"]
    """Texture coordinates of the three corners of each face in turn."""
    fixed: np.ndarray
    """A record `geometry.Fixed` for each vertex."""
    starts: Int[np.ndarray, " v1"]
    incident: Int[np.ndarray, " m"]
    """The faces of vertex v are incident[starts[v] : starts[v + 1]]."""


def join(surfaces: Sequence[tuple[Surface, int]]) -> Mesh:
    """One mesh of surfaces, each with whose it is."""
    parts = [_prepared(surface) for surface, _ in surfaces]
    owners = [person for _, person in surfaces]
    vertices = np.cumsum([0] + [len(p.fixed) for p in parts])
    faces = np.cumsum([0] + [len(p.faces) for p in parts])
    fixed = np.concatenate([p.fixed for p in parts])
    fixed["person"] = np.repeat(owners, np.diff(vertices))
    corners = 3 * faces
    return Mesh(
        faces=_shifted([p.faces for p in parts], vertices),
        people=np.repeat(owners, np.diff(faces)),
        layers=np.concatenate([p.layers for p in parts]),
        parts=np.concatenate([p.parts for p in parts]),
        keypoints=np.concatenate([p.keypoints for p in parts]),
        more=np.concatenate([p.more for p in parts]),
        uvs=np.concatenate([p.uvs for p in parts]),
        fixed=fixed,
        starts=np.append(_shifted([p.starts[:-1] for p in parts], corners), np.int32(corners[-1])),
        incident=_shifted([p.incident for p in parts], faces),
    )


def _shifted(arrays: list[np.ndarray], by: Int[np.ndarray, " n"]) -> np.ndarray:
    return np.concatenate([a + np.int32(start) for a, start in zip(arrays, by, strict=False)])


@lru_cache(maxsize=256)
def _prepared(surface: Surface) -> Mesh:
    count = len(surface.canonical)
    fixed = np.zeros(count, dtype=_FIXED)
    fixed["canonical"], fixed["occlusion"] = surface.canonical, surface.occlusion
    fixed["lips"] = surface.lips
    fixed["layer"] = -1
    fixed["layer"][surface.faces] = surface.face_layers[:, None]
    corners = surface.faces.ravel()
    more = surface.face_extra_keypoints
    return Mesh(
        faces=surface.faces.astype(np.int32),
        people=np.zeros(len(surface.faces), dtype=int),
        layers=surface.face_layers,
        parts=surface.face_parts,
        keypoints=surface.face_keypoints,
        more=np.zeros((len(surface.faces), 4), np.uint32) if more is None else more,
        uvs=surface.uv[surface.face_uv.ravel()].astype(np.float32),
        fixed=fixed,
        starts=np.append(0, np.cumsum(np.bincount(corners, minlength=count))).astype(np.int32),
        incident=(np.argsort(corners, kind="stable") // 3).astype(np.int32),
    )
