"""From meshes posed in the world to what the camera and the lights rasterize."""

from repogen.people.garments import TUCK
from repogen.rendering.kernels.codes import (
    ALPHA_TESTED,
    COVERED_DEEP,
    CULL_ALL,
    CULL_BACK,
    CULL_NONE,
    HAIR_BALD,
    HAIR_LONG,
    HAIR_SHAVED,
    LAYER_EYES,
    LAYER_HAIR,
    LAYER_SKIN,
    LAYER_SKIRT,
    LAYER_STRANDS,
    LAYER_TIGHTS,
    NO_LAYER,
    NO_PERSON,
    SHADOW_ONLY,
    UNCOVERED,
    VERTEX_ABSENT,
    VERTEX_UNDER_PAINT,
    VERTEX_VISIBLE,
)
from repogen.rendering.kernels.lens import Lens, depth, project
from repogen.rendering.kernels.modules import PER_THREAD, PICTURE
from repogen.rendering.kernels.occlusion import Bodies, body_occlusion
from repogen.rendering.kernels.paint import (
    Paint,
    bottom_depth,
    edge_coverage,
    hair_depth,
    top_depth,
)
from repogen.rendering.kernels.raster import NEAR
from repogen.warp_setup import wp

_NEAR = wp.constant(wp.float32(NEAR))

_DEEP = wp.constant(wp.float32(0.07))
"""Metres inside a painted garment from which no gap shows the skin."""

_TUCK = wp.constant(wp.float32(TUCK))

_BEYOND = wp.constant(wp.float32(0.5))
"""Cosine between a normal and the view at which a vertex is no corner of a face that is seen."""

_PER_THREAD = wp.constant(PER_THREAD)

BOX_FACES = 64
_BOX_FACES = wp.constant(BOX_FACES)
"""Faces that a thread of `extend_boxes` takes."""


@wp.kernel(module=PICTURE)
def face_normals(
    vertices: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    out: wp.array(dtype=wp.vec3),
):
    """Normal of each face; its length is twice the face's area. A thread takes `PER_THREAD`."""
    first = wp.tid() * _PER_THREAD
    for f in range(first, wp.min(first + _PER_THREAD, faces.shape[0])):
        a = vertices[faces[f, 0]]
        out[f] = wp.cross(vertices[faces[f, 1]] - a, vertices[faces[f, 2]] - a)


@wp.func
def is_worn(p: Paint, layer: int, q: wp.vec3) -> bool:
    """Whether the outfit has this layer of clothes or hair at the point q of the T-pose."""
    if layer == LAYER_TIGHTS:
        shoe = q[2] < p.shoe_top
        trousers = bottom_depth(p, q) > 0.0
        return shoe or trousers or top_depth(p, q) > 0.0
    if layer == LAYER_SKIRT:
        return p.skirt == 1 and q[2] > p.skirt_hem
    if layer == LAYER_HAIR:
        return p.hair_style == HAIR_LONG and q[1] > -0.01
    return True


@wp.struct
class StaticVertex:
    """Attributes of a vertex that neither pose nor camera changes.

    `canonical` is its position on the T-pose, metres; `occlusion` the share of the sky it sees
    there; `lips` how much it is lip, 0 to 1. `layer` is `NO_LAYER` where no face has the vertex,
    `person` is `NO_PERSON` for an occluder's.
    """

    canonical: wp.vec3
    occlusion: float
    lips: float
    layer: wp.int32
    person: wp.int32


@wp.struct
class ShadingVertex:
    """Attributes of a vertex that shading interpolates; position and normal in the camera's frame.

    They are side by side in memory, because a face's three vertices are read together.
    """

    position: wp.vec3
    normal: wp.vec3
    canonical: wp.vec3
    occlusion: float
    lips: float
    person: wp.int32


