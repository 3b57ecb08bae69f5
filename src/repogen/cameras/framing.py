"""Framing: put people into the picture by zoom and shift, without moving the camera."""

from dataclasses import dataclass, replace

import numpy as np

from repogen.arrays import Float
from repogen.cameras import lens
from repogen.cameras.camera import Camera
from repogen.errors import UserError

PAPER_FOV_DEG = 90.0
"""The paper's vertical field of view (docs/method.md)."""

_HALVINGS = 6
"""Times that `step_back` halves the range of distances: the camera is at most 1/64 of it farther
away than necessary."""

_MARGIN_DEG = 0.5
"""`step_back` looks at few of the points and keeps them this much nearer to the axis."""


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
    return _box_and_whole(camera, vertices)[0]


def _box_and_whole(camera: Camera, vertices: Float[np.ndarray, "v 3"]) -> tuple[Box, bool]:
    """`projected_box`, and whether all points are in front."""
    points = camera.to_camera(vertices)
    in_front = camera.in_view(points) & (camera.depth_of(points) > 0.05)
    whole = bool(in_front.all())
    if not whole:
        points = points[in_front]
    if len(points) == 0:
        raise UserError("everyone is behind the camera; raise --distance")
    x, y = lens.project(camera.model, camera.distortion, points)
    (left, right), (top, bottom) = (
        (float(focal * at.min() + centre), float(focal * at.max() + centre))
        for at, focal, centre in ((x, camera.fx, camera.cx), (y, camera.fy, camera.cy))
    )
    return Box(left, top, right, bottom), whole


def off_axis_deg(camera: Camera, vertices: Float[np.ndarray, "v 3"]) -> float:
    """Degrees off the lens axis of the farthest corner of the box of world points; 180 where the
    lens does not project all of them.

    Raises `UserError` if no point is in front.
    """
    box, whole = _box_and_whole(camera, vertices)
    return _corners_deg(camera, box) if whole else 180.0


def _corners_deg(camera: Camera, box: Box) -> float:
    """Degrees off the lens axis of the farthest corner of a box."""
    corners = np.array([[x, y] for x in (box.left, box.right) for y in (box.top, box.bottom)])
    angles = np.degrees(np.arccos(np.clip(camera.rays(corners)[:, 2], -1, 1)))
    return float(np.nan_to_num(angles, nan=180.0).max())


def step_back(
    camera: Camera,
    target: tuple[float, float, float],
    vertices: Float[np.ndarray, "v 3"],
    farthest: float,
    max_off_axis: float,
) -> Camera:
    """The camera moved away from `target`, as far as needed so that no corner of the box of
    `vertices` is more than `max_off_axis` degrees off the axis.

    Metres in the world frame. The camera goes no farther than `farthest`; where that is not
    enough, it stays where it is.
    """
    limit = max_off_axis - _MARGIN_DEG
    offset = camera.position() - np.array(target)
    near = float(np.linalg.norm(offset))

    def moved(distance: float) -> Camera:
        at = np.array(target) + distance / near * offset
        t = -np.array(camera.rotation) @ at
        return replace(camera, translation=(float(t[0]), float(t[1]), float(t[2])))

    if off_axis_deg(camera, vertices) <= limit:
        return camera
    if farthest <= near or off_axis_deg(moved(farthest), vertices) > limit:
        return camera
    low, high = near, farthest
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if off_axis_deg(moved(middle), vertices) > limit:
            low = middle
        else:
            high = middle
    return moved(high)


def widest(camera: Camera, max_off_axis: float) -> Camera:
    """The camera zoomed so that the corners of its picture are `max_off_axis` degrees off the axis,
    which passes through the picture's middle."""
    half = np.array([camera.width, camera.height]) / 2
    across = np.sin(np.radians(max_off_axis)) * half / np.linalg.norm(half)
    corners = np.array(
        [
            [x * across[0], y * across[1], np.cos(np.radians(max_off_axis))]
            for x in (-1, 1)
            for y in (-1, 1)
        ]
    )
    x, y = np.abs(np.stack(lens.project(camera.model, camera.distortion, corners)))
    scale = max(half[0] / (camera.fx * x.min()), half[1] / (camera.fy * y.min()))
    left, top = camera.cx - half[0] / scale, camera.cy - half[1] / scale
    return camera.windowed(float(left), float(top), camera.width, camera.height, float(scale))


def fit(
    rng: np.random.Generator,
    camera: Camera,
    vertices: Float[np.ndarray, "v 3"],
    share: tuple[float, float],
    truncate: float,
    max_off_axis: float | None = None,
) -> Camera:
    """The camera zoomed and shifted to show a person at a random size and position.

    The width or height of the box of `vertices` (world frame, metres), whichever fills more of the
    picture, is a uniform `share` of the picture's. With probability `truncate`, 5 to 40 % of one
    side of the box lies outside the picture. Where a corner of the box is more than `max_off_axis`
    degrees off the lens axis, the picture is the `widest` that keeps to them instead.
    """
    box, whole = _box_and_whole(camera, vertices)
    if max_off_axis is not None and not (whole and _corners_deg(camera, box) <= max_off_axis):
        return widest(camera, max_off_axis)
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
