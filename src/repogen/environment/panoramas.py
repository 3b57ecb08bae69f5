"""Panoramas in high dynamic range: background and light at once."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np

from repogen.arrays import Float, Float32
from repogen.assets import check_pack_file, read_panorama
from repogen.assets.sources import Source, path_of
from repogen.cameras.camera import yaw_matrix
from repogen.colors import LUMINANCE
from repogen.environment.lights import DirectionalLight, metered_gain, seen_share
from repogen.records import Angle, Between, Distance, Position

_BACKDROP = (1024, 2048)
_MARGIN = 8

_LEAST_REACH = 1.2
"""Least reach of a panorama's floor over the reach of the scene: the camera must be inside."""

_REACHES = {False: (4.0, 7.0), True: (6.0, 15.0)}
"""Metres that a panorama's floor reaches, by whether its ground is wide."""

_EYE_HEIGHTS = (1.3, 1.9)
"""Metres from the floor to a panorama's viewpoint: a tripod at eye level, as photographers of
panoramas use it. What stands on the floor then has its real size, whatever the scene's."""

_OVERLOOKED, _LARGEST = 3.5, 2.5
"""Heights of a panorama's viewpoint that a camera is above wide ground, at most, unless all on it
would be more than that many times as large as it is."""

_LIGHT_DISCS = ((12.0, 0.06), (12.0, 0.06), (35.0, 0.0))
"""Discs that become directional lights, in turn: radius in degrees, and the least share of all the
light that exceeds the surroundings there. The last one is for skies without a sun, so that every
panorama throws a shadow."""

# Real spherical harmonics up to the second degree over [1, x, y, z, xy, yz, 3z^2 - 1, xz,
# x^2 - y^2], and by how much a diffuse surface weakens each degree (Ramamoorthi & Hanrahan,
# SIGGRAPH 2001), over pi.
_HARMONICS = np.array([0.282095] + 3 * [0.488603] + 2 * [1.092548] + [0.315392, 1.092548, 0.546274])
_DIFFUSE = np.array([1.0] + 3 * [2 / 3] + 5 * [0.25])

_BRIGHT = 0.5
"""Linear light of what is behind people from which on the camera reduces the exposure."""
_PALE = 0.45
"""Reflectance of a pale wall."""
_SPARED = 0.75
"""Share, in stops, of what it is brighter by that the exposure makes up for."""

_BALANCED = 0.85
"""Share, in the logarithm, of that light's colour that the white balance takes away."""

_LEAST_AMBIENT = 0.3
"""Least irradiance without the directional lights, over that of all light: what people, clothes and
the floor reflect to each other fills shadows even in a black studio."""

_LAMP_TINT = 0.5
"""Share, in the logarithm, of a directional light's colour that is kept where it differs from that
of all light: panoramas have lamps in deeper colours than cameras see them."""

_PEAK = 2.2
"""Irradiance of the brightest side that the camera sees of people from which on it reduces the
exposure: white cloth there is just white."""
_PEAK_SPARED = 0.6
"""Share, in stops, of what it is brighter by that the exposure makes up for."""

_MOST_STOPS = 2.0
"""Most that a bright background reduces the exposure by."""
_MOST_BALANCE = 2.5


_Gain = Annotated[float, Between(1e-3, 1e3)]


