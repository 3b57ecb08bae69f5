"""From the z-buffer to the picture: material, light, shadow, and edges blended in."""

from repogen.rendering.kernels.geometry import DirectionalLight
from repogen.rendering.kernels.lens import Lens, depth, ray
from repogen.rendering.kernels.model import Model
from repogen.rendering.kernels.noise import noise
from repogen.rendering.kernels.paint import Finish, finish
from repogen.rendering.kernels.raster import EMPTY, KEY_FAR, KEY_SCALE, SAMPLES, corner_weights
from repogen.rendering.kernels.texture import look_up, textured
from repogen.warp_setup import wp

_EMPTY = wp.constant(wp.uint64(EMPTY))
_LOW = wp.constant(wp.uint64(2**32 - 1))
_SHIFT = wp.constant(wp.uint64(32))
_KEY_FAR = wp.constant(KEY_FAR)
_KEY_SCALE = wp.constant(wp.float32(KEY_SCALE))
_SAME_DEPTH = wp.constant(wp.float32(0.02))

_SAMPLES = wp.constant(SAMPLES)

STRIP = 8
_STRIP = wp.constant(STRIP)


@wp.struct
class Lighting:
    """Directional lights (camera frame), shadow maps of the first few, and the light from all
    around: irradiance as a quadratic of the normal in the world's frame (`ambient_light`)."""

    lamps: wp.array(dtype=DirectionalLight)
    shadow_count: wp.int32
    shadow_size: wp.int32
    shadow_depths: wp.array(dtype=wp.float32)
    up: wp.vec3
    to_world: wp.mat33
    around: wp.array(dtype=wp.vec3)


@wp.struct
class Optics:
    """A camera over output pixels, `samples` samples in each; the z-buffer covers `width` x
    `height` pixels from pixel (left, top)."""

    lens: Lens
    left: wp.int32
    top: wp.int32
    width: wp.int32
    height: wp.int32
    samples: wp.int32


@wp.func
def lit_share(light: Lighting, index: int, at: wp.vec3, normal: wp.vec3, bias: float) -> float:
    """Share of a light that reaches a point: four shadow texels, blended."""
    t = light.lamps[index].matrix * (at + 0.006 * normal) + light.lamps[index].offset
    size = light.shadow_size
    x = t[0] - 0.5
    y = t[1] - 0.5
    x0 = int(wp.floor(x))
    y0 = int(wp.floor(y))
    if x0 < 0 or y0 < 0 or x0 >= size - 1 or y0 >= size - 1:
        return 1.0
    fx = x - float(x0)
    fy = y - float(y0)
    base = (index * size + y0) * size + x0
    z = t[2] - bias
    a = wp.where(light.shadow_depths[base] < z, 0.0, 1.0)
    b = wp.where(light.shadow_depths[base + 1] < z, 0.0, 1.0)
    c = wp.where(light.shadow_depths[base + size] < z, 0.0, 1.0)
    d = wp.where(light.shadow_depths[base + size + 1] < z, 0.0, 1.0)
    return (1.0 - fy) * ((1.0 - fx) * a + fx * b) + fy * ((1.0 - fx) * c + fx * d)


@wp.func
def ambient_light(light: Lighting, normal: wp.vec3) -> wp.vec3:
    """Irradiance from all around on a surface whose normal is in the camera's frame."""
    n = light.to_world * normal
    e = light.around[0] + n[0] * light.around[1] + n[1] * light.around[2] + n[2] * light.around[3]
    e += n[0] * n[1] * light.around[4] + n[1] * n[2] * light.around[5]
    e += (3.0 * n[2] * n[2] - 1.0) * light.around[6] + n[0] * n[2] * light.around[7]
    e += (n[0] * n[0] - n[1] * n[1]) * light.around[8]
    return wp.max(e, wp.vec3(0.0, 0.0, 0.0))


