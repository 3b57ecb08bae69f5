"""The surfaces of a scene with the colour of each vertex, for programs that light it themselves."""

from dataclasses import dataclass

import numpy as np

from repogen.arrays import Bool, Float, Int
from repogen.cameras.camera import Camera
from repogen.rendering.buffers import Buffers, launch
from repogen.rendering.kernels import vertex_colors
from repogen.rendering.kernels.codes import CULLING_OF_VISIBLE, LAYER_STRANDS
from repogen.rendering.kernels.scene_mesh import SceneMesh
from repogen.warp_setup import wp

_WIDTH = 0.01
"""Metres that a vertex stands for: finer patterns are averaged."""


@dataclass(frozen=True, eq=False)
class ColoredMesh:
    """Triangles of bodies, garments and occluders that a camera can see from some side."""

    vertices: Float[np.ndarray, "v 3"]
    """Metres, world frame."""
    normals: Float[np.ndarray, "v 3"]
    """Unit vectors, world frame."""
    colors: Float[np.ndarray, "v 4"]
    """Linear red, green, blue (albedo, without any light) and alpha."""
    faces: Int[np.ndarray, "f 3"]
    """Anticlockwise seen from the front."""
    people: Int[np.ndarray, " f"]
    """Index in `Scene.people` of the owner of each face; -1 for an occluder's."""
    strands: Bool[np.ndarray, " f"]
    """Whether a face is hair that alpha cuts out."""


def read_colored_mesh(
    camera: Camera, buffers: Buffers, scene_mesh: SceneMesh, device: str
) -> ColoredMesh:
    """The mesh in buffers that `transform_vertices` has filled; vertices without faces are left
    out."""
    colors = wp.empty(len(buffers.camera_vertices), dtype=wp.vec4, device=device)
    launch(
        device, vertex_colors.vertex_colors, len(colors),
        scene_mesh, buffers.vertex_face_offsets, buffers.vertex_faces, buffers.face_culling,
        _WIDTH, colors,
    )  # fmt: skip
    seen = np.isin(buffers.face_culling.numpy(), CULLING_OF_VISIBLE)
    used, faces = np.unique(buffers.mesh.faces[seen], return_inverse=True)
    shading = buffers.shading_vertices.numpy()[used]
    to_world = np.array(camera.rotation)  # rows times it: the inverse rotation
    return ColoredMesh(
        vertices=(shading["position"] - np.array(camera.translation)) @ to_world,
        normals=shading["normal"] @ to_world,
        colors=colors.numpy()[used],
        faces=faces.reshape(-1, 3),
        people=buffers.mesh.people[seen],
        strands=buffers.mesh.layers[seen] == LAYER_STRANDS,
    )
