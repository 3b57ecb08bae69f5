"""Places photographed all around in high dynamic range: background and light at once."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float, Float32

from repogen.assets import assets_dir, read_panorama
from repogen.cameras.camera import yaw_matrix
from repogen.environment.lights import DirectionalLight

_BACKDROP = (1024, 2048)
_MARGIN = 8

_ROOM = 1.2
"""A panorama reaches at least this many times as far as the scene does: the camera is inside."""

_HEIGHT = 0.25
"""Height from which a panorama was taken over how far the scene reaches, at least: the floor there
is smeared to no more than four times its width. What is on the floor of a large scene is larger
than it was."""

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Of linear sRGB (ITU-R BT.709)."""

_LAMPS = ((12.0, 0.06), (12.0, 0.06), (35.0, 0.0))
"""Lamps looked for in turn: a disc's radius in degrees, and the least share of all the light that
stands out in it. The last one is for skies without a sun: something always throws a shadow."""

# Real spherical harmonics up to the second degree over [1, x, y, z, xy, yz, 3z^2 - 1, xz,
# x^2 - y^2], and by how much a diffuse surface weakens each degree (Ramamoorthi & Hanrahan,
# SIGGRAPH 2001), over pi.
_HARMONICS = np.array([0.282095] + 3 * [0.488603] + 2 * [1.092548] + [0.315392, 1.092548, 0.546274])
_DIFFUSE = np.array([1.0] + 3 * [2 / 3] + 5 * [0.25])