@wp.kernel(module=PICTURE)
def transform_vertices(
    vertices: wp.array(dtype=wp.vec3),
    face_normals: wp.array(dtype=wp.vec3),
    vertex_face_offsets: wp.array(dtype=wp.int32),
    vertex_faces: wp.array(dtype=wp.int32),
    static_vertices: wp.array(dtype=StaticVertex),
    covers: wp.array(dtype=wp.uint8),
    paints: wp.array(dtype=Paint),
    rotation: wp.mat33,
    translation: wp.vec3,
    lens: Lens,
    bodies: Bodies,
    camera_vertices: wp.array(dtype=wp.vec3),
    screen_vertices: wp.array(dtype=wp.vec3),
    shading_vertices: wp.array(dtype=ShadingVertex),
    vertex_visibility: wp.array(dtype=wp.uint8),
    bounds: wp.array(dtype=wp.float32),
):
    """Vertices in the world's frame to the camera's, with unit normals; hair stands off the skin.

    The faces of vertex v are vertex_faces[vertex_face_offsets[v] : vertex_face_offsets[v + 1]];
    the sum of their normals, in this fixed order, is the same on every device. `covers` are
    `UNCOVERED`, `COVERED` or `COVERED_DEEP`.
    `screen_vertices` gets x and y in pixels and the depth in metres, `vertex_visibility` one of
    `VERTEX_ABSENT`, `VERTEX_VISIBLE` and `VERTEX_UNDER_PAINT`, and `bounds` the least x, least y,
    greatest x and greatest y in pixels of the vertices by which people and occluders may be seen.
    A thread takes `PER_THREAD` vertices.
    """
    first = wp.tid() * _PER_THREAD
    for v in range(first, wp.min(first + _PER_THREAD, vertices.shape[0])):
        own = static_vertices[v]
        cover = int(covers[v])
        q = own.canonical
        lift = float(0.0)
        present = own.layer != NO_LAYER
        under_paint = bool(False)
        if own.layer == LAYER_SKIN:
            p = paints[own.person]
            # Toes would reach through their shoes.
            present = q[2] >= p.shoe_top - 0.03 and cover != COVERED_DEEP
            under_paint = wp.max(top_depth(p, q), bottom_depth(p, q)) > _DEEP
            if cover != UNCOVERED:
                lift = -_TUCK
            elif p.hair_style != HAIR_BALD and p.hair_style != HAIR_SHAVED and q[2] > 0.55:
                lift = 0.016 * edge_coverage(hair_depth(p, q) - 0.006, 0.02)
        elif own.layer == LAYER_TIGHTS or own.layer == LAYER_SKIRT or own.layer == LAYER_HAIR:
            present = is_worn(paints[own.person], own.layer, q) and cover != COVERED_DEEP
            if cover != UNCOVERED:
                lift = -_TUCK
        normal = wp.vec3(0.0, 0.0, 0.0)
        if present or own.layer == LAYER_SKIN:
            for i in range(vertex_face_offsets[v], vertex_face_offsets[v + 1]):
                normal += face_normals[vertex_faces[i]]
            normal = wp.normalize(normal)
        at = rotation * (vertices[v] + lift * normal) + translation
        out = ShadingVertex()
        out.position = at
        out.normal = rotation * normal
        out.canonical = q
        out.occlusion = own.occlusion
        # Beyond the outline's faces no vertex is shaded, and skin under cloth hardly.
        bare = present and not under_paint and cover == UNCOVERED
        if bare and wp.dot(out.normal, at) < _BEYOND * wp.length(at):
            share = body_occlusion(bodies, vertices[v], normal)
            # Some light comes in by bouncing, and capsules are not exact where they overlap.
            out.occlusion = wp.min(own.occlusion, 0.15 + 0.85 * share)
        out.lips = own.lips
        out.person = own.person
        shading_vertices[v] = out
        camera_vertices[v] = at
        visibility = wp.where(under_paint, VERTEX_UNDER_PAINT, VERTEX_VISIBLE)
        vertex_visibility[v] = wp.uint8(wp.where(present, visibility, VERTEX_ABSENT))
        far = depth(lens, at)
        pixel = wp.vec2(0.0, 0.0)
        if far > _NEAR:
            pixel = project(lens, at)
            always = own.layer == LAYER_SKIN or own.layer == LAYER_TIGHTS
            if always or (present and own.layer != LAYER_EYES):
                wp.atomic_min(bounds, 0, pixel[0])
                wp.atomic_min(bounds, 1, pixel[1])
                wp.atomic_max(bounds, 2, pixel[0])
                wp.atomic_max(bounds, 3, pixel[1])
        screen_vertices[v] = wp.vec3(pixel[0], pixel[1], far)


