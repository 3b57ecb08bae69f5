"""Material of a person's surface, as a function of the point on the T-pose.

Coordinates are those of `Surface.canonical`: metres, z up, the person faces -y.
"""

from repogen.rendering.kernels.codes import (
    HAIR_BALD,
    HAIR_SHAVED,
    LAYER_EYES,
    LAYER_HAIR,
    LAYER_SKIRT,
    LAYER_TIGHTS,
    PATTERN_CHECKS,
    PATTERN_DOTS,
    PATTERN_NOISE,
    PATTERN_PINSTRIPES,
    PATTERN_PLAID,
    PATTERN_PRINT,
    PATTERN_STRIPES,
)
from repogen.rendering.kernels.noise import noise
from repogen.warp_setup import wp

_STUBBLE = wp.constant(wp.float32(0.65))
"""How much of the skin shaved hair hides."""

_GUSSET = wp.constant(wp.float32(-0.19))
"""Metres: where shorts end at the least, in the body's middle plane; the crotch is above."""


@wp.struct
class Fabric:
    """`people.outfit.Fabric` in linear colours; `pattern` is one of the codes `PATTERN_...`."""

    color: wp.vec3
    accent: wp.vec3
    pattern: wp.int32
    scale: float
    wrinkles: float


@wp.struct
class Paint:
    """`people.outfit.Outfit` in linear colours; positions as there.

    `hair_style` is one of the codes `HAIR_...`; `skirt` is 1 with a skirt, else 0. `seed` is where
    the noise of folds and prints begins.
    """

    skin: wp.vec3
    lips: wp.vec3
    iris: wp.vec3
    hair: wp.vec3
    brow_color: wp.vec3
    brow_opacity: float
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
class Material:
    """What shading needs to know of a surface point: linear albedo, strength of the highlight,
    wrap lighting (n.l + wrap) / (1 + wrap) for skin, and how much noise is added to the unit
    normal."""

    albedo: wp.vec3
    gloss: float
    wrap: float
    normal_perturbation: float


@wp.func
def edge_coverage(signed_distance: float, width: float) -> float:
    """Coverage, 0..1, of a pixel `width` metres wide whose centre is `signed_distance` metres
    inside an edge."""
    return wp.clamp(signed_distance / width + 0.5, 0.0, 1.0)


@wp.func
def top_depth(p: Paint, q: wp.vec3) -> float:
    """Metres from the point to the border of the top; negative outside the top."""
    collar = 0.545 + p.neckline + 0.45 * (q[1] + 0.02)
    around = wp.max(collar - q[2], wp.abs(q[0]) - 0.1)
    return wp.min(wp.min(p.sleeve - wp.abs(q[0]), q[2] - p.waist), around)


@wp.func
def bottom_depth(p: Paint, q: wp.vec3) -> float:
    """Metres from the point to the border of trousers or shorts; negative outside them.

    However short their legs are, they go on below the crotch, as briefs and leotards do.
    """
    hem = wp.where(p.hem < 0.0, wp.min(p.hem, _GUSSET + wp.abs(q[0])), p.hem)
    return wp.min(p.belt - q[2], q[2] - hem)


@wp.func
def hair_depth(p: Paint, q: wp.vec3) -> float:
    """Metres above the hairline, which is low at the back and high at the brow."""
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
    """Linear colour of a fabric at the point q, where a pixel is `width` metres wide."""
    # Bands run around limbs: along x on the arms, along z elsewhere.
    along = q[2]
    across = q[0] + 0.5 * q[1]
    if wp.abs(q[0]) > 0.19 and q[2] > 0.3:
        along = q[0]
        across = q[2] + q[1]
    mix = float(0.0)
    if f.pattern == PATTERN_STRIPES:
        mix = band(along, f.scale, 0.5, width)
    elif f.pattern == PATTERN_PINSTRIPES:
        mix = band(across, f.scale, 0.12, width)
    elif f.pattern == PATTERN_CHECKS:
        mix = 0.5 * band(along, f.scale, 0.5, width) + 0.5 * band(across, f.scale, 0.5, width)
    elif f.pattern == PATTERN_NOISE:
        n = noise(table, q / (0.5 * f.scale) + seed)
        mix = wp.clamp(0.5 + 1.5 * n[0], 0.0, 1.0)
    elif f.pattern == PATTERN_PRINT:
        # Blotches inside a rectangle on chest and back.
        inside = wp.min(0.11 - wp.abs(q[0]), 0.10 - wp.abs(q[2] - 0.33))
        n = noise(table, q / 0.012 + seed)
        mix = edge_coverage(inside, width) * wp.clamp(0.5 + 2.5 * n[0], 0.0, 1.0)
    elif f.pattern == PATTERN_DOTS:
        # Dots, every other row shifted by half a step.
        row = wp.floor(along / f.scale)
        dx = across / f.scale + 0.5 * (row - 2.0 * wp.floor(0.5 * row))
        dx = (dx - wp.floor(dx) - 0.5) * f.scale
        dz = along - (row + 0.5) * f.scale
        mix = edge_coverage(0.3 * f.scale - wp.sqrt(dx * dx + dz * dz), width)
        mix += wp.clamp(2.0 * width / f.scale - 0.5, 0.0, 1.0) * (0.28 - mix)
    elif f.pattern == PATTERN_PLAID:
        # Broad bands with thin lines between them, both ways.
        bands = band(along, f.scale, 0.4, width) + band(across, f.scale, 0.4, width)
        lines = band(along + 0.3 * f.scale, f.scale, 0.06, width)
        lines = wp.max(lines, band(across + 0.3 * f.scale, f.scale, 0.06, width))
        mix = wp.max(0.38 * bands, 0.9 * lines)
    return f.color + mix * (f.accent - f.color)


