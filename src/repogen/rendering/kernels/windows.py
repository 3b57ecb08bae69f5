"""The window of a z-buffer's samples that may see a triangle, through any lens."""

from repogen.rendering.kernels.boxes import extend_box, large_box
from repogen.rendering.kernels.codes import LENS_PINHOLE
from repogen.rendering.kernels.lens import Lens, is_fisheye
from repogen.rendering.kernels.raster import FAR, NEAR, first_centre, last_centre
from repogen.warp_setup import wp

_NEAR = wp.constant(wp.float32(NEAR))
_FAR = wp.constant(wp.float32(FAR))

_MARGIN = wp.constant(wp.float32(0.02))
"""Pixels added around a box, for rounding."""

_BEND = wp.constant(wp.float32(4.0))
_LITTLE = wp.constant(wp.float32(0.25))
"""The edges of a small triangle leave their chords by less than `_BEND` times its squared size in
radians times the focal length, in pixels; above `_LITTLE` pixels an exact box is worth its time."""

_NOT_BACK = wp.constant(wp.float32(-0.6))
"""Least z of the corners' unit vectors for which `_BEND` is enough: up to here 3.2 was the largest
value measured, but at -0.9 an equidistant lens needs 9."""

_NOT_SMALL = wp.constant(wp.float32(1.0e6))
_LEVEL = wp.constant(wp.float32(1.0e-3))


@wp.struct
class Triangle:
    """A triangle's corners in the camera's frame (a, b, c; metres) and on the screen (p, q, r; x
    and y in pixels, depth in metres)."""

    a: wp.vec3
    b: wp.vec3
    c: wp.vec3
    p: wp.vec3
    q: wp.vec3
    r: wp.vec3


@wp.func
def load_triangle(
    vertices: wp.array(dtype=wp.vec3),
    screen_vertices: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    f: int,
) -> Triangle:
    """The triangle of face f."""
    i = faces[f, 0]
    j = faces[f, 1]
    m = faces[f, 2]
    k = Triangle()
    k.a = vertices[i]
    k.b = vertices[j]
    k.c = vertices[m]
    k.p = screen_vertices[i]
    k.q = screen_vertices[j]
    k.r = screen_vertices[m]
    return k


@wp.func
def signed_volume(k: Triangle) -> float:
    """Six times the signed volume of the triangle and the camera; negative where the triangle faces
    the camera."""
    return wp.dot(k.a, wp.cross(k.b - k.a, k.c - k.a))


@wp.func
def max_bend(lens: Lens, k: Triangle) -> float:
    """Pixels by which a small triangle inside the rim may bend beyond the straight lines between
    its corners on the screen; `_NOT_SMALL` for any other triangle."""
    if lens.model == LENS_PINHOLE:
        return 0.0
    a = k.a * (1.0 / k.p[2])
    b = k.b * (1.0 / k.q[2])
    c = k.c * (1.0 / k.r[2])
    if is_fisheye(lens):
        if wp.min(a[2], wp.min(b[2], c[2])) < wp.max(lens.rim_depth, _NOT_BACK):
            return _NOT_SMALL
    else:
        farthest = wp.max(a[0] * a[0] + a[1] * a[1], b[0] * b[0] + b[1] * b[1])
        if wp.max(farthest, c[0] * c[0] + c[1] * c[1]) > lens.rim * lens.rim:
            return _NOT_SMALL
    middle = (a + b + c) * (1.0 / 3.0)
    square = wp.max(wp.length_sq(a - middle), wp.length_sq(b - middle))
    bend = _BEND * wp.max(square, wp.length_sq(c - middle)) * wp.max(lens.fx, lens.fy)
    return wp.where(bend < _LITTLE, bend, _NOT_SMALL)


@wp.func
def vertex_box(k: Triangle) -> wp.vec4:
    """Left, top, right and bottom of the corners, pixels."""
    box = wp.vec4(k.p[0], k.p[1], k.p[0], k.p[1])
    return extend_box(extend_box(box, wp.vec2(k.q[0], k.q[1])), wp.vec2(k.r[0], k.r[1]))


