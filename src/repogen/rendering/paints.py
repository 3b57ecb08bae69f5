"""Outfits and backgrounds as the structs that kernels read."""

from collections.abc import Sequence

import numpy as np

from repogen.cameras.camera import Camera, yaw_matrix
from repogen.colors import from_hex, to_linear
from repogen.environment.panoramas import Panorama
from repogen.environment.rooms import FLOOR_PATTERNS, Room
from repogen.people.outfit import HAIR_STYLES, PATTERNS, Fabric, Outfit, shoe_top
from repogen.rendering.kernels import panorama, room
from repogen.rendering.kernels.codes import MOST_LIGHT
from repogen.rendering.kernels.ground import Ground
from repogen.rendering.kernels.paint import Paint
from repogen.warp_setup import struct_dtype, wp

_BELT = 0.055

_SKIRT_TOP = 0.134
"""Height on the T-pose up to which the skirt reaches, metres: shirts end there, and what is below
has the skirt's fabric, which hides where both surfaces meet."""

_PAINT = struct_dtype(Paint)


def linear(color: str) -> np.ndarray:
    """Linear RGB of an sRGB hex colour."""
    return to_linear(from_hex(color))


def outfits_to_paints(outfits: Sequence[Outfit]) -> np.ndarray:
    """The kernels' `Paint` of each outfit, a structured array."""
    paints = np.zeros(len(outfits), dtype=_PAINT)
    for p, outfit in zip(paints, outfits, strict=True):
        _paint(p, outfit)
    return paints


def _paint(p: np.void, outfit: Outfit) -> None:
    colors = (outfit.skin, outfit.eyes, outfit.hair_color, outfit.shoe_color, outfit.sole_color)
    skin, eyes, hair, shoe, sole = to_linear(np.array([from_hex(color) for color in colors]))
    p["skin"], p["iris"], p["hair"], p["shoe"], p["sole"] = skin, eyes, hair, shoe, sole
    p["lips"] = skin * [0.85, 0.52, 0.52]
    p["brow_color"] = 0.6 * hair + 0.1 * skin
    worn = any(item.kind == "eyebrows" for item in outfit.worn)
    p["brow_opacity"] = 0.0 if worn or outfit.picture or outfit.hair == "none" else 0.8
    p["hair_style"] = HAIR_STYLES.index("bald" if outfit.hair == "none" else outfit.hair)
    p["hairline"] = outfit.hairline
    fill_fabric(p["top"], outfit.top_fabric)
    p["sleeve"], p["waist"], p["neckline"] = outfit.sleeve, outfit.waist, outfit.neckline
    fill_fabric(p["bottom"], outfit.bottom_fabric)
    # Briefs are painted under a skirt.
    p["hem"] = -0.12 if outfit.bottom == "skirt" else outfit.hem
    p["belt"] = _BELT
    if outfit.bottom == "skirt":
        p["belt"], p["waist"] = _SKIRT_TOP, max(outfit.waist, _SKIRT_TOP - 0.004)
    p["skirt"] = outfit.bottom == "skirt"
    p["skirt_hem"] = outfit.hem
    p["shoe_top"] = shoe_top(outfit)
    p["seed"] = _fold_seed(outfit)


def _fold_seed(outfit: Outfit) -> list[float]:
    """Offset into the noise table, so that outfits have different folds. Colours decide, so that
    the same clothes without a pattern keep their folds."""
    text = repr((outfit.skin, outfit.top_fabric.color, outfit.bottom_fabric.color))
    digest = np.frombuffer(text.encode(), np.uint8).astype(np.float64)
    weights = np.arange(1, len(digest) + 1)
    return [(digest * weights**k).sum() % 97.0 / 3.0 for k in (1, 0.5, 0.25)]


def fill_fabric(f: np.void, fabric: Fabric) -> None:
    """Write a fabric into an element of the kernels' struct `Fabric`."""
    colors = to_linear(np.array([from_hex(fabric.color), from_hex(fabric.accent)]))
    f["color"], f["accent"] = colors
    f["pattern"] = PATTERNS.index(fabric.pattern)
    f["scale"], f["wrinkles"] = fabric.scale, fabric.wrinkles


def panorama_to_struct(
    background: Panorama, camera: Camera, pixels: wp.array, factors: wp.array, ground: Ground
) -> panorama.Panorama:
    """The environment map as `draw_panorama` reads it: in its own axes, seen from the camera."""
    to_map = yaw_matrix(-np.radians(background.yaw_deg))
    out = panorama.Panorama()
    out.pixels, out.factors, out.ground = pixels, factors, ground
    out.to_map = wp.mat33(*(to_map @ np.array(camera.rotation).T).ravel())
    out.eye = wp.vec3(*(to_map @ (camera.position() - [0, 0, background.floor_z])))
    gains = background.exposure * np.array(background.white_balance)
    out.gains, out.white = wp.vec3(*gains), wp.vec3(*(MOST_LIGHT / gains))
    out.eye_height = background.eye_height
    out.reach = background.reach
    return out


def room_to_struct(background: Room, camera: Camera) -> room.Room:
    """The room as `draw_room` reads it: in its own axes, linear colours, seen from the camera."""
    to_room = yaw_matrix(-np.radians(background.yaw_deg))
    out = room.Room()
    out.rotation = wp.mat33(*(to_room @ np.array(camera.rotation).T).ravel())
    out.eye = wp.vec3(*(to_room @ camera.position()))
    out.floor_z = background.floor_z
    out.floor = wp.vec3(*linear(background.floor))
    out.accent = wp.vec3(*linear(background.floor_accent))
    out.pattern = FLOOR_PATTERNS.index(background.floor_pattern)
    out.scale = background.floor_scale
    out.half_x, out.half_y = background.half_size
    out.height = background.height
    out.wall = wp.vec3(*linear(background.wall))
    out.ceiling = wp.vec3(*linear(background.ceiling))
    out.zenith = wp.vec3(*linear(background.sky_zenith))
    out.horizon = wp.vec3(*linear(background.sky_horizon))
    return out
