"""Lens models: projection from directions to normalized pixels (focal length 1), and back.

`pinhole` is (x, y) / z. `opencv` distorts that point as OpenCV's calib3d does (Brown 1966), by the
coefficients k1 k2 p1 p2 k3 and, in the rational model, k4 k5 k6. The fisheyes map the angle theta
off the axis to the radius r:
`equidistant` r = theta, `kannala-brandt` r = theta (1 + k1 theta^2 + ... + k4 theta^8) (Kannala &
Brandt 2006, and OpenCV's fisheye module).
"""

from collections.abc import Sequence

import numpy as np
from numpy.polynomial.polynomial import polyder, polymul, polymulx, polyroots, polysub, polyval

from repogen.arrays import Float
from repogen.errors import UserError, unknown_choice

MODELS = {"pinhole": (0,), "opencv": (5, 8), "equidistant": (0,), "kannala-brandt": (4,)}
"""Numbers of distortion coefficients that each model may have."""

FISHEYES = ("equidistant", "kannala-brandt")
"""Models that also see behind the image plane; their depth is the distance from the camera."""


def check_lens(model: str, distortion: Sequence[float]) -> None:
    """Raises `UserError` for an unknown model or invalid coefficients."""
    if model not in MODELS:
        raise unknown_choice("camera model", model, MODELS)
    if len(distortion) not in MODELS[model]:
        counts = " or ".join(map(str, MODELS[model]))
        raise UserError(
            f"a camera of model {model!r} needs {counts} distortion coefficients, "
            f"not {len(distortion)}"
        )
    if not np.isfinite(distortion).all():
        raise UserError(f"distortion {tuple(distortion)} must be finite numbers")


def check_circle(model: str, circle_deg: float) -> None:
    """Raises `UserError` for a width that is not in (0, 360] degrees, and for a model without image
    circle."""
    if model not in FISHEYES:
        raise UserError(
            f"a camera of model {model!r} has no image circle; choose {' or '.join(FISHEYES)}"
        )
    if not 0 < circle_deg <= 360:
        raise UserError(f"image circle {circle_deg:g} degrees wide: give more than 0, at most 360")


def half_width(model: str, distortion: Sequence[float], fov_deg: float) -> float:
    """Half the width, at focal length 1, of a picture with a field of view of `fov_deg` degrees.

    Raises `UserError` for a field of view outside the model's range: 175 degrees and more for
    pinhole and opencv, over 220 for the fisheyes, or beyond the fold of the distortion.
    """
    check_lens(model, distortion)
    fisheye = model in FISHEYES
    if not fov_deg > 0 or (fov_deg > 220 if fisheye else fov_deg >= 175):
        limit = "at most 220" if fisheye else "less than 175 (a fisheye takes up to 220)"
        raise UserError(
            f"field of view {fov_deg:g} degrees of a camera of model {model!r} must be positive "
            f"and {limit}"
        )
    half = np.radians(fov_deg) / 2
    largest = max_angle(model, distortion)
    if half > largest:
        raise UserError(
            f"field of view {fov_deg:g} degrees is too wide for the {model} distortion "
            f"{tuple(distortion)}, which folds back beyond {2 * np.degrees(largest):.5g}"
        )
    if model == "kannala-brandt":
        return float(half * polyval(half**2, (1, *distortion)))
    if model == "equidistant":
        return float(half)
    side = np.tan(half)
    # The tangential part shifts both borders equally, so the width stays.
    if model == "pinhole":
        return float(side)
    over, under = radial_factor(distortion)
    return float(side * (polyval(side**2, over) / polyval(side**2, under)))


def max_angle(model: str, distortion: Sequence[float]) -> float:
    """The largest angle off the axis, in radians, that the model projects.

    Beyond it the distortion folds back, so that a pixel would see two directions. For opencv it
    bounds a disc on which the distortion is the gradient of a convex function.
    """
    if model == "pinhole":
        return np.pi / 2
    if model == "equidistant":
        return np.pi
    if model == "kannala-brandt":
        slope = np.array([1, *distortion]) * [1, 3, 5, 7, 9]
        return min(np.pi, _least_positive_root(slope) ** 0.5)
    # The Jacobian's eigenvalues are those of the radial part, `along` and `across` the radius,
    # lowered by the tangential part by at most 6 |p| r; here times the square of the denominator.
    over, under = (_in_radius(part) for part in radial_factor(distortion))
    tangential = polymul([0, 6 * np.hypot(distortion[2], distortion[3])], polymul(under, under))
    slope = polysub(polymul(over * np.arange(1, 8), under), polymulx(polymul(over, polyder(under))))
    turns = (polysub(polymul(over, under), tangential), polysub(slope, tangential), under)
    return float(np.arctan(min(_least_positive_root(polynomial) for polynomial in turns)))


