"""From the z-buffer to the picture: materials, lights, shadows and antialiased edges."""

from repogen.rendering.kernels.codes import (
    LAYER_CLOTH,
    LAYER_OCCLUDER,
    LAYER_STRANDS,
    MOST_LIGHT,
    NO_MATERIAL,
)
from repogen.rendering.kernels.colors import srgb_byte
from repogen.rendering.kernels.folds import fold_slope, has_folds, tilt_of_slope
from repogen.rendering.kernels.geometry import DirectionalLight
from repogen.rendering.kernels.lens import Lens, depth, ray
from repogen.rendering.kernels.modules import PICTURE
from repogen.rendering.kernels.noise import noise
from repogen.rendering.kernels.occlusion import FloorMap
from repogen.rendering.kernels.paint import Material, painted_material, strand_brightness
from repogen.rendering.kernels.raster import (
    EMPTY,
    KEY_FACE_BITS,
    KEY_FAR,
    KEY_SCALE,
    SAMPLES,
    corner_weights,
)
from repogen.rendering.kernels.scene_mesh import SceneMesh
from repogen.rendering.kernels.texture import sample_texture, textured_material
from repogen.warp_setup import wp

_EMPTY = wp.constant(wp.uint64(EMPTY))
_FACE_MASK = wp.constant(wp.uint64(2**KEY_FACE_BITS - 1))
_FACE_BITS = wp.constant(wp.uint64(KEY_FACE_BITS))
_KEY_FAR = wp.constant(KEY_FAR)
_KEY_SCALE = wp.constant(wp.float32(KEY_SCALE))
_SAME_DEPTH = wp.constant(wp.float32(0.02))

_SAMPLES = wp.constant(SAMPLES)
_MOST = wp.constant(wp.float32(MOST_LIGHT))

_OFF_SURFACE = wp.constant(wp.float32(0.004))
"""Metres from a surface to where its shadow is looked up, at least."""

_FLOOR_TAPS = wp.constant(8)
"""Points of the floor, at most, that a pixel's shadow is the mean of."""

STRIP = 8
"""Pixels of a row that a thread takes."""
_STRIP = wp.constant(STRIP)


@wp.struct
class Lighting:
    """Directional lights (camera frame), shadow maps of the first `shadow_count` of them with
    texels of `shadow_texel` metres, and the irradiance of the rest of the environment as spherical
    harmonics (`ambient_irradiance`). `floor_light` are the shares of the lights with shadow maps
    that reach the floor: `floor_size` x `floor_size` texels of the same squares for each light
    (`floor_shadow.floor_light_squares`)."""

    lights: wp.array(dtype=DirectionalLight)
    shadow_count: wp.int32
    shadow_size: wp.int32
    shadow_texel: float
    shadow_depths: wp.array(dtype=wp.float32)
    floor_light: wp.array(dtype=wp.float32)
    floor_size: wp.int32
    up: wp.vec3
    to_world: wp.mat33
    sh_irradiance: wp.array(dtype=wp.vec3)
    floor: FloorMap


@wp.struct
class Viewport:
    """The camera's lens, and the window of `width` x `height` pixels from pixel (left, top) that
    the z-buffer covers, with `samples` samples in each pixel."""

    lens: Lens
    left: wp.int32
    top: wp.int32
    width: wp.int32
    height: wp.int32
    samples: wp.int32


@wp.func
def off_surface(lighting: Lighting, index: int, at: wp.vec3, normal: wp.vec3) -> wp.vec3:
    """A point off a surface that is in the shadow map of a light, by as much as it descends along
    the light's rays within the texels of `light_visibility`."""
    cosine = wp.dot(normal, lighting.lights[index].direction)
    sine = wp.sqrt(wp.max(1.0 - cosine * cosine, 0.0))
    return at + (_OFF_SURFACE + 1.5 * lighting.shadow_texel * sine) * normal


@wp.func
def light_visibility(lighting: Lighting, index: int, at: wp.vec3, bias: float) -> float:
    """Share of a light that reaches a point of the camera's frame: nine shadow texels, weighted
    by a quadratic B-spline, so that edges are soft and not jagged. `bias` is in metres along the
    light.
    """
    t = lighting.lights[index].matrix * at + lighting.lights[index].offset
    size = lighting.shadow_size
    x0 = int(wp.floor(t[0]))
    y0 = int(wp.floor(t[1]))
    if x0 < 1 or y0 < 1 or x0 >= size - 1 or y0 >= size - 1:
        return 1.0
    fx = t[0] - float(x0)
    fy = t[1] - float(y0)
    wx = wp.vec3(0.5 * (1.0 - fx) * (1.0 - fx), 0.5 + fx * (1.0 - fx), 0.5 * fx * fx)
    wy = wp.vec3(0.5 * (1.0 - fy) * (1.0 - fy), 0.5 + fy * (1.0 - fy), 0.5 * fy * fy)
    first = (index * size + y0 - 1) * size + x0 - 1
    z = t[2] - bias
    visible = float(0.0)
    for row in range(3):
        i = first + row * size
        a = wp.where(lighting.shadow_depths[i] < z, 0.0, wx[0])
        b = wp.where(lighting.shadow_depths[i + 1] < z, 0.0, wx[1])
        c = wp.where(lighting.shadow_depths[i + 2] < z, 0.0, wx[2])
        visible += wy[row] * (a + b + c)
    return visible


