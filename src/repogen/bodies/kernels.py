"""Warp kernels on meshes; the same code runs on CPU and CUDA."""

from repogen.warp_setup import wp

BLOCK = 16
block_of_floats = wp.types.vector(length=BLOCK, dtype=wp.float32)
block_of_halves = wp.types.vector(length=BLOCK, dtype=wp.float16)


@wp.kernel
def blend_shapes(
    start: wp.array(dtype=block_of_floats),
    shapes: wp.array2d(dtype=block_of_halves),
    weights: wp.array(dtype=wp.float32),
    out: wp.array(dtype=block_of_floats),
):
    """start + the weighted sum of `shapes` (blocks x shapes), 16 coordinates a thread."""
    i = wp.tid()
    total = start[i]
    for k in range(weights.shape[0]):
        total += weights[k] * block_of_floats(shapes[i, k])
    out[i] = total


@wp.struct
class Details:
    """Shapes that move few vertices: those of vertex v are start[v] to start[v + 1] - 1, each
    an offset and whose weight it has."""

    starts: wp.array(dtype=wp.int32)
    shapes: wp.array(dtype=wp.int16)
    offsets: wp.array(dtype=wp.vec3)


@wp.func
def moved_by_bones(
    v: int,
    at: wp.vec3,
    bones: wp.array2d(dtype=wp.int32),
    weights: wp.array2d(dtype=wp.float32),
    linear: wp.array(dtype=wp.mat33),
    offset: wp.array(dtype=wp.vec3),
) -> wp.vec3:
    total = wp.vec3(0.0, 0.0, 0.0)
    for k in range(weights.shape[1]):
        w = weights[v, k]
        if w == 0.0:
            break
        b = bones[v, k]
        total += w * (linear[b] * at + offset[b])
    return total


@wp.kernel
def skin_vertices(
    rest: wp.array(dtype=wp.float32),
    details: Details,
    detail_weights: wp.array(dtype=wp.float32),
    bones: wp.array2d(dtype=wp.int32),
    weights: wp.array2d(dtype=wp.float32),
    linear: wp.array(dtype=wp.mat33),
    offset: wp.array(dtype=wp.vec3),
    shaped: wp.array(dtype=wp.vec3),
    out: wp.array(dtype=wp.vec3),
):
    """Linear blend skinning of the vertices whose coordinates are `rest`, x, y, z in turn, and
    the details; `shaped` gets them unposed.

    Weights of a vertex descend; the first zero ends the list.
    """
    v = wp.tid()
    at = wp.vec3(rest[3 * v], rest[3 * v + 1], rest[3 * v + 2])
    for i in range(details.starts[v], details.starts[v + 1]):
        at += detail_weights[int(details.shapes[i])] * details.offsets[i]
    shaped[v] = at
    out[v] = moved_by_bones(v, at, bones, weights, linear, offset)


@wp.kernel
def skin_points(
    rest: wp.array(dtype=wp.vec3),
    bones: wp.array2d(dtype=wp.int32),
    weights: wp.array2d(dtype=wp.float32),
    linear: wp.array(dtype=wp.mat33),
    offset: wp.array(dtype=wp.vec3),
    out: wp.array(dtype=wp.vec3),
):
    """Linear blend skinning of any points; weights as for `skin_vertices`."""
    v = wp.tid()
    out[v] = moved_by_bones(v, rest[v], bones, weights, linear, offset)


@wp.kernel
def count_free_rays(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    directions: wp.array(dtype=wp.vec3),
    reach: float,
    out: wp.array(dtype=wp.float32),
):
    """Share of `directions` above each point, weighted by cosine, that meet no face of the mesh
    within `reach` metres."""
    v = wp.tid()
    n = normals[v]
    start = points[v] + 2.0e-3 * n
    free = float(0.0)
    total = float(0.0)
    for i in range(directions.shape[0]):
        d = directions[i]
        cosine = wp.dot(d, n)
        if cosine > 0.0:
            total += cosine
            if not wp.mesh_query_ray(mesh, start, d, reach).result:
                free += cosine
    out[v] = free / wp.max(total, 1.0e-6)


@wp.kernel
def count_hits(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    under: float,
    over: float,
    out: wp.array(dtype=wp.uint8),
):
    """1 for each point with a face of the mesh along its normal, from `under` metres below the
    point to `over` above it."""
    v = wp.tid()
    n = normals[v]
    hit = wp.mesh_query_ray(mesh, points[v] - under * n, n, under + over).result
    out[v] = wp.uint8(wp.where(hit, 1, 0))


@wp.kernel
def find_buried(
    mesh: wp.uint64,
    faces: wp.array(dtype=wp.int32),
    parts: wp.array(dtype=wp.uint8),
    strangers: wp.array(dtype=wp.uint32),
    under: float,
    out: wp.array(dtype=wp.uint8),
):
    """1 for each of `faces` whose middle lies in a part of the body that its `strangers` hold the
    bit of, deeper than `under` metres.

    A ray along the face's normal leaves every part around its start by one face more than it
    enters by. It starts `under` metres below the face: inside the part that the face is of, and,
    if that is deep enough in another, inside two.
    """
    i = wp.tid()
    face = faces[i]
    normal = wp.mesh_eval_face_normal(mesh, face)
    at = wp.mesh_eval_position(mesh, face, 1.0 / 3.0, 1.0 / 3.0) - under * normal
    gone = float(0.0)
    around_start = int(0)
    around_face = int(0)
    among_strangers = int(0)
    for _ in range(64):
        hit = wp.mesh_query_ray(mesh, at, normal, 10.0)
        if not hit.result:
            break
        step = hit.t + 1.0e-5
        at += step * normal
        gone += step
        sign = wp.where(wp.dot(hit.normal, normal) > 0.0, 1, -1)
        around_start += sign
        if gone > under + 1.0e-4:
            around_face += sign
            if around_face == 1:
                around_face = 0
                bit = strangers[i] >> wp.uint32(parts[hit.face])
                among_strangers += int(bit & wp.uint32(1))
    if around_start >= 2 and among_strangers > 0:
        out[i] = wp.uint8(1)
