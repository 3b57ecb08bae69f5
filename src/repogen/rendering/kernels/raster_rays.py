"""The z-buffer of a camera with any lens: each sample's own ray against the triangles."""

from repogen.rendering.kernels.lens import PINHOLE, Lens, is_fisheye, project, ray
from repogen.rendering.kernels.raster import KEY_FAR, KEY_SCALE, NEAR, first_centre, last_centre
from repogen.rendering.kernels.texture import Material, Texels, look_up
from repogen.warp_setup import wp

_NEAR = wp.constant(wp.float32(NEAR))
_FAR = wp.constant(wp.float32(120.0))
_KEY_FAR = wp.constant(KEY_FAR)
_KEY_SCALE = wp.constant(wp.float32(KEY_SCALE))
_SHIFT = wp.constant(wp.uint64(32))

_SLACK = wp.constant(wp.float32(1.0e-6))
"""By this much of an edge's length a ray may miss a triangle: more than rounding, so that where
many triangles meet one is hit, and micrometres on a person."""

_MARGIN = wp.constant(wp.float32(0.02))
"""Pixels around a box, for rounding."""

_BEND = wp.constant(wp.float32(4.0))
_LITTLE = wp.constant(wp.float32(0.25))
"""Edges of triangles this small (radians, times itself and the focal length) leave their chords
by less than `_BEND` times that, in pixels; from `_LITTLE` pixels on it pays to look closer."""

_NOT_BACK = wp.constant(wp.float32(-0.9))
"""A small triangle with a corner's z (of a unit vector) above is not around straight back."""

_NOT_SMALL = wp.constant(wp.float32(1.0e6))
_LEVEL = wp.constant(wp.float32(1.0e-3))

_STRAIGHT = wp.constant(wp.float32(0.1))
_WIDE = wp.constant(wp.float32(1.0))

FACES = 8
"""Faces a thread takes: on a CPU it starts by reading all the arguments, which takes as long as
looking at a few faces."""
_FACES = wp.constant(FACES)

# As in `raster`: the two triangles at an edge must get the same numbers.
wp.set_module_options({"fuse_fp": False})


@wp.func
def around(box: wp.vec4, p: wp.vec2) -> wp.vec4:
    """A box (left, top, right, bottom) that holds the point too."""
    return wp.vec4(
        wp.min(box[0], p[0]), wp.min(box[1], p[1]), wp.max(box[2], p[0]), wp.max(box[3], p[1])
    )


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


@wp.func
def small_box(lens: Lens, a: wp.vec3, b: wp.vec3, c: wp.vec3) -> wp.vec4:
    """The box around a small triangle's three curves in the picture.

    A curve stays within twice as far of its chord as its middle is from the chord's.
    """
    p = project(lens, a)
    q = project(lens, b)
    r = project(lens, c)
    pq = project(lens, 0.5 * (a + b))
    qr = project(lens, 0.5 * (b + c))
    rp = project(lens, 0.5 * (c + a))
    bulge = wp.max(wp.length(pq - 0.5 * (p + q)), wp.length(qr - 0.5 * (q + r)))
    bulge = 2.0 * wp.max(bulge, wp.length(rp - 0.5 * (r + p)))
    box = around(around(wp.vec4(p[0], p[1], p[0], p[1]), q), r)
    return around(around(around(box, pq), qr), rp) + bulge * wp.vec4(-1.0, -1.0, 1.0, 1.0)


@wp.func
def curve_box(lens: Lens, a: wp.vec3, b: wp.vec3) -> wp.vec4:
    """The box around an edge's curve in the picture, each eighth of it as in `small_box`."""
    start = project(lens, a)
    box = wp.vec4(start[0], start[1], start[0], start[1])
    bulge = float(0.0)
    for i in range(8):
        end = project(lens, a + (float(i + 1) / 8.0) * (b - a))
        middle = project(lens, a + ((float(i) + 0.5) / 8.0) * (b - a))
        bulge = wp.max(bulge, wp.length(middle - 0.5 * (start + end)))
        box = around(around(box, middle), end)
        start = end
    return box + 2.0 * bulge * wp.vec4(-1.0, -1.0, 1.0, 1.0)


