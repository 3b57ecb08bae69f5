"""The z-buffer of a camera with any lens: each sample's own ray against the triangles."""

from repogen.rendering.kernels.lens import PINHOLE, Lens, depth, is_fisheye, project, ray
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
by less than `_BEND` times that, in pixels; below `_LITTLE` pixels nobody looks closer."""

_STRAIGHT = wp.constant(wp.float32(0.1))
_WIDE = wp.constant(wp.float32(1.0))

# As in `raster`: the two triangles at an edge must get the same numbers.
wp.set_module_options({"fuse_fp": False})


@wp.func
def around(box: wp.vec4, p: wp.vec2) -> wp.vec4:
    """A box (left, top, right, bottom) that holds the point too."""
    return wp.vec4(
        wp.min(box[0], p[0]), wp.min(box[1], p[1]), wp.max(box[2], p[0]), wp.max(box[3], p[1])
    )


@wp.func
def corner_box(lens: Lens, a: wp.vec3, b: wp.vec3, c: wp.vec3) -> wp.vec4:
    p = project(lens, a)
    return around(around(wp.vec4(p[0], p[1], p[0], p[1]), project(lens, b)), project(lens, c))


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
def picture_box(lens: Lens, a: wp.vec3, b: wp.vec3, c: wp.vec3) -> wp.vec4:
    """A box in pixels (left, top, right, bottom) that holds all that is seen of a triangle.

    Its edges' curves enclose it, unless a fisheye has it around the direction straight back:
    then, as for triangles over about 60 degrees wide, it is the whole plane.
    """
    a = a / depth(lens, a)
    b = b / depth(lens, b)
    c = c / depth(lens, c)
    if lens.model == PINHOLE:
        return corner_box(lens, a, b, c)
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
    bend = _BEND * size * size * wp.max(lens.fx, lens.fy)
    if bend < _LITTLE:
        return bend * wp.vec4(-1.0, -1.0, 1.0, 1.0) + corner_box(lens, a, b, c)
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
    seen: wp.int32


@wp.func
def facet(lens: Lens, a: wp.vec3, b: wp.vec3, c: wp.vec3, both: bool) -> Facet:
    """`seen` is 0 for triangles too near, too far, or turned away unless `both` sides count."""
    t = Facet()
    t.a = a
    t.b = b
    t.c = c
    t.depths = wp.vec3(depth(lens, a), depth(lens, b), depth(lens, c))
    if wp.min(t.depths) < _NEAR or wp.max(t.depths) > _FAR:
        return t
    volume = wp.dot(a, wp.cross(b - a, c - a))
    if volume == 0.0 or (volume > 0.0 and not both):
        return t
    front = wp.sign(volume)
    t.normal_a = front * edge_normal(b, c)
    t.normal_b = front * edge_normal(c, a)
    t.normal_c = front * edge_normal(a, b)
    t.least = wp.vec3(slack(b, c), slack(c, a), slack(a, b))
    t.seen = 1
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
    first_row: wp.int32
    last_row: wp.int32
    first_column: wp.int32
    last_column: wp.int32


@wp.func
def samples_of(lens: Lens, grid: Grid, t: Facet) -> Window:
    """The rows and columns of samples that may see a triangle."""
    box = picture_box(lens, t.a, t.b, t.c)
    scale = float(grid.samples)
    left = float(grid.left)
    top = float(grid.top)
    w = Window()
    w.first_row = first_centre((box[1] - _MARGIN - top) * scale, grid.height)
    w.last_row = last_centre((box[3] + _MARGIN - top) * scale, grid.height)
    w.first_column = first_centre((box[0] - _MARGIN - left) * scale, grid.width)
    w.last_column = last_centre((box[2] + _MARGIN - left) * scale, grid.width)
    return w


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
    faces: wp.array2d(dtype=wp.int32),
    sides: wp.array(dtype=wp.uint8),
    lens: Lens,
    grid: Grid,
    keys: wp.array(dtype=wp.uint64),
):
    """`raster.rasterize` for any lens: nearest triangle per sample; `vertices` in the camera's
    frame, metres.

    Depth is `Camera.depth_of`. Triangles with a corner nearer than the near plane are left out
    whole.
    """
    f = wp.tid()
    side = int(sides[f])
    if side != 1 and side != 2:
        return
    t = facet(lens, vertices[faces[f, 0]], vertices[faces[f, 1]], vertices[faces[f, 2]], side == 2)
    if t.seen == 0:
        return
    w = samples_of(lens, grid, t)
    for row in range(w.first_row, w.last_row + 1):
        for column in range(w.first_column, w.last_column + 1):
            m = meeting(lens, t, sample_ray(lens, grid, row, column))
            if m[3] > 0.0:
                wp.atomic_min(keys, row * grid.width + column, key_of(m[3], f))


@wp.kernel
def rasterize_strands(
    vertices: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    sides: wp.array(dtype=wp.uint8),
    uvs: wp.array(dtype=wp.vec2),
    face_materials: wp.array(dtype=wp.int16),
    materials: wp.array(dtype=Material),
    texels: Texels,
    lens: Lens,
    grid: Grid,
    keys: wp.array(dtype=wp.uint64),
):
    """The same for faces cut out by their texture's alpha (side 4), with any lens.

    Each sample of a pixel asks for another alpha, so that as many see a face as it is opaque.
    """
    f = wp.tid()
    if int(sides[f]) != 4:
        return
    t = facet(lens, vertices[faces[f, 0]], vertices[faces[f, 1]], vertices[faces[f, 2]], True)
    if t.seen == 0:
        return
    m = materials[int(face_materials[f])]
    n = grid.samples
    share = 1.0 / float(n * n)
    w = samples_of(lens, grid, t)
    for row in range(w.first_row, w.last_row + 1):
        for column in range(w.first_column, w.last_column + 1):
            at = meeting(lens, t, sample_ray(lens, grid, row, column))
            if at[3] > 0.0:
                uv = at[0] * uvs[3 * f] + at[1] * uvs[3 * f + 1] + at[2] * uvs[3 * f + 2]
                alpha = look_up(texels, m, uv, 1.0 / (at[3] * lens.fx))[3]
                if alpha > share * (float((row % n) * n + column % n) + 0.5):
                    wp.atomic_min(keys, row * grid.width + column, key_of(at[3], f))