@wp.func
def light_from(light: Lighting, f: Finish, at: wp.vec3, n: wp.vec3, open: float) -> wp.vec3:
    """Radiance towards the camera of a point with normal n, seeing the share `open` of the sky."""
    lit = wp.vec3(0.0, 0.0, 0.0)
    shine = wp.vec3(0.0, 0.0, 0.0)
    view = -wp.normalize(at)
    steepness = 1.0 / (1.0 + f.wrap)
    for i in range(light.lamps.shape[0]):
        to_light = light.lamps[i].direction
        cosine = (wp.dot(n, to_light) + f.wrap) * steepness
        if cosine > 0.0:
            color = light.lamps[i].color
            if i < light.shadow_count:
                color = color * lit_share(light, i, at, n, 0.008)
            lit += cosine * color
            if f.gloss > 0.0:
                half = view + to_light
                s = wp.max(wp.dot(n, half), 0.0)
                s = s * s / wp.max(wp.length_sq(half), 1.0e-6)
                s = s * s
                s = s * s
                shine += (s * s * s) * color
    shelter = wp.min(1.0, 0.4 + 0.6 * open)
    ambient = open * ambient_light(light, n)
    return wp.cw_mul(f.albedo, ambient + shelter * lit) + (f.gloss * shelter) * shine


@wp.func
def shade_sample(model: Model, light: Lighting, optics: Optics, f: int, d: wp.vec3) -> wp.vec3:
    """Linear colour of triangle f where the ray d meets it."""
    a = model.corners[model.faces[f, 0]]
    b = model.corners[model.faces[f, 1]]
    c = model.corners[model.faces[f, 2]]
    w = corner_weights(a.position, b.position, c.position, d)
    at = w[0] * a.position + w[1] * b.position + w[2] * c.position
    n = w[0] * a.normal + w[1] * b.normal + w[2] * c.normal
    q = w[0] * a.canonical + w[1] * b.canonical + w[2] * c.canonical
    open = w[0] * a.occlusion + w[1] * b.occlusion + w[2] * c.occlusion
    lips = w[0] * a.lips + w[1] * b.lips + w[2] * c.lips
    if wp.dot(n, at) > 0.0:
        n = -n
    width = depth(optics.lens, at) / optics.lens.fx
    layer = int(model.layers[f])
    surface = Finish()
    folds = wp.vec4(0.0, 0.0, 0.0, 0.0)
    material = int(model.face_materials[f])
    uv = w[0] * model.uvs[3 * f] + w[1] * model.uvs[3 * f + 1] + w[2] * model.uvs[3 * f + 2]
    if layer < 5:
        p = model.paints[a.person]
        picture = wp.vec4(0.0, 0.0, 0.0, 0.0)
        if material >= 0:
            picture = look_up(model.texels, model.materials[material], uv, width)
            picture[3] = 1.0
        folds = noise(model.noise, q * 24.0 + p.seed)
        surface = finish(p, picture, layer, q, lips, model.eye, width, folds, model.noise)
    else:
        folds = noise(model.noise, q * 24.0)
        surface = textured(model.texels, model.materials[material], uv, q, width, model.noise)
    n = wp.normalize(n + surface.ruffle * wp.vec3(folds[1], folds[2], folds[3]))
    return light_from(light, surface, at, n, open)


@wp.func
def same_piece(model: Model, one: wp.uint64, other: wp.uint64) -> int:
    """1 where two samples see the same layer at about the same depth, else 0."""
    if one & _LOW == other & _LOW:
        return 1
    # 1 / a - 1 / b = (b - a) / (a b)
    a = float(_KEY_FAR - int(one >> _SHIFT))
    b = float(_KEY_FAR - int(other >> _SHIFT))
    if wp.abs(a - b) * _KEY_SCALE >= _SAME_DEPTH * a * b:
        return 0
    if model.layers[int(one & _LOW)] != model.layers[int(other & _LOW)]:
        return 0
    return 1


