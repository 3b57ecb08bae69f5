"""Warp kernels on meshes; the same code runs on CPU and CUDA."""

from repogen.warp_setup import wp


@wp.kernel
def skin_vertices(
    rest: wp.array(dtype=wp.vec3),
    bones: wp.array2d(dtype=wp.int32),
    weights: wp.array2d(dtype=wp.float32),
    linear: wp.array(dtype=wp.mat33),
    offset: wp.array(dtype=wp.vec3),
    out: wp.array(dtype=wp.vec3),
):
    """Linear blend skinning. Weights of a vertex descend; the first zero ends the list."""
    v = wp.tid()
    total = wp.vec3(0.0, 0.0, 0.0)
    for k in range(weights.shape[1]):
        w = weights[v, k]
        if w == 0.0:
            break
        b = bones[v, k]
        total += w * (linear[b] * rest[v] + offset[b])
    out[v] = total


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