@dataclass(frozen=True)
class Panorama:
    """A panorama around the people; its lower half is projected on a flat floor.

    Metres in the world frame. `yaw_deg` turns it anticlockwise seen from above, `exposure` and
    `white_balance` (red, green, blue) multiply its linear colours, `floor_z` is the floor's height,
    `eye_height` that of the panorama's viewpoint above it, and `reach` the floor's radius: beyond
    it the panorama is projected on a sphere.
    """

    file: Source
    yaw_deg: Angle
    exposure: Annotated[float, Between(1e-9, 1e9)]
    floor_z: Position
    eye_height: Distance
    reach: Distance
    white_balance: tuple[_Gain, _Gain, _Gain] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class PanoramaLight:
    """The light of a panorama, before yaw and exposure."""

    sh_irradiance: Float[np.ndarray, "9 3"]
    """Irradiance without the directional lights: coefficients of the spherical harmonics 1, x, y,
    z, xy, yz, 3z^2 - 1, xz, x^2 - y^2 of the normal, linear RGB, world frame. At 1 white paper is
    as bright as a white panorama."""
    lights: tuple[DirectionalLight, ...]
    """The brightest directions, at most two."""
    brightness: float
    """Mean irradiance, over all normals, as luminance."""


def directions(height: int, width: int) -> Float[np.ndarray, "h w 3"]:
    """Unit vectors of a panorama's pixels in the world's frame: the top row looks up, the middle
    column along -y, the columns to its right towards -x."""
    elevation = np.pi * (0.5 - (np.arange(height) + 0.5) / height)[:, None]
    azimuth = 2 * np.pi * ((np.arange(width) + 0.5) / width - 0.5)[None, :]
    ring = np.cos(elevation)
    x, y = -ring * np.sin(azimuth), -ring * np.cos(azimuth)
    return np.stack(np.broadcast_arrays(x, y, np.sin(elevation)), axis=-1)


