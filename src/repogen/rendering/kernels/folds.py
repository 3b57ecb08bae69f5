"""Folds of cloth: where a pose pushes it together, and where it hangs.

Along each of six directions of the T-pose (`DIRECTIONS`) cloth may be in waves. How steep they are
is known at each vertex; the waves themselves are noise on the T-pose, so they move with the cloth.
"""

from repogen.rendering.kernels.codes import (
    CULL_ALL,
    LAYER_CLOTH,
    LAYER_SKIRT,
    LAYER_TIGHTS,
)
from repogen.rendering.kernels.modules import PER_THREAD, PICTURE
from repogen.rendering.kernels.noise import noise
from repogen.warp_setup import wp

AXES = 6
_LONG, _SHORT = 0.850651, 0.525731
DIRECTIONS = (
    (0.0, _SHORT, _LONG),
    (0.0, -_SHORT, _LONG),
    (_LONG, 0.0, _SHORT),
    (_LONG, 0.0, -_SHORT),
    (_SHORT, _LONG, 0.0),
    (-_SHORT, _LONG, 0.0),
)
"""Unit vectors towards half the corners of an icosahedron: all directions alike."""

steepness = wp.types.vector(length=AXES, dtype=wp.float32)
"""Steepness of the waves along each of `DIRECTIONS`, 0 to 1."""

_directions = wp.types.matrix(shape=(AXES, 3), dtype=wp.float32)
_AXES = wp.constant(AXES)
_PER_THREAD = wp.constant(PER_THREAD)
_DIRECTIONS = wp.constant(_directions(*(x for direction in DIRECTIONS for x in direction)))

FOLDED = (LAYER_CLOTH, LAYER_TIGHTS, LAYER_SKIRT)
"""Layers of faces that may have folds."""

_PUSHED = wp.constant(wp.float32(2.4))
"""Steepness for each metre by which a metre of cloth is shortened."""
_PULLED = wp.constant(wp.float32(1.2))
"""The same for cloth that is stretched, which smoothes it."""
_HANGING = wp.constant(wp.float32(0.22))
"""Steepness, across it, of cloth that hangs vertically."""

_NARROW = wp.constant(wp.float32(80.0))
_LENGTHWISE = wp.constant(wp.float32(14.0))
"""Texels of noise for each metre across and along a fold: it is about 6 cm wide and 30 cm long."""
_BEND = wp.constant(wp.float32(0.012))
"""Metres by which folds bend to the side."""
_CREASE = wp.constant(wp.float32(0.3))
_STEEPEST = wp.constant(wp.float32(1.1))
_LEAST = wp.constant(wp.float32(0.015))
_STEEP = wp.constant(wp.float32(9.0))
"""Slope of the steepest folds of a fabric whose `wrinkles` are 1."""
_HIDDEN = wp.constant(wp.float32(3.0))
"""Share of the sky that their creases hide."""


@wp.func
def has_folds(layer: int) -> bool:
    """Whether the layer is one of `FOLDED`."""
    return layer == LAYER_CLOTH or layer == LAYER_TIGHTS or layer == LAYER_SKIRT


@wp.kernel(module=PICTURE)
def fold_faces(
    vertices: wp.array(dtype=wp.vec3),
    rest: wp.array(dtype=wp.vec3),
    canonical: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    cloth_faces: wp.array(dtype=wp.int32),
    face_culling: wp.array(dtype=wp.uint8),
    out: wp.array(dtype=steepness),
):
    """Steepness of the folds on each face of `cloth_faces` that is drawn, times its area.

    `vertices` are posed in the world's frame, `rest` before posing, `canonical` on the T-pose;
    metres. A thread takes `PER_THREAD` faces.
    """
    first = wp.tid() * _PER_THREAD
    for index in range(first, wp.min(first + _PER_THREAD, cloth_faces.shape[0])):
        f = cloth_faces[index]
        found = steepness()
        if int(face_culling[f]) != CULL_ALL:
            i = faces[f, 0]
            j = faces[f, 1]
            k = faces[f, 2]
            u = canonical[j] - canonical[i]
            v = canonical[k] - canonical[i]
            uu = wp.dot(u, u)
            uv = wp.dot(u, v)
            vv = wp.dot(v, v)
            area2 = uu * vv - uv * uv
            if area2 > 1.0e-16:
                rest_u = rest[j] - rest[i]
                rest_v = rest[k] - rest[i]
                before = wp.vec3(
                    wp.dot(rest_u, rest_u), wp.dot(rest_u, rest_v), wp.dot(rest_v, rest_v)
                )
                posed_u = vertices[j] - vertices[i]
                posed_v = vertices[k] - vertices[i]
                after = wp.vec3(
                    wp.dot(posed_u, posed_u), wp.dot(posed_u, posed_v), wp.dot(posed_v, posed_v)
                )
                normal = wp.normalize(wp.cross(posed_u, posed_v))
                hanging = _HANGING * (1.0 - normal[2] * normal[2])
                area = wp.sqrt(area2)
                for axis in range(_AXES):
                    d = _DIRECTIONS[axis]
                    # The direction within the face is du u + dv v, and so on the posed face.
                    du = (wp.dot(d, u) * vv - wp.dot(d, v) * uv) / area2
                    dv = (wp.dot(d, v) * uu - wp.dot(d, u) * uv) / area2
                    squares = wp.vec3(du * du, 2.0 * du * dv, dv * dv)
                    length2 = wp.dot(squares, before)
                    posed2 = wp.dot(squares, after)
                    if length2 > 1.0e-12 and posed2 > 1.0e-12:
                        change = wp.sqrt(posed2 / length2) - 1.0
                        up = du * posed_u[2] + dv * posed_v[2]
                        steep = hanging * (1.0 - up * up / posed2)
                        steep -= wp.where(change < 0.0, _PUSHED, _PULLED) * change
                        # Waves along a direction that leaves the surface are none on it.
                        share = du * wp.dot(d, u) + dv * wp.dot(d, v)
                        found[axis] = wp.clamp(steep, 0.0, 1.0) * share * area
        out[f] = found


