"""`views.lens` for kernels: where a point lands in the picture, and what a pixel looks along."""

import math
from functools import lru_cache

import numpy as np

from repogen.views.camera import Camera
from repogen.views.lens import FISHEYES, MODELS, max_angle
from repogen.views.lens import project as project_points
from repogen.views.lens import unproject as unproject_points
from repogen.warp_setup import wp

PINHOLE = wp.constant(list(MODELS).index("pinhole"))
_OPENCV = wp.constant(list(MODELS).index("opencv"))
_STEPS = wp.constant(16384)
_NO_RADIUS = wp.constant(wp.float32(1.0e-12))


@wp.struct
class Lens:
    """A camera's intrinsics; `model` is the place of its name in `views.lens.MODELS`.

    `rim` is how far from the axis the picture can reach: radians for the fisheyes, the distance
    at unit depth before distortion for opencv. A fisheye's `radial` holds, at even distances from
    the middle from 0 to `radius`, the sine of the angle off the axis over that distance, and its
    cosine.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    model: wp.int32
    k1: float
    k2: float
    k3: float
    k4: float
    p1: float
    p2: float
    rim: float
    radius: float
    radial: wp.array(dtype=wp.vec2)


def camera_to_lens(camera: Camera, device: str = "cpu") -> Lens:
    """The camera's lens; a fisheye's rim is the picture's farthest corner or where the model
    ends, whichever is nearer the axis."""
    lens = Lens()
    lens.fx, lens.fy, lens.cx, lens.cy = camera.fx, camera.fy, camera.cx, camera.cy
    lens.model = list(MODELS).index(camera.model)
    most = max_angle(camera.model, camera.distortion)
    lens.rim = most if camera.model in FISHEYES else min(math.tan(most), 1e18)
    if camera.model == "opencv":
        lens.k1, lens.k2, lens.p1, lens.p2, lens.k3 = camera.distortion
    elif camera.model == "kannala-brandt":
        lens.k1, lens.k2, lens.k3, lens.k4 = camera.distortion
    if camera.model in FISHEYES:
        # A pixel beyond the border, so that what is outside stays outside.
        across, down = (-1.0, camera.width + 1.0), (-1.0, camera.height + 1.0)
        depths = camera.rays([(x, y) for x in across for y in down])[:, 2]
        if not any(math.isnan(depth) for depth in depths):
            lens.rim = float(math.acos(min(depths)))
        lens.radius, lens.radial = _radial(camera.model, camera.distortion, lens.rim, device)
    return lens


@lru_cache(maxsize=8)
def _radial(
    model: str, distortion: tuple[float, ...], rim: float, device: str
) -> tuple[float, wp.array]:
    """See `Lens`; linear in between it is good to 1e-7."""
    edge = np.array([[np.sin(rim), 0.0, np.cos(rim)]])
    radius = float(project_points(model, distortion, edge)[0][0])
    # A hair inside the rim, where the inverse is sure to exist.
    radii = np.linspace(0, radius * (1 - 1e-9), _STEPS + 1)
    rays = unproject_points(model, distortion, np.stack([radii, np.zeros(_STEPS + 1)], axis=1))
    ratio = np.append(1.0, rays[1:, 0] / radii[1:])
    table = np.stack([ratio, rays[:, 2]], axis=1)
    return radius, wp.array(table, dtype=wp.vec2, device=device)


@wp.func
def is_fisheye(lens: Lens) -> bool:
    return lens.model > _OPENCV


@wp.func
def factor(lens: Lens, square: float) -> float:
    """The radial distortion at this square of the distance from the axis."""
    return 1.0 + square * (lens.k1 + square * (lens.k2 + square * (lens.k3 + square * lens.k4)))


@wp.func
def factor_slope(lens: Lens, square: float) -> float:
    """How `factor` grows with the square."""
    return lens.k1 + square * (2.0 * lens.k2 + square * (3.0 * lens.k3 + square * (4.0 * lens.k4)))


@wp.func
def depth(lens: Lens, p: wp.vec3) -> float:
    """`Camera.depth_of`: z, but for a fisheye the distance, metres."""
    if is_fisheye(lens):
        return wp.length(p)
    return p[2]


@wp.func
def project(lens: Lens, p: wp.vec3) -> wp.vec2:
    """Pixel coordinates of a point in the camera's frame; z > 0 but for a fisheye.

    What lies beyond the rim lands on it, so that nothing folds back into the picture.
    """
    x = float(0.0)
    y = float(0.0)
    if is_fisheye(lens):
        across = wp.sqrt(p[0] * p[0] + p[1] * p[1])
        theta = wp.min(wp.atan2(across, p[2]), lens.rim)
        scale = theta * factor(lens, theta * theta) / wp.max(across, _NO_RADIUS)
        x = scale * p[0]
        y = scale * p[1]
    else:
        inverse = 1.0 / p[2]
        x = p[0] * inverse
        y = p[1] * inverse
        if lens.model == _OPENCV:
            inside = wp.min(1.0, lens.rim / wp.max(wp.sqrt(x * x + y * y), _NO_RADIUS))
            x *= inside
            y *= inside
            square = x * x + y * y
            f = factor(lens, square) + 2.0 * (lens.p1 * y + lens.p2 * x)
            x = x * f + lens.p2 * square
            y = y * f + lens.p1 * square
    return wp.vec2(lens.fx * x + lens.cx, lens.fy * y + lens.cy)


@wp.func
def ray(lens: Lens, px: float, py: float) -> wp.vec3:
    """Direction that the pixel coordinates see: of unit depth, for a fisheye of unit length.

    Zero for pixels that see nothing, beyond where the model ends.
    """
    x = (px - lens.cx) / lens.fx
    y = (py - lens.cy) / lens.fy
    if lens.model == PINHOLE:
        return wp.vec3(x, y, 1.0)
    if lens.model == _OPENCV:
        return opencv_ray(lens, x, y)
    return fisheye_ray(lens, x, y)


@wp.func
def undistorted(lens: Lens, radius: float) -> float:
    """How far from the axis, at most the rim, what the radial part puts at this radius was.

    Newton's method, and halving where it would leave what holds the answer.
    """
    low = float(0.0)
    high = float(lens.rim)
    at = wp.min(radius, lens.rim)
    for _ in range(32):
        square = at * at
        f = factor(lens, square)
        over = at * f - radius
        step = over / (f + 2.0 * square * factor_slope(lens, square))
        if wp.abs(step) < 1.0e-6 * (1.0 + at):
            return wp.clamp(at - step, low, high)
        low = wp.where(over < 0.0, at, low)
        high = wp.where(over < 0.0, high, at)
        at = at - step
        if at < low or at > high:
            at = 0.5 * (low + high)
    return at


@wp.func
def fisheye_ray(lens: Lens, x: float, y: float) -> wp.vec3:
    """From the table: what Newton's method would find takes most of the time of a picture."""
    radius = wp.sqrt(x * x + y * y)
    if radius > lens.radius:
        return wp.vec3(0.0, 0.0, 0.0)
    at = radius / lens.radius * float(_STEPS)
    step = wp.min(int(at), _STEPS - 1)
    v = lens.radial[step] + (at - float(step)) * (lens.radial[step + 1] - lens.radial[step])
    return wp.vec3(x * v[0], y * v[0], v[1])


