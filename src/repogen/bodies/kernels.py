"""The Warp kernel that poses a mesh; the same code runs on CPU and CUDA."""

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
