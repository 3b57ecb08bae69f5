"""Water in a picture: its colour on the way to what is seen, the surface, and light on what is
below it. Rays are not bent where they enter it, so labels are exact without it."""

import numpy as np

from repogen.arrays import Float, UInt8
from repogen.cameras.camera import Camera
from repogen.colors import to_linear, to_srgb
from repogen.environment.rooms import Room
from repogen.environment.water import Water
from repogen.rendering.gbuffer import GBuffer, key_depth
from repogen.rendering.kernels.raster import EMPTY
from repogen.scenes.scene import Scene

_FAR = 60.0
"""Metres to a background without walls."""

_ABSORPTION = np.array([0.75, 1.0, 2.6])
"""Absorption of blue, green and red light relative to green, roughly as in clear lakes."""

_INDEX = 1.33
_SLANT = np.array([0.45, 0.25])
"""Metres that light moves sideways for each metre down, by which nets also vary on walls."""

_NETS = 0.45
"""Strength of the nets of light just below the surface, over the light there."""

_WAVES = 7

_MOST_OVER_PEOPLE = 0.4
"""Most that the surface mirrors before people: joints labelled as visible can be seen."""

Points = Float[np.ndarray, "n 3"]
Numbers = Float[np.ndarray, " n"]


def apply_water(
    image: UInt8[np.ndarray, "h w 3"], gbuffer: GBuffer, scene: Scene
) -> UInt8[np.ndarray, "h w 3"]:
    """The BGR picture as it looks with the scene's water; without water as it is."""
    water = scene.water
    if water is None:
        return image
    camera = scene.camera
    rays = _rays(camera)
    directions, eye = rays @ np.array(camera.rotation), camera.position()
    flat = to_linear(image.reshape(-1, 3) / 255.0)
    luminance = flat @ [0.07, 0.72, 0.21]
    brightness = float(np.clip(1.6 * luminance.mean(), 0.08, 0.9))
    deep = brightness * to_linear(_bgr(water.color))
    share = gbuffer.to_image(gbuffer.counts).ravel()[:, None] / gbuffer.samples**2
    near, far = _nearest(gbuffer, camera, rays), _background(scene, eye, directions)
    out = np.zeros_like(flat)
    for ways, weight in ((near, share), (far, 1 - share)):
        out += weight * _seen_through(water, flat, deep, eye, directions, ways)
    ends = np.where(share[:, 0] > 0.5, near, far)
    most = 1 - (1 - _MOST_OVER_PEOPLE) * share
    out = _with_surface(water, out, deep, brightness, eye, directions, ends, most, scene)
    bytes_ = np.rint(255 * to_srgb(np.clip(out, 0, 1))).astype(np.uint8)
    return bytes_.reshape(image.shape)


def _rays(camera: Camera) -> Points:
    """The unit direction of each pixel in the camera's frame, zero where it sees nothing."""
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    return np.nan_to_num(camera.rays(np.stack([x.ravel(), y.ravel()], axis=1)))


def _bgr(color: str) -> Float[np.ndarray, "3"]:
    return np.array([int(color[i : i + 2], 16) for i in (5, 3, 1)]) / 255


def _nearest(gbuffer: GBuffer, camera: Camera, rays: Points) -> Numbers:
    """Metres along each pixel's ray to the nearest person or occluder; `_FAR` for none."""
    keys = gbuffer.nearest_keys
    depth = np.where(keys == np.uint64(EMPTY), 0.0, key_depth(keys))
    depths = gbuffer.to_image(depth).ravel()
    along = camera.depth_of(rays)
    ways = np.divide(depths, along, out=np.full_like(depths, _FAR), where=along > 1e-6)
    return np.where(depths > 0, ways, _FAR)


def _background(scene: Scene, eye: Float[np.ndarray, "3"], directions: Points) -> Numbers:
    """Metres along each ray to the walls and the floor of a room; `_FAR` elsewhere."""
    room = scene.background
    ways = np.full(len(directions), _FAR)
    if not isinstance(room, Room):
        return ways
    with np.errstate(divide="ignore", invalid="ignore"):
        to_floor = (room.floor_z - eye[2]) / directions[:, 2]
        ways = np.where(to_floor > 0, np.minimum(ways, to_floor), ways)
        if all(room.half_size):
            yaw = np.radians(room.yaw_deg)
            turn = np.array([[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]])
            at, along = eye[:2] @ turn, directions[:, :2] @ turn
            to_walls = (np.array(room.half_size) - np.sign(along) * at) / np.abs(along)
            ways = np.minimum(ways, np.where(to_walls > 0, to_walls, _FAR).min(axis=1))
    return ways


