"""Shadows on the floor: cast by lights, and in a photograph of a mounted camera also of contact.

What lights throw on the floor is drawn in the squares of their shadow maps, across their rays: a
lamp of some size blurs an edge there alike in all directions, by the distance to what throws it.
"""

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np

from repogen.arrays import Bool, Float, Float32, UInt8
from repogen.cameras.camera import Camera, rotate_points
from repogen.colors import to_linear, to_srgb
from repogen.environment.backgrounds import Plain
from repogen.environment.lights import DirectionalLight
from repogen.environment.photo_light import floor_points
from repogen.rendering.buffers import Buffers
from repogen.rendering.kernels.shade import Lighting
from repogen.rendering.lighting import scene_lighting
from repogen.scenes.scene import Scene

_CELL = 0.025
"""Metres that a cell of the floor has, at least."""

_CELLS = 256
"""Cells along a side of the floor, at most."""

_MARGIN = 1.0
"""Metres of floor around everything that is above it."""

_HEIGHTS = (0.01, 0.03, 0.08, 0.2, 0.5, 1.2)
"""Heights above the floor, metres, in whose planes the light from all sides is blocked."""

_PLANE_BLUR = 0.85
"""Standard deviation over height of the light that a plane blocks: half of it lies within the
height, as of a small patch that faces the plane."""

_UPRIGHT = 2.5
"""Exponent of the share that the planes leave, for the upright sides of bodies, which they do not
see: within 0.1 of the mean of rays cast from 120 points around two standing people."""

_DISTANCES = (0.0, 0.15, 0.4, 1.0)
"""Distances from the floor, along a light, to what is in its way; metres. From the last on edges
are not softer: low suns still throw shadows of legs."""

_SUNK = 0.05
"""Metres that soles may be below the floor."""

_LAMP_BLUR = 0.05
"""Standard deviation of a shadow's edge over that distance: of a lamp 11 degrees wide."""

_TEXELS = 256
"""Texels along a side of a light's square on the floor."""

_NOTHING = 1e8
"""Depth in a shadow map from which on there is nothing."""

_FINE_BLUR = 2.0
"""Cells that a blur may have before it is done in cells twice as wide."""

_LOWEST = 0.05
"""Sine of the elevation of a light above which it throws shadows on the floor."""

_FROM_BELOW = DirectionalLight((0.0, 0.0, -1.0), (1.0, 1.0, 1.0), shadow=True)

_LINEAR_OF_BYTE = to_linear(np.arange(256) / 255).astype(np.float32)
_STEPS = 4095
_BYTE_OF_LINEAR = np.rint(255 * to_srgb(np.arange(_STEPS + 1) / _STEPS)).astype(np.uint8)


