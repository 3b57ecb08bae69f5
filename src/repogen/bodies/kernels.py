"""Warp kernels on meshes that every picture needs; the same code runs on CPU and CUDA."""

import numpy as np

from repogen.warp_setup import wp

BLOCK = 16
"""Coordinates that one thread of `blend_shapes` adds up."""

block_of_floats = wp.types.vector(length=BLOCK, dtype=wp.float32)
block_of_halves = wp.types.vector(length=BLOCK, dtype=wp.float16)


def to_blocks(values: np.ndarray) -> np.ndarray:
    """Split the last axis into blocks of `BLOCK`, the last padded with zeros."""
    padding = -values.shape[-1] % BLOCK
    padded = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, padding)])
    return padded.reshape(*values.shape[:-1], -1, BLOCK)


@wp.kernel
def blend_shapes(
    start: wp.array(dtype=block_of_floats),
    shapes: wp.array2d(dtype=block_of_halves),
    weights: wp.array(dtype=wp.float32),
    out: wp.array(dtype=block_of_floats),
):
    """start + the weighted sum of `shapes` (blocks, shapes); one block for each thread."""
    i = wp.tid()
    total = start[i]
    for k in range(weights.shape[0]):
        total += weights[k] * block_of_floats(shapes[i, k])
    out[i] = total


@wp.struct
class SparseShapes:
    """Shapes that move few vertices, in compressed rows.

    Vertex v has the entries starts[v] to starts[v + 1] - 1: an offset in metres and the index of
    the shape whose weight multiplies it.
    """

    starts: wp.array(dtype=wp.int32)
    shapes: wp.array(dtype=wp.int16)
    offsets: wp.array(dtype=wp.vec3)


@wp.func
def skin_point(
    v: int,
    point: wp.vec3,
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
        total += w * (linear[b] * point + offset[b])
    return total


@wp.kernel
def skin_vertices(
    rest: wp.array(dtype=wp.float32),
    sparse: SparseShapes,
    sparse_weights: wp.array(dtype=wp.float32),
    bones: wp.array2d(dtype=wp.int32),
    weights: wp.array2d(dtype=wp.float32),
    linear: wp.array(dtype=wp.mat33),
    offset: wp.array(dtype=wp.vec3),
    shaped: wp.array(dtype=wp.vec3),
    out: wp.array(dtype=wp.vec3),
):
    """Add the sparse shapes to the coordinates `rest` (x, y, z in turn) and skin the result.

    Linear blend skinning; `shaped` is the unposed result. The weights of a vertex descend; the
    first zero ends the list.
    """
    v = wp.tid()
    point = wp.vec3(rest[3 * v], rest[3 * v + 1], rest[3 * v + 2])
    for i in range(sparse.starts[v], sparse.starts[v + 1]):
        weight = sparse_weights[int(sparse.shapes[i])]
        if weight != 0.0:
            point += weight * sparse.offsets[i]
    shaped[v] = point
    out[v] = skin_point(v, point, bones, weights, linear, offset)


@wp.kernel
def skin_points(
    rest: wp.array(dtype=wp.vec3),
    bones: wp.array2d(dtype=wp.int32),
    weights: wp.array2d(dtype=wp.float32),
    linear: wp.array(dtype=wp.mat33),
    offset: wp.array(dtype=wp.vec3),
    out: wp.array(dtype=wp.vec3),
):
    """Linear blend skinning of points; weights as for `skin_vertices`."""
    v = wp.tid()
    out[v] = skin_point(v, rest[v], bones, weights, linear, offset)


@wp.kernel
def find_hits(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    below: float,
    above: float,
    out: wp.array(dtype=wp.uint8),
):
    """1 for each point with a face of the mesh along its normal, from `below` metres below the
    point to `above` metres above it."""
    v = wp.tid()
    n = normals[v]
    hit = wp.mesh_query_ray(mesh, points[v] - below * n, n, below + above).result
    out[v] = wp.uint8(wp.where(hit, 1, 0))


@wp.kernel
def find_faces(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    below: float,
    above: float,
    out: wp.array(dtype=wp.int32),
    weights: wp.array(dtype=wp.vec3),
):
    """The first face of the mesh along the normal of each point as for `find_hits`, -1 without one,
    and the weights of its corners there."""
    v = wp.tid()
    n = normals[v]
    query = wp.mesh_query_ray(mesh, points[v] - below * n, n, below + above)
    out[v] = wp.where(query.result, query.face, -1)
    weights[v] = wp.vec3(query.u, query.v, 1.0 - query.u - query.v)