@wp.func
def opencv_ray(lens: Lens, x: float, y: float) -> wp.vec3:
    """Newton's method from where the radial part alone would have it, kept inside the rim."""
    radius = wp.sqrt(x * x + y * y)
    start = undistorted(lens, radius) / wp.max(radius, _NO_RADIUS)
    u = x * start
    v = y * start
    miss = float(0.0)
    for _ in range(8):
        square = u * u + v * v
        f = factor(lens, square) + 2.0 * (lens.p1 * v + lens.p2 * u)
        slope = 2.0 * factor_slope(lens, square)
        dx = x - (u * f + lens.p2 * square)
        dy = y - (v * f + lens.p1 * square)
        uu = f + slope * u * u + 4.0 * lens.p2 * u
        uv = slope * u * v + 2.0 * (lens.p1 * u + lens.p2 * v)
        vv = f + slope * v * v + 4.0 * lens.p1 * v
        inverse = 1.0 / (uu * vv - uv * uv)
        u += inverse * (vv * dx - uv * dy)
        v += inverse * (uu * dy - uv * dx)
        inside = wp.min(1.0, lens.rim / wp.max(wp.sqrt(u * u + v * v), _NO_RADIUS))
        u *= inside
        v *= inside
        miss = (wp.abs(dx) + wp.abs(dy)) / (1.0 + radius)
        if miss < 1.0e-6:
            break
    # Where the distortion turns, a step may be without bounds or not a number.
    if miss < 1.0e-5 and u * u + v * v < 1.0e30:
        return wp.vec3(u, v, 1.0)
    return wp.vec3(0.0, 0.0, 0.0)
