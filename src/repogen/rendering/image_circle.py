"""The black rim around a fisheye's picture."""

import numpy as np

from repogen.arrays import UInt8
from repogen.cameras.camera import Camera
from repogen.rendering.buffers import array, color_tables, launch
from repogen.rendering.kernels.image_circle import darken_outside_circle
from repogen.rendering.kernels.lens import Lens
from repogen.rendering.kernels.room import STRIP
from repogen.warp_setup import wp


def apply_image_circle(
    image: UInt8[np.ndarray, "h w 3"], camera: Camera, lens: Lens, device: str = "cpu"
) -> UInt8[np.ndarray, "h w 3"]:
    """The picture, BGR, black outside the camera's image circle and fading just inside it.

    `lens` is the camera's. The same array is returned for a camera without an image circle.
    """
    radius = camera.circle_radius()
    if np.isinf(radius):
        return image
    picture = array(image.reshape(camera.height, -1).copy(), wp.uint8, device)
    launch(
        device, darken_outside_circle, (camera.height, -(-camera.width // STRIP)),
        lens, radius, *color_tables(device), picture,
    )  # fmt: skip
    return picture.numpy().reshape(image.shape)
