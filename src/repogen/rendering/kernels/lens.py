"""`cameras.lens` for kernels: points to pixels, and pixels to rays."""

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np

from repogen.cameras.camera import Camera
from repogen.cameras.lens import FISHEYES, MODELS, max_angle
from repogen.cameras.lens import project as project_points
from repogen.cameras.lens import unproject as unproject_points
from repogen.rendering.kernels.codes import (
    LENS_EQUIDISTANT,
    LENS_KANNALA_BRANDT,
    LENS_OPENCV,
    LENS_PINHOLE,
)
from repogen.warp_setup import wp

_STEPS = wp.constant(8192)
_NO_RADIUS = wp.constant(wp.float32(1.0e-12))


@wp.struct
class Lens:
    """A camera's intrinsics; `model` is one of the codes `LENS_...`, and `d1`, `d2` and `d3` are
    OpenCV's k4, k5 and k6.

    `rim` is the largest distance from the axis that the picture can show: radians for a fisheye,
    the undistorted radius at unit depth for opencv. `rim_depth` is the cosine of a fisheye's rim.
    `view_radius_sq` is the square of the undistorted radius that an opencv picture's corners see,
    with a margin.

    Radii in the picture are at focal length 1. `radial_table` is uniform in their square, from 0
    to `table_radius_sq`. It holds, for a fisheye, the sine of the angle off the axis over the
    radius, and the cosine; for opencv without its tangential part, the radius before distortion
    over the radius after it. A fisheye sees nothing beyond `end_radius_sq`: the end of the table
    or of the image circle.
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
    d1: float
    d2: float
    d3: float
    p1: float
    p2: float
    rim: float
    rim_depth: float
    view_radius_sq: float
    table_radius_sq: float
    end_radius_sq: float
    radial_table: wp.array(dtype=wp.vec2)


def camera_to_lens(camera: Camera, device: str = "cpu") -> Lens:
    """The camera's lens, up to the picture's farthest corner or the end of the lens model,
    whichever is nearer the axis."""
    lens = Lens()
    lens.fx, lens.fy, lens.cx, lens.cy = camera.fx, camera.fy, camera.cx, camera.cy
    lens.model = list(MODELS).index(camera.model)
    most = max_angle(camera.model, camera.distortion)
    lens.rim = most if camera.model in FISHEYES else min(math.tan(most), 1e18)
    if camera.model == "opencv":
        lens.k1, lens.k2, lens.p1, lens.p2, lens.k3, *rational = camera.distortion
        if rational:
            lens.d1, lens.d2, lens.d3 = rational
    elif camera.model == "kannala-brandt":
        lens.k1, lens.k2, lens.k3, lens.k4 = camera.distortion
    if camera.model == "pinhole":
        return lens
    # A pixel beyond the border keeps outside points outside; large pictures need more, because
    # their backgrounds are drawn with coarse pixels.
    margin = 1.0 + max(camera.width, camera.height) // 1000
    across, down = (-margin, camera.width + margin), (-margin, camera.height + margin)
    corners = np.array([(x, y) for x in across for y in down])
    if camera.model in FISHEYES:
        depths = replace(camera, circle_deg=None).rays(corners)[:, 2]
        if not any(math.isnan(depth) for depth in depths):
            lens.rim = float(math.acos(min(depths)))
        lens.rim_depth = math.cos(lens.rim)
        radial = camera.distortion
        edge = np.array([[np.sin(lens.rim), 0.0, np.cos(lens.rim)]])
        radius = float(project_points(camera.model, radial, edge)[0][0])
    else:
        k1, k2, _, _, *others = camera.distortion
        radial = (k1, k2, 0.0, 0.0, *others)
        farthest = (corners - [camera.cx, camera.cy]) / [camera.fx, camera.fy]
        edge = np.array([[lens.rim, 0.0, 1.0]])
        most = float(project_points(camera.model, radial, edge)[0][0])
        radius = min(most, float(np.hypot(*farthest.T).max()))
        rays = camera.rays(corners)
        reach = float(np.hypot(rays[:, 0] / rays[:, 2], rays[:, 1] / rays[:, 2]).max())
        lens.view_radius_sq = min(1e36, (lens.rim if math.isnan(reach) else 1.05 * reach) ** 2)
    lens.table_radius_sq = radius**2
    lens.end_radius_sq = min(radius, camera.circle_radius()) ** 2
    lens.radial_table = _radial(camera.model, radial, radius, device)
    return lens


@lru_cache(maxsize=8)
def _radial(model: str, distortion: tuple[float, ...], radius: float, device: str) -> wp.array:
    """`Lens.radial_table`; interpolated linearly it is exact to 1e-7."""
    # Slightly inside the rim, where the inverse surely exists.
    radii = np.sqrt(np.linspace(0, 1, _STEPS + 1)) * radius * (1 - 1e-9)
    rays = unproject_points(model, distortion, np.stack([radii, np.zeros(_STEPS + 1)], axis=1))
    across = rays[:, 0] if model in FISHEYES else rays[:, 0] / rays[:, 2]
    ratio = np.append(1.0, across[1:] / radii[1:])
    table = np.stack([ratio, rays[:, 2]], axis=1)
    return wp.array(table, dtype=wp.vec2, device=device)


@wp.func
def is_fisheye(lens: Lens) -> bool:
    """As `cameras.lens.FISHEYES`."""
    return lens.model == LENS_EQUIDISTANT or lens.model == LENS_KANNALA_BRANDT


@wp.func
def factor(lens: Lens, square: float) -> float:
    """Factor of radial distortion at this squared distance from the axis."""
    over = 1.0 + square * (lens.k1 + square * (lens.k2 + square * (lens.k3 + square * lens.k4)))
    return over / divisor(lens, square)


@wp.func
def divisor(lens: Lens, square: float) -> float:
    """The denominator of `factor`; 1 unless the lens has OpenCV's rational distortion."""
    return 1.0 + square * (lens.d1 + square * (lens.d2 + square * lens.d3))