@wp.func
def band(at: float, period: float, share: float, width: float) -> float:
    """Coverage of stripes that take `share` of each period; their mean where pixels are wide."""
    phase = at / period
    phase = phase - wp.floor(phase)
    inside = wp.min(phase, share - phase) * period
    if phase > share:
        inside = -wp.min(phase - share, 1.0 - phase) * period
    sharp = edge_coverage(inside, width)
    blur = wp.clamp(2.0 * width / period - 0.5, 0.0, 1.0)
    return sharp + blur * (share - sharp)


@wp.func
def eye_material(p: Paint, q: wp.vec3, eye: wp.vec3, width: float) -> Material:
    """Material of an eyeball; `eye` is the centre of the left eye's front."""
    x = wp.abs(q[0]) - eye[0]
    z = q[2] - eye[2]
    r = wp.sqrt(x * x + z * z)
    # Lids shade the eye, and most of its light is reflected by the skin.
    white = wp.vec3(0.16, 0.15, 0.14) + 0.6 * p.skin
    color = white + edge_coverage(0.0058 - r, width) * (p.iris - white)
    if q[1] > eye[1] + 0.008:
        color = white
    out = Material()
    out.albedo = color * (1.0 - 0.97 * edge_coverage(0.0026 - r, width))
    out.gloss = 0.1
    out.wrap = 0.0
    out.normal_perturbation = 0.0
    return out


@wp.func
def strand_brightness(table: wp.array(dtype=wp.vec4), q: wp.vec3, width: float) -> float:
    """Brightness of strands of hair, about 1; they lie along z, and fade where pixels are wide."""
    share = wp.clamp(1.5 - 250.0 * width, 0.0, 1.0)
    if share == 0.0:
        return 1.0
    fine = noise(table, wp.vec3(900.0 * q[0], 900.0 * q[1], 150.0 * q[2]))
    return wp.clamp(1.0 + 0.3 * share * fine[0], 0.5, 1.6)


@wp.func
def hair_material(p: Paint, strands: float) -> Material:
    """Material of hair that stands off the head; `strands` is `strand_brightness`."""
    out = Material()
    out.albedo = p.hair * strands
    out.gloss = 0.05
    out.wrap = 0.0
    out.normal_perturbation = 0.35
    return out


