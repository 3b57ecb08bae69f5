"""Warp kernels on meshes that few pictures need, each in a Warp module of its own."""

from repogen.warp_setup import wp


@wp.kernel(module="unique")
def share_of_free_rays(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    directions: wp.array(dtype=wp.vec3),
    reach: float,
    out: wp.array(dtype=wp.float32),
):
    """Cosine-weighted share of the `directions` above each point without a face of the mesh
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


@wp.kernel(module="unique")
def find_intersecting(
    mesh: wp.uint64,
    faces: wp.array(dtype=wp.int32),
    parts: wp.array(dtype=wp.uint8),
    forbidden: wp.array(dtype=wp.uint32),
    depth: float,
    out: wp.array(dtype=wp.uint8),
):
    """1 for each of `faces` whose centre lies deeper than `depth` metres inside a body part whose
    bit its entry of `forbidden` has set.

    A ray along the face's normal leaves each part that contains its start once more than it
    enters it. It starts `depth` metres below the face, so inside the face's own part and, where
    the face is deep enough in another part, inside two.
    """
    i = wp.tid()
    face = faces[i]
    normal = wp.mesh_eval_face_normal(mesh, face)
    start = wp.mesh_eval_position(mesh, face, 1.0 / 3.0, 1.0 / 3.0) - depth * normal
    distance = float(0.0)
    around_start = int(0)
    around_face = int(0)
    forbidden_hits = int(0)
    for _ in range(64):
        hit = wp.mesh_query_ray(mesh, start, normal, 10.0)
        if not hit.result:
            break
        step = hit.t + 1.0e-5
        start += step * normal
        distance += step
        sign = wp.where(wp.dot(hit.normal, normal) > 0.0, 1, -1)
        around_start += sign
        if distance > depth + 1.0e-4:
            around_face += sign
            if around_face == 1:
                around_face = 0
                bit = forbidden[i] >> wp.uint32(parts[hit.face])
                forbidden_hits += int(bit & wp.uint32(1))
    if around_start >= 2 and forbidden_hits > 0:
        out[i] = wp.uint8(1)
