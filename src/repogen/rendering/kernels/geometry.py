"""From posed bodies to what the camera and the lights rasterise."""

from repogen.rendering.kernels.paint import Paint, bottom_depth, edge, hair_depth, top_depth
from repogen.warp_setup import wp


@wp.kernel
def surface_normals(
    vertices: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    starts: wp.array(dtype=wp.int32),
    incident: wp.array(dtype=wp.int32),
    out: wp.array(dtype=wp.vec3),
):
    """Area-weighted unit normal of each vertex, gathered in a fixed order: the sum is the same
    on every device. Faces of vertex v: incident[starts[v]:starts[v + 1]]."""
    v = wp.tid()
    total = wp.vec3(0.0, 0.0, 0.0)
    for i in range(starts[v], starts[v + 1]):
        f = incident[i]
        a = vertices[faces[f, 0]]
        total += wp.cross(vertices[faces[f, 1]] - a, vertices[faces[f, 2]] - a)
    out[v] = wp.normalize(total)


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


@wp.kernel
def visible_sides(
    faces: wp.array2d(dtype=wp.int32),
    layers: wp.array(dtype=wp.uint8),
    canonical: wp.array(dtype=wp.vec3),
    person: wp.array(dtype=wp.int32),
    paints: wp.array(dtype=Paint),
    sides: wp.array(dtype=wp.uint8),
):
    """Which faces an outfit shows: 0 none, 1 the outside, 2 both sides (skirts and hair).

    Cloth is there where all corners are inside the garment; toes hide in their shoes.
    """
    f = wp.tid()
    layer = int(layers[f])
    p = paints[person[faces[f, 0]]]
    a = canonical[faces[f, 0]]
    b = canonical[faces[f, 1]]
    c = canonical[faces[f, 2]]
    show = int(1)
    if layer == 0:
        if wp.max(a[2], wp.max(b[2], c[2])) < p.shoe_top - 0.03:
            show = 0
    elif layer >= 2:
        if not (worn(p, layer, a) and worn(p, layer, b) and worn(p, layer, c)):
            show = 0
        elif layer >= 3:
            show = 2
    sides[f] = wp.uint8(show)


@wp.kernel
def place_vertices(
    vertices: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    canonical: wp.array(dtype=wp.vec3),
    layers: wp.array(dtype=wp.uint8),
    person: wp.array(dtype=wp.int32),
    paints: wp.array(dtype=Paint),
    rotation: wp.mat33,
    translation: wp.vec3,
    out_vertices: wp.array(dtype=wp.vec3),
    out_normals: wp.array(dtype=wp.vec3),
):
    """Vertices and normals in the camera's frame; hair stands off the skin."""
    v = wp.tid()
    p = paints[person[v]]
    lift = float(0.0)
    if layers[v] == wp.uint8(0) and p.hair_style > 0 and canonical[v][2] > 0.55:
        lift = 0.016 * edge(hair_depth(p, canonical[v]) - 0.006, 0.02)
    out_vertices[v] = rotation * (vertices[v] + lift * normals[v]) + translation
    out_normals[v] = rotation * normals[v]


@wp.kernel
def to_light(
    vertices: wp.array(dtype=wp.vec3),
    matrix: wp.mat33,
    offset: wp.vec3,
    out: wp.array(dtype=wp.vec3),
):
    """Camera-frame vertices as (texel x, texel y, depth in metres) of a shadow map."""
    v = wp.tid()
    out[v] = matrix * vertices[v] + offset
