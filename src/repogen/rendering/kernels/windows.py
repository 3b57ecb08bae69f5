"""Which samples of a z-buffer may see a triangle, through any lens."""

from repogen.rendering.kernels.boxes import around, large_box
from repogen.rendering.kernels.lens import PINHOLE, Lens, is_fisheye
from repogen.rendering.kernels.raster import FAR, NEAR, first_centre, last_centre
from repogen.warp_setup import wp

_NEAR = wp.constant(wp.float32(NEAR))
_FAR = wp.constant(wp.float32(FAR))

_MARGIN = wp.constant(wp.float32(0.02))
"""Pixels around a box, for rounding."""

_BEND = wp.constant(wp.float32(4.0))
_LITTLE = wp.constant(wp.float32(0.25))
"""Edges of triangles this small (radians, times itself and the focal length) leave their chords
by less than `_BEND` times that, in pixels; from `_LITTLE` pixels on it pays to look closer."""

_NOT_BACK = wp.constant(wp.float32(-0.6))
"""Where the corners' z, of unit vectors, is below, pictures stretch so much that `_BEND` is too
little: at -0.9 an equidistant one would take 9. Up to here 3.2 was the most that was measured."""

_NOT_SMALL = wp.constant(wp.float32(1.0e6))
_LEVEL = wp.constant(wp.float32(1.0e-3))


@wp.struct
class Corners:
    """A triangle's corners in the camera's frame, and for each where in the picture it lands and
    its depth."""

    a: wp.vec3
    b: wp.vec3
    c: wp.vec3
    p: wp.vec3
    q: wp.vec3
    r: wp.vec3


@wp.func
def corners_of(
    vertices: wp.array(dtype=wp.vec3),
    landed: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    f: int,
) -> Corners:
    i = faces[f, 0]
    j = faces[f, 1]
    m = faces[f, 2]
    k = Corners()
    k.a = vertices[i]
    k.b = vertices[j]
    k.c = vertices[m]
    k.p = landed[i]
    k.q = landed[j]
    k.r = landed[m]
    return k


@wp.func
def volume(k: Corners) -> float:
    """Of the triangle and the camera, times six: below 0 for one that turns its front to it."""
    return wp.dot(k.a, wp.cross(k.b - k.a, k.c - k.a))


@wp.func
def bend_of(lens: Lens, k: Corners) -> float:
    """Pixels that a small triangle inside the rim may reach beyond the straight lines between
    where its corners land; `_NOT_SMALL` for any other triangle."""
    if lens.model == PINHOLE:
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
def corner_box(k: Corners) -> wp.vec4:
    box = wp.vec4(k.p[0], k.p[1], k.p[0], k.p[1])
    return around(around(box, wp.vec2(k.q[0], k.q[1])), wp.vec2(k.r[0], k.r[1]))


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
    """Samples that may see a triangle: a box of them, and in every row of it what the three edges
    (see `border`) leave."""

    first_row: wp.int32
    last_row: wp.int32
    first_column: wp.int32
    last_column: wp.int32
    ab: wp.vec4
    bc: wp.vec4
    ca: wp.vec4


@wp.func
def border(p: wp.vec3, q: wp.vec3, front: float, bend: float) -> wp.vec4:
    """A point (x, y) of the line through p and q moved outwards by `bend` pixels or a little
    more, the line's dx/dy, and 1 where the triangle is to the left of it, -1 to the right, 0 for
    a line so level that it bounds no row. `front` is the sign of the triangle's `volume`."""
    x = q[0] - p[0]
    y = q[1] - p[1]
    if wp.abs(y) < _LEVEL:
        return wp.vec4(0.0, 0.0, 0.0, 0.0)
    move = bend * (wp.abs(x) + wp.abs(y)) / (front * y)
    return wp.vec4(p[0] + move, p[1], x / y, wp.sign(front * y))


@wp.func
def samples_of(lens: Lens, grid: Grid, k: Corners, both: bool) -> Window:
    """The window of a triangle: no rows for one that is too near, too far, or turned away unless
    `both` sides count."""
    w = Window()
    w.last_row = -1
    nearest = wp.min(k.p[2], wp.min(k.q[2], k.r[2]))
    farthest = wp.max(k.p[2], wp.max(k.q[2], k.r[2]))
    if nearest < _NEAR or farthest > _FAR:
        return w
    turned = volume(k)
    if turned == 0.0 or (turned > 0.0 and not both):
        return w
    bend = bend_of(lens, k)
    box = wp.vec4(0.0, 0.0, 0.0, 0.0)
    if bend < _NOT_SMALL:
        bend += _MARGIN
        box = corner_box(k) + bend * wp.vec4(-1.0, -1.0, 1.0, 1.0)
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
def narrowed(ends: wp.vec2, edge: wp.vec4, y: float) -> wp.vec2:
    """Of a row's stretch between two x, what an edge's `border` leaves."""
    x = edge[0] + (y - edge[1]) * edge[2]
    if edge[3] > 0.0:
        return wp.vec2(ends[0], wp.min(ends[1], x))
    if edge[3] < 0.0:
        return wp.vec2(wp.max(ends[0], x), ends[1])
    return ends


@wp.func
def columns_of(grid: Grid, w: Window, row: int) -> wp.vec2i:
    """The first and the last column of a window's row."""
    scale = float(grid.samples)
    y = float(grid.top) + (float(row) + 0.5) / scale
    ends = narrowed(narrowed(narrowed(wp.vec2(-1.0e9, 1.0e9), w.ab, y), w.bc, y), w.ca, y)
    left = float(grid.left)
    return wp.vec2i(
        wp.max(w.first_column, first_centre((ends[0] - left) * scale, grid.width)),
        wp.min(w.last_column, last_centre((ends[1] - left) * scale, grid.width)),
    )