@wp.func
def pixel_color(
    keys: wp.array2d(dtype=wp.uint64),
    model: Model,
    light: Lighting,
    optics: Optics,
    wx: int,
    wy: int,
    nearest: wp.uint64,
) -> wp.vec4:
    """Linear colour of a pixel of the window where the nearest sample's key is `nearest`, and the
    share of the pixel in which it sees nobody.

    Inside a surface one sample is shaded. Where the samples of a pixel see different layers or
    depths, each is shaded; those that see the same piece of surface as the nearest share its
    colour.
    """
    alike = int(0)
    empty = int(0)
    for sy in range(_SAMPLES):
        for sx in range(_SAMPLES):
            key = keys[wy * _SAMPLES + sy, wx * _SAMPLES + sx]
            if key == _EMPTY:
                empty += 1
            else:
                alike += same_piece(model, nearest, key)
    left = float(wx + optics.left)
    top = float(wy + optics.top)
    color = wp.vec3(0.0, 0.0, 0.0)
    if alike == _SAMPLES * _SAMPLES:
        towards = ray(optics.lens, left + 0.5, top + 0.5)
        color = shade_sample(model, light, optics, int(nearest & _LOW), towards)
        return wp.vec4(color[0], color[1], color[2], 0.0)

    for sample in range(optics.samples):
        sx = sample % _SAMPLES
        sy = sample // _SAMPLES
        key = keys[wy * _SAMPLES + sy, wx * _SAMPLES + sx]
        if key != _EMPTY:
            weight = int(1)
            if same_piece(model, nearest, key) == 1:
                weight = alike
                alike = 0
            if weight > 0:
                x = left + (float(sx) + 0.5) / float(_SAMPLES)
                y = top + (float(sy) + 0.5) / float(_SAMPLES)
                towards = ray(optics.lens, x, y)
                value = shade_sample(model, light, optics, int(key & _LOW), towards)
                color += float(weight) * wp.min(value, wp.vec3(1.0, 1.0, 1.0))
    share = 1.0 / float(_SAMPLES * _SAMPLES)
    return share * wp.vec4(color[0], color[1], color[2], float(empty))


@wp.kernel
def shade(
    keys: wp.array2d(dtype=wp.uint64),
    model: Model,
    light: Lighting,
    optics: Optics,
    to_linear: wp.array(dtype=wp.float32),
    to_srgb: wp.array(dtype=wp.uint8),
    picture: wp.array2d(dtype=wp.uint8),
    seen: wp.array(dtype=wp.uint8),
    counts: wp.array2d(dtype=wp.uint8),
):
    """A strip of pixels of the window, drawn over the background in `picture`: BGR, a byte each.
    `seen` gets 1 for every face that a sample sees, `counts` the samples of each pixel of the
    window that see somebody.

    A thread takes `STRIP` pixels of a row, because on a CPU it starts by reading all the
    arguments, which takes as long as looking at a few pixels.
    """
    wy, strip = wp.tid()
    y = wy + optics.top
    for wx in range(strip * _STRIP, wp.min((strip + 1) * _STRIP, optics.width)):
        nearest = _EMPTY
        count = int(0)
        for sy in range(_SAMPLES):
            for sx in range(_SAMPLES):
                key = keys[wy * _SAMPLES + sy, wx * _SAMPLES + sx]
                nearest = wp.min(nearest, key)
                if key != _EMPTY:
                    seen[int(key & _LOW)] = wp.uint8(1)
                    count += 1
        counts[wy, wx] = wp.uint8(count)
        if nearest != _EMPTY:
            color = pixel_color(keys, model, light, optics, wx, wy, nearest)
            at = 3 * (wx + optics.left)
            for c in range(3):
                value = color[c]
                if color[3] > 0.0:
                    value += color[3] * to_linear[int(picture[y, at + 2 - c])]
                value = wp.clamp(value, 0.0, 1.0)
                picture[y, at + 2 - c] = to_srgb[int(value * 4095.0 + 0.5)]
