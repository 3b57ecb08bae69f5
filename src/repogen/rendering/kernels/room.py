"""A built-in room behind the people: floor, walls and ceiling, or a horizon under the sky."""

from repogen.rendering.kernels.codes import FLOOR_NOISE, FLOOR_PLANKS, FLOOR_TILES
from repogen.rendering.kernels.colors import store_bgr
from repogen.rendering.kernels.lens import Lens, ray
from repogen.rendering.kernels.modules import PICTURE
from repogen.rendering.kernels.noise import noise
from repogen.rendering.kernels.occlusion import floor_share
from repogen.rendering.kernels.shade import Lighting, floor_visibility
from repogen.warp_setup import wp

STRIP = 32
"""Pixels of a row that a thread takes."""
_STRIP = wp.constant(STRIP)


@wp.struct
class Room:
    """`environment.rooms.Room` in linear colours; `rotation` takes the camera's axes to the
    room's, `eye` is the camera's position in them, `pattern` one of the codes `FLOOR_...`."""

    rotation: wp.mat33
    eye: wp.vec3
    floor_z: float
    floor: wp.vec3
    accent: wp.vec3
    pattern: wp.int32
    scale: float
    half_x: float
    half_y: float
    height: float
    wall: wp.vec3
    ceiling: wp.vec3
    zenith: wp.vec3
    horizon: wp.vec3


@wp.func
def floor_color(
    room: Room, x: float, y: float, width: float, table: wp.array(dtype=wp.vec4)
) -> wp.vec3:
    """Linear colour of the floor at (x, y), where a pixel is `width` metres wide; finer patterns
    fade away."""
    n = noise(table, wp.vec3(x, y, 0.37) * 2.1)
    fade = wp.clamp(2.0 - 2.0 * width / room.scale, 0.0, 1.0)
    fine = wp.vec4(0.0, 0.0, 0.0, 0.0)
    if fade > 0.0:
        fine = fade * noise(table, wp.vec3(x, y, 5.2) * 23.0)
    mix = float(0.0)
    u = x / room.scale
    v = y / room.scale
    if room.pattern == FLOOR_TILES:
        du = wp.abs(u - wp.floor(u) - 0.5)
        dv = wp.abs(v - wp.floor(v) - 0.5)
        joint = wp.clamp(
            (wp.max(du, dv) - 0.47) * room.scale / wp.max(width, 0.002) + 0.5, 0.0, 1.0
        )
        tile = noise(table, wp.vec3(wp.floor(u), wp.floor(v), 0.0) * 7.3)
        mix = wp.max(joint * fade, 0.15 * wp.clamp(tile[0], 0.0, 1.0))
    elif room.pattern == FLOOR_PLANKS:
        plank = wp.floor(u)
        grain = noise(table, wp.vec3(u * 9.0, v * 0.7, plank * 3.1))
        tone = noise(table, wp.vec3(plank * 5.7, wp.floor(v * 0.2 + plank * 0.37), 1.0))
        du = wp.abs(u - plank - 0.5)
        joint = wp.clamp((du - 0.485) * room.scale / wp.max(width, 0.002) + 0.5, 0.0, 1.0)
        mix = wp.clamp(0.3 + 0.18 * grain[0] * fade + 0.2 * tone[0] + 0.5 * joint * fade, 0.0, 1.0)
    elif room.pattern == FLOOR_NOISE:
        mix = wp.clamp(0.5 + 0.35 * n[0] + 0.3 * fine[0], 0.0, 1.0)
    color = room.floor + mix * (room.accent - room.floor)
    return color * wp.clamp(1.0 + 0.05 * n[1] + 0.04 * fine[1], 0.3, 1.7)


@wp.func
def floor_shadow(lighting: Lighting, ahead: wp.vec3, far: float, angle: float) -> float:
    """Share of its light that reaches what a pixel sees of the floor (`floor_footprint`) past the
    people."""
    dark = float(0.0)
    for i in range(lighting.shadow_count):
        down = wp.dot(lighting.lights[i].direction, lighting.up)
        if down > 0.05:
            shadow = 1.0 - floor_visibility(lighting, i, ahead, far, angle)
            if shadow > 0.0:
                dark += shadow * down * wp.length(lighting.lights[i].color)
    open = 0.3 + 0.7 * floor_share(lighting.floor, far * ahead)
    return open * wp.clamp(1.0 - 0.45 * dark, 0.25, 1.0)


