"""One mesh of everything in a scene: bodies, garments and occluders."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from repogen.arrays import Float, Int, UInt8, UInt32
from repogen.bodies.protocol import Surface
from repogen.rendering.kernels import geometry
from repogen.rendering.kernels.codes import LAYER_STRANDS, NO_LAYER
from repogen.rendering.kernels.folds import FOLDED
from repogen.rendering.kernels.texture import TexturedMaterial
from repogen.warp_setup import struct_dtype

MATERIAL_DTYPE = struct_dtype(TexturedMaterial)
_STATIC_VERTEX = struct_dtype(geometry.StaticVertex)


@dataclass(frozen=True, eq=False)
class Piece:
    """A body, a garment or an occluder; vertices in the world's frame, metres."""

    surface: Surface
    vertices: Float[np.ndarray, "v 3"]
    person: int
    """Index of its owner in `Scene.people`; -1 for an occluder."""
    rest: Float[np.ndarray, "v 3"] | None = None
    """The vertices before posing, metres; None where nothing bends them."""
    cover: UInt8[np.ndarray, " v"] | None = None
    """Cover code of each vertex (`kernels.codes`); None without garments."""
    materials: np.ndarray = field(default_factory=lambda: np.zeros(0, MATERIAL_DTYPE))
    face_materials: Int[np.ndarray, " f"] | None = None
    """Index into `materials` of each face, -1 for a face without a material; None if all are."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """The pieces of a scene one after the other: g = 3 f corners of f faces, and v vertices."""

    faces: Int[np.ndarray, "f 3"]
    people: Int[np.ndarray, " f"]
    """Index in `Scene.people` of the owner of each face; -1 for an occluder's."""
    layers: UInt8[np.ndarray, " f"]
    """Index into `bodies.LAYERS`."""
    parts: UInt8[np.ndarray, " f"]
    """Index into `bodies.PARTS`."""
    keypoints: UInt32[np.ndarray, " f"]
    """`Surface.face_keypoints`."""
    wholebody: UInt32[np.ndarray, "f 4"]
    """`Surface.face_extra_keypoints`; zeros for a surface without."""
    uvs: Float[np.ndarray, "g 2"]
    """Texture coordinates of the three corners of each face."""
    static_vertices: np.ndarray
    """(v,) `geometry.StaticVertex`."""
    vertex_face_offsets: Int[np.ndarray, " v1"]
    vertex_faces: Int[np.ndarray, " m"]
    """Vertex v has the faces vertex_faces[vertex_face_offsets[v] : vertex_face_offsets[v + 1]]."""
    alpha_faces: Int[np.ndarray, " a"]
    """Indices of the faces that their texture's alpha cuts out."""
    cloth_faces: Int[np.ndarray, " c"]
    cloth_vertices: Int[np.ndarray, " d"]
    """Indices of the faces that may have folds, and of their vertices."""


def join(surfaces: Sequence[tuple[Surface, int]]) -> Mesh:
    """One mesh of several surfaces, each given with its owner (`Piece.person`)."""
    parts = [_surface_to_mesh(surface) for surface, _ in surfaces]
    owners = [person for _, person in surfaces]
    vertices = np.cumsum([0] + [len(p.static_vertices) for p in parts])
    faces = np.cumsum([0] + [len(p.faces) for p in parts])
    static_vertices = concatenate_structs([p.static_vertices for p in parts])
    static_vertices["person"] = np.repeat(owners, np.diff(vertices))
    corners = 3 * faces
    return Mesh(
        faces=_concatenate_shifted([p.faces for p in parts], vertices),
        people=np.repeat(np.array(owners, np.int16), np.diff(faces)),
        layers=np.concatenate([p.layers for p in parts]),
        parts=np.concatenate([p.parts for p in parts]),
        keypoints=np.concatenate([p.keypoints for p in parts]),
        wholebody=np.concatenate([p.wholebody for p in parts]),
        uvs=np.concatenate([p.uvs for p in parts]),
        static_vertices=static_vertices,
        vertex_face_offsets=np.append(
            _concatenate_shifted([p.vertex_face_offsets[:-1] for p in parts], corners),
            np.int32(corners[-1]),
        ),
        vertex_faces=_concatenate_shifted([p.vertex_faces for p in parts], faces),
        alpha_faces=_concatenate_shifted([p.alpha_faces for p in parts], faces),
        cloth_faces=_concatenate_shifted([p.cloth_faces for p in parts], faces),
        cloth_vertices=_concatenate_shifted([p.cloth_vertices for p in parts], vertices),
    )


def concatenate_structs(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Structured arrays of one dtype, joined as bytes: NumPy would copy them field by field."""
    joined = np.concatenate([one.view(np.uint8) for one in arrays])
    return joined.view(arrays[0].dtype)


def _concatenate_shifted(arrays: list[np.ndarray], by: Int[np.ndarray, " n"]) -> np.ndarray:
    out = np.concatenate(arrays)
    ends = np.cumsum([len(a) for a in arrays])
    for first, end, start in zip((0, *ends), ends, by, strict=False):
        out[first:end] += np.int32(start)
    return out


@lru_cache(maxsize=128)
def _surface_to_mesh(surface: Surface) -> Mesh:
    count = len(surface.canonical)
    static_vertices = np.zeros(count, dtype=_STATIC_VERTEX)
    static_vertices["canonical"], static_vertices["occlusion"] = (
        surface.canonical,
        surface.occlusion,
    )
    static_vertices["lips"] = surface.lips
    static_vertices["layer"] = NO_LAYER
    static_vertices["layer"][surface.faces] = surface.face_layers[:, None]
    corners = surface.faces.ravel()
    more = surface.face_extra_keypoints
    cloth = np.flatnonzero(np.isin(surface.face_layers, FOLDED))
    return Mesh(
        faces=surface.faces.astype(np.int32),
        people=np.zeros(len(surface.faces), dtype=np.int16),
        layers=surface.face_layers,
        parts=surface.face_parts,
        keypoints=surface.face_keypoints,
        wholebody=np.zeros((len(surface.faces), 4), np.uint32) if more is None else more,
        uvs=surface.uv[surface.face_uv.ravel()].astype(np.float32),
        static_vertices=static_vertices,
        vertex_face_offsets=np.append(0, np.cumsum(np.bincount(corners, minlength=count))).astype(
            np.int32
        ),
        vertex_faces=(np.argsort(_short(corners), kind="stable") // 3).astype(np.int32),
        alpha_faces=np.flatnonzero(surface.face_layers == LAYER_STRANDS).astype(np.int32),
        cloth_faces=cloth.astype(np.int32),
        cloth_vertices=np.unique(surface.faces[cloth]).astype(np.int32),
    )


def _short(numbers: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """The numbers, in 16 bits where they fit: NumPy sorts these four times as fast."""
    return numbers.astype(np.uint16) if numbers.max(initial=0) < 2**16 else numbers
