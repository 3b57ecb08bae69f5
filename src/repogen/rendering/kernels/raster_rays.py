"""The z-buffer of a camera with any lens: each sample's own ray against the triangles."""

from repogen.rendering.kernels.lens import Lens, is_fisheye, ray
from repogen.rendering.kernels.raster import NEAR, key_of
from repogen.rendering.kernels.texture import Material, Texels, look_up
from repogen.rendering.kernels.windows import (
    Corners,
    Grid,
    columns_of,
    corners_of,
    samples_of,
    volume,
)
from repogen.warp_setup import wp

_NEAR = wp.constant(wp.float32(NEAR))

_SLACK = wp.constant(wp.float32(1.0e-6))
"""By this much of an edge's length a ray may miss a triangle: more than rounding, so that where
many triangles meet one is hit, and micrometres on a person."""

FACES = 8
"""Faces a thread takes: on a CPU it starts by reading all the arguments, which takes as long as
looking at a few faces."""
_FACES = wp.constant(FACES)

# As in `raster`: the two triangles at an edge must get the same numbers.
wp.set_module_options({"fuse_fp": False})


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


@wp.func
def sample_ray(lens: Lens, grid: Grid, row: int, column: int) -> wp.vec3:
    scale = float(grid.samples)
    x = float(grid.left) + (float(column) + 0.5) / scale
    return ray(lens, x, float(grid.top) + (float(row) + 0.5) / scale)


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

    Depth is `Camera.depth_of`. A thread takes `FACES` faces.
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
