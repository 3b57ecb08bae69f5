"""The z-buffer of a camera with any lens: each sample's own ray against the triangles."""

from repogen.rendering.kernels.codes import ALPHA_TESTED, CULL_BACK, CULL_NONE
from repogen.rendering.kernels.lens import Lens, is_fisheye, ray
from repogen.rendering.kernels.modules import PER_THREAD, ZBUFFER
from repogen.rendering.kernels.raster import NEAR, depth_face_key
from repogen.rendering.kernels.texture import Texels, TexturedMaterial, sample_texture
from repogen.rendering.kernels.windows import (
    Grid,
    Triangle,
    load_triangle,
    signed_volume,
    triangle_window,
    window_columns,
)
from repogen.warp_setup import wp

_NEAR = wp.constant(wp.float32(NEAR))

_SLACK = wp.constant(wp.float32(1.0e-6))
"""Share of an edge's length by which a ray may miss a triangle: more than rounding, so that one
triangle is hit where many meet, and micrometres on a person."""

_PER_THREAD = wp.constant(PER_THREAD)

_ROUNDING = wp.constant(wp.float32(1.0 - 1.0e-5))
"""Share of a triangle's least depth that no sample of it is below."""

# As in `ZBUFFER`: the two triangles at an edge must get the same numbers.
wp.set_module_options({"fuse_fp": False})


@wp.func
def edge_normal(b: wp.vec3, c: wp.vec3) -> wp.vec3:
    """Normal of the plane through an edge and the camera, exactly opposite for (c, b).

    It is 2 b x c, computed without the difference of large products.
    """
    return wp.cross(b - c, b + c)


@wp.func
def slack(b: wp.vec3, c: wp.vec3) -> float:
    """The least product of a ray with `edge_normal(b, c)` that counts as inside."""
    return -_SLACK * wp.length(b - c) * wp.length(b + c)


@wp.struct
class RayTriangle:
    """A triangle prepared for `intersect`: corners in the camera's frame and their depths, normals
    of the planes through the camera and the edges, and the `slack` of each edge."""

    a: wp.vec3
    b: wp.vec3
    c: wp.vec3
    depths: wp.vec3
    normal_a: wp.vec3
    normal_b: wp.vec3
    normal_c: wp.vec3
    least: wp.vec3


@wp.func
def ray_triangle(k: Triangle) -> RayTriangle:
    """The triangle as `intersect` takes it."""
    t = RayTriangle()
    t.a = k.a
    t.b = k.b
    t.c = k.c
    t.depths = wp.vec3(k.p[2], k.q[2], k.r[2])
    front = wp.sign(signed_volume(k))
    t.normal_a = front * edge_normal(k.b, k.c)
    t.normal_b = front * edge_normal(k.c, k.a)
    t.normal_c = front * edge_normal(k.a, k.b)
    t.least = wp.vec3(slack(k.b, k.c), slack(k.c, k.a), slack(k.a, k.b))
    return t


@wp.func
def least_key(lens: Lens, k: Triangle) -> wp.uint64:
    """A key that no sample of the triangle is below."""
    nearest = wp.min(k.p[2], wp.min(k.q[2], k.r[2]))
    if is_fisheye(lens):
        # The middle of a triangle is nearer than its corners are.
        longest = wp.max(wp.length_sq(k.b - k.a), wp.length_sq(k.c - k.b))
        nearest -= wp.sqrt(wp.max(longest, wp.length_sq(k.a - k.c)))
    return depth_face_key(1.0 / wp.max(_ROUNDING * nearest, _ROUNDING * _NEAR), 0)


@wp.func
def intersect(lens: Lens, t: RayTriangle, d: wp.vec3) -> wp.vec4:
    """Barycentric weights where the ray d meets the triangle, and one over the depth there; all
    zero for a miss."""
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
    """Direction of a sample of the grid, in the camera's frame."""
    scale = float(grid.samples)
    x = float(grid.left) + (float(column) + 0.5) / scale
    return ray(lens, x, float(grid.top) + (float(row) + 0.5) / scale)


