"""Ambient irradiance of scenes whose background is not a panorama."""

import numpy as np

from repogen.arrays import Float, UInt8
from repogen.colors import to_linear
from repogen.environment.backgrounds import Photo
from repogen.environment.photo_light import light_color
from repogen.environment.rooms import Room
from repogen.rendering.paints import linear
from repogen.scenes.scene import Scene

_LINEAR_OF_BYTE = to_linear(np.arange(256) / 255)


def ambient_sh_irradiance(
    scene: Scene, background: UInt8[np.ndarray, "h w 3"]
) -> Float[np.ndarray, "9 3"]:
    """Spherical-harmonic coefficients (see `PanoramaLight.sh_irradiance`; linear RGB, world
    frame) of light from above and from below, in the background's colours or white."""
    out = np.zeros((9, 3))
    if not scene.tinted:
        out[0] = scene.ambient
        return out
    sky, ground = _above_and_below(scene, background)
    out[0], out[3] = (sky + ground) / 2, (sky - ground) / 2
    return out


def _above_and_below(
    scene: Scene, background: UInt8[np.ndarray, "h w 3"]
) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Linear light from above and from below.

    A photograph shows neither, so its upper and lower half stand in for them, unless the camera
    stands above its floor.
    """
    if isinstance(scene.background, Room):
        p = scene.background
        above = p.sky_zenith if p.half_size == (0.0, 0.0) else p.ceiling
        sky, ground = linear(above), linear(p.floor)
        grey = 0.5 * (sky.mean() + ground.mean())
        return scene.ambient * (sky + grey) / 2, scene.ambient * (ground + grey) / 2
    if isinstance(scene.background, Photo) and scene.background.floor_z is not None:
        # Only what shines on the floor is estimated; from below comes what the picture shows.
        bounced = _LINEAR_OF_BYTE[background[::16, ::16, ::-1]].mean(axis=(0, 1))
        return scene.ambient * light_color(background), bounced
    # A few pixels are enough for the mean colours.
    height, width = background.shape[:2]
    few = background[height // 32 :: max(height // 16, 1), width // 32 :: max(width // 16, 1)]
    light = _LINEAR_OF_BYTE[few[..., ::-1]]
    middle = (len(light) + 1) // 2
    upper, lower = light[:middle].mean(axis=(0, 1)), light[-middle:].mean(axis=(0, 1))
    # A camera's exposure hides how bright a scene is: only the tint counts, and above over below.
    grey = light.mean() + 0.03
    sky, ground = (
        scene.ambient * np.clip((half + grey) / (2 * grey), 0.4, 1.8) for half in (upper, lower)
    )
    return sky, ground