@wp.func
def floor_footprint(lighting: Lighting, ahead: wp.vec3, far: float, angle: float) -> wp.vec3:
    """What a pixel `angle` radians wide sees of a floor that its ray (`ahead`, of unit length,
    camera frame) meets after `far` metres: a line away from the camera, at most half as long as
    the floor is far."""
    sine = wp.max(-wp.dot(ahead, lighting.up), 0.01)
    level = ahead + sine * lighting.up
    return (far * wp.min(angle / sine, 0.5) / wp.max(wp.length(level), 0.01)) * level


@wp.func
def floor_visibility(
    lighting: Lighting, index: int, ahead: wp.vec3, far: float, angle: float
) -> float:
    """Share of a light that reaches what a pixel sees of the floor (`floor_footprint`)."""
    size = lighting.floor_size
    scale = float(size) / float(lighting.shadow_size)
    matrix = lighting.lights[index].matrix
    t = scale * (matrix * (far * ahead) + lighting.lights[index].offset)
    last = float(size) - 0.5
    if t[0] < 0.5 or t[1] < 0.5 or t[0] >= last or t[1] >= last:
        return 1.0
    way = scale * (matrix * floor_footprint(lighting, ahead, far, angle))
    length = wp.max(wp.abs(way[0]), wp.abs(way[1]))
    taps = int(wp.clamp(0.5 * length, 0.0, float(_FLOOR_TAPS - 1))) + 1
    visible = float(0.0)
    for tap in range(taps):
        shift = (float(tap) + 0.5) / float(taps) - 0.5
        x = t[0] + shift * way[0] - 0.5
        y = t[1] + shift * way[1] - 0.5
        if x < 0.0 or y < 0.0 or x >= float(size - 1) or y >= float(size - 1):
            visible += 1.0
        else:
            x0 = int(x)
            y0 = int(y)
            fx = x - float(x0)
            fy = y - float(y0)
            i = (index * size + y0) * size + x0
            a = lighting.floor_light[i]
            b = lighting.floor_light[i + size]
            a += fx * (lighting.floor_light[i + 1] - a)
            b += fx * (lighting.floor_light[i + size + 1] - b)
            visible += a + fy * (b - a)
    return visible / float(taps)


@wp.func
def ambient_irradiance(lighting: Lighting, normal: wp.vec3) -> wp.vec3:
    """Irradiance from the environment, without the directional lights, on a surface with this unit
    normal in the camera's frame: spherical harmonics of degree 2 in the world's frame."""
    sh = lighting.sh_irradiance
    n = lighting.to_world * normal
    e = sh[0] + n[0] * sh[1] + n[1] * sh[2] + n[2] * sh[3]
    e += n[0] * n[1] * sh[4] + n[1] * n[2] * sh[5]
    e += (3.0 * n[2] * n[2] - 1.0) * sh[6] + n[0] * n[2] * sh[7]
    e += (n[0] * n[0] - n[1] * n[1]) * sh[8]
    return wp.max(e, wp.vec3(0.0, 0.0, 0.0))


@wp.func
def reflected_light(
    lighting: Lighting, material: Material, at: wp.vec3, n: wp.vec3, ambient_occlusion: float
) -> wp.vec3:
    """Radiance towards the camera of a point with normal n that sees the share `ambient_occlusion`
    of the sky."""
    lit = wp.vec3(0.0, 0.0, 0.0)
    specular = wp.vec3(0.0, 0.0, 0.0)
    view = -wp.normalize(at)
    steepness = 1.0 / (1.0 + material.wrap)
    for i in range(lighting.lights.shape[0]):
        to_light = lighting.lights[i].direction
        cosine = (wp.dot(n, to_light) + material.wrap) * steepness
        if cosine > 0.0:
            color = lighting.lights[i].color
            if i < lighting.shadow_count:
                raised = off_surface(lighting, i, at, n)
                color = color * light_visibility(lighting, i, raised, 0.008)
            lit += cosine * color
            if material.gloss > 0.0:
                half = view + to_light
                s = wp.max(wp.dot(n, half), 0.0)
                s = s * s / wp.max(wp.length_sq(half), 1.0e-6)
                s = s * s
                s = s * s
                specular += (s * s * s) * color
    # No light reaches the inside of a mouth; lights without shadows are weak in narrow gaps.
    shelter = wp.min(1.0, 1.6 * ambient_occlusion)
    # Light that is reflected in a gap, in its colour: the sum over all bounces.
    hidden = 1.0 - ambient_occlusion
    albedo = material.albedo
    share = wp.vec3(
        ambient_occlusion / (1.0 - albedo[0] * hidden),
        ambient_occlusion / (1.0 - albedo[1] * hidden),
        ambient_occlusion / (1.0 - albedo[2] * hidden),
    )
    ambient = wp.cw_mul(share, ambient_irradiance(lighting, n))
    return wp.cw_mul(albedo, ambient + shelter * lit) + (material.gloss * shelter) * specular


