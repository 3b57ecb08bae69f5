"""The black rim around a fisheye's picture."""

import numpy as np
from jaxtyping import UInt8

from repogen.cameras.camera import Camera
from repogen.rendering.buffers import array, color_tables, launch
from repogen.rendering.kernels.lens import Lens
from repogen.rendering.kernels.rim import darken_rim
from repogen.rendering.kernels.room import STRIP
from repogen.warp_setup import wp


def rimmed(
    image: UInt8[np.ndarray, "h w 3"], camera: Camera, lens: Lens, device: str = "cpu"
) -> UInt8[np.ndarray, "h w 3"]:
    """The picture black outside of the camera's image circle, whose edge fades on the inside;
    `lens` is the camera's."""
    radius = camera.circle_radius()
    if np.isinf(radius):
        return image
    picture = array(image.reshape(camera.height, -1), wp.uint8, device)
    launch(
        device, darken_rim, (camera.height, -(-camera.width // STRIP)),
        lens, radius, *color_tables(device), picture,
    )  # fmt: skip
    return picture.numpy().reshape(image.shape)
