"""A panorama behind the people, in the camera's true direction, with their shadows on its floor."""

from repogen.rendering.kernels.colors import store_bgr
from repogen.rendering.kernels.ground import Ground, ground_detail
from repogen.rendering.kernels.lens import Lens, ray
from repogen.rendering.kernels.modules import PICTURE
from repogen.rendering.kernels.occlusion import floor_share
from repogen.rendering.kernels.room import STRIP
from repogen.rendering.kernels.shade import (
    Lighting,
    ambient_irradiance,
    floor_footprint,
    floor_visibility,
)
from repogen.rendering.packed_light import CHANNEL_BITS
from repogen.warp_setup import wp

_STRIP = wp.constant(STRIP)
_CHANNEL_BITS = wp.constant(wp.uint32(CHANNEL_BITS))
_CHANNEL = wp.constant(wp.uint32(2**CHANNEL_BITS - 1))
_TAPS = wp.constant(6)
"""Points of the floor, at most, that a pixel's colour is the mean of."""
_LOW = wp.constant(wp.float32(2.0))
"""Pixels of a panorama, about, that a pixel must see along the floor to be the mean of several
points."""
_TAU = wp.constant(wp.float32(6.283185307179586))


@wp.struct
class Panorama:
    """`environment.panoramas.Panorama`; `to_map` takes the camera's axes to the panorama's,
    and `eye` is the camera's position in them, from the centre of the floor. `gains` are its
    exposure and white balance, `white` the light from which on a picture is white: brighter pixels
    count as that, so that the edges of windows and lamps are smooth. `pixels` and `factors` are
    those of `packed_light.pack_light`."""

    pixels: wp.array2d(dtype=wp.uint32)
    factors: wp.array(dtype=wp.float32)
    to_map: wp.mat33
    eye: wp.vec3
    gains: wp.vec3
    white: wp.vec3
    eye_height: float
    reach: float
    ground: Ground


@wp.func
def turn_of(y: float, x: float) -> float:
    """atan2(y, x) in turns, within 5e-7, and much faster than the C library's."""
    down = wp.abs(y)
    across = wp.abs(x)
    t = wp.min(down, across) / wp.max(wp.max(down, across), 1.0e-20)
    s = t * t
    # The polynomial through the function at Chebyshev's points of s, 0 to 1.
    high = -0.0191700 + s * (0.0090066 - s * 0.0020898)
    turn = t * (0.1591541 + s * (-0.0529918 + s * (0.0310904 + s * high)))
    turn = wp.where(down > across, 0.25 - turn, turn)
    turn = wp.where(x < 0.0, 0.5 - turn, turn)
    return wp.where(y < 0.0, -turn, turn)


@wp.func
def direction_to_map(d: wp.vec3) -> wp.vec2:
    """Column and row, as shares of the panorama's width and height, of a direction."""
    level = wp.sqrt(d[0] * d[0] + d[1] * d[1])
    return wp.vec2(0.5 + turn_of(-d[0], -d[1]), 0.5 - 2.0 * turn_of(d[2], level))


@wp.func
def panorama_texel(panorama: Panorama, y: int, x: int) -> wp.vec3:
    """Linear colour of a pixel of the panorama."""
    bits = panorama.pixels[y, x]
    red = float(int(bits & _CHANNEL))
    green = float(int((bits >> _CHANNEL_BITS) & _CHANNEL))
    blue = float(int((bits >> (_CHANNEL_BITS + _CHANNEL_BITS)) & _CHANNEL))
    exponent = int(bits >> (_CHANNEL_BITS + _CHANNEL_BITS + _CHANNEL_BITS))
    return wp.min(panorama.factors[exponent] * wp.vec3(red, green, blue), panorama.white)


@wp.func
def panorama_at(panorama: Panorama, at: wp.vec2) -> wp.vec3:
    """Linear colour of the panorama at a column and row (`direction_to_map`), bilinear."""
    height = panorama.pixels.shape[0]
    width = panorama.pixels.shape[1]
    x = (at[0] - wp.floor(at[0])) * float(width) - 0.5
    y = at[1] * float(height) - 0.5
    left = wp.floor(x)
    top = wp.floor(y)
    fx = x - left
    fy = y - top
    x0 = wp.where(left < 0.0, width - 1, int(left))
    x1 = wp.where(x0 + 1 < width, x0 + 1, 0)
    y0 = wp.clamp(int(top), 0, height - 1)
    y1 = wp.clamp(int(top) + 1, 0, height - 1)
    upper = (1.0 - fx) * panorama_texel(panorama, y0, x0) + fx * panorama_texel(panorama, y0, x1)
    lower = (1.0 - fx) * panorama_texel(panorama, y1, x0) + fx * panorama_texel(panorama, y1, x1)
    return (1.0 - fy) * upper + fy * lower