@wp.func
def shade_sample(
    mesh: SceneMesh, lighting: Lighting, viewport: Viewport, f: int, d: wp.vec3
) -> wp.vec3:
    """Linear colour of face f where the ray d meets it."""
    a = mesh.vertices[mesh.faces[f, 0]]
    b = mesh.vertices[mesh.faces[f, 1]]
    c = mesh.vertices[mesh.faces[f, 2]]
    w = corner_weights(a.position, b.position, c.position, d)
    at = w[0] * a.position + w[1] * b.position + w[2] * c.position
    n = w[0] * a.normal + w[1] * b.normal + w[2] * c.normal
    q = w[0] * a.canonical + w[1] * b.canonical + w[2] * c.canonical
    ambient_occlusion = w[0] * a.occlusion + w[1] * b.occlusion + w[2] * c.occlusion
    lips = w[0] * a.lips + w[1] * b.lips + w[2] * c.lips
    facing = wp.dot(n, at)
    if facing > 0.0:
        # Little light reaches the inside of clothes. Just beyond an outline it is the outside:
        # there the normal is mirrored, for the opposite one would be lit from the other side.
        inside = wp.clamp(4.0 * facing / wp.length(at) - 0.5, 0.0, 1.0)
        mirrored = n - (2.0 * facing / wp.length_sq(at)) * at
        n = mirrored - inside * (n + mirrored)
        ambient_occlusion = ambient_occlusion * (1.0 - 0.6 * inside)
    width = depth(viewport.lens, at) / viewport.lens.fx
    layer = int(mesh.layers[f])
    surface = Material()
    folds = wp.vec4(0.0, 0.0, 0.0, 0.0)
    seed = wp.vec3(0.0, 0.0, 0.0)
    index = int(mesh.face_materials[f])
    uv = w[0] * mesh.uvs[3 * f] + w[1] * mesh.uvs[3 * f + 1] + w[2] * mesh.uvs[3 * f + 2]
    painted = layer != LAYER_CLOTH and layer != LAYER_STRANDS and layer != LAYER_OCCLUDER
    if painted:
        p = mesh.paints[a.person]
        picture = wp.vec4(0.0, 0.0, 0.0, 0.0)
        if index != NO_MATERIAL:
            picture = sample_texture(mesh.texels, mesh.materials[index], uv, width)
            picture[3] = 1.0
        seed = p.seed
        folds = noise(mesh.noise, q * 24.0 + seed)
        surface = painted_material(p, picture, layer, q, lips, mesh.eye, width, folds, mesh.noise)
    else:
        seed = mesh.materials[index].seed
        folds = noise(mesh.noise, q * 24.0 + seed)
        surface = textured_material(mesh.texels, mesh.materials[index], uv, q, width, mesh.noise)
        if layer == LAYER_STRANDS:
            surface.albedo = surface.albedo * strand_brightness(mesh.noise, q, width)
    if has_folds(layer):
        # Folds that a pixel cannot show are left out.
        strength = surface.normal_perturbation * wp.clamp(2.0 - 80.0 * width, 0.0, 1.0)
        surface.normal_perturbation = 0.3 * surface.normal_perturbation
        steep = w[0] * mesh.folds[mesh.faces[f, 0]]
        steep += w[1] * mesh.folds[mesh.faces[f, 1]]
        steep += w[2] * mesh.folds[mesh.faces[f, 2]]
        fold = fold_slope(mesh.noise, strength * steep, q + seed, folds)
        if fold[3] > 0.0:
            n = n - tilt_of_slope(
                wp.vec3(fold[0], fold[1], fold[2]),
                b.canonical - a.canonical,
                c.canonical - a.canonical,
                b.position - a.position,
                c.position - a.position,
            )
            ambient_occlusion = ambient_occlusion * (1.0 - wp.min(fold[3], 0.7))
    n = wp.normalize(n + surface.normal_perturbation * wp.vec3(folds[1], folds[2], folds[3]))
    return reflected_light(lighting, surface, at, n, ambient_occlusion)


