"""From the z-buffer to the picture: material, light, shadow, and edges blended in."""

from repogen.rendering.kernels.noise import noise
from repogen.rendering.kernels.paint import Finish, Paint, finish
from repogen.rendering.kernels.raster import corner_weights
from repogen.warp_setup import wp

_EMPTY = wp.constant(wp.uint64(2**64 - 1))
_LOW = wp.constant(wp.uint64(2**32 - 1))
_UNITS = wp.constant(wp.float32(2.0**24))
_SHIFT = wp.constant(wp.uint64(32))


@wp.struct
class Model:
    """The geometry of all people together, in the camera's frame."""

    vertices: wp.array(dtype=wp.vec3)
    normals: wp.array(dtype=wp.vec3)
    canonical: wp.array(dtype=wp.vec3)
    occlusion: wp.array(dtype=wp.float32)
    lips: wp.array(dtype=wp.float32)
    faces: wp.array2d(dtype=wp.int32)
    layers: wp.array(dtype=wp.uint8)
    person: wp.array(dtype=wp.int32)
    paints: wp.array(dtype=Paint)
    noise: wp.array(dtype=wp.vec4)
    eye: wp.vec3


@wp.struct
class Lighting:
    """Directional lights (camera frame), shadow maps of the first few, light from all around."""

    directions: wp.array(dtype=wp.vec3)
    colors: wp.array(dtype=wp.vec3)
    shadow_count: wp.int32
    shadow_size: wp.int32
    shadow_matrices: wp.array(dtype=wp.mat33)
    shadow_offsets: wp.array(dtype=wp.vec3)
    shadow_depths: wp.array(dtype=wp.float32)
    up: wp.vec3
    sky: wp.vec3
    ground: wp.vec3


@wp.struct
class Optics:
    """A pinhole camera over output pixels, `samples` squared samples in each; the z-buffer
    covers `width` x `height` pixels from pixel (left, top)."""

    fx: float
    fy: float
    cx: float
    cy: float
    left: wp.int32
    top: wp.int32
    width: wp.int32
    height: wp.int32
    samples: wp.int32


@wp.func
def lit_share(light: Lighting, index: int, at: wp.vec3, normal: wp.vec3, bias: float) -> float:
    """Share of a light that reaches a point: four shadow texels, blended."""
    t = light.shadow_matrices[index] * (at + 0.006 * normal) + light.shadow_offsets[index]
    size = light.shadow_size
    x = t[0] - 0.5
    y = t[1] - 0.5
    x0 = int(wp.floor(x))
    y0 = int(wp.floor(y))
    if x0 < 0 or y0 < 0 or x0 >= size - 1 or y0 >= size - 1:
        return 1.0
    fx = x - float(x0)
    fy = y - float(y0)
    base = index * size * size + y0 * size + x0
    z = t[2] - bias
    a = wp.where(light.shadow_depths[base] < z, 0.0, 1.0)
    b = wp.where(light.shadow_depths[base + 1] < z, 0.0, 1.0)
    c = wp.where(light.shadow_depths[base + size] < z, 0.0, 1.0)
    d = wp.where(light.shadow_depths[base + size + 1] < z, 0.0, 1.0)
    return (1.0 - fy) * ((1.0 - fx) * a + fx * b) + fy * ((1.0 - fx) * c + fx * d)


@wp.func
def light_from(light: Lighting, f: Finish, at: wp.vec3, n: wp.vec3, open: float) -> wp.vec3:
    """Radiance towards the camera of a point with normal n, seeing the share `open` of the sky."""
    sky = 0.5 + 0.5 * wp.dot(n, light.up)
    total = open * wp.cw_mul(f.albedo, light.ground + sky * (light.sky - light.ground))
    view = -wp.normalize(at)
    for i in range(light.directions.shape[0]):
        to_light = light.directions[i]
        cosine = (wp.dot(n, to_light) + f.wrap) / (1.0 + f.wrap)
        if cosine > 0.0:
            seen = float(1.0)
            if i < light.shadow_count:
                seen = lit_share(light, i, at, n, 0.008)
            if seen > 0.0:
                strength = seen * wp.min(1.0, 0.4 + 0.6 * open) * light.colors[i]
                total += cosine * wp.cw_mul(f.albedo, strength)
                if f.gloss > 0.0:
                    s = wp.max(wp.dot(n, wp.normalize(view + to_light)), 0.0)
                    s = s * s
                    s = s * s
                    s = s * s
                    s = s * s * s
                    total += f.gloss * s * strength
    return total


