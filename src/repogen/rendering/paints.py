"""Outfits and places as the structs the kernels read."""

from collections.abc import Sequence

import numpy as np

from repogen.cameras.camera import Camera
from repogen.colors import from_hex, to_linear
from repogen.environment.backgrounds import FLOOR_PATTERNS, Place
from repogen.environment.panoramas import Panorama
from repogen.people.outfit import HAIR_STYLES, PATTERNS, Cloth, Outfit, shoe_top
from repogen.rendering.kernels.paint import Paint
from repogen.rendering.kernels.panorama import Dome
from repogen.rendering.kernels.place import Room
from repogen.warp_setup import records, wp

_BELT = 0.055
_PAINT = np.dtype(records(Paint))


def linear(color: str) -> np.ndarray:
    """Linear RGB of an sRGB hex colour."""
    return to_linear(from_hex(color))


def outfits_to_paints(outfits: Sequence[Outfit]) -> np.ndarray:
    """The array of `Paint` that `finish` paints people from."""
    paints = np.zeros(len(outfits), dtype=_PAINT)
    for p, outfit in zip(paints, outfits, strict=True):
        _paint(p, outfit)
    return paints


def _paint(p: np.void, outfit: Outfit) -> None:
    colors = (outfit.skin, outfit.eyes, outfit.hair_color, outfit.shoe_color, outfit.sole_color)
    skin, eyes, hair, shoe, sole = to_linear(np.array([from_hex(color) for color in colors]))
    p["skin"], p["iris"], p["hair"], p["shoe"], p["sole"] = skin, eyes, hair, shoe, sole
    p["lips"] = skin * [0.85, 0.52, 0.52]
    p["brow"] = 0.6 * hair + 0.1 * skin
    worn = any(item.kind == "eyebrows" for item in outfit.worn)
    p["brows"] = 0.0 if worn or outfit.picture else 0.8
    p["hair_style"] = HAIR_STYLES.index(outfit.hair)
    p["hairline"] = outfit.hairline
    fill_fabric(p["top"], outfit.top_cloth)
    p["sleeve"], p["waist"], p["neckline"] = outfit.sleeve, outfit.waist, outfit.neckline
    fill_fabric(p["bottom"], outfit.bottom_cloth)
    # Under a skirt there are briefs.
    p["hem"] = -0.12 if outfit.bottom == "skirt" else outfit.hem
    p["belt"] = _BELT
    p["skirt"] = outfit.bottom == "skirt"
    p["skirt_hem"] = outfit.hem
    p["shoe_top"] = shoe_top(outfit)
    # Two people in like clothes still differ in their folds.
    digest = np.frombuffer(repr(outfit).encode(), np.uint8).astype(np.float64)
    weights = np.arange(1, len(digest) + 1)
    p["seed"] = [(digest * weights**k).sum() % 97.0 / 3.0 for k in (1, 0.5, 0.25)]


def fill_fabric(f: np.void, cloth: Cloth) -> None:
    """Write a cloth into a record of the struct `Fabric`."""
    f["color"], f["accent"] = to_linear(np.array([from_hex(cloth.color), from_hex(cloth.accent)]))
    f["pattern"] = PATTERNS.index(cloth.pattern)
    f["scale"], f["wrinkles"] = cloth.scale, cloth.wrinkles


def panorama_to_dome(panorama: Panorama, camera: Camera, pixels: wp.array) -> Dome:
    """The struct `draw_panorama` draws from, in the camera's eyes."""
    yaw = np.radians(panorama.yaw_deg)
    turn = np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    dome = Dome()
    dome.pixels = pixels
    dome.to_dome = wp.mat33(*(turn @ np.array(camera.rotation).T).ravel())
    dome.eye = wp.vec3(*(turn @ (camera.position() - [0, 0, panorama.floor_z])))
    dome.exposure, dome.eye_height = panorama.exposure, panorama.eye_height
    dome.reach = panorama.reach
    return dome


def place_to_room(place: Place, camera: Camera) -> Room:
    """The struct `draw_place` draws a built-in place from, in the camera's eyes."""
    yaw = np.radians(place.yaw_deg)
    turn = np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    room = Room()
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