def shaded_floor(
    photo: UInt8[np.ndarray, "h w 3"],
    floor_z: float,
    scene: Scene,
    lighting: Lighting,
    vertices: Float[np.ndarray, "n 3"],
    buffers: Buffers,
    device: str,
) -> UInt8[np.ndarray, "h w 3"]:
    """The photograph (BGR) with the shadows of all `vertices` (camera frame) on the floor of this
    height, world frame. Pixels without shadow keep their bytes.

    Every pixel is taken for floor where its ray meets the floor's plane: furniture in the
    photograph is darkened as the floor under it.
    """
    camera = scene.camera
    moved = (vertices - np.array(camera.translation)).astype(np.float64)
    world = rotate_points(moved, np.array(camera.rotation).T)
    tallest = max(float(world[:, 2].max()) - floor_z, 0.1)
    up = np.array([light.direction[2] for light in scene.lights if light.shadow])
    low = up[up > 0.05].min(initial=1.0)
    reach = _MARGIN + tallest * np.sqrt(1 - low * low) / low
    first, last = world[:, :2].min(axis=0) - reach, world[:, :2].max(axis=0) + reach
    cell = max(_CELL, float((last - first).max()) / _CELLS)
    columns, rows = np.ceil((last - first) / cell).astype(int)
    x, y = first[0] + (np.arange(columns) + 0.5) * cell, first[1] + (np.arange(rows) + 0.5) * cell
    floor = np.stack([*np.meshgrid(x, y), np.full((rows, columns), floor_z)], axis=-1)
    points = camera.to_camera(floor.reshape(-1, 3))

    sh = lighting.sh_irradiance.numpy().astype(np.float64)
    ambient = float(np.linalg.norm(np.maximum(sh[0] + sh[3] + 2 * sh[6], 0))) + 1e-6
    below = scene_lighting(replace(scene, lights=(_FROM_BELOW,)), vertices, buffers, device)
    gaps = -_distances(below, 0, points).reshape(rows, columns)
    whole, received = ambient, ambient * _open_share(gaps, cell)
    for index, light in enumerate(sorted(scene.lights, key=lambda light: not light.shadow)):
        strength = light.direction[2] * float(np.linalg.norm(light.color))
        if light.direction[2] > _LOWEST:
            lit = np.ones((rows, columns), np.float32)
            if light.shadow:
                lit = _light_at(lighting, index, points.reshape(rows, columns, 3))
            whole, received = whole + strength, received + strength * lit
    share = np.ascontiguousarray(received / whole, np.float32)

    at = (_pixel_floor(camera, floor_z) - first) / cell - 0.5
    at = np.clip(at, -2, [columns + 1, rows + 1]).astype(np.float32)
    factor = cv2.remap(
        share, at[..., 0], at[..., 1], cv2.INTER_LINEAR, None, cv2.BORDER_CONSTANT, 1.0
    )
    dark = factor < 0.998
    out = photo.copy()
    light = _LINEAR_OF_BYTE[photo[dark]] * factor[dark][:, None]
    out[dark] = _BYTE_OF_LINEAR[np.rint(light * _STEPS).astype(np.int32)]
    return out


def floor_light_squares(scene: Scene, lighting: Lighting) -> Float32[np.ndarray, "l n n"]:
    """The share of each light with a shadow map that reaches the background's floor, in squares
    that are those of the shadow maps; none without a floor."""
    floor_z = None if isinstance(scene.background, Plain) else scene.background.floor_z
    count, size = lighting.shadow_count, lighting.shadow_size
    if floor_z is None or not count:
        return np.ones((0, 1, 1), np.float32)
    up = np.array(lighting.up, np.float64)
    level = floor_z + float(up @ np.array(scene.camera.translation))
    depths = lighting.shadow_depths.numpy().reshape(count, size, size)
    lights = lighting.lights.numpy()[:count]
    squares = [
        _floor_square(depth, light, up, level, lighting.shadow_texel)
        for depth, light in zip(depths, lights, strict=True)
    ]
    return np.stack(squares)


def _floor_square(
    depths: Float32[np.ndarray, "n n"],
    light: np.void,
    up: Float[np.ndarray, "3"],
    level: float,
    texel: float,
) -> Float32[np.ndarray, "m m"]:
    """The share of a light that reaches the floor, the points p of the camera's frame with
    `up` · p = `level`."""
    step = len(depths) // _TEXELS
    depths, cell = depths[::step, ::step], texel * step
    out = np.ones((_TEXELS, _TEXELS), np.float32)
    matrix = light["matrix"].reshape(3, 3).astype(np.float64)
    x, y, z = np.linalg.solve(matrix.T, up)
    seen = depths < _NOTHING
    if float(light["direction"] @ up) < _LOWEST or not seen.any():
        return out
    margin = int(3 * _LAMP_BLUR * _DISTANCES[-1] / cell) + 2
    rows = _around(np.logical_or.reduce(seen, axis=1), margin)
    columns = _around(np.logical_or.reduce(seen, axis=0), margin)
    height = level + float(np.array([x, y, z]) @ light["offset"])
    at = step * np.arange(_TEXELS) + 0.5
    floor = ((height - y * at[rows]) / z).astype(np.float32)[:, None]
    floor = floor - (x * at[columns] / z).astype(np.float32)
    distances = np.where(seen[rows, columns], floor - depths[rows, columns], -_NOTHING)
    out[rows, columns] -= _shadow(distances.astype(np.float32), cell)
    return out


def _around(seen: Bool[np.ndarray, " n"], margin: int) -> slice:
    """From the first to the last that is seen, and so many more at both ends."""
    found = np.flatnonzero(seen)
    return slice(max(int(found[0]) - margin, 0), int(found[-1]) + margin + 1)