@wp.func
def large_box(lens: Lens, a: wp.vec3, b: wp.vec3, c: wp.vec3) -> wp.vec4:
    """A box in pixels (left, top, right, bottom) that holds all that is seen of a triangle whose
    corners' depth is 1.

    Its edges' curves enclose it, unless a fisheye has it around the direction straight back:
    then, as for triangles over about 60 degrees wide, it is the whole plane.
    """
    middle = (a + b + c) / 3.0
    if is_fisheye(lens):
        middle = wp.normalize(middle)
    size = wp.max(wp.length(a - middle), wp.max(wp.length(b - middle), wp.length(c - middle)))
    whole = size > _WIDE
    if is_fisheye(lens) and not whole:
        across = wp.sqrt(middle[0] * middle[0] + middle[1] * middle[1])
        # An arc is at most 1.05 times its chord here.
        if wp.atan2(across, middle[2]) - 1.05 * size > lens.rim:
            return wp.vec4(1.0, 1.0, -1.0, -1.0)
        whole = wp.length(middle + wp.vec3(0.0, 0.0, 1.0)) < size + 0.2
    if whole:
        return wp.vec4(-1.0e9, -1.0e9, 1.0e9, 1.0e9)
    if size < _STRAIGHT:
        return small_box(lens, a, b, c)
    u = curve_box(lens, a, b)
    v = curve_box(lens, b, c)
    w = curve_box(lens, c, a)
    u = around(around(u, wp.vec2(v[0], v[1])), wp.vec2(v[2], v[3]))
    return around(around(u, wp.vec2(w[0], w[1])), wp.vec2(w[2], w[3]))


@wp.func
def edge_normal(b: wp.vec3, c: wp.vec3) -> wp.vec3:
    """Normal of the plane through an edge and the camera, exactly opposite for (c, b).

    Twice b x c, without the difference of large products.
    """
    return wp.cross(b - c, b + c)


@wp.func
def slack(b: wp.vec3, c: wp.vec3) -> float:
    return -_SLACK * wp.length(b - c) * wp.length(b + c)


@wp.struct
class Facet:
    """A triangle as rays meet it: its corners, the planes through the camera and its edges, and
    by how much a ray may miss those."""

    a: wp.vec3
    b: wp.vec3
    c: wp.vec3
    depths: wp.vec3
    normal_a: wp.vec3
    normal_b: wp.vec3
    normal_c: wp.vec3
    least: wp.vec3


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
def facet(k: Corners) -> Facet:
    t = Facet()
    t.a = k.a
    t.b = k.b
    t.c = k.c
    t.depths = wp.vec3(k.p[2], k.q[2], k.r[2])
    front = wp.sign(volume(k))
    t.normal_a = front * edge_normal(k.b, k.c)
    t.normal_b = front * edge_normal(k.c, k.a)
    t.normal_c = front * edge_normal(k.a, k.b)
    t.least = wp.vec3(slack(k.b, k.c), slack(k.c, k.a), slack(k.a, k.b))
    return t


@wp.func
def meeting(lens: Lens, t: Facet, d: wp.vec3) -> wp.vec4:
    """Weights of the corners where the ray d meets the triangle and one over the depth there; all
    zero where it misses."""
    nothing = wp.vec4(0.0, 0.0, 0.0, 0.0)
    wa = wp.dot(t.normal_a, d)
    wb = wp.dot(t.normal_b, d)
    wc = wp.dot(t.normal_c, d)
    if wa < t.least[0] or wb < t.least[1] or wc < t.least[2]:
        return nothing
    wa = wp.max(wa, 0.0)
    wb = wp.max(wb, 0.0)
    wc = wp.max(wc, 0.0)
    total = wa + wb + wc
    if total <= 0.0:
        return nothing
    reach = wa * t.depths[0] + wb * t.depths[1] + wc * t.depths[2]
    if is_fisheye(lens):
        reach = wp.dot(wa * t.a + wb * t.b + wc * t.c, d)
    nearness = wp.min(total / wp.max(reach, _NEAR * total), 1.0 / _NEAR)
    return wp.vec4(wa / total, wb / total, wc / total, nearness)


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