@wp.kernel(module=PICTURE)
def fold_vertices(
    canonical: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    cloth_vertices: wp.array(dtype=wp.int32),
    face_culling: wp.array(dtype=wp.uint8),
    vertex_face_offsets: wp.array(dtype=wp.int32),
    vertex_faces: wp.array(dtype=wp.int32),
    face_folds: wp.array(dtype=steepness),
    out: wp.array(dtype=steepness),
):
    """Mean steepness of the folds on the faces of each of `cloth_vertices`; `face_folds` is of
    `fold_faces`. A thread takes `PER_THREAD` vertices."""
    first = wp.tid() * _PER_THREAD
    for index in range(first, wp.min(first + _PER_THREAD, cloth_vertices.shape[0])):
        v = cloth_vertices[index]
        total = steepness()
        area = float(0.0)
        for n in range(vertex_face_offsets[v], vertex_face_offsets[v + 1]):
            f = vertex_faces[n]
            if int(face_culling[f]) != CULL_ALL:
                a = canonical[faces[f, 0]]
                total += face_folds[f]
                area += wp.length(wp.cross(canonical[faces[f, 1]] - a, canonical[faces[f, 2]] - a))
        if area > 0.0:
            # Cloth folds one way, seldom two.
            total = total / area
            most = float(0.0)
            for axis in range(_AXES):
                most = wp.max(most, total[axis])
            for axis in range(_AXES):
                total[axis] = wp.max(4.0 * total[axis] - 3.0 * most, 0.0)
        out[v] = total


@wp.func
def fold_slope(
    table: wp.array(dtype=wp.vec4), steep: steepness, q: wp.vec3, bend: wp.vec4
) -> wp.vec4:
    """Slope of the folds' height at the point q of the T-pose, on whose axes it is, and the share
    of the sky that they hide.

    `steep` is as of `fold_vertices`, times the strength of the fabric's folds. `bend` is noise some
    centimetres wide.
    """
    slope = wp.vec3(0.0, 0.0, 0.0)
    crease = float(0.0)
    at = q + _BEND * wp.vec3(bend[1], bend[2], bend[3])
    for axis in range(_AXES):
        if steep[axis] > _LEAST:
            d = _DIRECTIONS[axis]
            along = wp.dot(d, at)
            h = noise(table, _LENGTHWISE * at + ((_NARROW - _LENGTHWISE) * along) * d)
            gradient = wp.vec3(h[1], h[2], h[3])
            # Folds are round, creases between them sharp.
            sharp = _CREASE / (h[0] * h[0] + _CREASE)
            crease += steep[axis] * sharp
            slope += (steep[axis] * h[0] * wp.sqrt(sharp / _CREASE)) * (
                (_LENGTHWISE / _NARROW) * gradient
                + ((1.0 - _LENGTHWISE / _NARROW) * wp.dot(gradient, d)) * d
            )
    strength = wp.clamp(0.8 + 0.4 * bend[0], 0.3, 1.3)
    slope = (_STEEP * strength) * slope
    return wp.vec4(slope[0], slope[1], slope[2], _HIDDEN * strength * crease)


@wp.func
def tilt_of_slope(
    slope: wp.vec3,
    qu: wp.vec3,
    qv: wp.vec3,
    u: wp.vec3,
    v: wp.vec3,
) -> wp.vec3:
    """What to take from the unit normal of a posed face with the edges u and v, whose edges on the
    T-pose are qu and qv, for a height with this slope on the T-pose."""
    n = wp.cross(u, v)
    size = wp.length_sq(n)
    if size < 1.0e-16:
        return wp.vec3(0.0, 0.0, 0.0)
    tilt = wp.dot(slope, qu) * wp.cross(v, n) + wp.dot(slope, qv) * wp.cross(n, u)
    tilt = tilt / size
    return tilt * (_STEEPEST / wp.max(wp.length(tilt), _STEEPEST))