def project(
    model: str, distortion: Sequence[float], points: Float[np.ndarray, "n 3"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Projections of points in the camera's frame, x and y at focal length 1.

    Valid for points within `max_angle`.
    """
    x, y, z = points.T
    if model in FISHEYES:
        across = np.hypot(x, y)
        theta = np.arctan2(across, z)
        radius = theta * polyval(theta**2, (1, *distortion))
        scale = np.divide(radius, across, out=np.zeros_like(radius), where=across > 0)
        return x * scale, y * scale
    x, y = x / z, y / z
    if model == "pinhole":
        return x, y
    return _distorted(distortion, x, y)


def unproject(
    model: str, distortion: Sequence[float], pixels: Float[np.ndarray, "n 2"]
) -> Float[np.ndarray, "n 3"]:
    """Unit vectors that project to these pixels at focal length 1; NaN where there is none."""
    x, y = np.asarray(pixels, np.float64).T
    if model in FISHEYES:
        radius = np.hypot(x, y)
        theta = _inverse(((1, *distortion), (1,)), max_angle(model, distortion), radius)
        scale = np.divide(np.sin(theta), radius, out=np.ones_like(radius), where=radius > 0)
        return np.stack([x * scale, y * scale, np.cos(theta)]).T
    if model == "opencv":
        x, y = _undistorted(distortion, x, y)
    rays = np.stack([x, y, np.ones_like(x)]).T
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


Polynomial = tuple[float, ...]
"""The coefficients, the constant first."""


def radial_factor(distortion: Sequence[float]) -> tuple[Polynomial, Polynomial]:
    """Numerator and denominator of OpenCV's radial factor, in the squared radius."""
    k1, k2, _, _, k3, *rational = distortion
    return (1.0, k1, k2, k3), (1.0, *rational)


def _in_radius(polynomial: Sequence[float]) -> Float[np.ndarray, " n"]:
    """A polynomial in the squared radius as one in the radius."""
    out = np.zeros(2 * len(polynomial) - 1)
    out[::2] = polynomial
    return out


def _least_positive_root(polynomial: Float[np.ndarray, " n"]) -> float:
    """The least positive root; infinity if there is none. The constant coefficient is first."""
    roots = polyroots(np.trim_zeros(polynomial, "b"))
    real = roots.real[np.abs(roots.imag) <= 1e-9 * np.abs(roots)]
    return float(min(real[real > 0], default=np.inf))


def _distorted(
    distortion: Sequence[float], x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    p1, p2 = distortion[2:4]
    over, under = radial_factor(distortion)
    square = x * x + y * y
    factor = polyval(square, over) / polyval(square, under) + 2 * (p1 * y + p2 * x)
    return x * factor + p2 * square, y * factor + p1 * square


def _undistorted(
    distortion: Sequence[float], x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """The inverse of `_distorted`, NaN where there is none.

    Newton's method, started at the inverse of the radial part and kept inside `max_angle`.
    """
    p1, p2 = distortion[2:4]
    over, under = radial_factor(distortion)
    rim = np.tan(max_angle("opencv", distortion))
    radius = np.hypot(x, y)
    farthest = rim * (polyval(rim**2, over) / polyval(rim**2, under))
    start = _inverse((over, under), rim, np.minimum(radius, farthest))
    u, v = np.stack([x, y]) * (start / np.maximum(radius, 1e-300))
    with np.errstate(divide="ignore", invalid="ignore"):  # NaN beyond the rim is intended
        for _ in range(20):
            square = u * u + v * v
            below = polyval(square, under)
            radial = polyval(square, over) / below
            factor = radial + 2 * (p1 * v + p2 * u)
            slope = 2 * (polyval(square, polyder(over)) - radial * polyval(square, polyder(under)))
            slope = slope / below
            dx = x - (u * factor + p2 * square)
            dy = y - (v * factor + p1 * square)
            # The symmetric Jacobian.
            uu = factor + slope * u * u + 4 * p2 * u
            uv = slope * u * v + 2 * (p1 * u + p2 * v)
            vv = factor + slope * v * v + 4 * p1 * v
            du, dv = np.stack([vv * dx - uv * dy, uu * dy - uv * dx]) / (uu * vv - uv * uv)
            across = np.hypot(u + du, v + dv)
            inside = np.minimum(across, rim) / np.maximum(across, 1e-300)
            u, v = (u + du) * inside, (v + dv) * inside
            if not (np.hypot(du, dv) > 1e-13 * (1 + across)).any():
                break
    error = np.hypot(*(np.stack(_distorted(distortion, u, v)) - [x, y]))
    converged = error <= 1e-10 * (1 + radius)
    return np.where(converged, u, np.nan), np.where(converged, v, np.nan)


def _inverse(
    factor: tuple[Polynomial, Polynomial], max_x: float, values: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """The x in [0, max_x] with x over(x^2) / under(x^2) equal to each value, NaN if there is none;
    over and under are the polynomials of `factor`.

    Newton's method, with bisection where a step would leave the bracket.
    """
    over, under = factor
    slope = np.array(over) * np.arange(1, 2 * len(over), 2)
    under_slope = 2 * polyder(under)
    highest = max_x * (polyval(max_x**2, over) / polyval(max_x**2, under))
    target = np.minimum(values, highest)
    low, high = np.zeros_like(values), np.full_like(values, max_x)
    x = np.minimum(target, max_x)
    for _ in range(100):
        below = polyval(x**2, under)
        radial = polyval(x**2, over) / below
        error = x * radial - target
        low, high = np.where(error < 0, x, low), np.where(error < 0, high, x)
        with np.errstate(divide="ignore", invalid="ignore"):
            turn = radial * polyval(x**2, under_slope) * x**2
            step = error / ((polyval(x**2, slope) - turn) / below)
        inside = (x - step >= low) & (x - step <= high)
        step = np.where(inside, step, x - (low + high) / 2)
        x = x - step
        if not (np.abs(step) > 1e-14 * (1 + x)).any():
            break
    return np.where(values <= highest, x, np.nan)
