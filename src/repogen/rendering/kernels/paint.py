"""The colour of a person's surface at a point: a function of the place on the T-pose.

Layers: 0 skin, 1 eyes, 2 tights (cloth that stands off the skin), 3 skirt, 4 hair.
"""

from repogen.rendering.kernels.noise import noise
from repogen.warp_setup import wp


@wp.struct
class Fabric:
    color: wp.vec3
    accent: wp.vec3
    pattern: wp.int32
    scale: float
    wrinkles: float


@wp.struct
class Paint:
    """An outfit in linear colours; places as in `Outfit`."""

    skin: wp.vec3
    lips: wp.vec3
    iris: wp.vec3
    hair: wp.vec3
    brow: wp.vec3
    brows: float
    hair_style: wp.int32
    hairline: float
    top: Fabric
    sleeve: float
    waist: float
    neckline: float
    bottom: Fabric
    hem: float
    belt: float
    skirt: wp.int32
    skirt_hem: float
    shoe_top: float
    shoe: wp.vec3
    sole: wp.vec3
    seed: wp.vec3


@wp.struct
class Finish:
    """What the light needs to know of a point: albedo, gloss, how softly light wraps around
    (skin), and how strongly the normal is ruffled."""

    albedo: wp.vec3
    gloss: float
    wrap: float
    ruffle: float


@wp.func
def edge(signed_distance: float, width: float) -> float:
    """Coverage 0..1 of a pixel `width` metres wide whose middle lies so far inside an edge."""
    return wp.clamp(signed_distance / width + 0.5, 0.0, 1.0)


@wp.func
def top_depth(p: Paint, q: wp.vec3) -> float:
    """How far inside the top the point lies, metres; negative outside."""
    collar = 0.545 + p.neckline + 0.45 * (q[1] + 0.02)
    around = wp.max(collar - q[2], wp.abs(q[0]) - 0.1)
    return wp.min(wp.min(p.sleeve - wp.abs(q[0]), q[2] - p.waist), around)


@wp.func
def bottom_depth(p: Paint, q: wp.vec3) -> float:
    """How far inside trousers, shorts or skirt the point lies, metres."""
    return wp.min(p.belt - q[2], q[2] - p.hem)


@wp.func
def hair_depth(p: Paint, q: wp.vec3) -> float:
    """How far above the hairline the point lies, metres: down at the back, up at the brow."""
    line = 0.802 - 0.62 * (q[1] + 0.125) - p.hairline
    depth = (q[2] - line) * 0.85
    side = wp.abs(q[0])
    if side > 0.06 and q[1] < 0.03:
        # Clear of the ears.
        ear = wp.vec2((q[1] + 0.03) / 0.045, (q[2] - 0.715) / 0.05)
        depth = wp.min(depth, 0.03 * (wp.length(ear) - 1.0))
    return depth


@wp.func
def fabric_color(
    f: Fabric, q: wp.vec3, width: float, table: wp.array(dtype=wp.vec4), seed: wp.vec3
) -> wp.vec3:
    # Bands run around limbs: along x on the arms, along z elsewhere.
    along = q[2]
    across = q[0] + 0.5 * q[1]
    if wp.abs(q[0]) > 0.19 and q[2] > 0.3:
        along = q[0]
        across = q[2] + q[1]
    mix = float(0.0)
    if f.pattern == 1:
        mix = band(along, f.scale, 0.5, width)
    elif f.pattern == 2:
        mix = band(across, f.scale, 0.12, width)
    elif f.pattern == 3:
        mix = 0.5 * band(along, f.scale, 0.5, width) + 0.5 * band(across, f.scale, 0.5, width)
    elif f.pattern == 4:
        n = noise(table, q / (0.5 * f.scale) + seed)
        mix = wp.clamp(0.5 + 1.5 * n[0], 0.0, 1.0)
    elif f.pattern == 5:
        # A print on chest and back: blotches inside a rectangle.
        inside = wp.min(0.11 - wp.abs(q[0]), 0.10 - wp.abs(q[2] - 0.33))
        n = noise(table, q / 0.012 + seed)
        mix = edge(inside, width) * wp.clamp(0.5 + 2.5 * n[0], 0.0, 1.0)
    elif f.pattern == 6:
        # Dots, every other row shifted by half a step.
        row = wp.floor(along / f.scale)
        dx = across / f.scale + 0.5 * (row - 2.0 * wp.floor(0.5 * row))
        dx = (dx - wp.floor(dx) - 0.5) * f.scale
        dz = along - (row + 0.5) * f.scale
        mix = edge(0.3 * f.scale - wp.sqrt(dx * dx + dz * dz), width)
        mix += wp.clamp(2.0 * width / f.scale - 0.5, 0.0, 1.0) * (0.28 - mix)
    elif f.pattern == 7:
        # Plaid: broad bands with thin lines between them, both ways.
        bands = band(along, f.scale, 0.4, width) + band(across, f.scale, 0.4, width)
        lines = band(along + 0.3 * f.scale, f.scale, 0.06, width)
        lines = wp.max(lines, band(across + 0.3 * f.scale, f.scale, 0.06, width))
        mix = wp.max(0.38 * bands, 0.9 * lines)
    return f.color + mix * (f.accent - f.color)


