"""How a person is put into the frame: by zoom and shift, never by moving the camera."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from repogen.cameras.camera import Camera
from repogen.errors import UserError

PAPER_FOV_DEG = 90.0
"""The paper's vertical field of view."""


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
    """The box of the points in front of the camera, whether inside the picture or not."""
    points = camera.to_camera(vertices)
    in_front = camera.in_view(points) & (camera.depth_of(points) > 0.05)
    if not in_front.all():
        points = points[in_front]
    if len(points) == 0:
        raise UserError("the camera sees nobody: everyone is behind it; raise its distance")
    u, v = camera.to_pixels(points).T
    return Box(float(u.min()), float(v.min()), float(u.max()), float(v.max()))


def fit(
    rng: np.random.Generator,
    camera: Camera,
    vertices: Float[np.ndarray, "v 3"],
    share: tuple[float, float],
    truncate: float,
) -> Camera:
    """Zoom so that the longer side of the person's box is a random `share` of the picture, and
    shift it to a random place inside it.

    With probability `truncate` up to 40 % of one side of the box lies beyond the border.
    """
    box = projected_box(camera, vertices)
    side = camera.width
    scale = float(rng.uniform(*share)) * side / max(box.width, box.height)
    width, height = box.width * scale, box.height * scale
    x, y = float(rng.uniform(0, side - width)), float(rng.uniform(0, side - height))
    if rng.random() < truncate:
        lost = float(rng.uniform(0.05, 0.4))
        edge = int(rng.integers(4))
        if edge == 0:
            x = -lost * width
        elif edge == 1:
            x = side - (1 - lost) * width
        elif edge == 2:
            y = -lost * height
        else:
            y = side - (1 - lost) * height
    return camera.windowed(box.left - x / scale, box.top - y / scale, side, side, scale)


def paper(
    _rng: np.random.Generator,
    camera: Camera,
    _vertices: Float[np.ndarray, "v 3"],
    _share: tuple[float, float],
    _truncate: float,
) -> Camera:
    """The camera as it stands: 90 degrees wide, the root in the middle."""
    return camera


def crop(camera: Camera, vertices: Float[np.ndarray, "v 3"], factor: float) -> Camera:
    """Only a window `factor` times the person's box, at the camera's own scale.

    The window is cut to the picture's border, as the paper's crops are.
    """
    box = projected_box(camera, vertices)
    grow_x, grow_y = (factor - 1) * box.width / 2, (factor - 1) * box.height / 2
    left = int(np.clip(np.floor(box.left - grow_x), 0, camera.width - 1))
    top = int(np.clip(np.floor(box.top - grow_y), 0, camera.height - 1))
    right = int(np.clip(np.ceil(box.right + grow_x), left + 1, camera.width))
    bottom = int(np.clip(np.ceil(box.bottom + grow_y), top + 1, camera.height))
    return camera.windowed(left, top, right - left, bottom - top, 1.0)


Framing = Callable[
    [np.random.Generator, Camera, Float[np.ndarray, "v 3"], tuple[float, float], float], Camera
]

FRAMINGS: dict[str, Framing] = {"fit": fit, "paper": paper}
"""`fit`: the whole person at a random share of the picture. `paper`: the paper's
camera (docs/method.md#views)."""
