"""Lens models: where a direction lands in the picture of a camera of focal length 1, and back.

`pinhole` is (x, y) / z. `opencv` moves that point as OpenCV's calib3d does (Brown 1966), by the
coefficients k1 k2 p1 p2 k3. The fisheyes put a point theta off the axis r from the middle:
`equidistant` r = theta, `kannala-brandt` r = theta (1 + k1 theta^2 + ... + k4 theta^8) (Kannala &
Brandt 2006, and OpenCV's fisheye module).
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.polynomial.polynomial import polyroots, polyval

from repogen.errors import UserError, unknown_choice

MODELS = {"pinhole": 0, "opencv": 5, "equidistant": 0, "kannala-brandt": 4}
"""How many distortion coefficients each model takes."""

FISHEYES = ("equidistant", "kannala-brandt")
"""Models that see behind the image plane; their depth is the distance from the camera."""


def check_lens(model: str, distortion: Sequence[float]) -> None:
    """Raises `UserError` for an unknown model or coefficients that it does not take."""
    if model not in MODELS:
        raise unknown_choice("camera model", model, MODELS)
    if len(distortion) != MODELS[model]:
        raise UserError(
            f"a camera of model {model!r} takes {MODELS[model]} distortion coefficients, "
            f"not {len(distortion)}"
        )
    if not np.isfinite(distortion).all():
        raise UserError(f"distortion {tuple(distortion)} must be finite numbers")


def check_circle(model: str, circle_deg: float) -> None:
    """Raises `UserError` for an image circle that no lens of this model has."""
    if model not in FISHEYES:
        raise UserError(
            f"a camera of model {model!r} has no image circle; only {' and '.join(FISHEYES)} have"
        )
    if not 0 < circle_deg <= 360:
        raise UserError(f"image circle {circle_deg:g} degrees wide: give more than 0, at most 360")


def half_width(model: str, distortion: Sequence[float], fov_deg: float) -> float:
    """Half the width, at focal length 1, of a picture that is `fov_deg` degrees wide.

    Raises `UserError` for a field of view that the model cannot have: 175 degrees and more for
    pinhole and opencv, over 220 for the fisheyes, or past where the distortion folds back.
    """
    check_lens(model, distortion)
    fisheye = model in FISHEYES
    if not fov_deg > 0 or (fov_deg > 220 if fisheye else fov_deg >= 175):
        wanted = "at most 220" if fisheye else "less than 175 (a fisheye takes up to 220)"
        raise UserError(
            f"field of view {fov_deg:g} degrees of a camera of model {model!r} must be positive "
            f"and {wanted}"
        )
    half = np.radians(fov_deg) / 2
    most = max_angle(model, distortion)
    if half > most:
        raise UserError(
            f"field of view {fov_deg:g} degrees is too wide for the {model} distortion "
            f"{tuple(distortion)}, which folds back beyond {2 * np.degrees(most):.5g}"
        )
    if model == "kannala-brandt":
        return float(half * polyval(half**2, (1, *distortion)))
    if model == "equidistant":
        return float(half)
    side = np.tan(half)
    # The tangential part moves both borders the same way: the width stays.
    return float(side if model == "pinhole" else side * polyval(side**2, _radial(distortion)))


def max_angle(model: str, distortion: Sequence[float]) -> float:
    """Radians off the axis beyond which the model images nothing.

    There the distortion would fold back, and a pixel see two directions. For opencv it is the
    rim of a disc: the displacement is the gradient of a function that is convex on it.
    """
    if model == "pinhole":
        return np.pi / 2
    if model == "equidistant":
        return np.pi
    if model == "kannala-brandt":
        slope = np.array([1, *distortion]) * [1, 3, 5, 7, 9]
        return min(np.pi, _least_positive_root(slope) ** 0.5)
    # The Jacobian's eigenvalues are those of the radial part, `along` and `across` the radius,
    # and not more than 6 |p| r less for the tangential part.
    across = np.zeros(7)
    across[::2] = _radial(distortion)
    along = across * np.arange(1, 8)
    across[1] = along[1] = -6 * np.hypot(distortion[2], distortion[3])
    return float(np.arctan(min(_least_positive_root(across), _least_positive_root(along))))


def project(
    model: str, distortion: Sequence[float], points: Float[np.ndarray, "n 3"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Where points of the camera's frame land, x and y at focal length 1.

    It means something for points that the model images; see `max_angle`.
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
    """Unit vectors that land at these pixels of focal length 1; NaN where there is none."""
    x, y = np.asarray(pixels, np.float64).T
    if model in FISHEYES:
        radius = np.hypot(x, y)
        theta = _inverse((1, *distortion), max_angle(model, distortion), radius)
        scale = np.divide(np.sin(theta), radius, out=np.ones_like(radius), where=radius > 0)
        return np.stack([x * scale, y * scale, np.cos(theta)]).T
    if model == "opencv":
        x, y = _undistorted(distortion, x, y)
    rays = np.stack([x, y, np.ones_like(x)]).T
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def _radial(distortion: Sequence[float]) -> tuple[float, ...]:
    """OpenCV's radial factor as a polynomial in the squared radius, constant first."""
    k1, k2, _, _, k3 = distortion
    return (1.0, k1, k2, k3)