def _light_at(
    lighting: Lighting, index: int, points: Float[np.ndarray, "h w 3"]
) -> Float32[np.ndarray, "h w"]:
    """Share of a light with a shadow map that reaches points of the floor, camera frame."""
    light, size = lighting.lights.numpy()[index], lighting.floor_size
    at = points @ light["matrix"].reshape(3, 3).T + light["offset"]
    at = (at[..., :2] * (size / lighting.shadow_size) - 0.5).clip(-2, size + 1).astype(np.float32)
    square = lighting.floor_light.numpy()[index * size**2 : (index + 1) * size**2]
    square = square.reshape(size, size)
    return cv2.remap(
        square, at[..., 0], at[..., 1], cv2.INTER_LINEAR, None, cv2.BORDER_CONSTANT, 1.0
    )


def _distances(
    lighting: Lighting, index: int, points: Float[np.ndarray, "n 3"]
) -> Float32[np.ndarray, " n"]:
    """Metres from points (camera frame) towards a light to the nearest surface in its shadow map;
    minus 1e9 where there is none."""
    size = lighting.shadow_size
    light = lighting.lights.numpy()[index]
    matrix, offset = light["matrix"].reshape(3, 3), light["offset"]
    x, y, z = (
        points[:, 0] * row[0] + points[:, 1] * row[1] + points[:, 2] * row[2] + shift
        for row, shift in zip(matrix, offset, strict=True)
    )
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    inside = (column >= 0) & (row >= 0) & (column < size) & (row < size)
    depths = lighting.shadow_depths.numpy()[index * size**2 : (index + 1) * size**2]
    found = depths[np.where(inside, row * size + column, 0)]
    return np.where(inside, z - found, -1e9).astype(np.float32)


def _open_share(gaps: Float32[np.ndarray, "h w"], cell: float) -> Float32[np.ndarray, "h w"]:
    """Share of the light from all sides that reaches the floor; `gaps` are the heights of what is
    lowest above each cell, metres.

    In the plane of each height, all that reaches below it blocks light. The plane that blocks most
    counts, made stronger for upright sides.
    """
    blocked = np.zeros(gaps.shape, np.float32)
    for height in _HEIGHTS:
        plane = (gaps < height).astype(np.float32)
        blocked = np.maximum(blocked, _blurred(plane, _PLANE_BLUR * height / cell))
    return (1 - blocked) ** _UPRIGHT


def _shadow(distances: Float32[np.ndarray, "h w"], cell: float) -> Float32[np.ndarray, "h w"]:
    """Share of a light that is blocked, in cells of this width, metres; `distances` are metres
    towards it."""
    blocked = np.zeros(distances.shape, np.float32)
    # Each distance is shared between the two nearest of `_DISTANCES`.
    reached = (distances > -_SUNK).astype(np.float32)
    for at, end in pairwise((*_DISTANCES, _NOTHING)):
        beyond = ((distances - at) / (end - at)).clip(0, 1).astype(np.float32)
        blocked += _blurred(reached - beyond, _LAMP_BLUR * at / cell)
        reached = beyond
    return np.minimum(blocked, 1)


def _blurred(mask: Float32[np.ndarray, "h w"], sigma: float) -> Float32[np.ndarray, "h w"]:
    """A Gaussian blur, at least that of a cell's edge; sigma is in cells."""
    if not mask.any():
        return mask
    if sigma > 2 * _FINE_BLUR:  # as a smaller picture, which is faster
        half = cv2.resize(mask, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        size = mask.shape[::-1]
        return cv2.resize(_blurred(half, sigma / 2), size, interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(mask, None, max(sigma, 0.6), borderType=cv2.BORDER_CONSTANT)


@lru_cache(maxsize=2)
def _pixel_floor(camera: Camera, floor_z: float) -> Float32[np.ndarray, "h w 2"]:
    """x and y of the floor that each pixel's centre sees, far away where it sees none."""
    pixels = np.stack(
        np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5), axis=-1
    )
    points = floor_points(camera, pixels.reshape(-1, 2), floor_z)
    points = np.where(np.isfinite(points), points, 1e4)
    return points.reshape(camera.height, camera.width, 2).astype(np.float32)