@wp.func
def sample_ray(lens: Lens, grid: Grid, row: int, column: int) -> wp.vec3:
    scale = float(grid.samples)
    x = float(grid.left) + (float(column) + 0.5) / scale
    return ray(lens, x, float(grid.top) + (float(row) + 0.5) / scale)


@wp.func
def key_of(nearness: float, f: int) -> wp.uint64:
    return (wp.uint64(_KEY_FAR - int(_KEY_SCALE * nearness)) << _SHIFT) | wp.uint64(f)


@wp.kernel
def rasterize_rays(
    vertices: wp.array(dtype=wp.vec3),
    landed: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    sides: wp.array(dtype=wp.uint8),
    lens: Lens,
    grid: Grid,
    keys: wp.array(dtype=wp.uint64),
):
    """`raster.rasterize` for any lens: nearest triangle per sample; `vertices` in the camera's
    frame, metres, and for each in `landed` the pixel and the depth (`place_vertices`).

    Depth is `Camera.depth_of`. Triangles with a corner nearer than the near plane are left out
    whole. A thread takes `FACES` faces.
    """
    first = wp.tid() * _FACES
    for f in range(first, wp.min(first + _FACES, faces.shape[0])):
        side = int(sides[f])
        if side == 1 or side == 2:
            k = corners_of(vertices, landed, faces, f)
            w = samples_of(lens, grid, k, side == 2)
            if w.first_row <= w.last_row:
                t = facet(k)
                for row in range(w.first_row, w.last_row + 1):
                    ends = columns_of(grid, w, row)
                    for column in range(ends[0], ends[1] + 1):
                        m = meeting(lens, t, sample_ray(lens, grid, row, column))
                        if m[3] > 0.0:
                            wp.atomic_min(keys, row * grid.width + column, key_of(m[3], f))


@wp.kernel
def rasterize_strands(
    vertices: wp.array(dtype=wp.vec3),
    landed: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    strands: wp.array(dtype=wp.int32),
    sides: wp.array(dtype=wp.uint8),
    uvs: wp.array(dtype=wp.vec2),
    face_materials: wp.array(dtype=wp.int16),
    materials: wp.array(dtype=Material),
    texels: Texels,
    lens: Lens,
    grid: Grid,
    keys: wp.array(dtype=wp.uint64),
):
    """The same for the faces `strands` that are cut out by their texture's alpha (side 4), with
    any lens.

    Each sample of a pixel asks for another alpha, so that as many see a face as it is opaque.
    """
    f = strands[wp.tid()]
    if int(sides[f]) != 4:
        return
    k = corners_of(vertices, landed, faces, f)
    w = samples_of(lens, grid, k, True)
    if w.first_row > w.last_row:
        return
    t = facet(k)
    m = materials[int(face_materials[f])]
    n = grid.samples
    share = 1.0 / float(n * n)
    for row in range(w.first_row, w.last_row + 1):
        ends = columns_of(grid, w, row)
        for column in range(ends[0], ends[1] + 1):
            at = meeting(lens, t, sample_ray(lens, grid, row, column))
            if at[3] > 0.0:
                uv = at[0] * uvs[3 * f] + at[1] * uvs[3 * f + 1] + at[2] * uvs[3 * f + 2]
                alpha = look_up(texels, m, uv, 1.0 / (at[3] * lens.fx))[3]
                if alpha > share * (float((row % n) * n + column % n) + 0.5):
                    wp.atomic_min(keys, row * grid.width + column, key_of(at[3], f))