@wp.func
def band(at: float, period: float, share: float, width: float) -> float:
    """Stripes covering `share` of each period, blurred to their mean where pixels are wide."""
    phase = at / period
    phase = phase - wp.floor(phase)
    inside = wp.min(phase, share - phase) * period
    if phase > share:
        inside = -wp.min(phase - share, 1.0 - phase) * period
    sharp = edge(inside, width)
    blur = wp.clamp(2.0 * width / period - 0.5, 0.0, 1.0)
    return sharp + blur * (share - sharp)


@wp.func
def eyeball(p: Paint, q: wp.vec3, eye: wp.vec3, width: float) -> Finish:
    x = wp.abs(q[0]) - eye[0]
    z = q[2] - eye[2]
    r = wp.sqrt(x * x + z * z)
    # Lids shade the eye, and what light it gets is mostly the skin's.
    white = wp.vec3(0.16, 0.15, 0.14) + 0.6 * p.skin
    color = white + edge(0.0058 - r, width) * (p.iris - white)
    if q[1] > eye[1] + 0.008:
        color = white
    out = Finish()
    out.albedo = color * (1.0 - 0.97 * edge(0.0026 - r, width))
    out.gloss = 0.1
    out.wrap = 0.0
    out.ruffle = 0.0
    return out


@wp.func
def long_hair(p: Paint, fine: wp.vec4) -> Finish:
    out = Finish()
    out.albedo = p.hair * wp.clamp(1.0 + 0.25 * fine[0], 0.4, 1.8)
    out.gloss = 0.05
    out.wrap = 0.0
    out.ruffle = 0.35
    return out


@wp.func
def bare_skin(
    p: Paint,
    picture: wp.vec4,
    q: wp.vec3,
    lips: float,
    eye: wp.vec3,
    width: float,
    folds: wp.vec4,
    fine: wp.vec4,
) -> Finish:
    """Skin with the face's colours, or a picture's, and the hair that is painted on."""
    color = p.skin * (1.0 + 0.05 * folds[0] + 0.03 * fine[0])
    if picture[3] > 0.0:
        color = wp.vec3(picture[0], picture[1], picture[2])
    out = Finish()
    out.gloss = 0.05
    out.wrap = 0.18
    out.ruffle = 0.03
    if q[2] > 0.55 and wp.abs(q[0]) < 0.12:
        plain = wp.where(picture[3] > 0.0, 0.0, 1.0)
        color = color + plain * lips * (p.lips - color)
        # Cheeks and nose are a little redder: a bump of 4 cm.
        away = wp.length_sq(q - wp.vec3(0.0, eye[1], eye[2] - 0.035))
        cheek = wp.max(1.0 - away / 0.0064, 0.0)
        cheek = cheek * cheek
        cheek = plain * cheek * cheek
        color = wp.cw_mul(color, wp.vec3(1.0 + 0.1 * cheek, 1.0 - 0.05 * cheek, 1.0 - 0.05 * cheek))
        if q[1] < eye[1] + 0.03:
            x = wp.abs(q[0]) - eye[0] - 0.002
            arch = eye[2] + 0.0125 - 0.05 * wp.abs(x) - 1.5 * x * x
            brow = wp.min(0.0034 - wp.abs(q[2] - arch), 0.02 - wp.abs(x))
            color = color + p.brows * edge(brow + 0.0012 * fine[1], width) * (p.brow - color)
        if p.hair_style > 0:
            cap = edge(hair_depth(p, q) + 0.003 * fine[1] + 0.002 * folds[1], width + 0.004)
            streak = wp.clamp(1.0 + 0.3 * fine[0] + 0.2 * folds[1], 0.4, 1.8)
            color = color + cap * (p.hair * streak - color)
            out.wrap = out.wrap * (1.0 - cap)
            out.ruffle = out.ruffle + 0.4 * cap
    out.albedo = color
    return out