@wp.func
def sky_color(room: Room, d: wp.vec3, table: wp.array(dtype=wp.vec4)) -> wp.vec3:
    """Linear colour of the sky in a direction of unit length."""
    rise = wp.clamp(d[2], 0.0, 1.0)
    blend = 1.0 - (1.0 - rise) * (1.0 - rise) * (1.0 - rise)
    color = room.horizon + blend * (room.zenith - room.horizon)
    reach = 2.0 / (rise + 0.15)
    n = noise(table, wp.vec3(d[0] * reach, d[1] * reach, 0.7) * 1.5)
    m = noise(table, wp.vec3(d[0] * reach, d[1] * reach, 0.2) * 6.0)
    cloud = wp.clamp(0.8 * n[0] + 0.35 * m[0] - 0.3, 0.0, 1.0) * wp.min(1.0, 4.0 * rise)
    return color + cloud * (wp.vec3(0.85, 0.86, 0.88) - color)


@wp.func
def room_color(
    room: Room, lighting: Lighting, table: wp.array(dtype=wp.vec4), towards: wp.vec3, focal: float
) -> wp.vec3:
    """Linear colour along a ray in the camera's frame: wall, floor or sky; `focal` is in pixels."""
    indoors = room.half_x > 0.0
    d = wp.normalize(room.rotation * towards)
    if not indoors and d[2] >= -1.0e-4:
        return sky_color(room, d, table)
    color = wp.vec3(0.0, 0.0, 0.0)
    nearest = float(1.0e9)
    on_floor = bool(False)
    if d[2] < -1.0e-4:
        nearest = (room.floor_z - room.eye[2]) / d[2]
        on_floor = True
    if indoors:
        if d[2] > 1.0e-4:
            nearest = (room.floor_z + room.height - room.eye[2]) / d[2]
            color = room.ceiling
        side = 1.0e9
        if wp.abs(d[0]) > 1.0e-5:
            side = (room.half_x * wp.sign(d[0]) - room.eye[0]) / d[0]
        if side < nearest:
            nearest = side
            color = room.wall * 0.92
            on_floor = False
        side = 1.0e9
        if wp.abs(d[1]) > 1.0e-5:
            side = (room.half_y * wp.sign(d[1]) - room.eye[1]) / d[1]
        if side < nearest:
            nearest = side
            color = room.wall
            on_floor = False
    at = room.eye + nearest * d
    if on_floor:
        width = nearest / (focal * wp.max(-d[2], 0.02))
        color = floor_color(room, at[0], at[1], width, table)
        if not indoors:
            haze = 1.0 - wp.exp(-nearest / 60.0)
            color = color + haze * (room.horizon - color)
        color = color * floor_shadow(lighting, wp.normalize(towards), nearest, 1.0 / focal)
    if indoors:
        # Corners are darker, walls are not quite uniform.
        gap = wp.min(room.half_x - wp.abs(at[0]), room.half_y - wp.abs(at[1]))
        rise = wp.min(at[2] - room.floor_z, room.floor_z + room.height - at[2])
        corner = wp.clamp(wp.max(wp.min(gap, rise), 0.0) + wp.max(gap, rise) * 0.3, 0.0, 0.6) / 0.6
        n = noise(table, at * 1.3)
        color = color * (0.78 + 0.22 * corner) * (1.0 + 0.03 * n[0])
    return color


@wp.kernel(module=PICTURE)
def draw_room(
    room: Room,
    lens: Lens,
    lighting: Lighting,
    table: wp.array(dtype=wp.vec4),
    to_srgb: wp.array(dtype=wp.uint8),
    width: int,
    shrink: int,
    out: wp.array2d(dtype=wp.uint8),
):
    """A strip of `STRIP` background pixels, BGR, each as wide as `shrink` camera pixels; black
    where the lens sees nothing. People throw shadows on the floor."""
    y, strip = wp.tid()
    scale = float(shrink)
    for x in range(strip * _STRIP, wp.min((strip + 1) * _STRIP, width)):
        towards = ray(lens, (float(x) + 0.5) * scale, (float(y) + 0.5) * scale)
        color = wp.vec3(0.0, 0.0, 0.0)
        if wp.length_sq(towards) > 0.0:
            color = 0.9 * room_color(room, lighting, table, towards, lens.fx / scale)
        store_bgr(out, y, x, color, to_srgb)
