"""From posed bodies to what the camera and the lights rasterise."""

from repogen.people.garments import TUCK
from repogen.rendering.kernels.lens import Lens, depth, project
from repogen.rendering.kernels.paint import Paint, bottom_depth, edge, hair_depth, top_depth
from repogen.rendering.kernels.raster import NEAR
from repogen.warp_setup import wp

_NEAR = wp.constant(wp.float32(NEAR))

_DEEP = wp.constant(wp.float32(0.07))
"""Metres inside a painted garment from which on no gap shows the skin."""

_TUCK = wp.constant(wp.float32(TUCK))


@wp.kernel
def face_normals(
    vertices: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    out: wp.array(dtype=wp.vec3),
):
    """Normal of each face, twice its area long."""
    f = wp.tid()
    a = vertices[faces[f, 0]]
    out[f] = wp.cross(vertices[faces[f, 1]] - a, vertices[faces[f, 2]] - a)


@wp.func
def worn(p: Paint, layer: int, q: wp.vec3) -> bool:
    """Whether cloth or hair of this layer is there at place q of the T-pose."""
    if layer == 2:
        shoe = q[2] < p.shoe_top
        trousers = bottom_depth(p, q) > 0.0
        return shoe or trousers or top_depth(p, q) > 0.0
    if layer == 3:
        return p.skirt == 1 and q[2] > p.skirt_hem
    if layer == 4:
        return p.hair_style == 2 and q[1] > -0.01
    return True


@wp.struct
class Fixed:
    """What neither pose nor camera changes of a vertex.

    `layer` is -1 where no face has it, `person` -1 where it is nobody's. `cover` is 1 for skin
    under a garment, 2 where nobody sees it there.
    """

    canonical: wp.vec3
    occlusion: float
    lips: float
    layer: wp.int32
    person: wp.int32
    cover: wp.int32


@wp.struct
class Corner:
    """What the shading needs of a vertex, all in one place of the memory; in the camera's frame."""

    position: wp.vec3
    normal: wp.vec3
    canonical: wp.vec3
    occlusion: float
    lips: float
    person: wp.int32


@wp.kernel
def place_vertices(
    vertices: wp.array(dtype=wp.vec3),
    face_normals: wp.array(dtype=wp.vec3),
    starts: wp.array(dtype=wp.int32),
    incident: wp.array(dtype=wp.int32),
    fixed: wp.array(dtype=Fixed),
    paints: wp.array(dtype=Paint),
    rotation: wp.mat33,
    translation: wp.vec3,
    lens: Lens,
    out: wp.array(dtype=wp.vec3),
    landed: wp.array(dtype=wp.vec3),
    corners: wp.array(dtype=Corner),
    shown: wp.array(dtype=wp.uint8),
    bounds: wp.array(dtype=wp.float32),
):
    """Vertices and unit normals in the camera's frame; hair stands off the skin.

    Faces of vertex v are incident[starts[v]:starts[v + 1]]: the sum of their normals, gathered in
    a fixed order, is the same on every device. `landed` gets a vertex's pixel and its depth,
    `shown` 1 where an outfit shows the vertex, 2 where it is skin deep inside a garment, and
    `bounds` the least x, least y, greatest x and greatest y in pixels of all the vertices that
    people and things may be seen by.
    """
    v = wp.tid()
    own = fixed[v]
    q = own.canonical
    lift = float(0.0)
    there = own.layer >= 0
    dressed = bool(False)
    if own.layer == 0:
        p = paints[own.person]
        # Toes hide in their shoes.
        there = q[2] >= p.shoe_top - 0.03 and own.cover < 2
        dressed = wp.max(top_depth(p, q), bottom_depth(p, q)) > _DEEP
        if own.cover > 0:
            lift = -_TUCK
        elif p.hair_style > 0 and q[2] > 0.55:
            lift = 0.016 * edge(hair_depth(p, q) - 0.006, 0.02)
    elif own.layer >= 2 and own.layer <= 4:
        there = worn(paints[own.person], own.layer, q)
    normal = wp.vec3(0.0, 0.0, 0.0)
    if there or own.layer == 0:
        for i in range(starts[v], starts[v + 1]):
            normal += face_normals[incident[i]]
        normal = wp.normalize(normal)
    at = rotation * (vertices[v] + lift * normal) + translation
    c = Corner()
    c.position = at
    c.normal = rotation * normal
    c.canonical = q
    c.occlusion = own.occlusion
    c.lips = own.lips
    c.person = own.person
    corners[v] = c
    out[v] = at
    shown[v] = wp.uint8(wp.where(there, wp.where(dressed, 2, 1), 0))
    far = depth(lens, at)
    pixel = wp.vec2(0.0, 0.0)
    if far > _NEAR:
        pixel = project(lens, at)
        if own.layer == 0 or own.layer == 2 or (own.layer > 2 and there):
            wp.atomic_min(bounds, 0, pixel[0])
            wp.atomic_min(bounds, 1, pixel[1])
            wp.atomic_max(bounds, 2, pixel[0])
            wp.atomic_max(bounds, 3, pixel[1])
    landed[v] = wp.vec3(pixel[0], pixel[1], far)


@wp.kernel
def visible_sides(
    faces: wp.array2d(dtype=wp.int32),
    layers: wp.array(dtype=wp.uint8),
    shown: wp.array(dtype=wp.uint8),
    sides: wp.array(dtype=wp.uint8),
):
    """Which faces an outfit shows: 0 none, 1 the outside, 2 both sides (skirts and hair), 3 the
    outside to the lights alone (skin under cloth, whose shadow it throws), 4 both sides of what
    a texture cuts out.

    Skin is there where any corner is, cloth only where all are inside the garment.
    """
    f = wp.tid()
    a = int(shown[faces[f, 0]])
    b = int(shown[faces[f, 1]])
    c = int(shown[faces[f, 2]])
    layer = int(layers[f])
    show = int(1)
    if layer == 0:
        show = wp.where(a + b + c == 6, 3, wp.min(a + b + c, 1))
    elif layer >= 2:
        show = wp.where(a + b + c == 3, wp.where(layer == 6, 4, wp.where(layer >= 3, 2, 1)), 0)
    sides[f] = wp.uint8(show)


@wp.struct
class DirectionalLight:
    """A directional light in the camera's frame; `matrix` and `offset` take points to (texel x,
    texel y, depth in metres) of its shadow map."""

    direction: wp.vec3
    color: wp.vec3
    matrix: wp.mat33
    offset: wp.vec3


@wp.kernel
def to_lamp(
    vertices: wp.array(dtype=wp.vec3),
    lamps: wp.array(dtype=DirectionalLight),
    lamp: int,
    out: wp.array(dtype=wp.vec3),
):
    """Vertices as the shadow map of one of the lamps wants them."""
    v = wp.tid()
    out[v] = lamps[lamp].matrix * vertices[v] + lamps[lamp].offset