@wp.func
def floor_light_share(
    lighting: Lighting, ambient: float, ahead: wp.vec3, far: float, angle: float
) -> float:
    """Share of its light that reaches what a pixel sees of the floor (`floor_footprint`) past the
    people; `ambient` is how much comes from the panorama without the directional lights."""
    whole = ambient
    received = ambient * floor_share(lighting.floor, far * ahead)
    for i in range(lighting.shadow_count):
        down = wp.dot(lighting.lights[i].direction, lighting.up)
        if down > 0.05:
            strength = down * wp.length(lighting.lights[i].color)
            whole += strength
            received += strength * floor_visibility(lighting, i, ahead, far, angle)
    return received / whole


@wp.func
def floor_color(panorama: Panorama, x: float, y: float, pixel: float) -> wp.vec3:
    """Linear colour of the floor at (x, y), metres from its centre, with detail that is finer than
    the panorama; a pixel of the picture is `pixel` metres wide there."""
    square = x * x + y * y
    away = wp.sqrt(square + panorama.eye_height * panorama.eye_height)
    at = direction_to_map(wp.vec3(x, y, -panorama.eye_height))
    slant = away / panorama.eye_height
    detail = ground_detail(panorama.ground, x, y, away, slant, pixel, at[0], at[1])
    at[0] += wp.clamp(detail.shift / (_TAU * wp.sqrt(square) + 0.1), -0.2, 0.2)
    color = panorama_at(panorama, at)
    # The exponential's first terms: never negative.
    change = detail.light
    return color + wp.cw_mul(color, change + 0.5 * wp.cw_mul(change, change))


@wp.func
def floor_colors(panorama: Panorama, at: wp.vec3, along: wp.vec3, pixel: float) -> wp.vec3:
    """`floor_color` at a point, or its mean along what a pixel sees, `along`, where that is wider
    than a pixel of the panorama, as for a camera near the floor."""
    square = at[0] * at[0] + at[1] * at[1] + panorama.eye_height * panorama.eye_height
    towards = wp.vec3(at[0], at[1], -panorama.eye_height)
    inward = wp.dot(along, towards)
    across = wp.sqrt(wp.max(wp.dot(along, along) - inward * inward / square, 0.0) / square)
    taps = int(wp.clamp(across / panorama.ground.texel * 0.7 + 0.5, 1.0, float(_TAPS)))
    color = wp.vec3(0.0, 0.0, 0.0)
    for tap in range(taps):
        shift = (float(tap) + 0.5) / float(taps) - 0.5
        color += floor_color(panorama, at[0] + shift * along[0], at[1] + shift * along[1], pixel)
    return color / float(taps)


@wp.func
def panorama_color(
    panorama: Panorama, lighting: Lighting, ambient: float, towards: wp.vec3, focal: float
) -> wp.vec3:
    """Linear colour along a ray in the camera's frame: of the floor's disc, or of the sphere around
    it; `focal` is in pixels."""
    ahead = wp.normalize(towards)
    d = panorama.to_map * ahead
    middle = wp.vec3(0.0, 0.0, panorama.eye_height)
    if d[2] < -1.0e-4:
        far = -panorama.eye[2] / d[2]
        at = panorama.eye + far * d
        if at[0] * at[0] + at[1] * at[1] < panorama.reach * panorama.reach:
            # The floor is seen at a slant: the mean of a pixel's width and depth.
            pixel = far / (focal * wp.sqrt(-d[2]))
            angle = 1.0 / focal
            share = floor_light_share(lighting, ambient, ahead, far, angle)
            if angle * panorama.eye_height < _LOW * panorama.ground.texel * panorama.eye[2]:
                return share * floor_color(panorama, at[0], at[1], pixel)
            along = floor_footprint(lighting, ahead, far, angle)
            return share * floor_colors(panorama, at, panorama.to_map * along, pixel)
    # The sphere around `middle` that holds the rim of the floor.
    square = panorama.reach * panorama.reach + panorama.eye_height * panorama.eye_height
    away = panorama.eye - middle
    b = wp.dot(away, d)
    inside = b * b - wp.dot(away, away) + square
    beyond = d
    if inside > 0.0:
        beyond = away + (wp.sqrt(inside) - b) * d
    return panorama_at(panorama, direction_to_map(beyond))


@wp.kernel(module=PICTURE)
def draw_panorama(
    panorama: Panorama,
    lens: Lens,
    lighting: Lighting,
    to_srgb: wp.array(dtype=wp.uint8),
    width: int,
    shrink: int,
    out: wp.array2d(dtype=wp.uint8),
):
    """A strip of `STRIP` background pixels, BGR, each as wide as `shrink` camera pixels; black
    where the lens sees nothing."""
    y, strip = wp.tid()
    scale = float(shrink)
    ambient = wp.length(ambient_irradiance(lighting, lighting.up)) + 1.0e-6
    for x in range(strip * _STRIP, wp.min((strip + 1) * _STRIP, width)):
        towards = ray(lens, (float(x) + 0.5) * scale, (float(y) + 0.5) * scale)
        color = wp.vec3(0.0, 0.0, 0.0)
        if wp.length_sq(towards) > 0.0:
            color = panorama_color(panorama, lighting, ambient, towards, lens.fx / scale)
            color = wp.cw_mul(panorama.gains, color)
        store_bgr(out, y, x, color, to_srgb)
