"""Framing: put people into the picture by zoom and shift, without moving the camera."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from repogen.cameras.camera import Camera
from repogen.errors import UserError

PAPER_FOV_DEG = 90.0
"""The paper's vertical field of view (docs/method.md)."""


@dataclass(frozen=True)
class Box:
    """A box in pixels: left, top, right, bottom."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


def projected_box(camera: Camera, vertices: Float[np.ndarray, "v 3"]) -> Box:
    """The pixel box of the world points in front of the camera, not clipped to the picture.

    Raises `UserError` if no point is in front.
    """
    points = camera.to_camera(vertices)
    in_front = camera.in_view(points) & (camera.depth_of(points) > 0.05)
    if not in_front.all():
        points = points[in_front]
    if len(points) == 0:
        raise UserError("everyone is behind the camera; raise --distance")
    u, v = camera.to_pixels(points).T
    return Box(float(u.min()), float(v.min()), float(u.max()), float(v.max()))


def fit(
    rng: np.random.Generator,
    camera: Camera,
    vertices: Float[np.ndarray, "v 3"],
    share: tuple[float, float],
    truncate: float,
) -> Camera:
    """The camera zoomed and shifted to show a person at a random size and position.

    The width or height of the box of `vertices` (world frame, metres), whichever fills more of the
    picture, is a uniform `share` of the picture's. With probability `truncate`, 5 to 40 % of one
    side of the box lies outside the picture.
    """
    box = projected_box(camera, vertices)
    columns, rows = camera.width, camera.height
    side, extent = (columns, box.width)
    if box.height * columns > box.width * rows:
        side, extent = (rows, box.height)
    scale = float(rng.uniform(*share)) * side / extent
    width, height = box.width * scale, box.height * scale
    x, y = float(rng.uniform(0, columns - width)), float(rng.uniform(0, rows - height))
    if rng.random() < truncate:
        outside = float(rng.uniform(0.05, 0.4))
        edge = int(rng.integers(4))
        if edge == 0:
            x = -outside * width
        elif edge == 1:
            x = columns - (1 - outside) * width
        elif edge == 2:
            y = -outside * height
        else:
            y = rows - (1 - outside) * height
    return camera.windowed(box.left - x / scale, box.top - y / scale, columns, rows, scale)


def crop(camera: Camera, vertices: Float[np.ndarray, "v 3"], factor: float) -> Camera:
    """The camera of a window `factor` times the box of `vertices`, at the same scale.

    The window is clipped to the picture, like the paper's crops.
    """
    box = projected_box(camera, vertices)
    grow_x, grow_y = (factor - 1) * box.width / 2, (factor - 1) * box.height / 2
    left = int(np.clip(np.floor(box.left - grow_x), 0, camera.width - 1))
    top = int(np.clip(np.floor(box.top - grow_y), 0, camera.height - 1))
    right = int(np.clip(np.ceil(box.right + grow_x), left + 1, camera.width))
    bottom = int(np.clip(np.ceil(box.bottom + grow_y), top + 1, camera.height))
    return camera.windowed(left, top, right - left, bottom - top, 1.0)