@lru_cache(maxsize=64)
def panorama_light(path: Path) -> PanoramaLight:
    """The light of a panorama file. Raises `UserError` if it cannot be read."""
    pixels = panorama_pixels(path)
    step = max(pixels.shape[0] // 128, 1)
    height, width = (side // step for side in pixels.shape[:2])
    blocks = pixels[: height * step, : width * step].reshape(height, step, width, step, 3)
    return panorama_to_light(blocks.mean(axis=(1, 3), dtype=np.float64))


@lru_cache(maxsize=2)
def panorama_pixels(path: Path) -> Float32[np.ndarray, "h w 3"]:
    """Linear RGB of a panorama; the last two are cached."""
    check_pack_file(path)
    return read_panorama(path)


def panorama_backdrop(path: Path) -> Float32[np.ndarray, "h w 3"]:
    """A panorama for drawing backgrounds: linear RGB, between 1024 and 2048 pixels wide.

    Coarser ones are enlarged and blurred by a pixel, in the logarithm of the light: in linear
    light every bright pixel would become a jagged white square. Towards the zenith and the nadir
    rows are blurred to the detail that columns have: a panorama has ever narrower pixels there,
    which would be seen as streaks.
    """
    pixels = panorama_pixels(path)
    width = pixels.shape[1]
    size = min(max(width, _BACKDROP[0]), _BACKDROP[1])
    black = 0.01 * float(pixels.mean())
    if size <= width:
        pixels = cv2.resize(pixels, (size, size // 2), interpolation=cv2.INTER_AREA)
        fine = _even_at_poles(np.log(pixels + black), 1.0)
        return np.maximum(np.exp(fine) - black, 0)
    edge = _MARGIN * width // size + 1
    sh = np.pad(np.log(pixels + black), ((edge, edge), (0, 0), (0, 0)), "edge")
    sh = np.pad(sh, ((0, 0), (edge, edge), (0, 0)), "wrap")
    scale = size / width
    fine = cv2.resize(sh, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    fine = cv2.GaussianBlur(fine, None, 0.5 * scale)
    top = round(edge * scale)
    fine = _even_at_poles(fine[top : top + size // 2, top : top + size], scale)
    return np.maximum(np.exp(fine) - black, 0)


def _even_at_poles(
    panorama: Float32[np.ndarray, "h w 3"], texel: float
) -> Float32[np.ndarray, "h w 3"]:
    """A panorama whose rows have no finer detail on the sphere than its columns, which resolve
    `texel` rows."""
    height, width = panorama.shape[:2]
    elevation = np.pi * (0.5 - (np.arange(height) + 0.5) / height)
    sigma = 0.6 * texel * np.abs(np.tan(elevation))
    narrow = sigma > 0.5 * texel
    frequency = np.arange(width // 2 + 1) / width
    weights = np.exp(-2 * (np.pi * sigma[narrow][:, None] * frequency) ** 2).astype(np.float32)
    out = panorama.copy()
    for channel in range(3):  # Fourier transforms are fastest along memory, in single precision
        waves = weights * np.fft.rfft(panorama[narrow, :, channel], axis=1)
        out[narrow, :, channel] = np.fft.irfft(waves, width, axis=1)
    return out


def panorama_to_light(panorama: Float[np.ndarray, "h w 3"]) -> PanoramaLight:
    """The light of a panorama in linear RGB: directional lights of its brightest directions, and
    spherical harmonics of the rest."""
    towards = directions(*panorama.shape[:2])
    height, width = panorama.shape[:2]
    rows = np.pi * (0.5 - np.arange(height + 1) / height)
    solid = (np.sin(rows[:-1]) - np.sin(rows[1:]))[:, None, None] * (2 * np.pi / width)
    power = panorama * solid  # light of each pixel
    total = power.sum(axis=(0, 1)) @ LUMINANCE
    left = panorama.copy()
    lights: list[DirectionalLight] = []
    for radius, share in _LIGHT_DISCS:
        if share > 0 or not lights:
            lights += _extract_light(left, towards, solid, radius, share * total)
    light = (left * solid).reshape(-1, 3)
    sh = np.einsum("nb,nc->bc", _basis(towards.reshape(-1, 3)) * _HARMONICS, light)
    sh *= (_HARMONICS * _DIFFUSE)[:, None]
    lit = sum((np.array(light.color) for light in lights), np.zeros(3)) / 4
    least = _LEAST_AMBIENT / (1 - _LEAST_AMBIENT) * float(lit @ LUMINANCE)
    mean = sh[0] + lit
    missing = max(least - float(sh[0] @ LUMINANCE), 0) / max(float(mean @ LUMINANCE), 1e-9)
    sh[0] += missing * mean
    mean = sh[0] + lit
    lights = [_less_tinted(light, mean) for light in lights]
    return PanoramaLight(sh, tuple(lights), max(float(mean @ LUMINANCE), 1e-6))


def _less_tinted(light: DirectionalLight, mean: Float[np.ndarray, "3"]) -> DirectionalLight:
    """The light as bright, its colour nearer to that of `mean`."""
    own = np.maximum(np.array(light.color), 1e-9)
    around = np.maximum(mean, 1e-9) / max(float(mean @ LUMINANCE), 1e-9)
    level = float(own @ LUMINANCE)
    mixed = (own / level) ** _LAMP_TINT * around ** (1 - _LAMP_TINT)
    red, green, blue = (mixed * level / float(mixed @ LUMINANCE)).tolist()
    return replace(light, color=(red, green, blue))


def _basis(n: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 9"]:
    x, y, z = n.T
    return np.stack(
        [np.ones(len(n)), x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], 1
    )


def _box_mean(
    rows: Float[np.ndarray, "h w"], size: int, mode: Literal["edge", "wrap"]
) -> Float[np.ndarray, "h w"]:
    """The mean of the `size` rows around each row; beyond the ends, the last row or the other end's
    rows."""
    padded = np.pad(rows, ((size // 2, (size - 1) // 2), (0, 0)), mode=mode)
    first = np.cumsum(padded[:size], axis=0)[-1:]
    return np.cumsum(np.concatenate([first, padded[size:] - padded[:-size]]), axis=0) / size


def _extract_light(
    remaining: Float[np.ndarray, "h w 3"],
    towards: Float[np.ndarray, "h w 3"],
    solid: Float[np.ndarray, "h 1 1"],
    radius_deg: float,
    least: float,
) -> list[DirectionalLight]:
    """The brightest disc of `remaining` as a light, subtracted from it; none if the disc exceeds
    its surroundings by too little, or if the panorama is too coarse to compare them.

    `towards` are the pixels' directions, `solid` their solid angles, `least` a luminance.
    """
    size = max(int(radius_deg / 180 * remaining.shape[0] / 2), 1)
    blurred = _box_mean(_box_mean(remaining @ LUMINANCE, size, "edge").T, size, "wrap").T
    row, column = np.unravel_index(np.argmax(blurred), blurred.shape)
    cosine = towards @ towards[row, column]
    near = cosine > np.cos(np.radians(radius_deg))
    ring = ~near & (cosine > np.cos(np.radians(1.6 * radius_deg)))
    if not ring.any():
        return []
    nearby = np.median(remaining[ring], axis=0)
    excess = np.where(near[..., None], np.maximum(remaining - nearby, 0), 0)
    light = (excess * solid).sum(axis=(0, 1))
    if light @ LUMINANCE <= least:
        return []
    weights = (excess * solid) @ LUMINANCE
    direction = (weights[..., None] * towards).sum(axis=(0, 1))
    direction /= np.linalg.norm(direction)
    remaining -= excess
    color = tuple((light / np.pi).tolist())
    return [DirectionalLight(tuple(direction.tolist()), color, shadow=True)]


def rotate_sh(sh: Float[np.ndarray, "9 3"], yaw_deg: float) -> Float[np.ndarray, "9 3"]:
    """Spherical-harmonic coefficients of the same light, turned anticlockwise seen from above."""
    yaw = np.radians(yaw_deg)
    c, s = np.cos(yaw), np.sin(yaw)
    constant, x, y, z, xy, yz, zz, xz, xx = sh
    c2, s2 = np.cos(2 * yaw), np.sin(2 * yaw)
    return np.stack(
        [constant, c * x - s * y, s * x + c * y, z, c2 * xy + 2 * s2 * xx, c * yz + s * xz, zz,
         c * xz - s * yz, c2 * xx - s2 * xy / 2]
    )  # fmt: skip


def sample_panorama(
    rng: np.random.Generator,
    file: Source,
    floor_z: float,
    far: float,
    wide: bool = False,
    overlook: float = 0.0,
) -> Panorama:
    """A panorama with random yaw, exposure, viewpoint and reach, around a scene that reaches `far`
    metres from the origin. White is neither dim nor overexposed.

    Ground that is `wide` reaches far; elsewhere walls and trees would soon lie on the floor. Where
    a camera looks over it from `overlook` metres above, its viewpoint is higher, too: larger grass
    is seen less than grass that is drawn out.
    """
    brightness = panorama_light(path_of(file)).brightness
    yaw_deg, stops = float(rng.uniform(0, 360)), rng.normal(np.log(1.15), 0.2)
    eye_height = float(rng.uniform(*_EYE_HEIGHTS))
    if wide:
        eye_height = max(eye_height, min(overlook / _OVERLOOKED, _LARGEST * eye_height))
    return Panorama(
        file=file,
        yaw_deg=yaw_deg,
        exposure=float(np.exp(stops)) / brightness,
        floor_z=floor_z,
        eye_height=eye_height,
        reach=max(float(rng.uniform(*_REACHES[wide])), _LEAST_REACH * far),
    )


def expose(panorama: Panorama, towards: Float[np.ndarray, "3"], has_wall: bool = False) -> Panorama:
    """The panorama with exposure and white balance for people whom a camera sees from the unit
    vector `towards` (from them to it, world frame), and for what is behind them: the panorama, or a
    wall that faces the camera."""
    seen = light_towards(panorama, towards)
    level = float(seen @ LUMINANCE)
    gain = metered_gain(level, panorama.exposure * brightness(panorama))
    gain *= 2 ** -max(_PEAK_SPARED * np.log2(gain * _peak(panorama, towards) / _PEAK), 0)
    behind = _wall_light(panorama, towards) if has_wall else _light_from(panorama, -towards)
    over = np.log2(1e-9 + gain * behind / _BRIGHT)
    gain *= 2 ** -np.clip(_SPARED * over, 0, _MOST_STOPS)
    balance = (np.maximum(seen, 1e-9) / max(level, 1e-9)) ** -_BALANCED
    balance = np.clip(balance, 1 / _MOST_BALANCE, _MOST_BALANCE)
    balance /= float((balance * seen) @ LUMINANCE) / max(level, 1e-9)
    red, green, blue = balance.tolist()
    return replace(
        panorama,
        exposure=float(panorama.exposure * gain),
        white_balance=(red, green, blue),
    )


def _peak(panorama: Panorama, towards: Float[np.ndarray, "3"]) -> float:
    """Luminance of the irradiance on the brightest side of people that is seen from a direction."""
    brightest = 0.0
    for light in panorama_lights(panorama):
        behind = min(float(np.dot(light.direction, towards)), 0.0)
        brightest = max(brightest, float(light.color @ LUMINANCE) * np.sqrt(1 - behind**2))
    return float(panorama_irradiance(panorama)[0] @ LUMINANCE) + brightest


def brightness(panorama: Panorama) -> float:
    """`PanoramaLight.brightness` before exposure."""
    return panorama_light(path_of(panorama.file)).brightness


def _light_from(panorama: Panorama, direction: Float[np.ndarray, "3"]) -> float:
    """Luminance of the panorama around a direction, without its directional lights: what spherical
    harmonics of the second degree resolve, about 60 degrees."""
    light = (_basis(direction[None])[0] / _DIFFUSE) @ panorama_irradiance(panorama)
    return max(float(light @ LUMINANCE), 0.0)


def _wall_light(panorama: Panorama, towards: Float[np.ndarray, "3"]) -> float:
    """Luminance of a pale wall that faces a direction."""
    light = _basis(towards[None])[0] @ panorama_irradiance(panorama)
    for lamp in panorama_lights(panorama):
        light = light + max(float(np.dot(lamp.direction, towards)), 0.0) * np.array(lamp.color)
    return _PALE * max(float(light @ LUMINANCE), 0.0)


def light_towards(panorama: Panorama, towards: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    """Mean irradiance, linear RGB, of the side of a sphere that is seen from a direction.

    Averaged over the sphere as it is seen, an irradiance of degree l is weakened once more like a
    diffuse surface weakens light; for directional lights see `seen_share`.
    """
    sh = panorama_irradiance(panorama)
    out = (_basis(towards[None])[0] * _DIFFUSE) @ sh
    for light in panorama_lights(panorama):
        share = seen_share(float(np.dot(light.direction, towards)))
        out = out + share * np.array(light.color)
    return np.maximum(out, 0)


def _gains(panorama: Panorama) -> Float[np.ndarray, "3"]:
    return panorama.exposure * np.array(panorama.white_balance)


def panorama_irradiance(panorama: Panorama) -> Float[np.ndarray, "9 3"]:
    """`PanoramaLight.sh_irradiance` of the panorama, with its yaw, exposure and white balance."""
    return _gains(panorama) * rotate_sh(
        panorama_light(path_of(panorama.file)).sh_irradiance, panorama.yaw_deg
    )


def panorama_lights(panorama: Panorama) -> tuple[DirectionalLight, ...]:
    """`PanoramaLight.lights` of the panorama, with its yaw, exposure and white balance."""
    turn = yaw_matrix(np.radians(panorama.yaw_deg))
    return tuple(
        DirectionalLight(
            direction=tuple((turn @ np.array(light.direction)).tolist()),
            color=tuple((_gains(panorama) * np.array(light.color)).tolist()),
            shadow=True,
        )
        for light in panorama_light(path_of(panorama.file)).lights
    )