@wp.func
def shade_sample(model: Model, light: Lighting, optics: Optics, f: int, d: wp.vec3) -> wp.vec3:
    """Linear colour of triangle f where the ray d meets it."""
    w = corner_weights(model.vertices, model.faces, f, d)
    i = model.faces[f, 0]
    j = model.faces[f, 1]
    k = model.faces[f, 2]
    at = w[0] * model.vertices[i] + w[1] * model.vertices[j] + w[2] * model.vertices[k]
    n = wp.normalize(w[0] * model.normals[i] + w[1] * model.normals[j] + w[2] * model.normals[k])
    q = w[0] * model.canonical[i] + w[1] * model.canonical[j] + w[2] * model.canonical[k]
    open = w[0] * model.occlusion[i] + w[1] * model.occlusion[j] + w[2] * model.occlusion[k]
    lips = w[0] * model.lips[i] + w[1] * model.lips[j] + w[2] * model.lips[k]
    if wp.dot(n, at) > 0.0:
        n = -n
    p = model.paints[model.person[i]]
    surface = finish(p, int(model.layers[f]), q, lips, model.eye, at[2] / optics.fx, model.noise)
    if surface.ruffle > 0.0:
        r = noise(model.noise, q * 24.0 + p.seed)
        n = wp.normalize(n + surface.ruffle * wp.vec3(r[1], r[2], r[3]))
    return light_from(light, surface, at, n, open)


@wp.kernel
def shade(
    keys: wp.array(dtype=wp.uint64),
    model: Model,
    light: Lighting,
    optics: Optics,
    to_linear: wp.array(dtype=wp.float32),
    to_srgb: wp.array(dtype=wp.uint8),
    picture: wp.array2d(dtype=wp.uint8),
):
    """One pixel of the window, drawn over the background in `picture`: BGR, a byte each.

    Inside a surface one sample is shaded; where the samples of a pixel see different people,
    layers or depths, or nothing, each is shaded and they are averaged with the background.
    """
    wy, wx = wp.tid()
    x = wx + optics.left
    y = wy + optics.top
    n = optics.samples
    row = optics.width * n
    covered = int(0)
    nearest = float(1.0e9)
    farthest = float(0.0)
    first = int(-1)
    mixed = int(0)
    for sy in range(n):
        for sx in range(n):
            key = keys[(wy * n + sy) * row + wx * n + sx]
            if key != _EMPTY:
                covered += 1
                z = float(key >> _SHIFT) / _UNITS
                nearest = wp.min(nearest, z)
                farthest = wp.max(farthest, z)
                f = int(key & _LOW)
                if first < 0:
                    first = f
                elif model.layers[f] != model.layers[first]:
                    mixed = 1
    if covered == 0:
        return

    color = wp.vec3(0.0, 0.0, 0.0)
    if covered == n * n and mixed == 0 and farthest - nearest < 0.02:
        d = wp.vec3(
            (float(x) + 0.5 - optics.cx) / optics.fx, (float(y) + 0.5 - optics.cy) / optics.fy, 1.0
        )
        color = shade_sample(model, light, optics, first, d)
    else:
        for sy in range(n):
            for sx in range(n):
                key = keys[(wy * n + sy) * row + wx * n + sx]
                if key == _EMPTY:
                    for c in range(3):
                        color[c] += to_linear[int(picture[y, 3 * x + 2 - c])]
                else:
                    d = wp.vec3(
                        (float(x) + (float(sx) + 0.5) / float(n) - optics.cx) / optics.fx,
                        (float(y) + (float(sy) + 0.5) / float(n) - optics.cy) / optics.fy,
                        1.0,
                    )
                    value = shade_sample(model, light, optics, int(key & _LOW), d)
                    color += wp.min(value, wp.vec3(1.0, 1.0, 1.0))
        color = color / float(n * n)
    for c in range(3):
        picture[y, 3 * x + 2 - c] = to_srgb[int(wp.clamp(color[c], 0.0, 1.0) * 4095.0 + 0.5)]