@dataclass(frozen=True)
class EnvironmentMap:
    """A panorama around the people, its horizon level and its lower half laid on a floor.

    Metres in the world frame. `yaw_deg` turns it anticlockwise seen from above, `exposure`
    multiplies its linear colours, `eye_height` is where above the floor it was taken from, and
    `reach` how far the floor goes before the rest stands upright around it.
    """

    path: str
    yaw_deg: float
    exposure: float
    floor_z: float
    eye_height: float
    reach: float


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a panorama shines with, unturned and unexposed."""

    around: Float[np.ndarray, "9 3"]
    """Irradiance without the lamps (1: white paper is as bright as a white panorama) as a
    quadratic of the normal: factors of 1, x, y, z, xy, yz, 3z^2 - 1, xz, x^2 - y^2."""
    lamps: tuple[DirectionalLight, ...]
    """The brightest directions, at most two."""
    brightness: float
    """Mean luminance of what a white surface gets over all its directions."""


def directions(height: int, width: int) -> Float[np.ndarray, "h w 3"]:
    """World directions of a panorama's pixels: the top row looks up, the middle column along -y,
    the columns to the right of it towards -x."""
    elevation = np.pi * (0.5 - (np.arange(height) + 0.5) / height)[:, None]
    azimuth = 2 * np.pi * ((np.arange(width) + 0.5) / width - 0.5)[None, :]
    ring = np.cos(elevation)
    x, y = -ring * np.sin(azimuth), -ring * np.cos(azimuth)
    return np.stack(np.broadcast_arrays(x, y, np.sin(elevation)), axis=-1)


@lru_cache(maxsize=64)
def surroundings(path: str) -> Surroundings:
    """The light of a panorama file. Raises `UserError` where it cannot be read."""
    pixels = panorama_pixels(path)
    step = max(pixels.shape[0] // 128, 1)
    height, width = (side // step for side in pixels.shape[:2])
    blocks = pixels[: height * step, : width * step].reshape(height, step, width, step, 3)
    return light_of(blocks.mean(axis=(1, 3), dtype=np.float64))


@lru_cache(maxsize=2)
def panorama_pixels(path: str) -> Float32[np.ndarray, "h w 3"]:
    """Linear RGB of a panorama, by its path inside the asset packs or on the disk."""
    return read_panorama(assets_dir() / path)


def panorama_backdrop(path: str) -> Float32[np.ndarray, "h w 3"]:
    """A panorama as backgrounds are drawn from it: between 1024 and 2048 pixels wide.

    Coarser ones are made finer and blurred by a pixel, in the logarithm of the light: interpolated
    as it is, every bright pixel would be a jagged white square.
    """
    pixels = panorama_pixels(path)
    width = pixels.shape[1]
    size = min(max(width, _BACKDROP[0]), _BACKDROP[1])
    if size < width:
        return cv2.resize(pixels, (size, size // 2), interpolation=cv2.INTER_AREA)
    if size == width:
        return pixels
    black = 0.01 * float(pixels.mean())
    edge = _MARGIN * width // size + 1
    around = np.pad(np.log(pixels + black), ((edge, edge), (0, 0), (0, 0)), "edge")
    around = np.pad(around, ((0, 0), (edge, edge), (0, 0)), "wrap")
    scale = size / width
    fine = cv2.resize(around, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    fine = cv2.GaussianBlur(fine, None, 0.5 * scale)
    top = round(edge * scale)
    fine = fine[top : top + size // 2, top : top + size]
    return np.maximum(np.exp(fine) - black, 0)


def light_of(panorama: Float[np.ndarray, "h w 3"]) -> Surroundings:
    """Lamps out of the brightest directions, harmonics of all the rest."""
    towards = directions(*panorama.shape[:2])
    height, width = panorama.shape[:2]
    rows = np.pi * (0.5 - np.arange(height + 1) / height)
    solid = (np.sin(rows[:-1]) - np.sin(rows[1:]))[:, None, None] * (2 * np.pi / width)
    power = panorama * solid  # light of each pixel
    total = power.sum(axis=(0, 1)) @ LUMINANCE
    left = panorama.copy()
    lamps: list[DirectionalLight] = []
    for radius, share in _LAMPS:
        if share > 0 or not lamps:
            lamps += _take_brightest(left, towards, solid, radius, share * total)
    light = (left * solid).reshape(-1, 3)
    around = np.einsum("nb,nc->bc", _basis(towards.reshape(-1, 3)) * _HARMONICS, light)
    around *= (_HARMONICS * _DIFFUSE)[:, None]
    mean = around[0] + sum(np.array(lamp.color) for lamp in lamps) / 4
    return Surroundings(around, tuple(lamps), max(float(mean @ LUMINANCE), 1e-6))


def _basis(n: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 9"]:
    x, y, z = n.T
    return np.stack(
        [np.ones(len(n)), x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], 1
    )


def _take_brightest(
    left: Float[np.ndarray, "h w 3"],
    towards: Float[np.ndarray, "h w 3"],
    solid: Float[np.ndarray, "h 1 1"],
    radius_deg: float,
    least: float,
) -> list[DirectionalLight]:
    """The brightest disc as a lamp, taken out of `left`; none where too little stands out, or
    where the panorama is too coarse to tell."""
    from scipy.ndimage import uniform_filter  # slow to import

    size = max(int(radius_deg / 180 * left.shape[0] / 2), 1)
    blurred = uniform_filter(left @ LUMINANCE, size, mode=("nearest", "wrap"))
    row, column = np.unravel_index(np.argmax(blurred), blurred.shape)
    cosine = towards @ towards[row, column]
    near = cosine > np.cos(np.radians(radius_deg))
    ring = ~near & (cosine > np.cos(np.radians(1.6 * radius_deg)))
    if not ring.any():
        return []
    even = np.median(left[ring], axis=0)
    excess = np.where(near[..., None], np.maximum(left - even, 0), 0)
    light = (excess * solid).sum(axis=(0, 1))
    if light @ LUMINANCE <= least:
        return []
    weights = (excess * solid) @ LUMINANCE
    direction = (weights[..., None] * towards).sum(axis=(0, 1))
    direction /= np.linalg.norm(direction)
    left -= excess
    color = tuple((light / np.pi).tolist())
    return [DirectionalLight(tuple(direction.tolist()), color, shadow=True)]


def turned(around: Float[np.ndarray, "9 3"], yaw_deg: float) -> Float[np.ndarray, "9 3"]:
    """The same light turned anticlockwise seen from above."""
    yaw = np.radians(yaw_deg)
    c, s = np.cos(yaw), np.sin(yaw)
    even, x, y, z, xy, yz, zz, xz, xx = around
    c2, s2 = np.cos(2 * yaw), np.sin(2 * yaw)
    return np.stack(
        [even, c * x - s * y, s * x + c * y, z, c2 * xy + 2 * s2 * xx, c * yz + s * xz, zz,
         c * xz - s * yz, c2 * xx - s2 * xy / 2]
    )  # fmt: skip


def sample_panorama(
    rng: np.random.Generator, path: str, floor_z: float, far: float
) -> EnvironmentMap:
    """A panorama turned at random, exposed so that white is neither dim nor burnt out, around a
    scene that reaches `far` metres from the origin."""
    return EnvironmentMap(
        path=path,
        yaw_deg=float(rng.uniform(0, 360)),
        exposure=float(np.exp(rng.normal(np.log(0.75), 0.2))) / surroundings(path).brightness,
        floor_z=floor_z,
        eye_height=max(float(rng.uniform(1.2, 2.2)), _HEIGHT * far),
        reach=max(float(rng.uniform(6, 15)), _ROOM * far),
    )


def panorama_light(panorama: EnvironmentMap) -> Float[np.ndarray, "9 3"]:
    """The light from all around, lamps aside, as `Surroundings.around` but in the world."""
    return panorama.exposure * turned(surroundings(panorama.path).around, panorama.yaw_deg)


def panorama_lights(panorama: EnvironmentMap) -> tuple[DirectionalLight, ...]:
    """The panorama's lamps as they shine in the world."""
    turn = yaw_matrix(np.radians(panorama.yaw_deg))
    return tuple(
        DirectionalLight(
            direction=tuple((turn @ np.array(lamp.direction)).tolist()),
            color=tuple((panorama.exposure * np.array(lamp.color)).tolist()),
            shadow=True,
        )
        for lamp in surroundings(panorama.path).lamps
    )
