"""Arrays on a device ("cpu" or "cuda"), and the buffers of a mesh."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from repogen.colors import to_linear, to_srgb
from repogen.rendering.kernels import folds, geometry
from repogen.rendering.kernels.codes import MOST_LIGHT, SRGB_STEPS
from repogen.rendering.kernels.modules import PER_THREAD
from repogen.rendering.mesh import Mesh
from repogen.warp_setup import wp


def array(values: np.ndarray, dtype: type, device: str) -> wp.array:
    """The values on the device; on the CPU without a copy where they have the type already, so
    that kernels may write only to copies."""
    return wp.array(np.ascontiguousarray(values), dtype=dtype, device=device, copy=False)


def struct_array(values: np.ndarray, dtype: type, device: str) -> wp.array:
    """A structured array (`struct_dtype`) on the device, as Warp structs `dtype`; on the CPU
    without a copy.

    It is passed on as bytes: Warp would parse the layout of a structured array at every call.
    """
    memory = array(values.view(np.uint8), wp.uint8, device)
    out = wp.array(ptr=memory.ptr, dtype=dtype, shape=len(values), device=device)
    out.memory = memory  # it lives as long as the array that points into it
    return out


_CONTRAST = 0.5
"""Strength of `tone_curve`: middle tones are 1.25 times as steep, as cameras develop pictures."""


def tone_curve(srgb: np.ndarray) -> np.ndarray:
    """sRGB in 0..1 with more contrast; black, middle grey (0.5) and white stay as they are."""
    return srgb + _CONTRAST * srgb * (1 - srgb) * (2 * srgb - 1)


_SHOULDER = 0.5
"""Linear light from which on highlights are compressed: `MOST_LIGHT` becomes white."""


def develop(light: np.ndarray) -> np.ndarray:
    """The sRGB, 0 to 1, that a camera makes of linear light up to `MOST_LIGHT`: highlights roll off
    in a shoulder, then come `tone_curve`'s contrasts."""
    over = np.clip((MOST_LIGHT - light) / (MOST_LIGHT - _SHOULDER), 0, 1)
    power = (MOST_LIGHT - _SHOULDER) / (1 - _SHOULDER)
    rolled = np.where(light < _SHOULDER, light, 1 - (1 - _SHOULDER) * over**power)
    return tone_curve(to_srgb(rolled))


@lru_cache(maxsize=4)
def color_tables(device: str, developed: bool = False) -> tuple[wp.array, wp.array]:
    """The linear light of every byte of a picture, and the byte of SRGB_STEPS + 1 uniform steps of
    linear light from 0 to `MOST_LIGHT`: sRGB with white at 1, or as of a camera (`develop`)."""
    light = np.linspace(0, MOST_LIGHT, SRGB_STEPS + 1)
    steps = develop(light) if developed else to_srgb(np.minimum(light, 1.0))
    bytes_ = to_linear(np.arange(256) / 255)
    if developed:
        fine = to_linear(np.linspace(0, to_srgb(np.array(MOST_LIGHT)), 2**14))
        bytes_ = np.interp(np.arange(256) / 255, develop(fine), fine)
    return (
        array(bytes_, wp.float32, device),
        array(np.rint(255 * steps).astype(np.uint8), wp.uint8, device),
    )


def launch(device: str, kernel: wp.Kernel, dim: int | tuple[int, ...], *arguments: object) -> None:
    """Start a kernel with these arguments, one thread for each index of `dim`."""
    wp.launch(kernel, dim=dim, inputs=list(arguments), device=device)


def launch_batched(device: str, kernel: wp.Kernel, count: int, *arguments: object) -> None:
    """Start a kernel whose threads take `PER_THREAD` of `count` faces or vertices each."""
    launch(device, kernel, -(-count // PER_THREAD), *arguments)


@dataclass(frozen=True)
class Buffers:
    """A mesh on the device, and work space for v vertices and f faces."""

    mesh: Mesh
    static_vertices: wp.array
    canonical: wp.array
    """(v,) positions on the T-pose, metres."""
    faces: wp.array
    face_layers: wp.array
    face_people: wp.array
    uvs: wp.array
    vertex_face_offsets: wp.array
    vertex_faces: wp.array
    alpha_faces: wp.array
    cloth_faces: wp.array
    cloth_vertices: wp.array
    face_normals: wp.array
    """(f,) normals in the world's frame, as long as twice the face's area."""
    face_culling: wp.array
    """(f,) culling codes (`kernels.codes`)."""
    face_folds: wp.array
    vertex_folds: wp.array
    """(f,) and (v,) steepness of folds (`kernels.folds`)."""
    camera_vertices: wp.array
    """(v,) positions in the camera's frame, metres."""
    screen_vertices: wp.array
    """(v,) x and y in pixels, and the depth in metres."""
    shading_vertices: wp.array
    """(v,) `geometry.ShadingVertex`."""
    vertex_visibility: wp.array
    """(v,) visibility codes (`kernels.codes`)."""
    light_vertices: wp.array
    """(v,) positions in a light's shadow map: x and y in texels, and the depth in metres."""


def mesh_buffers(mesh: Mesh, device: str) -> Buffers:
    """The mesh on the device, with uninitialized work space."""
    v, f = len(mesh.static_vertices), len(mesh.faces)
    return Buffers(
        mesh=mesh,
        static_vertices=struct_array(mesh.static_vertices, geometry.StaticVertex, device),
        canonical=array(mesh.static_vertices["canonical"], wp.vec3, device),
        faces=array(mesh.faces, wp.int32, device),
        face_layers=array(mesh.layers, wp.uint8, device),
        face_people=array(mesh.people, wp.int16, device),
        uvs=array(mesh.uvs, wp.vec2, device),
        vertex_face_offsets=array(mesh.vertex_face_offsets, wp.int32, device),
        vertex_faces=array(mesh.vertex_faces, wp.int32, device),
        alpha_faces=array(mesh.alpha_faces, wp.int32, device),
        cloth_faces=array(mesh.cloth_faces, wp.int32, device),
        cloth_vertices=array(mesh.cloth_vertices, wp.int32, device),
        face_normals=wp.empty(f, dtype=wp.vec3, device=device),
        face_culling=wp.empty(f, dtype=wp.uint8, device=device),
        face_folds=wp.empty(f, dtype=folds.steepness, device=device),
        vertex_folds=wp.empty(v, dtype=folds.steepness, device=device),
        camera_vertices=wp.empty(v, dtype=wp.vec3, device=device),
        screen_vertices=wp.empty(v, dtype=wp.vec3, device=device),
        shading_vertices=wp.empty(v, dtype=geometry.ShadingVertex, device=device),
        vertex_visibility=wp.empty(v, dtype=wp.uint8, device=device),
        light_vertices=wp.empty(v, dtype=wp.vec3, device=device),
    )
