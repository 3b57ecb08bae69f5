"""Colours of vertices, for programs that light a scene themselves."""

from repogen.rendering.kernels.codes import (
    CULL_ALL,
    LAYER_CLOTH,
    LAYER_OCCLUDER,
    LAYER_STRANDS,
    NO_MATERIAL,
    NO_TEXTURE,
    SHADOW_ONLY,
)
from repogen.rendering.kernels.noise import noise
from repogen.rendering.kernels.paint import painted_material, strand_brightness
from repogen.rendering.kernels.scene_mesh import SceneMesh
from repogen.rendering.kernels.texture import sample_texture, textured_material
from repogen.warp_setup import wp


@wp.kernel
def vertex_colors(
    mesh: SceneMesh,
    vertex_face_offsets: wp.array(dtype=wp.int32),
    vertex_faces: wp.array(dtype=wp.int32),
    face_culling: wp.array(dtype=wp.uint8),
    width: float,
    colors: wp.array(dtype=wp.vec4),
):
    """Linear albedo and alpha of each vertex, as the first of its faces that a camera can see has
    them at `width` metres a pixel; zeros where there is none."""
    v = wp.tid()
    f = int(-1)
    for i in range(vertex_face_offsets[v], vertex_face_offsets[v + 1]):
        culling = int(face_culling[vertex_faces[i]])
        if f < 0 and culling != CULL_ALL and culling != SHADOW_ONLY:
            f = vertex_faces[i]
    if f < 0:
        colors[v] = wp.vec4(0.0, 0.0, 0.0, 0.0)
        return
    corner = int(0)
    if mesh.faces[f, 1] == v:
        corner = 1
    if mesh.faces[f, 2] == v:
        corner = 2
    own = mesh.vertices[v]
    q = own.canonical
    uv = mesh.uvs[3 * f + corner]
    layer = int(mesh.layers[f])
    index = int(mesh.face_materials[f])
    albedo = wp.vec3(0.0, 0.0, 0.0)
    alpha = float(1.0)
    if layer == LAYER_CLOTH or layer == LAYER_STRANDS or layer == LAYER_OCCLUDER:
        material = mesh.materials[index]
        albedo = textured_material(mesh.texels, material, uv, q, width, mesh.noise).albedo
        if layer == LAYER_STRANDS:
            albedo = albedo * strand_brightness(mesh.noise, q, width)
            if material.offset != NO_TEXTURE:
                alpha = sample_texture(mesh.texels, material, uv, width)[3]
    else:
        p = mesh.paints[own.person]
        picture = wp.vec4(0.0, 0.0, 0.0, 0.0)
        if index != NO_MATERIAL:
            picture = sample_texture(mesh.texels, mesh.materials[index], uv, width)
            picture[3] = 1.0
        folds = noise(mesh.noise, q * 24.0 + p.seed)
        albedo = painted_material(
            p, picture, layer, q, own.lips, mesh.eye, width, folds, mesh.noise
        ).albedo
    colors[v] = wp.vec4(albedo[0], albedo[1], albedo[2], alpha)
