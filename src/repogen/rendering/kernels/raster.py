"""Z-buffers of a pinhole camera and of directional lights: the nearest triangle of each sample."""

from repogen.rendering.kernels.codes import (
    ALPHA_TESTED,
    CULL_ALL,
    CULL_BACK,
    CULL_NONE,
)
from repogen.rendering.kernels.modules import PER_THREAD, ZBUFFER
from repogen.warp_setup import wp

KEY_FAR = 2**31 - 1
KEY_SCALE = 1.0e8
KEY_FACE_BITS = 32
"""A sample's 64-bit key holds the triangle's index in its lower KEY_FACE_BITS and above them
KEY_FAR - KEY_SCALE / depth (metres, exact to half a micrometre at 5 m). One atomic minimum finds
the nearest triangle, and the least index among equal depths. One over the depth is linear in the
picture."""

EMPTY = 2**64 - 1
"""Key of a sample that sees no triangle."""

SAMPLES = 2
"""Samples along each culling of a pixel: four a pixel."""

NEAR = 0.05
"""Metres; triangles that come nearer than this are not drawn."""

FAR = 1000.0
"""Metres; triangles that reach further are not drawn. More than the options of a scene allow."""

_NEAR = wp.constant(wp.float32(NEAR))
_KEY_FAR = wp.constant(KEY_FAR)
_KEY_SCALE = wp.constant(wp.float32(KEY_SCALE))
_FACE_BITS = wp.constant(wp.uint64(KEY_FACE_BITS))
_FAR = wp.constant(wp.float32(FAR))
_NO_AREA = wp.constant(wp.float32(1.0e-12))
_PER_THREAD = wp.constant(PER_THREAD)


@wp.struct
class Outline:
    """A triangle's corners from top to bottom, and dx/dy of its edges (`whole`: top to bottom)."""

    top: wp.vec2
    middle: wp.vec2
    bottom: wp.vec2
    whole: float
    upper: float
    lower: float


@wp.func
def slope(a: wp.vec2, b: wp.vec2) -> float:
    """dx/dy of an edge; 0 for a level one."""
    if a[1] == b[1]:
        return 0.0
    return (b[0] - a[0]) / (b[1] - a[1])


@wp.func
def outline(a: wp.vec2, b: wp.vec2, c: wp.vec2) -> Outline:
    """The outline of a triangle with these corners, in any order."""
    top = wp.where(b[1] < a[1], b, a)
    other = wp.where(b[1] < a[1], a, b)
    bottom = wp.where(c[1] < other[1], other, c)
    other = wp.where(c[1] < other[1], c, other)
    o = Outline()
    o.top = wp.where(other[1] < top[1], other, top)
    o.middle = wp.where(other[1] < top[1], top, other)
    o.bottom = bottom
    o.whole = slope(o.top, o.bottom)
    o.upper = slope(o.top, o.middle)
    o.lower = slope(o.middle, o.bottom)
    return o


@wp.func
def span(o: Outline, y: float) -> wp.vec2:
    """The x at which the row y enters and leaves a triangle.

    Every edge is followed from its upper end, so the two triangles at an edge get the same
    number and no sample falls between them.
    """
    x = o.top[0] + (y - o.top[1]) * o.whole
    left = x
    right = x
    if y <= o.middle[1]:
        x = o.top[0] + (y - o.top[1]) * o.upper
        left = wp.min(left, x)
        right = wp.max(right, x)
    if y >= o.middle[1]:
        x = o.middle[0] + (y - o.middle[1]) * o.lower
        left = wp.min(left, x)
        right = wp.max(right, x)
    return wp.vec2(left, right)


@wp.func
def first_centre(edge: float, count: int) -> int:
    """The first of `count` samples whose centre (index + 0.5) is not before `edge`."""
    return int(wp.ceil(wp.clamp(edge - 0.5, 0.0, float(count))))


@wp.func
def last_centre(edge: float, count: int) -> int:
    """The last of `count` samples whose centre (index + 0.5) is not beyond `edge`."""
    return int(wp.floor(wp.clamp(edge - 0.5, -1.0, float(count - 1))))


@wp.func
def depth_face_key(nearness: float, f: int) -> wp.uint64:
    """A sample's key; `nearness` is one over the depth in metres, `f` the face."""
    return (wp.uint64(_KEY_FAR - int(_KEY_SCALE * nearness)) << _FACE_BITS) | wp.uint64(f)


