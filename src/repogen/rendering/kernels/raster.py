"""Z-buffers: which triangle each sample sees, from a central camera or along a light."""

from repogen.warp_setup import wp

DEPTH_UNITS = 2.0**24
"""Depth is kept as an integer of 1/2**24 m (60 nm) in the upper half of a 64-bit key, the
triangle in the lower half: one atomic minimum finds the nearest, and breaks ties by index."""

EMPTY = 2**64 - 1

NEAR = 0.05
"""Metres; triangles that reach nearer than this are not drawn."""

_UNITS = wp.constant(wp.float32(DEPTH_UNITS))
_SHIFT = wp.constant(wp.uint64(32))
_NEAR = wp.constant(wp.float32(NEAR))
_FAR = wp.constant(wp.float32(120.0))


@wp.func
def edge_plane(i: int, j: int, a: wp.vec3, b: wp.vec3) -> wp.vec3:
    """Normal of the plane through the camera and edge ab.

    Computed from the lower index, so that the two triangles at an edge get the same numbers
    and no sample falls between them.
    """
    if i < j:
        return wp.cross(a, b - a)
    return -wp.cross(b, a - b)


@wp.kernel
def rasterize(
    vertices: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    sides: wp.array(dtype=wp.uint8),
    fx: float,
    fy: float,
    cx: float,
    cy: float,
    width: int,
    height: int,
    keys: wp.array(dtype=wp.uint64),
):
    """Nearest triangle per sample of a pinhole camera; `vertices` in its frame, metres.

    `sides` says which sides of a triangle are seen: 0 none, 1 the front, 2 both.
    Triangles that reach behind the near plane (5 cm) are left out whole.
    """
    f = wp.tid()
    if sides[f] == wp.uint8(0):
        return
    i = faces[f, 0]
    j = faces[f, 1]
    k = faces[f, 2]
    a = vertices[i]
    b = vertices[j]
    c = vertices[k]
    nearest = wp.min(a[2], wp.min(b[2], c[2]))
    farthest = wp.max(a[2], wp.max(b[2], c[2]))
    if nearest < _NEAR or farthest > _FAR:
        return
    normal = wp.cross(b - a, c - a)
    distance = wp.dot(normal, a)
    if distance >= 0.0 and sides[f] == wp.uint8(1):
        return
    sign = float(1.0)
    if distance < 0.0:
        sign = -1.0

    ua = fx * a[0] / a[2] + cx
    ub = fx * b[0] / b[2] + cx
    uc = fx * c[0] / c[2] + cx
    va = fy * a[1] / a[2] + cy
    vb = fy * b[1] / b[2] + cy
    vc = fy * c[1] / c[2] + cy
    left = wp.clamp(wp.min(ua, wp.min(ub, uc)) - 0.5, 0.0, float(width))
    right = wp.clamp(wp.max(ua, wp.max(ub, uc)) - 0.5, -1.0, float(width - 1))
    top = wp.clamp(wp.min(va, wp.min(vb, vc)) - 0.5, 0.0, float(height))
    bottom = wp.clamp(wp.max(va, wp.max(vb, vc)) - 0.5, -1.0, float(height - 1))
    first = int(wp.ceil(left))
    last = int(wp.floor(right))

    pa = sign * edge_plane(j, k, b, c)
    pb = sign * edge_plane(k, i, c, a)
    pc = sign * edge_plane(i, j, a, b)
    for y in range(int(wp.ceil(top)), int(wp.floor(bottom)) + 1):
        dy = (float(y) + 0.5 - cy) / fy
        for x in range(first, last + 1):
            d = wp.vec3((float(x) + 0.5 - cx) / fx, dy, 1.0)
            if wp.dot(pa, d) >= 0.0 and wp.dot(pb, d) >= 0.0 and wp.dot(pc, d) >= 0.0:
                z = wp.clamp(distance / wp.dot(normal, d), nearest, farthest)
                key = (wp.uint64(z * _UNITS) << _SHIFT) | wp.uint64(f)
                wp.atomic_min(keys, y * width + x, key)


@wp.kernel
def rasterize_light(
    vertices: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    sides: wp.array(dtype=wp.uint8),
    size: int,
    first: int,
    depth: wp.array(dtype=wp.float32),
):
    """Least depth per texel of a directional light; `vertices` are (texel x, texel y, metres).

    The map is size x size texels of `depth` from index `first`.
    """
    f = wp.tid()
    if sides[f] == wp.uint8(0):
        return
    a = vertices[faces[f, 0]]
    b = vertices[faces[f, 1]]
    c = vertices[faces[f, 2]]
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if wp.abs(area) < 1.0e-12:
        return
    left = wp.max(wp.min(a[0], wp.min(b[0], c[0])) - 0.5, 0.0)
    right = wp.min(wp.max(a[0], wp.max(b[0], c[0])) - 0.5, float(size - 1))
    top = wp.max(wp.min(a[1], wp.min(b[1], c[1])) - 0.5, 0.0)
    bottom = wp.min(wp.max(a[1], wp.max(b[1], c[1])) - 0.5, float(size - 1))
    inverse = 1.0 / area
    for y in range(int(wp.ceil(top)), int(wp.floor(bottom)) + 1):
        for x in range(int(wp.ceil(left)), int(wp.floor(right)) + 1):
            px = float(x) + 0.5
            py = float(y) + 0.5
            wb = ((px - a[0]) * (c[1] - a[1]) - (py - a[1]) * (c[0] - a[0])) * inverse
            wc = ((b[0] - a[0]) * (py - a[1]) - (b[1] - a[1]) * (px - a[0])) * inverse
            if wb >= 0.0 and wc >= 0.0 and wb + wc <= 1.0:
                z = a[2] + wb * (b[2] - a[2]) + wc * (c[2] - a[2])
                wp.atomic_min(depth, first + y * size + x, z)


@wp.kernel
def barycentric(
    vertices: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    triangles: wp.array(dtype=wp.int32),
    fx: float,
    fy: float,
    cx: float,
    cy: float,
    width: int,
    out: wp.array(dtype=wp.vec3),
):
    """Perspective-correct weights of the three corners at each sample; zero where it is empty."""
    s = wp.tid()
    f = triangles[s]
    if f < 0:
        out[s] = wp.vec3(0.0, 0.0, 0.0)
        return
    d = wp.vec3((float(s % width) + 0.5 - cx) / fx, (float(s // width) + 0.5 - cy) / fy, 1.0)
    out[s] = corner_weights(vertices, faces, f, d)


@wp.func
def corner_weights(
    vertices: wp.array(dtype=wp.vec3), faces: wp.array2d(dtype=wp.int32), f: int, d: wp.vec3
) -> wp.vec3:
    """Weights of triangle f's corners where the ray d from the camera meets its plane."""
    i = faces[f, 0]
    j = faces[f, 1]
    k = faces[f, 2]
    a = vertices[i]
    b = vertices[j]
    c = vertices[k]
    ea = wp.dot(edge_plane(j, k, b, c), d)
    eb = wp.dot(edge_plane(k, i, c, a), d)
    ec = wp.dot(edge_plane(i, j, a, b), d)
    total = ea + eb + ec
    return wp.vec3(ea, eb, ec) / total