@wp.func
def factor_slope(lens: Lens, square: float) -> float:
    """Derivative of `factor` with respect to the squared distance."""
    over = lens.k1 + square * (2.0 * lens.k2 + square * (3.0 * lens.k3 + square * (4.0 * lens.k4)))
    under = lens.d1 + square * (2.0 * lens.d2 + square * (3.0 * lens.d3))
    return (over - factor(lens, square) * under) / divisor(lens, square)


@wp.func
def depth(lens: Lens, p: wp.vec3) -> float:
    """`Camera.depth_of`: z, for a fisheye the distance, metres."""
    if is_fisheye(lens):
        return wp.length(p)
    return p[2]


@wp.func
def project(lens: Lens, p: wp.vec3) -> wp.vec2:
    """Pixel coordinates of a point in the camera's frame; z > 0 unless the lens is a fisheye.

    Points beyond the rim are moved onto it, so that nothing folds back into the picture.
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
        if lens.model == LENS_OPENCV:
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
    """Direction that a pixel sees, in the camera's frame: unit depth, for a fisheye unit length.

    Zero beyond the end of the lens model or of the image circle, where a pixel sees nothing.
    """
    x = (px - lens.cx) / lens.fx
    y = (py - lens.cy) / lens.fy
    if lens.model == LENS_PINHOLE:
        return wp.vec3(x, y, 1.0)
    if lens.model == LENS_OPENCV:
        return opencv_ray(lens, x, y)
    return fisheye_ray(lens, x, y)


@wp.func
def look_up_radial(lens: Lens, square: float) -> wp.vec2:
    """The radial table at a squared radius. Newton's method for each pixel would take most of a
    picture's time."""
    at = square / lens.table_radius_sq * float(_STEPS)
    step = wp.min(int(at), _STEPS - 1)
    return lens.radial_table[step] + (at - float(step)) * (
        lens.radial_table[step + 1] - lens.radial_table[step]
    )


@wp.func
def fisheye_ray(lens: Lens, x: float, y: float) -> wp.vec3:
    """`ray` of a fisheye at pixel coordinates of focal length 1."""
    square = x * x + y * y
    if square > lens.end_radius_sq:
        return wp.vec3(0.0, 0.0, 0.0)
    v = look_up_radial(lens, square)
    return wp.vec3(x * v[0], y * v[0], v[1])


@wp.func
def opencv_ray(lens: Lens, x: float, y: float) -> wp.vec3:
    """`ray` of an opencv lens at pixel coordinates of focal length 1: Newton's method, started from
    the inverse of the radial part and kept inside the rim."""
    whole = x * x + y * y
    start = look_up_radial(lens, wp.min(whole, lens.table_radius_sq))[0]
    if whole > lens.table_radius_sq:
        start *= wp.sqrt(lens.table_radius_sq / whole)
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
        miss = (wp.abs(dx) + wp.abs(dy)) / (1.0 + wp.abs(x) + wp.abs(y))
        if miss < 1.0e-6:
            break
    # Where the distortion turns, a step may be infinite or not a number.
    if miss < 1.0e-5 and u * u + v * v < 1.0e30:
        return wp.vec3(u, v, 1.0)
    return wp.vec3(0.0, 0.0, 0.0)