def _least_positive_root(polynomial: Float[np.ndarray, " n"]) -> float:
    """Infinity if there is none; constant coefficient first."""
    roots = polyroots(np.trim_zeros(polynomial, "b"))
    real = roots.real[np.abs(roots.imag) <= 1e-9 * np.abs(roots)]
    return float(min(real[real > 0], default=np.inf))


def _distorted(
    distortion: Sequence[float], x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    _, _, p1, p2, _ = distortion
    square = x * x + y * y
    factor = polyval(square, _radial(distortion)) + 2 * (p1 * y + p2 * x)
    return x * factor + p2 * square, y * factor + p1 * square


def _undistorted(
    distortion: Sequence[float], x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Newton's method from where the radial part alone would have it, inside the disc without
    folds."""
    k1, k2, p1, p2, k3 = distortion
    radial = _radial(distortion)
    rim = np.tan(max_angle("opencv", distortion))
    radius = np.hypot(x, y)
    start = _inverse(radial, rim, np.minimum(radius, rim * polyval(rim**2, radial)))
    u, v = np.stack([x, y]) * (start / np.maximum(radius, 1e-300))
    with np.errstate(divide="ignore", invalid="ignore"):  # beyond the rim, where NaN is right
        for _ in range(20):
            square = u * u + v * v
            factor = polyval(square, radial) + 2 * (p1 * v + p2 * u)
            slope = 2 * polyval(square, (k1, 2 * k2, 3 * k3))
            dx = x - (u * factor + p2 * square)
            dy = y - (v * factor + p1 * square)
            # The Jacobian, which is symmetric.
            uu = factor + slope * u * u + 4 * p2 * u
            uv = slope * u * v + 2 * (p1 * u + p2 * v)
            vv = factor + slope * v * v + 4 * p1 * v
            du, dv = np.stack([vv * dx - uv * dy, uu * dy - uv * dx]) / (uu * vv - uv * uv)
            across = np.hypot(u + du, v + dv)
            inside = np.minimum(across, rim) / np.maximum(across, 1e-300)
            u, v = (u + du) * inside, (v + dv) * inside
            if not (np.hypot(du, dv) > 1e-13 * (1 + across)).any():
                break
    miss = np.hypot(*(np.stack(_distorted(distortion, u, v)) - [x, y]))
    seen = miss <= 1e-10 * (1 + radius)
    return np.where(seen, u, np.nan), np.where(seen, v, np.nan)


def _inverse(
    factor: Sequence[float], most: float, height: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """The x up to `most` where x factor(x^2) is this height, NaN if there is none.

    Newton's method, and halving where it would leave what is known to hold the answer.
    """
    slope = np.array(factor) * np.arange(1, 2 * len(factor), 2)
    highest = most * polyval(most**2, factor)
    wanted = np.minimum(height, highest)
    low, high = np.zeros_like(height), np.full_like(height, most)
    x = np.minimum(wanted, most)
    for _ in range(100):
        over = x * polyval(x**2, factor) - wanted
        low, high = np.where(over < 0, x, low), np.where(over < 0, high, x)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = over / polyval(x**2, slope)
        inside = (x - step >= low) & (x - step <= high)
        step = np.where(inside, step, x - (low + high) / 2)
        x = x - step
        if not (np.abs(step) > 1e-14 * (1 + x)).any():
            break
    return np.where(height <= highest, x, np.nan)