@wp.func
def skin_material(
    p: Paint,
    picture: wp.vec4,
    q: wp.vec3,
    lips: float,
    eye: wp.vec3,
    width: float,
    folds: wp.vec4,
    fine: wp.vec4,
    table: wp.array(dtype=wp.vec4),
) -> Material:
    """Material of skin, with a texture's colour or the face's, and with painted hair."""
    color = p.skin * (1.0 + 0.05 * folds[0] + 0.03 * fine[0])
    if picture[3] > 0.0:
        color = wp.vec3(picture[0], picture[1], picture[2])
    out = Material()
    out.gloss = 0.05
    out.wrap = 0.18
    out.normal_perturbation = 0.03
    if q[2] > 0.55 and wp.abs(q[0]) < 0.12:
        plain = wp.where(picture[3] > 0.0, 0.0, 1.0)
        color = color + plain * lips * (p.lips - color)
        # Cheeks and nose are a little redder, over 4 cm.
        away = wp.length_sq(q - wp.vec3(0.0, eye[1], eye[2] - 0.035))
        cheek = wp.max(1.0 - away / 0.0064, 0.0)
        cheek = cheek * cheek
        cheek = plain * cheek * cheek
        color = wp.cw_mul(color, wp.vec3(1.0 + 0.1 * cheek, 1.0 - 0.05 * cheek, 1.0 - 0.05 * cheek))
        if q[1] < eye[1] + 0.03:
            x = wp.abs(q[0]) - eye[0] - 0.002
            arch = eye[2] + 0.0125 - 0.05 * wp.abs(x) - 1.5 * x * x
            brow = wp.min(0.0034 - wp.abs(q[2] - arch), 0.02 - wp.abs(x))
            color = color + p.brow_opacity * edge_coverage(brow + 0.0012 * fine[1], width) * (
                p.brow_color - color
            )
        if p.hair_style != HAIR_BALD:
            cap = edge_coverage(
                hair_depth(p, q) + 0.003 * fine[1] + 0.002 * folds[1], width + 0.004
            )
            if p.hair_style == HAIR_SHAVED:
                cap = _STUBBLE * cap
            if cap > 0.0:
                streak = (1.0 + 0.2 * folds[1]) * strand_brightness(table, q, width)
                color = color + cap * (p.hair * streak - color)
            out.wrap = out.wrap * (1.0 - cap)
            out.normal_perturbation = out.normal_perturbation + 0.4 * cap
    out.albedo = color
    return out


@wp.func
def cloth_over(under: Material, cloth: wp.vec3, wrinkles: float, cover: float) -> Material:
    """The material `under` with the share `cover` of it under cloth."""
    out = Material()
    out.albedo = under.albedo + cover * (cloth - under.albedo)
    out.gloss = under.gloss * (1.0 - cover)
    out.wrap = under.wrap * (1.0 - cover)
    out.normal_perturbation = under.normal_perturbation + cover * (
        wrinkles - under.normal_perturbation
    )
    return out


@wp.func
def painted_material(
    p: Paint,
    picture: wp.vec4,
    layer: int,
    q: wp.vec3,
    lips: float,
    eye: wp.vec3,
    width: float,
    folds: wp.vec4,
    table: wp.array(dtype=wp.vec4),
) -> Material:
    """Material of a body at the point q of the T-pose, where a pixel is `width` metres wide.

    `picture` is the skin texture's colour there, with alpha 0 without a texture; `eye` is the
    centre of the left eye's front; `folds` is noise some centimetres wide.
    """
    if layer == LAYER_EYES:
        return eye_material(p, q, eye, width)
    if layer == LAYER_HAIR:
        return hair_material(p, strand_brightness(table, q, width))

    # Pixels wider than 4 cm show a person as a speck, whose edges need no more blur.
    w = wp.clamp(width, 0.0015, 0.04)
    shirt = float(0.0)
    trousers = float(1.0)
    shoe = float(0.0)
    if layer != LAYER_SKIRT:
        shirt = edge_coverage(top_depth(p, q) + 0.004 * folds[1], w)
        trousers = edge_coverage(bottom_depth(p, q) + 0.004 * folds[2], w)
        shoe = edge_coverage(p.shoe_top - q[2], w)
    if layer == LAYER_TIGHTS and shirt + trousers + shoe < 0.5:
        # This layer stands off the skin, so its edge shows no skin.
        if q[2] >= p.belt:
            shirt = 1.0
        elif q[2] > -0.5:
            trousers = 1.0
        else:
            shoe = 1.0

    out = Material()
    if wp.max(shirt, trousers) < 1.0:
        fine = noise(table, q * 70.0 + 3.0 * p.seed)
        out = skin_material(p, picture, q, lips, eye, w, folds, fine, table)
    if trousers > 0.0 and shirt < 1.0:
        cloth = fabric_color(p.bottom, q, w, table, p.seed)
        out = cloth_over(out, cloth, p.bottom.wrinkles, trousers)
    if shirt > 0.0:
        cloth = fabric_color(p.top, q, w, table, 2.0 * p.seed)
        out = cloth_over(out, cloth, p.top.wrinkles, shirt)
    if shoe > 0.0:
        leather = p.shoe + edge_coverage(-0.922 - q[2], w) * (p.sole - p.shoe)
        out.albedo = out.albedo + shoe * (leather - out.albedo)
        out.gloss = out.gloss + shoe * (0.12 - out.gloss)
        out.wrap = out.wrap * (1.0 - shoe)
    out.albedo = wp.max(out.albedo, wp.vec3(0.004, 0.004, 0.004))
    return out