@wp.func
def dressed(under: Finish, cloth: wp.vec3, wrinkles: float, cover: float) -> Finish:
    """The finish `under` a cloth that covers so much of it."""
    out = Finish()
    out.albedo = under.albedo + cover * (cloth - under.albedo)
    out.gloss = under.gloss * (1.0 - cover)
    out.wrap = under.wrap * (1.0 - cover)
    out.ruffle = under.ruffle + cover * (wrinkles - under.ruffle)
    return out


@wp.func
def finish(
    p: Paint,
    picture: wp.vec4,
    layer: int,
    q: wp.vec3,
    lips: float,
    eye: wp.vec3,
    width: float,
    folds: wp.vec4,
    table: wp.array(dtype=wp.vec4),
) -> Finish:
    """The surface at place `q` of the T-pose, where a pixel is `width` metres wide.

    `picture` is a picture's colour there, with alpha 0 where the skin has none; `eye` is the
    middle of the left eye's front; `folds` is noise some centimetres wide.
    """
    if layer == 1:
        return eyeball(p, q, eye, width)
    if layer == 4:
        return long_hair(p, noise(table, q * 70.0 + 3.0 * p.seed))

    # A wider pixel never blurs an edge by more than 4 cm: beyond that it is a speck.
    w = wp.clamp(width, 0.0015, 0.04)
    shirt = float(0.0)
    trousers = float(1.0)
    shoe = float(0.0)
    if layer != 3:
        shirt = edge(top_depth(p, q) + 0.004 * folds[1], w)
        trousers = edge(bottom_depth(p, q) + 0.004 * folds[2], w)
        shoe = edge(p.shoe_top - q[2], w)
    if layer == 2 and shirt + trousers + shoe < 0.5:
        # Cloth that stands off the skin is cloth to its edge.
        if q[2] >= p.belt:
            shirt = 1.0
        elif q[2] > -0.5:
            trousers = 1.0
        else:
            shoe = 1.0

    out = Finish()
    if wp.max(shirt, trousers) < 1.0:
        fine = noise(table, q * 70.0 + 3.0 * p.seed)
        out = bare_skin(p, picture, q, lips, eye, w, folds, fine)
    if trousers > 0.0 and shirt < 1.0:
        cloth = fabric_color(p.bottom, q, w, table, p.seed)
        out = dressed(out, cloth, p.bottom.wrinkles, trousers)
    if shirt > 0.0:
        cloth = fabric_color(p.top, q, w, table, 2.0 * p.seed)
        out = dressed(out, cloth, p.top.wrinkles, shirt)
    if shoe > 0.0:
        leather = p.shoe + edge(-0.922 - q[2], w) * (p.sole - p.shoe)
        out.albedo = out.albedo + shoe * (leather - out.albedo)
        out.gloss = out.gloss + shoe * (0.12 - out.gloss)
        out.wrap = out.wrap * (1.0 - shoe)
    out.albedo = wp.max(out.albedo, wp.vec3(0.004, 0.004, 0.004))
    return out
