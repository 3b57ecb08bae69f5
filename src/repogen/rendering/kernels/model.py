"""Everything that is seen and what it is painted with, as kernels read it."""

from repogen.rendering.kernels.geometry import Corner
from repogen.rendering.kernels.paint import Paint
from repogen.rendering.kernels.texture import Material, Texels
from repogen.warp_setup import wp


@wp.struct
class Model:
    """The geometry of everything together and what it is painted with.

    `eye` is the middle of the left eye's front on the T-pose. Face f has the texture coordinates
    uvs[3 f] to uvs[3 f + 2] and the material materials[face_materials[f]]; -1 for what is painted
    only.
    """

    corners: wp.array(dtype=Corner)
    faces: wp.array2d(dtype=wp.int32)
    layers: wp.array(dtype=wp.uint8)
    paints: wp.array(dtype=Paint)
    uvs: wp.array(dtype=wp.vec2)
    face_materials: wp.array(dtype=wp.int16)
    materials: wp.array(dtype=Material)
    texels: Texels
    noise: wp.array(dtype=wp.vec4)
    eye: wp.vec3
