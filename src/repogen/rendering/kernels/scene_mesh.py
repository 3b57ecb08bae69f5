"""The geometry of a scene and its materials, as kernels read them."""

from repogen.rendering.kernels.folds import steepness
from repogen.rendering.kernels.geometry import ShadingVertex
from repogen.rendering.kernels.paint import Paint
from repogen.rendering.kernels.texture import Texels, TexturedMaterial
from repogen.warp_setup import wp


@wp.struct
class SceneMesh:
    """All meshes of a scene in one, with their materials.

    `eye` is the centre of the left eye's front on the T-pose. Face f has the texture coordinates
    uvs[3 f] to uvs[3 f + 2] and the material materials[face_materials[f]], or `NO_MATERIAL` where
    it is only painted. `folds` are of `fold_vertices`.
    """

    vertices: wp.array(dtype=ShadingVertex)
    folds: wp.array(dtype=steepness)
    faces: wp.array2d(dtype=wp.int32)
    layers: wp.array(dtype=wp.uint8)
    paints: wp.array(dtype=Paint)
    uvs: wp.array(dtype=wp.vec2)
    face_materials: wp.array(dtype=wp.int16)
    materials: wp.array(dtype=TexturedMaterial)
    texels: Texels
    noise: wp.array(dtype=wp.vec4)
    eye: wp.vec3