@wp.kernel(module=ZBUFFER)
def rasterize(
    vertices: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    face_culling: wp.array(dtype=wp.uint8),
    fx: float,
    fy: float,
    cx: float,
    cy: float,
    width: int,
    height: int,
    depth_face_keys: wp.array(dtype=wp.uint64),
):
    """Nearest triangle per sample of a pinhole camera; `vertices` in its frame, metres.

    Faces of `CULL_BACK` and `CULL_NONE` are drawn. Triangles that come nearer than `NEAR` or
    reach further than `FAR` are left out whole. `fx`, `fy`, `cx` and `cy` are in samples. A thread
    takes `PER_THREAD` faces.
    """
    first = wp.tid() * _PER_THREAD
    for f in range(first, wp.min(first + _PER_THREAD, faces.shape[0])):
        culling = int(face_culling[f])
        if culling != CULL_BACK and culling != CULL_NONE:
            continue
        i = vertices[faces[f, 0]]
        j = vertices[faces[f, 1]]
        k = vertices[faces[f, 2]]
        nearest = wp.min(i[2], wp.min(j[2], k[2]))
        farthest = wp.max(i[2], wp.max(j[2], k[2]))
        if nearest < _NEAR or farthest > _FAR:
            continue
        inverse = 1.0 / i[2]
        inverse_j = 1.0 / j[2]
        inverse_k = 1.0 / k[2]
        a = wp.vec2(fx * (i[0] * inverse) + cx, fy * (i[1] * inverse) + cy)
        b = wp.vec2(fx * (j[0] * inverse_j) + cx, fy * (j[1] * inverse_j) + cy)
        c = wp.vec2(fx * (k[0] * inverse_k) + cx, fy * (k[1] * inverse_k) + cy)
        ab = b - a
        ac = c - a
        area = ab[0] * ac[1] - ab[1] * ac[0]
        if wp.abs(area) < _NO_AREA or (area > 0.0 and culling == CULL_BACK):
            continue
        first_row = first_centre(wp.min(a[1], wp.min(b[1], c[1])), height)
        last_row = last_centre(wp.max(a[1], wp.max(b[1], c[1])), height)
        if first_row > last_row:
            continue
        first_column = first_centre(wp.min(a[0], wp.min(b[0], c[0])), width)
        if first_column > last_centre(wp.max(a[0], wp.max(b[0], c[0])), width):
            continue

        to_b = inverse_j - inverse
        to_c = inverse_k - inverse
        dx = (to_b * ac[1] - to_c * ab[1]) / area
        dy = (to_c * ab[0] - to_b * ac[0]) / area
        least = 1.0 / farthest
        most = 1.0 / nearest
        o = outline(a, b, c)
        for row in range(first_row, last_row + 1):
            y = float(row) + 0.5
            ends = span(o, y)
            inverse_row = inverse + (y - a[1]) * dy
            for column in range(first_centre(ends[0], width), last_centre(ends[1], width) + 1):
                at = inverse_row + (float(column) + 0.5 - a[0]) * dx
                key = depth_face_key(wp.clamp(at, least, most), f)
                wp.atomic_min(depth_face_keys, row * width + column, key)


@wp.kernel(module=ZBUFFER)
def rasterize_light(
    vertices: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    face_culling: wp.array(dtype=wp.uint8),
    size: int,
    first: int,
    depth: wp.array(dtype=wp.float32),
):
    """Least depth per texel of a directional light; `vertices` are (texel x, texel y, metres).

    The map is size x size texels of `depth` from index `first`. Faces of every culling but
    `CULL_ALL` throw shadows; their front is the side that the light falls on. A thread takes
    `PER_THREAD` faces.
    """
    start = wp.tid() * _PER_THREAD
    for f in range(start, wp.min(start + _PER_THREAD, faces.shape[0])):
        culling = int(face_culling[f])
        if culling == CULL_ALL:
            continue
        i = vertices[faces[f, 0]]
        j = vertices[faces[f, 1]]
        k = vertices[faces[f, 2]]
        a = wp.vec2(i[0], i[1])
        b = wp.vec2(j[0], j[1])
        c = wp.vec2(k[0], k[1])
        ab = b - a
        ac = c - a
        area = ab[0] * ac[1] - ab[1] * ac[0]
        if wp.abs(area) < _NO_AREA or (
            area > 0.0 and culling != CULL_NONE and culling != ALPHA_TESTED
        ):
            continue
        first_row = first_centre(wp.min(a[1], wp.min(b[1], c[1])), size)
        last_row = last_centre(wp.max(a[1], wp.max(b[1], c[1])), size)
        if first_row > last_row:
            continue
        first_column = first_centre(wp.min(a[0], wp.min(b[0], c[0])), size)
        if first_column > last_centre(wp.max(a[0], wp.max(b[0], c[0])), size):
            continue
        to_b = j[2] - i[2]
        to_c = k[2] - i[2]
        dx = (to_b * ac[1] - to_c * ab[1]) / area
        dy = (to_c * ab[0] - to_b * ac[0]) / area
        nearest = wp.min(i[2], wp.min(j[2], k[2]))
        farthest = wp.max(i[2], wp.max(j[2], k[2]))
        o = outline(a, b, c)
        for row in range(first_row, last_row + 1):
            y = float(row) + 0.5
            ends = span(o, y)
            depth_row = i[2] + (y - a[1]) * dy
            for column in range(first_centre(ends[0], size), last_centre(ends[1], size) + 1):
                z = depth_row + (float(column) + 0.5 - a[0]) * dx
                wp.atomic_min(depth, first + row * size + column, wp.clamp(z, nearest, farthest))


@wp.func
def corner_weights(a: wp.vec3, b: wp.vec3, c: wp.vec3, d: wp.vec3) -> wp.vec3:
    """Barycentric weights of the triangle's corners where the ray d from the camera meets it."""
    # An edge and the camera span a plane; the distance of d to it weighs the opposite corner.
    wa = wp.dot(wp.cross(b, c - b), d)
    wb = wp.dot(wp.cross(c, a - c), d)
    wc = wp.dot(wp.cross(a, b - a), d)
    # All have the sign of their sum, except for rays beside the triangle: those see its border.
    w = wp.max(wp.sign(wa + wb + wc) * wp.vec3(wa, wb, wc), wp.vec3(0.0, 0.0, 0.0))
    return w / (w[0] + w[1] + w[2])
