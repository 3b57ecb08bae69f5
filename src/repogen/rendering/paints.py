"""Outfits and places as the structs the kernels read."""

import numpy as np

from repogen.appearance.backgrounds import FLOOR_PATTERNS, Place
from repogen.appearance.colors import from_hex, to_linear
from repogen.appearance.outfit import PATTERNS, Cloth, Outfit, shoe_top
from repogen.rendering.kernels.paint import Fabric, Paint
from repogen.rendering.kernels.place import Room
from repogen.views.camera import Camera
from repogen.warp_setup import wp

_HAIR_STYLES = ("bald", "short", "long")
_BELT = 0.055


def linear(color: str) -> np.ndarray:
    """Linear RGB of an sRGB hex colour."""
    return to_linear(from_hex(color))


def outfit_to_paint(outfit: Outfit) -> Paint:  # type: ignore[valid-type]
    """The struct `finish` paints a person from."""
    skin = linear(outfit.skin)
    hair = linear(outfit.hair_color)
    p = Paint()
    p.skin = wp.vec3(*skin)
    p.lips = wp.vec3(*(skin * [0.85, 0.52, 0.52]))
    p.iris = wp.vec3(*linear(outfit.eyes))
    p.hair = wp.vec3(*hair)
    p.brow = wp.vec3(*(0.6 * hair + 0.1 * skin))
    p.hair_style = _HAIR_STYLES.index(outfit.hair)
    p.hairline = outfit.hairline
    p.top = _fabric(outfit.top_cloth)
    p.sleeve = outfit.sleeve
    p.waist = outfit.waist
    p.neckline = outfit.neckline
    p.bottom = _fabric(outfit.bottom_cloth)
    # Under a skirt there are briefs.
    p.hem = -0.12 if outfit.bottom == "skirt" else outfit.hem
    p.belt = _BELT
    p.skirt = int(outfit.bottom == "skirt")
    p.skirt_hem = outfit.hem
    p.shoe_top = shoe_top(outfit)
    p.shoe = wp.vec3(*linear(outfit.shoe_color))
    p.sole = wp.vec3(*linear(outfit.sole_color))
    # Two people in like clothes still differ in their folds.
    digest = np.frombuffer(repr(outfit).encode(), np.uint8).astype(np.float64)
    weights = np.arange(1, len(digest) + 1)
    p.seed = wp.vec3(*(float((digest * weights**k).sum() % 97.0) / 3.0 for k in (1, 0.5, 0.25)))
    return p


def _fabric(cloth: Cloth) -> Fabric:  # type: ignore[valid-type]
    f = Fabric()
    f.color = wp.vec3(*linear(cloth.color))
    f.accent = wp.vec3(*linear(cloth.accent))
    f.pattern = PATTERNS.index(cloth.pattern)
    f.scale = cloth.scale
    f.wrinkles = cloth.wrinkles
    return f


def place_to_room(place: Place, camera: Camera) -> Room:  # type: ignore[valid-type]
    """The struct `draw_place` draws a built-in place from, in the camera's eyes."""
    yaw = np.radians(place.yaw_deg)
    turn = np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    room = Room()
    room.fx, room.fy, room.cx, room.cy = camera.fx, camera.fy, camera.cx, camera.cy
    room.rotation = wp.mat33(*(turn @ np.array(camera.rotation).T).ravel())
    room.eye = wp.vec3(*(turn @ camera.position()))
    room.floor_z = place.floor_z
    room.floor = wp.vec3(*linear(place.floor))
    room.accent = wp.vec3(*linear(place.floor_accent))
    room.pattern = FLOOR_PATTERNS.index(place.floor_pattern)
    room.scale = place.floor_scale
    room.half_x, room.half_y = place.half_size
    room.height = place.height
    room.wall = wp.vec3(*linear(place.wall))
    room.ceiling = wp.vec3(*linear(place.ceiling))
    room.zenith = wp.vec3(*linear(place.sky_zenith))
    room.horizon = wp.vec3(*linear(place.sky_horizon))
    return room
