"""Textures with mipmaps, and fabric dyed another colour."""

from repogen.rendering.kernels.codes import NO_TEXTURE
from repogen.rendering.kernels.paint import Fabric, Material, fabric_color
from repogen.warp_setup import wp

_BYTE = wp.constant(wp.uint32(255))

_HALF_OCTAVE = wp.constant(wp.float32(0.5**0.5))
"""Times the texels in a pixel: from 1 on, the next mipmap is the nearer one."""


@wp.struct
class Texels:
    """All textures' pixels, red in the lowest byte, then green, blue and alpha (sRGB), and a table
    of each byte's linear value."""

    pixels: wp.array(dtype=wp.uint32)
    to_linear: wp.array(dtype=wp.float32)


@wp.struct
class TexturedMaterial:
    """Material of a garment or an occluder.

    Its texture is width x height pixels (powers of two) from index `offset` of `Texels.pixels`,
    followed by `levels` - 1 smaller mipmaps; `offset` is `NO_TEXTURE` without one. `density` is
    texels per metre. `dye` is the share of the texture's colour that is replaced by the fabric's,
    times the texture's brightness over its mean `grey`; `soften`, 0 to 0.5, weakens that brightness
    where it is above the mean, and takes a smaller mipmap: hair would be speckled.
    """

    offset: wp.int32
    width: wp.int32
    height: wp.int32
    levels: wp.int32
    density: float
    fabric: Fabric
    dye: float
    grey: float
    soften: float
    gloss: float
    seed: wp.vec3


@wp.func
def texel(t: Texels, at: int) -> wp.vec4:
    """Linear colour and alpha of the texel at this index."""
    p = t.pixels[at]
    return wp.vec4(
        t.to_linear[int(p & _BYTE)],
        t.to_linear[int((p >> wp.uint32(8)) & _BYTE)],
        t.to_linear[int((p >> wp.uint32(16)) & _BYTE)],
        float(p >> wp.uint32(24)) * (1.0 / 255.0),
    )


@wp.func
def sample_texture(t: Texels, m: TexturedMaterial, uv: wp.vec2, width: float) -> wp.vec4:
    """Linear colour and alpha at uv, (0, 0) the upper left corner, where a pixel is `width` metres
    wide: bilinear in the mipmap whose texels are about as wide. Textures repeat."""
    first = m.offset
    w = m.width
    h = m.height
    level = int(1)
    texels = _HALF_OCTAVE * width * m.density
    while texels >= 1.0 and level < m.levels:
        first += w * h
        w = wp.max(w / 2, 1)
        h = wp.max(h / 2, 1)
        level += 1
        texels *= 0.5
    x = (uv[0] - wp.floor(uv[0])) * float(w) - 0.5
    y = (uv[1] - wp.floor(uv[1])) * float(h) - 0.5
    left = wp.floor(x)
    top = wp.floor(y)
    fx = x - left
    fy = y - top
    x0 = int(left) & (w - 1)
    y0 = int(top) & (h - 1)
    x1 = (x0 + 1) & (w - 1)
    y1 = (y0 + 1) & (h - 1)
    upper = (1.0 - fx) * texel(t, first + y0 * w + x0) + fx * texel(t, first + y0 * w + x1)
    lower = (1.0 - fx) * texel(t, first + y1 * w + x0) + fx * texel(t, first + y1 * w + x1)
    return (1.0 - fy) * upper + fy * lower


@wp.func
def textured_material(
    t: Texels,
    m: TexturedMaterial,
    uv: wp.vec2,
    q: wp.vec3,
    width: float,
    table: wp.array(dtype=wp.vec4),
) -> Material:
    """Material of a garment or an occluder at `uv`, at the point q of the T-pose."""
    out = Material()
    out.gloss = m.gloss
    out.wrap = 0.0
    out.normal_perturbation = m.fabric.wrinkles
    color = wp.vec3(1.0, 1.0, 1.0)
    if m.offset != NO_TEXTURE:
        c = sample_texture(t, m, uv, width * (1.0 + 2.0 * m.soften))
        color = wp.vec3(c[0], c[1], c[2])
    if m.dye > 0.0:
        w = wp.clamp(width, 0.0015, 0.04)
        shade = wp.dot(color, wp.vec3(0.2126, 0.7152, 0.0722)) / m.grey
        shade = shade / (1.0 + m.soften * (shade - 1.0))
        dyed = shade * fabric_color(m.fabric, q, w, table, m.seed)
        color = color + m.dye * (dyed - color)
    out.albedo = wp.min(wp.max(color, wp.vec3(0.004)), wp.vec3(0.95))
    return out
