"""Boxes in the picture around triangles whose edges a lens bends."""

from repogen.rendering.kernels.codes import LENS_OPENCV
from repogen.rendering.kernels.lens import Lens, is_fisheye, project
from repogen.warp_setup import wp

_NO_LENGTH = wp.constant(wp.float32(1.0e-30))
_STRAIGHT = wp.constant(wp.float32(0.1))
_WIDE = wp.constant(wp.float32(1.0))


@wp.func
def extend_box(box: wp.vec4, p: wp.vec2) -> wp.vec4:
    """The box (left, top, right, bottom), extended to hold the point."""
    return wp.vec4(
        wp.min(box[0], p[0]), wp.min(box[1], p[1]), wp.max(box[2], p[0]), wp.max(box[3], p[1])
    )


@wp.func
def small_box(lens: Lens, a: wp.vec3, b: wp.vec3, c: wp.vec3) -> wp.vec4:
    """The box around a small triangle's three curves in the picture, pixels.

    A curve stays within twice the distance between its middle and its chord's middle.
    """
    p = project(lens, a)
    q = project(lens, b)
    r = project(lens, c)
    pq = project(lens, 0.5 * (a + b))
    qr = project(lens, 0.5 * (b + c))
    rp = project(lens, 0.5 * (c + a))
    bulge = wp.max(wp.length(pq - 0.5 * (p + q)), wp.length(qr - 0.5 * (q + r)))
    bulge = 2.0 * wp.max(bulge, wp.length(rp - 0.5 * (r + p)))
    box = extend_box(extend_box(wp.vec4(p[0], p[1], p[0], p[1]), q), r)
    return extend_box(extend_box(extend_box(box, pq), qr), rp) + bulge * wp.vec4(
        -1.0, -1.0, 1.0, 1.0
    )


@wp.func
def curve_box(lens: Lens, a: wp.vec3, b: wp.vec3) -> wp.vec4:
    """The box around an edge's curve in the picture, pixels; each eighth as in `small_box`."""
    start = project(lens, a)
    box = wp.vec4(start[0], start[1], start[0], start[1])
    bulge = float(0.0)
    for i in range(8):
        end = project(lens, a + (float(i + 1) / 8.0) * (b - a))
        middle = project(lens, a + ((float(i) + 0.5) / 8.0) * (b - a))
        bulge = wp.max(bulge, wp.length(middle - 0.5 * (start + end)))
        box = extend_box(extend_box(box, middle), end)
        start = end
    return box + 2.0 * bulge * wp.vec4(-1.0, -1.0, 1.0, 1.0)


@wp.func
def axis_distance_sq(a: wp.vec3, b: wp.vec3) -> float:
    """Squared distance between the axis and an edge at unit depth."""
    x = b[0] - a[0]
    y = b[1] - a[1]
    along = wp.clamp(-(a[0] * x + a[1] * y) / wp.max(x * x + y * y, _NO_LENGTH), 0.0, 1.0)
    x = a[0] + along * x
    y = a[1] + along * y
    return x * x + y * y


@wp.func
def out_of_view(lens: Lens, a: wp.vec3, b: wp.vec3, c: wp.vec3) -> bool:
    """Whether a triangle at unit depth lies outside all that an opencv picture shows."""
    if (
        wp.min(axis_distance_sq(a, b), wp.min(axis_distance_sq(b, c), axis_distance_sq(c, a)))
        < lens.view_radius_sq
    ):
        return False
    # A triangle around the axis is in view: the axis is on the same side of all its edges.
    p = wp.sign(a[0] * b[1] - a[1] * b[0])
    q = wp.sign(b[0] * c[1] - b[1] * c[0])
    return p != q or q != wp.sign(c[0] * a[1] - c[1] * a[0])


@wp.func
def large_box(lens: Lens, a: wp.vec3, b: wp.vec3, c: wp.vec3) -> wp.vec4:
    """A box in pixels (left, top, right, bottom) around the visible part of a triangle whose
    corners have depth 1; empty (left > right) where none of it is in view.

    The curves of its edges enclose the triangle, except around the direction straight back of a
    fisheye: there, and for triangles over about 60 degrees wide, the box is the whole plane.
    """
    middle = (a + b + c) / 3.0
    if is_fisheye(lens):
        middle = wp.normalize(middle)
    size = wp.max(wp.length(a - middle), wp.max(wp.length(b - middle), wp.length(c - middle)))
    if lens.model == LENS_OPENCV and out_of_view(lens, a, b, c):
        return wp.vec4(1.0, 1.0, -1.0, -1.0)
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
    u = extend_box(extend_box(u, wp.vec2(v[0], v[1])), wp.vec2(v[2], v[3]))
    return extend_box(extend_box(u, wp.vec2(w[0], w[1])), wp.vec2(w[2], w[3]))
