"""Cameras: position, orientation and intrinsics, and projection to pixels and back."""

import math
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from repogen.arrays import Bool, Float
from repogen.cameras import lens
from repogen.errors import UserError
from repogen.limits import MAX_PIXELS, MAX_SIDE
from repogen.records import Between, Length, Point, Rotation


@dataclass(frozen=True)
class View:
    """A camera's position and roll relative to the person it looks at, in degrees and metres.

    Azimuth 0 is in front of the subject, +90 at the subject's left. Elevation +90 is straight
    above, -90 straight below. Positive roll rotates the camera clockwise about its optical axis,
    so the picture rotates anticlockwise.
    """

    azimuth_deg: float
    elevation_deg: float
    roll_deg: float
    distance_m: float


_Side = Annotated[int, Between(1, MAX_SIDE)]
_Focal = Annotated[float, Between(1e-3, 1e7)]
_Pixels = Annotated[float, Between(-1e7, 1e7)]
_Coefficient = Annotated[float, Between(-1000, 1000)]


@dataclass(frozen=True)
class Camera:
    """A camera in OpenCV's frame (x right, y down, z forward), pixel centres at +0.5.

    World to camera is x_cam = rotation x_world + translation (metres, row-major rotation).
    `model` is one of `lens.MODELS`. `distortion` is k1 k2 p1 p2 k3 or k1 k2 p1 p2 k3 k4 k5 k6 for
    opencv, k1 k2 k3 k4 for kannala-brandt, empty for pinhole and equidistant.
    `circle_deg` is the angular diameter of a fisheye's image circle, outside of which the picture
    is black; None for no circle. Raises `UserError` for other values, a picture of no or too many
    pixels, and an invalid matrix.
    """

    width: _Side
    height: _Side
    fx: _Focal
    fy: _Focal
    cx: _Pixels
    cy: _Pixels
    rotation: Rotation
    translation: Point
    model: str = "pinhole"
    distortion: Annotated[tuple[_Coefficient, ...], Length(0, 8)] = ()
    circle_deg: float | None = None

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 1 or self.width * self.height > MAX_PIXELS:
            raise UserError(
                f"a picture of {self.width} x {self.height} pixels: give 1 to {MAX_PIXELS:,}"
            )
        intrinsics = (self.fx, self.fy, self.cx, self.cy)
        if not (min(self.fx, self.fy) > 0 and all(map(math.isfinite, intrinsics))):
            raise UserError(
                f"camera matrix {self.matrix.tolist()}: give finite numbers, focal lengths above 0"
            )
        lens.check_lens(self.model, self.distortion)
        if self.circle_deg is not None:
            lens.check_circle(self.model, self.circle_deg)

    @property
    def matrix(self) -> Float[np.ndarray, "3 3"]:
        """The intrinsic matrix K in pixels, applied after the distortion."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    def to_camera(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """World points transformed to the camera's frame, metres."""
        return rotate_points(points, np.array(self.rotation)) + np.array(
            self.translation, points.dtype
        )

    def to_pixels(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 2"]:
        """Pixel coordinates of points in the camera's frame, valid where they are `in_view`.

        A fisheye also projects points behind the image plane.
        """
        x, y = lens.project(self.model, self.distortion, points)
        return np.stack([self.fx * x + self.cx, self.fy * y + self.cy]).T

    def rays(self, pixels: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 3"]:
        """Unit vectors in the camera's frame through these pixel coordinates.

        NaN beyond the model's `lens.max_angle` and outside the image circle.
        """
        normalized = (np.asarray(pixels, np.float64) - [self.cx, self.cy]) / [self.fx, self.fy]
        rays = lens.unproject(self.model, self.distortion, normalized)
        return np.where(self._in_circle(rays)[:, None], rays, np.nan)

    def in_view(self, points: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
        """Whether the lens model can project each point, inside the picture or not.

        Points are in the camera's frame. For pinhole and opencv they must be in front of the
        camera; for opencv and the fisheyes within the angle at which the distortion would fold
        them back into the picture.
        """
        x, y, z = points.T
        if self.model == "pinhole":  # anything in front; most cameras are pinholes
            return z > 0
        angle = np.arctan2(np.hypot(x, y), z)
        return (angle <= lens.max_angle(self.model, self.distortion)) & (self.depth_of(points) > 0)

    def circle_radius(self) -> float:
        """The image circle's radius at focal length 1; infinite without a circle."""
        if self.circle_deg is None:
            return np.inf
        largest = lens.max_angle(self.model, self.distortion)
        angle = min(np.radians(self.circle_deg) / 2, largest)
        edge = np.array([[np.sin(angle), 0.0, np.cos(angle)]])
        return float(lens.project(self.model, self.distortion, edge)[0][0])

    def shows(self, points: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
        """Whether each point projects inside the picture's border and image circle.

        Points are in the camera's frame; occlusion is ignored.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            pixels = self.to_pixels(points)
        inside = (pixels >= 0).all(axis=1) & (pixels < [self.width, self.height]).all(axis=1)
        return inside & self.in_view(points) & self._in_circle(points)

    def _in_circle(self, points: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
        if self.circle_deg is None:
            return np.ones(len(points), dtype=bool)
        x, y, z = points.T
        return np.arctan2(np.hypot(x, y), z) <= np.radians(self.circle_deg) / 2

    def depth_of(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Depth in metres of points in the camera's frame, as in z-buffers and depth maps.

        It is z for pinhole and opencv, and the distance from the camera for the fisheyes.
        """
        x, y, z = points.T
        return np.sqrt(x * x + y * y + z * z) if self.model in lens.FISHEYES else z

    def position(self) -> Float[np.ndarray, "3"]:
        """The optical centre in the world frame, metres."""
        return -np.array(self.rotation).T @ np.array(self.translation)

    def windowed(self, left: float, top: float, width: int, height: int, scale: float) -> "Camera":
        """The camera of a window of the picture: a shifted principal point and a zoom.

        The window's upper left corner is `left`, `top` in this camera's pixels. It has `width` x
        `height` pixels and shows `width` / `scale` x `height` / `scale` of this camera's. The
        distortion, which is independent of pixels, stays.
        """
        return replace(
            self,
            width=width,
            height=height,
            fx=self.fx * scale,
            fy=self.fy * scale,
            cx=(self.cx - left) * scale,
            cy=(self.cy - top) * scale,
        )


def rotate_points(
    points: Float[np.ndarray, "n 3"], rotation: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "n 3"]:
    """The points rotated by a matrix, in the points' precision.

    The sums are written out, since those of BLAS depend on the number of threads.
    """
    x, y, z = np.ascontiguousarray(points.T)
    out = np.empty((3, len(points)), points.dtype)
    for row, sums in zip(rotation.astype(points.dtype), out, strict=True):
        np.multiply(x, row[0], out=sums)
        sums += y * row[1]
        sums += z * row[2]
    return out.T


def yaw_matrix(radians: float) -> Float[np.ndarray, "3 3"]:
    """Rotation about the world's z axis; positive is anticlockwise seen from above."""
    c, s = np.cos(radians), np.sin(radians)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def angles_to_direction(azimuth_deg: float, elevation_deg: float) -> Float[np.ndarray, "3"]:
    """Unit vector from the person to the camera, in the world frame (z up, subject faces -y)."""
    azimuth, elevation = np.radians(azimuth_deg), np.radians(elevation_deg)
    return np.array(
        [
            np.cos(elevation) * np.sin(azimuth),
            -np.cos(elevation) * np.cos(azimuth),
            np.sin(elevation),
        ]
    )


def direction_to_angles(direction: Float[np.ndarray, "3"]) -> tuple[float, float]:
    """Azimuth and elevation in degrees of a vector from the person to the camera (world frame)."""
    x, y, z = direction / np.linalg.norm(direction)
    azimuth = np.degrees(np.arctan2(x, -y)) if np.hypot(x, y) > 1e-12 else 0.0
    return float(azimuth), float(np.degrees(np.arcsin(np.clip(z, -1.0, 1.0))))


def look_at(
    view: View,
    target: tuple[float, float, float],
    yaw_deg: float,
    width: int,
    fov_deg: float,
    model: str = "pinhole",
    distortion: tuple[float, ...] = (),
    height: int | None = None,
) -> Camera:
    """A camera that looks at `target` from `view`.

    `target` is in metres in the world frame; `yaw_deg` is the subject's heading, to which the
    azimuth is relative; `width` and `height` are in pixels, without a height the picture is a
    square; `fov_deg` is the horizontal field of view. With zero roll, the world's up points up in
    the picture; from straight above at azimuth 0, the subject's back does. Raises `UserError` for
    an invalid distance, lens or field of view.

    >>> view = repogen.View(azimuth_deg=0, elevation_deg=90, roll_deg=0, distance_m=3)
    >>> camera = repogen.look_at(view, target=(0, 0, 0), yaw_deg=0, width=512, fov_deg=60)
    >>> (camera.width, camera.height)
    (512, 512)
    """
    _check_distance(view.distance_m)
    azimuth = view.azimuth_deg + yaw_deg
    direction = angles_to_direction(azimuth, view.elevation_deg)
    rotation = _axes(azimuth, view.elevation_deg, view.roll_deg)
    translation = -rotation @ (np.array(target) + view.distance_m * direction)
    focal = 0.5 * width / lens.half_width(model, distortion, fov_deg)
    height = width if height is None else height
    return Camera(
        width=width,
        height=height,
        fx=float(focal),
        fy=float(focal),
        cx=width / 2,
        cy=height / 2,
        rotation=tuple(tuple(float(v) for v in row) for row in rotation),  # type: ignore[misc]
        translation=tuple(float(v) for v in translation),  # type: ignore[arg-type]
        model=model,
        distortion=distortion,
    )


def _check_distance(metres: float) -> None:
    if not metres > 0:
        raise UserError(f"camera distance {metres} m must be positive")


def _axes(azimuth_deg: float, elevation_deg: float, roll_deg: float) -> Float[np.ndarray, "3 3"]:
    """The camera's right, down and forward in the world, seen from that direction."""
    forward = -angles_to_direction(azimuth_deg, elevation_deg)
    heading = np.radians(azimuth_deg)
    # The direction of growing elevation: up for a level camera, and defined at the poles.
    elevation = np.radians(elevation_deg)
    up = np.array(
        [
            -np.sin(elevation) * np.sin(heading),
            np.sin(elevation) * np.cos(heading),
            np.cos(elevation),
        ]
    )
    right = np.array([np.cos(heading), np.sin(heading), 0.0])
    roll = np.radians(roll_deg)
    x = np.cos(roll) * right - np.sin(roll) * up
    y = -np.sin(roll) * right - np.cos(roll) * up
    return np.stack([x, y, forward])


def view_of(camera: Camera, target: tuple[float, float, float], yaw_deg: float) -> View:
    """The `View` of a camera relative to a person at `target` with heading `yaw_deg`.

    The inverse of `look_at`; the camera need not look straight at the target.
    """
    offset = camera.position() - np.array(target)
    azimuth, elevation = direction_to_angles(offset)
    distance = float(np.linalg.norm(offset))
    _check_distance(distance)
    right, down, _ = _axes(azimuth, elevation, 0.0)
    x = np.array(camera.rotation)[0]
    roll = np.degrees(np.arctan2(x @ down, x @ right))
    return View(wrap_degrees(azimuth - yaw_deg), elevation, wrap_degrees(float(roll)), distance)


def wrap_degrees(degrees: float) -> float:
    """The angle plus a multiple of 360 degrees, in [-180, 180)."""
    return (degrees + 180.0) % 360.0 - 180.0
