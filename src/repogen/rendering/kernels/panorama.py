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

_SEGMENT = wp.constant(8)
"""Pixels between which directions are interpolated where they are smooth."""
_MOST_TURN = wp.constant(wp.float32(1 / 64))
_MOST_BEND = wp.constant(wp.float32(1 / 256))
"""Largest difference of columns over a segment, and distance of its middle from the straight line,
as shares of the panorama, that are smooth."""


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
def floor_color(panorama: Panorama, at: wp.vec2, x: float, y: float, pixel: float) -> wp.vec3:
    """Linear colour of the floor at (x, y), metres from its centre, with detail that is finer than
    the panorama, which has it at `at`; a pixel of the picture is `pixel` metres wide there."""
    square = x * x + y * y
    away = wp.sqrt(square + panorama.eye_height * panorama.eye_height)
    slant = away / panorama.eye_height
    detail = ground_detail(panorama.ground, x, y, away, slant, pixel, at[0], at[1])
    shift = wp.clamp(detail.shift / (_TAU * wp.sqrt(square) + 0.1), -0.2, 0.2)
    color = panorama_at(panorama, wp.vec2(at[0] + shift, at[1]))
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
        x = at[0] + shift * along[0]
        y = at[1] + shift * along[1]
        found = direction_to_map(wp.vec3(x, y, -panorama.eye_height))
        color += floor_color(panorama, found, x, y, pixel)
    return color / float(taps)


@wp.struct
class Sight:
    """What a ray meets, as a direction from the panorama's viewpoint; `far` are the metres to the
    floor's disc, 0 where the ray meets the sphere around it."""

    towards: wp.vec3
    far: float


@wp.func
def look(panorama: Panorama, ahead: wp.vec3) -> Sight:
    """What a ray meets; `ahead` is its unit vector in the camera's frame."""
    out = Sight()
    out.far = 0.0
    d = panorama.to_map * ahead
    if d[2] < -1.0e-4:
        far = -panorama.eye[2] / d[2]
        at = panorama.eye + far * d
        if at[0] * at[0] + at[1] * at[1] < panorama.reach * panorama.reach:
            out.far = far
            out.towards = wp.vec3(at[0], at[1], -panorama.eye_height)
            return out
    # The sphere around the viewpoint that holds the rim of the floor.
    square = panorama.reach * panorama.reach + panorama.eye_height * panorama.eye_height
    away = panorama.eye - wp.vec3(0.0, 0.0, panorama.eye_height)
    b = wp.dot(away, d)
    inside = b * b - wp.dot(away, away) + square
    out.towards = d
    if inside > 0.0:
        out.towards = away + (wp.sqrt(inside) - b) * d
    return out


@wp.func
def look_up(panorama: Panorama, lens: Lens, x: float, y: float) -> wp.vec3:
    """Column and row of what a pixel of the picture shows, and 1 for the floor, 0 for the sphere
    around it, -1 where the lens sees nothing."""
    towards = ray(lens, x, y)
    if wp.length_sq(towards) == 0.0:
        return wp.vec3(0.0, 0.0, -1.0)
    sight = look(panorama, wp.normalize(towards))
    at = direction_to_map(sight.towards)
    return wp.vec3(at[0], at[1], wp.where(sight.far > 0.0, 1.0, 0.0))


@wp.func
def is_smooth(a: wp.vec3, b: wp.vec3, c: wp.vec3) -> bool:
    """Whether the parabola through three equidistant results of `look_up` stands for all between
    them: not at the panorama's poles and ends, nor at the rim of the floor."""
    bend = b - 0.5 * (a + c)
    alike = a[2] >= 0.0 and a[2] == b[2] and b[2] == c[2]
    flat = wp.abs(bend[0]) < _MOST_BEND and wp.abs(bend[1]) < _MOST_BEND
    return alike and flat and wp.abs(c[0] - a[0]) < _MOST_TURN


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
    row, strip = wp.tid()
    scale = float(shrink)
    y = (float(row) + 0.5) * scale
    step = 0.5 * float(_SEGMENT) * scale
    ambient = wp.length(ambient_irradiance(lighting, lighting.up)) + 1.0e-6
    a = look_up(panorama, lens, (float(strip * _STRIP) + 0.5) * scale, y)
    for first in range(strip * _STRIP, wp.min((strip + 1) * _STRIP, width), _SEGMENT):
        start = (float(first) + 0.5) * scale
        b = look_up(panorama, lens, start + step, y)
        c = look_up(panorama, lens, start + 2.0 * step, y)
        smooth = is_smooth(a, b, c)
        for column in range(first, wp.min(first + _SEGMENT, width)):
            t = float(column - first) / float(_SEGMENT)
            found = a + t * (4.0 * b - 3.0 * a - c + (2.0 * t) * (a + c - 2.0 * b))
            if not smooth:
                found = look_up(panorama, lens, (float(column) + 0.5) * scale, y)
            at = wp.vec2(found[0], found[1])
            color = wp.vec3(0.0, 0.0, 0.0)
            if found[2] == 1.0:
                ahead = wp.normalize(ray(lens, (float(column) + 0.5) * scale, y))
                d = panorama.to_map * ahead
                far = -panorama.eye[2] / d[2]
                # The floor is seen at a slant: the mean of a pixel's width and depth.
                pixel = far * scale / (lens.fx * wp.sqrt(-d[2]))
                foot = panorama.eye + far * d
                angle = scale / lens.fx
                if angle * panorama.eye_height < _LOW * panorama.ground.texel * panorama.eye[2]:
                    color = floor_color(panorama, at, foot[0], foot[1], pixel)
                else:
                    along = floor_footprint(lighting, ahead, far, angle)
                    color = floor_colors(panorama, foot, panorama.to_map * along, pixel)
                color = color * floor_light_share(lighting, ambient, ahead, far, angle)
            elif found[2] == 0.0:
                color = panorama_at(panorama, at)
            store_bgr(out, row, column, wp.cw_mul(panorama.gains, color), to_srgb)
        a = c
