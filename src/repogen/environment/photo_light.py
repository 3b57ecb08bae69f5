"""The light in a photograph of a camera whose position above a floor is known, roughly estimated.

A picture says little about its light: surfaces may be dark because they are, or because little
light falls on them. What is assumed stands in the constants. There is no random number in it.
"""

from typing import NamedTuple

import cv2
import numpy as np

from repogen.arrays import Float, UInt8
from repogen.cameras.camera import Camera
from repogen.colors import to_linear
from repogen.environment.lights import DirectionalLight

_REFLECTANCE = 0.22
"""Linear reflectance that floors and walls are assumed to have on average."""

_LEAST, _MOST = 0.2, 1.3
"""Range of the irradiance on the floor; at 1 white paper is white."""

_NEAR = 1.5
"""Metres from the people at which a point of the floor counts half as much as one under them."""

_FARTHEST = 8.0
"""Metres from the people at which everything lies that is farther away or no floor."""

_LAMPS = 0.35, 0.1, 0.1
"""Shares of the light on the floor from lamps around the people, at equal angles. The first is
where the picture is brighter."""

_BRIGHT_SIDE = 0.1
"""How much larger the first lamp's share is where the picture is much brighter on its side."""

_LEAN = 0.8, 1.3
"""Tangent of a lamp's angle to the vertical, 39 degrees; and of the first one's where the picture
is much brighter on its side, 52 degrees."""

_HORIZON = 1e4
"""Metres to where rays that do not go down are taken to meet the floor."""

_CELLS = 48
"""Cells across the picture in which light is measured."""

_LINEAR_OF_BYTE = to_linear(np.arange(256) / 255).astype(np.float32)


class PhotoLight(NamedTuple):
    """The light where people stand in a photograph."""

    ambient: float
    """Irradiance from all directions but the lamps', on the floor; its colour is `light_color`."""
    lamps: tuple[DirectionalLight, ...]
    """Directional lights with shadows, the strongest first."""


def photo_light(
    photo: UInt8[np.ndarray, "h w 3"], camera: Camera, floor_z: float, at: tuple[float, float]
) -> PhotoLight:
    """The light in a whole photograph of `camera`, BGR, for people who stand at `at` (x and y in
    metres, world frame) on the floor of this height.

    - Strength: the mean brightness of the picture and of the floor around the people, in equal
      parts (geometric mean), over an assumed reflectance of 0.22.
    - Colour: `light_color`.
    - Direction: 55 to 65 % comes from three lamps around the people. The first is in the direction
      in which the logarithm of the brightness grows, as the plane that fits it best over what lies
      below the horizon. The steeper the plane, the stronger and lower is this lamp.
    """
    cells = _cells(photo)
    height, width = cells.shape[:2]
    x = (np.arange(width) + 0.5) * camera.width / width
    y = (np.arange(height) + 0.5) * camera.height / height
    pixels = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    places = floor_points(camera, pixels, floor_z) - at
    seen = np.isfinite(camera.rays(pixels)).all(axis=1)
    away = np.hypot(*places.T)
    places *= np.minimum(_FARTHEST / np.maximum(away, 1e-9), 1)[:, None]
    brightness = cells.reshape(-1, 3).mean(axis=1, dtype=np.float64)
    brightness, places, away = brightness[seen], places[seen], away[seen]
    near = 1 / (1 + (away / _NEAR) ** 2)
    level = np.sqrt(brightness.mean() * np.average(brightness, weights=near))
    floor = float(np.clip(level / _REFLECTANCE, _LEAST, _MOST))
    below = away < _HORIZON / 2
    slope = _slope(places[below], np.log(brightness[below] + 0.01)) if below.any() else np.zeros(2)
    bias = float(np.tanh(2 * _NEAR * np.hypot(*slope)))
    azimuth = float(np.arctan2(slope[1], slope[0]))
    lamps = []
    for i, usual in enumerate(_LAMPS):
        extra = bias if i == 0 else 0.0
        turned = azimuth + 2 * np.pi * i / len(_LAMPS)
        lean = _LEAN[0] + extra * (_LEAN[1] - _LEAN[0])
        towards = np.array([lean * np.cos(turned), lean * np.sin(turned), 1.0])
        towards /= np.linalg.norm(towards)
        share = usual + extra * _BRIGHT_SIDE
        color = share * floor / towards[2] * light_color(photo)
        lamps.append(DirectionalLight(tuple(towards.tolist()), tuple(color.tolist()), shadow=True))
    rest = 1 - sum(_LAMPS) - bias * _BRIGHT_SIDE
    return PhotoLight(rest * floor, tuple(lamps))


def light_color(photo: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "3"]:
    """The colour of the light in a picture (BGR): linear RGB with a mean of 1.

    The 6-norm of each channel (Finlayson & Trezzi, "Shades of gray and colour constancy", 2004),
    half-way to white, since floors and walls have colours of their own.
    """
    cells = _cells(photo).reshape(-1, 3)[:, ::-1].astype(np.float64)
    color = np.mean((cells + 1e-3) ** 6, axis=0) ** (1 / 6)
    color = np.sqrt(color / color.mean())
    return color / color.mean()


def floor_points(
    camera: Camera, pixels: Float[np.ndarray, "n 2"], floor_z: float
) -> Float[np.ndarray, "n 2"]:
    """x and y, metres in the world frame, at which the rays of pixels meet the floor; for rays
    that do not go down, points 10 km away in their direction. NaN where the lens sees nothing."""
    rays = camera.rays(pixels)
    rotation = np.array(camera.rotation)
    east, north, up = (
        rays[:, 0] * c[0] + rays[:, 1] * c[1] + rays[:, 2] * c[2] for c in rotation.T
    )
    eye = camera.position()
    far = (eye[2] - floor_z) / np.maximum(-up, 1e-9)
    far = np.minimum(far, _HORIZON / np.maximum(np.hypot(east, north), 1e-9))
    return np.stack([eye[0] + far * east, eye[1] + far * north], axis=-1)


def _cells(photo: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w 3"]:
    """Mean linear light of the picture's cells, BGR."""
    height, width = photo.shape[:2]
    rows = max(round(_CELLS * height / width), 1)
    return cv2.resize(_LINEAR_OF_BYTE[photo], (_CELLS, rows), interpolation=cv2.INTER_AREA)


def _slope(
    places: Float[np.ndarray, "n 2"], values: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "2"]:
    """Change of the values per metre along x and y, of the plane that fits them best."""
    x, y = (places - places.mean(axis=0)).T
    v = values - values.mean()
    # A little more of x x and y y keeps the slope finite where all places are the same.
    xx, yy, xy = np.mean(x * x) + 0.1, np.mean(y * y) + 0.1, np.mean(x * y)
    xv, yv = np.mean(x * v), np.mean(y * v)
    return np.array([yy * xv - xy * yv, xx * yv - xy * xv]) / (xx * yy - xy * xy)
