"""The z-buffer of a camera with any lens: each sample's own ray against the triangles."""

from repogen.rendering.kernels.lens import Lens, depth, is_fisheye, project, ray
from repogen.rendering.kernels.raster import KEY_FAR, KEY_SCALE, NEAR, first_centre, last_centre
from repogen.warp_setup import wp

_NEAR = wp.constant(wp.float32(NEAR))
_FAR = wp.constant(wp.float32(120.0))
_KEY_FAR = wp.constant(KEY_FAR)
_KEY_SCALE = wp.constant(wp.float32(KEY_SCALE))
_SHIFT = wp.constant(wp.uint64(32))
_PINHOLE = wp.constant(0)

_SLACK = wp.constant(wp.float32(1.0e-6))
"""By this much of an edge's length a ray may miss a triangle: more than rounding, so that where
many triangles meet one is hit, and micrometres on a person."""

_MARGIN = wp.constant(wp.float32(0.02))
"""Pixels around a box, for rounding."""

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
def curve_box(lens: Lens, a: wp.vec3, b: wp.vec3, pieces: int) -> wp.vec4:
    """The box around an edge's curve in the picture.

    Each piece's curve stays within twice as far of its chord as its middle is from the chord's.
    """
    start = project(lens, a)
    box = wp.vec4(start[0], start[1], start[0], start[1])
    bulge = float(0.0)
    for i in range(pieces):
        end = project(lens, a + (float(i + 1) / float(pieces)) * (b - a))
        middle = project(lens, a + ((float(i) + 0.5) / float(pieces)) * (b - a))
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
    if lens.model == _PINHOLE:
        p = project(lens, a)
        return around(around(wp.vec4(p[0], p[1], p[0], p[1]), project(lens, b)), project(lens, c))
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
    pieces = wp.where(size < _STRAIGHT, 1, 8)
    u = curve_box(lens, a, b, pieces)
    v = curve_box(lens, b, c, pieces)
    w = curve_box(lens, c, a, pieces)
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


@wp.kernel
def rasterize_rays(
    vertices: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    sides: wp.array(dtype=wp.uint8),
    lens: Lens,
    left: int,
    top: int,
    samples: int,
    width: int,
    height: int,
    keys: wp.array(dtype=wp.uint64),
):
    """`raster.rasterize` for any lens: nearest triangle per sample; `vertices` in the camera's
    frame, metres.

    `keys` are height x width samples from pixel (left, top), `samples` a pixel's side. Depth is
    `Camera.depth_of`. Triangles with a corner nearer than the near plane are left out whole.
    """
    f = wp.tid()
    side = int(sides[f])
    if side == 0 or side == 3:
        return
    a = vertices[faces[f, 0]]
    b = vertices[faces[f, 1]]
    c = vertices[faces[f, 2]]
    depth_a = depth(lens, a)
    depth_b = depth(lens, b)
    depth_c = depth(lens, c)
    nearest = wp.min(depth_a, wp.min(depth_b, depth_c))
    if nearest < _NEAR or wp.max(depth_a, wp.max(depth_b, depth_c)) > _FAR:
        return
    volume = wp.dot(a, wp.cross(b - a, c - a))
    if volume == 0.0 or (volume > 0.0 and side == 1):
        return
    box = picture_box(lens, a, b, c)
    scale = float(samples)
    first_row = first_centre((box[1] - _MARGIN - float(top)) * scale, height)
    last_row = last_centre((box[3] + _MARGIN - float(top)) * scale, height)
    first_column = first_centre((box[0] - _MARGIN - float(left)) * scale, width)
    last_column = last_centre((box[2] + _MARGIN - float(left)) * scale, width)
    if first_row > last_row or first_column > last_column:
        return

    front = wp.sign(volume)
    normal_a = front * edge_normal(b, c)
    normal_b = front * edge_normal(c, a)
    normal_c = front * edge_normal(a, b)
    least_a = slack(b, c)
    least_b = slack(c, a)
    least_c = slack(a, b)
    round = is_fisheye(lens)
    for row in range(first_row, last_row + 1):
        y = float(top) + (float(row) + 0.5) / scale
        for column in range(first_column, last_column + 1):
            d = ray(lens, float(left) + (float(column) + 0.5) / scale, y)
            wa = wp.dot(normal_a, d)
            wb = wp.dot(normal_b, d)
            wc = wp.dot(normal_c, d)
            if wa >= least_a and wb >= least_b and wc >= least_c:
                wa = wp.max(wa, 0.0)
                wb = wp.max(wb, 0.0)
                wc = wp.max(wc, 0.0)
                total = wa + wb + wc
                reach = wa * depth_a + wb * depth_b + wc * depth_c
                if round:
                    reach = wp.dot(wa * a + wb * b + wc * c, d)
                if total > 0.0:
                    at = wp.min(total / wp.max(reach, _NEAR * total), 1.0 / _NEAR)
                    key = wp.uint64(_KEY_FAR - int(_KEY_SCALE * at)) << _SHIFT
                    wp.atomic_min(keys, row * width + column, key | wp.uint64(f))