@wp.kernel(module=PICTURE)
def cull_faces(
    faces: wp.array2d(dtype=wp.int32),
    layers: wp.array(dtype=wp.uint8),
    vertex_visibility: wp.array(dtype=wp.uint8),
    face_culling: wp.array(dtype=wp.uint8),
):
    """Culling of each face: `CULL_ALL`, `CULL_BACK`, `CULL_NONE`, `SHADOW_ONLY` or `ALPHA_TESTED`.

    Skin is drawn where any of its corners is present, cloth only where all three are visible. A
    thread takes `PER_THREAD` faces.
    """
    first = wp.tid() * _PER_THREAD
    for f in range(first, wp.min(first + _PER_THREAD, faces.shape[0])):
        a = int(vertex_visibility[faces[f, 0]])
        b = int(vertex_visibility[faces[f, 1]])
        c = int(vertex_visibility[faces[f, 2]])
        layer = int(layers[f])
        culling = int(CULL_BACK)
        if layer == LAYER_SKIN:
            if a == VERTEX_ABSENT and b == VERTEX_ABSENT and c == VERTEX_ABSENT:
                culling = CULL_ALL
            elif a == VERTEX_UNDER_PAINT and b == VERTEX_UNDER_PAINT and c == VERTEX_UNDER_PAINT:
                culling = SHADOW_ONLY
        elif layer != LAYER_EYES:
            if a != VERTEX_VISIBLE or b != VERTEX_VISIBLE or c != VERTEX_VISIBLE:
                culling = CULL_ALL
            elif layer == LAYER_STRANDS:
                culling = ALPHA_TESTED
            elif layer != LAYER_TIGHTS:
                culling = CULL_NONE
        face_culling[f] = wp.uint8(culling)


@wp.kernel(module=PICTURE)
def extend_boxes(
    faces: wp.array2d(dtype=wp.int32),
    face_culling: wp.array(dtype=wp.uint8),
    face_people: wp.array(dtype=wp.int16),
    screen_vertices: wp.array(dtype=wp.vec3),
    boxes: wp.array2d(dtype=wp.float32),
):
    """Extend each person's row of `boxes` (left, top, right, bottom; pixels) by the corners of
    faces that a camera can see, and the last row by those of occluders. A thread takes `BOX_FACES`
    faces."""
    first = wp.tid() * _BOX_FACES
    for f in range(first, wp.min(first + _BOX_FACES, faces.shape[0])):
        culling = int(face_culling[f])
        if culling == CULL_BACK or culling == CULL_NONE or culling == ALPHA_TESTED:
            row = int(face_people[f])
            if row == NO_PERSON:
                row = boxes.shape[0] - 1
            for corner in range(3):
                at = screen_vertices[faces[f, corner]]
                if at[2] > _NEAR:
                    for axis in range(2):
                        if at[axis] < boxes[row, axis]:
                            wp.atomic_min(boxes, row, axis, at[axis])
                        if at[axis] > boxes[row, axis + 2]:
                            wp.atomic_max(boxes, row, axis + 2, at[axis])


@wp.struct
class DirectionalLight:
    """A directional light in the camera's frame; `matrix` and `offset` take points to (texel x,
    texel y, depth in metres) of its shadow map."""

    direction: wp.vec3
    color: wp.vec3
    matrix: wp.mat33
    offset: wp.vec3


@wp.kernel(module=PICTURE)
def to_light_space(
    vertices: wp.array(dtype=wp.vec3),
    lights: wp.array(dtype=DirectionalLight),
    index: int,
    out: wp.array(dtype=wp.vec3),
):
    """Vertices in the camera's frame to (texel x, texel y, depth in metres) of a light's shadow
    map. A thread takes `PER_THREAD`."""
    first = wp.tid() * _PER_THREAD
    for v in range(first, wp.min(first + _PER_THREAD, vertices.shape[0])):
        out[v] = lights[index].matrix * vertices[v] + lights[index].offset