@wp.func
def same_surface(mesh: SceneMesh, one: wp.uint64, other: wp.uint64) -> int:
    """1 where two samples see the same layer at about the same depth, else 0; from their keys."""
    if one & _FACE_MASK == other & _FACE_MASK:
        return 1
    # 1 / a - 1 / b = (b - a) / (a b)
    a = float(_KEY_FAR - int(one >> _FACE_BITS))
    b = float(_KEY_FAR - int(other >> _FACE_BITS))
    if wp.abs(a - b) * _KEY_SCALE >= _SAME_DEPTH * a * b:
        return 0
    if mesh.layers[int(one & _FACE_MASK)] != mesh.layers[int(other & _FACE_MASK)]:
        return 0
    return 1


@wp.func
def pixel_color(
    depth_face_keys: wp.array2d(dtype=wp.uint64),
    mesh: SceneMesh,
    lighting: Lighting,
    viewport: Viewport,
    wx: int,
    wy: int,
    nearest: wp.uint64,
) -> wp.vec4:
    """Linear colour of a pixel of the window, whose nearest sample has the key `nearest`, and the
    share of its samples that see no face.

    Inside a surface the pixel's centre alone is shaded. Where samples see different layers or
    depths each is shaded, but one sample of the nearest surface stands for all that see it.
    """
    alike = int(0)
    empty = int(0)
    for sy in range(_SAMPLES):
        for sx in range(_SAMPLES):
            key = depth_face_keys[wy * _SAMPLES + sy, wx * _SAMPLES + sx]
            if key == _EMPTY:
                empty += 1
            else:
                alike += same_surface(mesh, nearest, key)
    inside = alike == _SAMPLES * _SAMPLES
    color = wp.vec3(0.0, 0.0, 0.0)
    for sample in range(viewport.samples):
        sx = sample % _SAMPLES
        sy = sample // _SAMPLES
        key = depth_face_keys[wy * _SAMPLES + sy, wx * _SAMPLES + sx]
        x = (float(sx) + 0.5) / float(_SAMPLES)
        y = (float(sy) + 0.5) / float(_SAMPLES)
        if inside:
            key = nearest
            x = 0.5
            y = 0.5
        if key != _EMPTY:
            weight = int(1)
            if same_surface(mesh, nearest, key) == 1:
                weight = alike
                alike = 0
            if weight > 0:
                # In one place, so that the compiler does not copy its arguments for each pixel.
                towards = ray(
                    viewport.lens, x + float(wx + viewport.left), y + float(wy + viewport.top)
                )
                value = shade_sample(mesh, lighting, viewport, int(key & _FACE_MASK), towards)
                color += float(weight) * wp.min(value, wp.vec3(_MOST, _MOST, _MOST))
        if inside:
            break
    share = 1.0 / float(_SAMPLES * _SAMPLES)
    return share * wp.vec4(color[0], color[1], color[2], float(empty))


@wp.kernel(module=PICTURE)
def shade(
    depth_face_keys: wp.array2d(dtype=wp.uint64),
    mesh: SceneMesh,
    lighting: Lighting,
    viewport: Viewport,
    to_linear: wp.array(dtype=wp.float32),
    to_srgb: wp.array(dtype=wp.uint8),
    picture: wp.array2d(dtype=wp.uint8),
    seen: wp.array(dtype=wp.uint8),
    counts: wp.array2d(dtype=wp.uint8),
):
    """A strip of `STRIP` pixels of the window, drawn over the background in `picture`: BGR bytes.

    `seen` gets 1 for every face that a sample sees, `counts` how many samples of each pixel of
    the window see a face. A thread takes several pixels, because on a CPU it begins by reading
    all its arguments, which takes as long as a few pixels.
    """
    wy, strip = wp.tid()
    y = wy + viewport.top
    for wx in range(strip * _STRIP, wp.min((strip + 1) * _STRIP, viewport.width)):
        nearest = _EMPTY
        count = int(0)
        for sy in range(_SAMPLES):
            for sx in range(_SAMPLES):
                key = depth_face_keys[wy * _SAMPLES + sy, wx * _SAMPLES + sx]
                nearest = wp.min(nearest, key)
                if key != _EMPTY:
                    seen[int(key & _FACE_MASK)] = wp.uint8(1)
                    count += 1
        counts[wy, wx] = wp.uint8(count)
        if nearest != _EMPTY:
            color = pixel_color(depth_face_keys, mesh, lighting, viewport, wx, wy, nearest)
            at = 3 * (wx + viewport.left)
            for c in range(3):
                value = color[c]
                if color[3] > 0.0:
                    value += color[3] * to_linear[int(picture[y, at + 2 - c])]
                picture[y, at + 2 - c] = srgb_byte(to_srgb, value)
