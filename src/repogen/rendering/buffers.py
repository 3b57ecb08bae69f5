"""Arrays on a device ("cpu" or "cuda"), and what stays there of a mesh."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from repogen.bodies.protocol import LAYERS
from repogen.colors import to_linear, to_srgb
from repogen.rendering.kernels import geometry
from repogen.rendering.mesh import Mesh
from repogen.warp_setup import wp


def array(values: np.ndarray, dtype: Any, device: str) -> wp.array:
    """A copy of the values."""
    return wp.array(np.ascontiguousarray(values), dtype=dtype, device=device)


def structs(values: np.ndarray, dtype: Any, device: str) -> wp.array:
    """An array of structs from NumPy records.

    By way of bytes: from records, Warp would parse the struct's layout anew every time.
    """
    memory = array(values.view(np.uint8), wp.uint8, device)
    out = wp.array(ptr=memory.ptr, dtype=dtype, shape=len(values), device=device)
    out.memory = memory  # it lives as long as the array that points into it
    return out


@lru_cache(maxsize=2)
def color_tables(device: str) -> tuple[wp.array, wp.array]:
    """The linear light of every byte, and the byte of 4,096 even steps of linear light."""
    bytes_of_light = np.rint(255 * to_srgb(np.arange(4096) / 4095)).astype(np.uint8)
    return (
        array(to_linear(np.arange(256) / 255), wp.float32, device),
        array(bytes_of_light, wp.uint8, device),
    )


def launch(device: str, kernel: Any, dim: Any, *arguments: Any) -> None:
    wp.launch(kernel, dim=dim, inputs=list(arguments), device=device)


@dataclass(frozen=True)
class Buffers:
    """What stays on the device for one choice of surfaces: the mesh, and room to work in."""

    mesh: Mesh
    fixed: wp.array
    faces: wp.array
    face_layers: wp.array
    uvs: wp.array
    starts: wp.array
    incident: wp.array
    facings: wp.array
    corners: wp.array
    placed: wp.array
    """Vertices in the camera's frame."""
    landed: wp.array
    """The pixel that a vertex lands on, and its depth."""
    strands: wp.array
    """The faces cut out by their texture's alpha."""
    texels: wp.array
    """Vertices as a shadow map wants them."""
    shown: wp.array
    sides: wp.array


def mesh_buffers(mesh: Mesh, device: str) -> Buffers:
    """The mesh on the device, and arrays yet to be filled."""
    n, f = len(mesh.fixed), len(mesh.faces)
    strands = np.flatnonzero(mesh.layers == LAYERS.index("strands"))
    return Buffers(
        mesh=mesh,
        fixed=structs(mesh.fixed, geometry.Fixed, device),
        faces=array(mesh.faces, wp.int32, device),
        face_layers=array(mesh.layers, wp.uint8, device),
        uvs=array(mesh.uvs, wp.vec2, device),
        starts=array(mesh.starts, wp.int32, device),
        incident=array(mesh.incident, wp.int32, device),
        facings=wp.empty(f, dtype=wp.vec3, device=device),
        corners=wp.empty(n, dtype=geometry.Corner, device=device),
        placed=wp.empty(n, dtype=wp.vec3, device=device),
        landed=wp.empty(n, dtype=wp.vec3, device=device),
        strands=array(strands, wp.int32, device),
        texels=wp.empty(n, dtype=wp.vec3, device=device),
        shown=wp.empty(n, dtype=wp.uint8, device=device),
        sides=wp.empty(f, dtype=wp.uint8, device=device),
    )