@wp.kernel
def rasterize_rays(
    vertices: wp.array(dtype=wp.vec3),
    screen_vertices: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    face_culling: wp.array(dtype=wp.uint8),
    lens: Lens,
    grid: Grid,
    depth_face_keys: wp.array(dtype=wp.uint64),
):
    """`raster.rasterize` for any lens: nearest triangle per sample.

    `vertices` are in the camera's frame, metres; `screen_vertices` are (x, y, depth) in pixels
    and metres (`transform_vertices`). Depth is `Camera.depth_of`. A thread takes
    `PER_THREAD` faces.
    """
    first = wp.tid() * _PER_THREAD
    for f in range(first, wp.min(first + _PER_THREAD, faces.shape[0])):
        culling = int(face_culling[f])
        if culling == CULL_BACK or culling == CULL_NONE:
            k = load_triangle(vertices, screen_vertices, faces, f)
            w = triangle_window(lens, grid, k, culling == CULL_NONE)
            if w.first_row <= w.last_row:
                t = ray_triangle(k)
                least = least_key(lens, k)
                for row in range(w.first_row, w.last_row + 1):
                    ends = window_columns(grid, w, row)
                    for column in range(ends[0], ends[1] + 1):
                        at = row * grid.width + column
                        if depth_face_keys[at] > least:
                            m = intersect(lens, t, sample_ray(lens, grid, row, column))
                            if m[3] > 0.0:
                                wp.atomic_min(depth_face_keys, at, depth_face_key(m[3], f))


@wp.kernel(module=ZBUFFER)
def rasterize_alpha(
    vertices: wp.array(dtype=wp.vec3),
    screen_vertices: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    alpha_faces: wp.array(dtype=wp.int32),
    face_culling: wp.array(dtype=wp.uint8),
    uvs: wp.array(dtype=wp.vec2),
    face_materials: wp.array(dtype=wp.int16),
    materials: wp.array(dtype=TexturedMaterial),
    texels: Texels,
    lens: Lens,
    grid: Grid,
    depth_face_keys: wp.array(dtype=wp.uint64),
):
    """`rasterize_rays` for the faces `alpha_faces`, where they are `ALPHA_TESTED`; any lens.

    Each sample of a pixel tests against another alpha, so the share of samples that see a face is
    its opacity. A thread takes `PER_THREAD` faces.
    """
    n = grid.samples
    share = 1.0 / float(n * n)
    first = wp.tid() * _PER_THREAD
    for i in range(first, wp.min(first + _PER_THREAD, alpha_faces.shape[0])):
        f = alpha_faces[i]
        if int(face_culling[f]) == ALPHA_TESTED:
            k = load_triangle(vertices, screen_vertices, faces, f)
            w = triangle_window(lens, grid, k, True)
            if w.first_row <= w.last_row:
                t = ray_triangle(k)
                least = least_key(lens, k)
                m = materials[int(face_materials[f])]
                for row in range(w.first_row, w.last_row + 1):
                    ends = window_columns(grid, w, row)
                    for column in range(ends[0], ends[1] + 1):
                        # Strands lie in many layers, and most samples behind others.
                        at = row * grid.width + column
                        if depth_face_keys[at] > least:
                            hit = intersect(lens, t, sample_ray(lens, grid, row, column))
                            key = depth_face_key(hit[3], f)
                            if hit[3] > 0.0 and depth_face_keys[at] > key:
                                uv = hit[0] * uvs[3 * f]
                                uv += hit[1] * uvs[3 * f + 1]
                                uv += hit[2] * uvs[3 * f + 2]
                                width = 1.0 / (hit[3] * lens.fx)
                                alpha = sample_texture(texels, m, uv, width)[3]
                                number = (row % n) * n + column % n
                                if alpha > share * (float(number) + 0.5):
                                    wp.atomic_min(depth_face_keys, at, key)