def _seen_through(
    water: Water,
    colors: Float[np.ndarray, "n 3"],
    deep: Float[np.ndarray, "3"],
    eye: Float[np.ndarray, "3"],
    directions: Points,
    ways: Numbers,
) -> Float[np.ndarray, "n 3"]:
    """The colours of points at these ways along the rays, through the water between."""
    to_surface = _to_surface(water, eye, directions)
    is_above = eye[2] >= water.surface_z
    wet = np.maximum(ways - to_surface, 0.0) if is_above else np.minimum(ways, to_surface)
    absorption = _ABSORPTION / water.clarity_m
    ends = eye + ways[:, None] * directions
    below = np.maximum(water.surface_z - ends[:, 2], 0.0)
    # Light that falls from the surface to the point, in the bright nets that waves cast.
    nets = 1 + np.where(below > 0, _NETS * np.exp(-below / 2) * _caustics(water, ends), 0.0)
    lit = colors * np.exp(-0.7 * below[:, None] * absorption) * nets[:, None]
    left = np.exp(-wet[:, None] * absorption)
    return lit * left + deep * (1 - left)


def _to_surface(water: Water, eye: Float[np.ndarray, "3"], directions: Points) -> Numbers:
    """Metres along each ray to the surface; infinite for rays that do not meet it."""
    fall = directions[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        ways = (water.surface_z - eye[2]) / fall
    return np.where(ways > 0, ways, np.inf)


def _with_surface(
    water: Water,
    colors: Float[np.ndarray, "n 3"],
    deep: Float[np.ndarray, "3"],
    brightness: float,
    eye: Float[np.ndarray, "3"],
    directions: Points,
    ways: Numbers,
    most: Float[np.ndarray, "n 1"],
    scene: Scene,
) -> Float[np.ndarray, "n 3"]:
    """The colours, with what the surface mirrors where a ray meets it before these ways, at most
    these shares of the light."""
    to_surface = _to_surface(water, eye, directions)
    meets = to_surface < ways
    if not meets.any():
        return colors
    at = eye + to_surface[meets, None] * directions[meets]
    slopes = _slopes(water, at)
    # Far waves are smaller than a pixel.
    slopes *= 1 / (1 + to_surface[meets, None] / 15)
    normals = np.concatenate([-slopes, np.ones((len(at), 1))], axis=1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    down = directions[meets]
    cosine = np.abs((down * normals).sum(axis=1))
    is_above = eye[2] >= water.surface_z
    share = np.minimum(_mirrored(cosine if is_above else _beyond(cosine))[:, None], most[meets])
    if is_above:
        mirrored = down - 2 * (down * normals).sum(axis=1, keepdims=True) * normals
        sky = (
            brightness * np.array([1.15, 1.05, 0.95]) * (0.6 + 0.7 * np.maximum(mirrored[:, 2:], 0))
        )
        for light in scene.lights[:1]:
            towards = np.array(light.direction) / np.linalg.norm(light.direction)
            sky = sky + 3.0 * np.maximum(mirrored @ towards, 0.0)[:, None] ** 300
    else:
        sky = np.broadcast_to(deep * 1.2, (len(at), 3))
    out = colors.copy()
    out[meets] = (1 - share) * colors[meets] + share * sky
    return out


def _beyond(cosine: Numbers) -> Numbers:
    """The cosine in air of a ray that leaves the water; 0 where it is mirrored wholly."""
    return np.sqrt(np.maximum(1 - _INDEX**2 * (1 - cosine**2), 0.0))


def _mirrored(cosine: Numbers) -> Numbers:
    """Schlick's share of the light that a surface of water mirrors."""
    least = ((_INDEX - 1) / (_INDEX + 1)) ** 2
    return least + (1 - least) * (1 - cosine) ** 5


def _wave_table(water: Water) -> tuple[Float[np.ndarray, "w 2"], Float[np.ndarray, " w"]]:
    """Wave vectors in radians a metre, and phases."""
    rng = np.random.default_rng(water.seed)
    length = np.exp(rng.uniform(np.log(0.25), np.log(1.5), _WAVES))
    heading = rng.uniform(0, 2 * np.pi, _WAVES)
    vectors = 2 * np.pi / length[:, None] * np.stack([np.cos(heading), np.sin(heading)], axis=1)
    return vectors, rng.uniform(0, 2 * np.pi, _WAVES)


def _slopes(water: Water, points: Points) -> Float[np.ndarray, "n 2"]:
    vectors, phases = _wave_table(water)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return (
        water.slope * np.sqrt(2 / _WAVES * 2) * np.sin(points[:, :2] @ vectors.T + phases) @ units
    )


def _caustics(water: Water, points: Points) -> Numbers:
    """Brightness of the nets of light below waves, about 0 on average, -0.3 to 1.5."""
    vectors, phases = _wave_table(water)
    entered = points[:, :2] + (water.surface_z - points[:, 2:]) * _SLANT
    bend = 0.3 * np.sin(entered[:, ::-1] @ vectors[:2].T)
    waves = np.sin((entered + bend) @ vectors[2:].T + phases[2:]).mean(axis=1)
    return 1.6 * np.exp(-6 * np.abs(waves)) - 0.45