@wp.struct
class Grid:
    """`height` x `width` samples from pixel (left, top), `samples` along a pixel's side."""

    left: wp.int32
    top: wp.int32
    samples: wp.int32
    width: wp.int32
    height: wp.int32


@wp.struct
class Window:
    """Samples that may see a triangle: a box of them, clipped in each row by the three edges (see
    `border`)."""

    first_row: wp.int32
    last_row: wp.int32
    first_column: wp.int32
    last_column: wp.int32
    ab: wp.vec4
    bc: wp.vec4
    ca: wp.vec4


@wp.func
def border(p: wp.vec3, q: wp.vec3, front: float, bend: float) -> wp.vec4:
    """A point (x, y) of the line through p and q, moved outwards by `bend` pixels or a little more;
    the line's dx/dy; and 1 where the triangle is left of it, -1 where right, 0 for a line too level
    to bound a row. `front` is the sign of the triangle's `signed_volume`."""
    x = q[0] - p[0]
    y = q[1] - p[1]
    if wp.abs(y) < _LEVEL:
        return wp.vec4(0.0, 0.0, 0.0, 0.0)
    move = bend * (wp.abs(x) + wp.abs(y)) / (front * y)
    return wp.vec4(p[0] + move, p[1], x / y, wp.sign(front * y))


@wp.func
def triangle_window(lens: Lens, grid: Grid, k: Triangle, both: bool) -> Window:
    """The window of a triangle: without rows if it is too near or too far, or if it faces away and
    `both` is false."""
    w = Window()
    w.last_row = -1
    nearest = wp.min(k.p[2], wp.min(k.q[2], k.r[2]))
    farthest = wp.max(k.p[2], wp.max(k.q[2], k.r[2]))
    if nearest < _NEAR or farthest > _FAR:
        return w
    turned = signed_volume(k)
    if turned == 0.0 or (turned > 0.0 and not both):
        return w
    bend = max_bend(lens, k)
    box = wp.vec4(0.0, 0.0, 0.0, 0.0)
    if bend < _NOT_SMALL:
        bend += _MARGIN
        box = vertex_box(k) + bend * wp.vec4(-1.0, -1.0, 1.0, 1.0)
    else:
        box = large_box(lens, k.a / k.p[2], k.b / k.q[2], k.c / k.r[2])
        box += _MARGIN * wp.vec4(-1.0, -1.0, 1.0, 1.0)
    scale = float(grid.samples)
    left = float(grid.left)
    top = float(grid.top)
    w.first_column = first_centre((box[0] - left) * scale, grid.width)
    w.last_column = last_centre((box[2] - left) * scale, grid.width)
    if w.first_column <= w.last_column:
        w.first_row = first_centre((box[1] - top) * scale, grid.height)
        w.last_row = last_centre((box[3] - top) * scale, grid.height)
    if w.first_row < w.last_row and bend < _NOT_SMALL:
        front = wp.sign(turned)
        w.ab = border(k.p, k.q, front, bend)
        w.bc = border(k.q, k.r, front, bend)
        w.ca = border(k.r, k.p, front, bend)
    return w


@wp.func
def clip_row(ends: wp.vec2, edge: wp.vec4, y: float) -> wp.vec2:
    """The interval of x of a row, clipped by an edge's `border`."""
    x = edge[0] + (y - edge[1]) * edge[2]
    if edge[3] > 0.0:
        return wp.vec2(ends[0], wp.min(ends[1], x))
    if edge[3] < 0.0:
        return wp.vec2(wp.max(ends[0], x), ends[1])
    return ends


@wp.func
def window_columns(grid: Grid, w: Window, row: int) -> wp.vec2i:
    """The first and the last column of a row of a window."""
    scale = float(grid.samples)
    y = float(grid.top) + (float(row) + 0.5) / scale
    ends = clip_row(clip_row(clip_row(wp.vec2(-1.0e9, 1.0e9), w.ab, y), w.bc, y), w.ca, y)
    left = float(grid.left)
    return wp.vec2i(
        wp.max(w.first_column, first_centre((ends[0] - left) * scale, grid.width)),
        wp.min(w.last_column, last_centre((ends[1] - left) * scale, grid.width)),
    )
