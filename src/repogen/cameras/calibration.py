"""Calibrated cameras from the files of OpenCV, ROS, Kalibr, COLMAP, BOP, mmpose and Human3.6M."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from repogen.arrays import Float
from repogen.cameras.camera import Camera, View, look_at
from repogen.cameras.lens import FISHEYES
from repogen.cameras.optics import check_folds
from repogen.cameras.tables import find, numbers_of, read_tables
from repogen.errors import UserError
from repogen.limits import MAX_SIDE

OPENCV_TO_OURS = 0.5
"""Pixels added to a principal point: OpenCV's pixel centres are whole numbers, ours are at +0.5."""

_MATRIX = ("K", "mtx", "camera_matrix", "intrinsic_matrix", "calibration_matrix", "cam_K",
           "intrinsics")  # fmt: skip
_DISTORTION = ("D", "dist", "dist_coeffs", "distortion", "distortion_coefficients",
               "distortion_coeffs", "dist_coef")  # fmt: skip
_WIDTH = ("width", "image_width", "img_width", "w")
_HEIGHT = ("height", "image_height", "img_height", "h")
_SIZE = ("image_size", "img_size", "resolution", "size")
_MODEL = ("camera_model", "distortion_model", "model", "fisheye")
_ROTATION = ("R", "rotation", "rotation_matrix", "cam_R_w2c")
_TRANSLATION = ("t", "translation", "tvec", "T", "cam_t_w2c")
_MOUNT = ("height_m", "tilt_deg", "roll_deg")

_FISHEYES = ("fisheye", "equidistant", "equi", "kannala-brandt", "kannala_brandt", "true", "1")
_PERSPECTIVE = ("pinhole", "opencv", "radtan", "plumb_bob", "rational_polynomial", "brown",
                "brown_conrady", "none", "perspective", "false", "0")  # fmt: skip

_COLMAP = {
    "SIMPLE_PINHOLE": "f cx cy", "PINHOLE": "fx fy cx cy", "SIMPLE_RADIAL": "f cx cy k1",
    "RADIAL": "f cx cy k1 k2", "OPENCV": "fx fy cx cy k1 k2 p1 p2",
    "FULL_OPENCV": "fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6",
    "OPENCV_FISHEYE": "fx fy cx cy k1 k2 k3 k4", "SIMPLE_RADIAL_FISHEYE": "f cx cy k1",
    "RADIAL_FISHEYE": "f cx cy k1 k2",
}  # fmt: skip
"""Parameters of COLMAP's camera models. Its pixel centres are at +0.5, like ours."""

_OFF_MIDDLE, _AT_BORDER = 0.15, 0.4
"""Distance of a principal point from the picture's middle, as a share of its sides, above which
the picture probably has another size: where its file has none, and where it has one."""

_SHORTEST = 0.02
"""Focal length, as a share of the picture's width, below which it cannot be in pixels."""

_LOWEST, _FARTHEST = 0.05, 1000.0
"""Metres that a camera is above the floor, at least, and from the origin, at most."""


@dataclass(frozen=True)
class Calibration:
    """A camera of a file, in our conventions; `name` is the file's and the camera's."""

    name: str
    camera: Camera
    is_placed: bool
    """Whether the file or the mount says where the camera stands above the floor z = 0."""

    @property
    def description(self) -> str:
        """One line about the camera, with its principal point where our pixels are counted from."""
        camera = self.camera
        place = f"mounted {camera.position()[2]:.4g} m above the floor"
        if not self.is_placed:
            place = "placed by --views, since it has no --camera-mount and no R and t"
        return (
            f"{self.name}, {camera.width} x {camera.height} pixels, {camera.model}; its principal "
            f"point is ({camera.cx:g}, {camera.cy:g}) from the picture's corner (pixel centres at "
            f"+0.5); {place}"
        )


def read_calibrations(
    spec: str,
    size: tuple[int, int] | None,
    lens: str = "pinhole",
    mount: tuple[float, float, float] | None = None,
    circle_deg: float | None = None,
) -> list[Calibration]:
    """The cameras of a calibration file, or one of them: `FILE` or `FILE:NAME`.

    `size` is the width and height in pixels for a file without one, None if not known; `lens` is
    opencv or kannala-brandt where the file does not say what its coefficients mean. `mount` is the
    height above the floor in metres, the angle below the horizon and the roll in degrees; it
    replaces the file's R and t. Raises `UserError`, one line, for a file without a camera that can
    be used.
    """
    path, name = path_and_name(spec)
    found = dict(_cameras_in(read_tables(path)))
    if not found:
        raise UserError(
            f"{path} has no camera matrix: give camera_matrix, K or mtx, or fx, fy, cx and cy"
        )
    if name:
        if name not in found:
            names = ", ".join(key or "(no name)" for key in list(found)[:20])
            raise UserError(f"{path} has no camera {name!r}; choose from {names}")
        found = {name: found[name]}
    out = []
    for key, table in found.items():
        where = f"{path}:{key}" if key else str(path)
        camera = _intrinsics(table, size, lens, where)
        if circle_deg is not None:
            camera = replace(camera, circle_deg=circle_deg)
        check_folds(camera, where)
        placed = _placed(camera, table, mount, where)
        out.append(Calibration(where, placed or camera, placed is not None))
    return out


def path_and_name(spec: str) -> tuple[Path, str]:
    """The parts of FILE:NAME; a file whose name has a colon is a file."""
    path, colon, name = spec.rpartition(":")
    if colon and not Path(spec).exists() and Path(path).exists():
        return Path(path), name
    return Path(spec), ""


def _cameras_in(table: Any, depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and table of each camera: the whole table, or the tables in it."""
    if isinstance(table, list):
        table = {str(number): each for number, each in enumerate(table)}
    if not isinstance(table, dict) or depth > 3:
        return
    if len(numbers_of(table.get("k")) or ()) == 9:  # ROS 2 writes K and D in small letters
        table = {"K": table["k"], "D": table.get("d"), **table}
        del table["k"]
    if "colmap_model" in table or _has_matrix(table):
        yield "", table
        return
    for key, each in table.items():
        for name, found in _cameras_in(each, depth + 1):
            own = found.get("name", found.get("id"))
            yield str(name or (own if own is not None else key)), found


def _has_matrix(table: dict[str, Any]) -> bool:
    names = ("fx", "fy", "cx", "cy"), ("f", "c")
    has = any(all(name in table for name in group) for group in names)
    matrix = find(table, _MATRIX)
    return has or isinstance(matrix, list) or (isinstance(matrix, dict) and "data" in matrix)


def _intrinsics(
    table: dict[str, Any], given: tuple[int, int] | None, lens: str, where: str
) -> Camera:
    own_size = _size_of(table, where)
    size = own_size or given
    if size is None:
        raise UserError(
            f"{where}: the file has no image size; give the calibrated --image-size W H"
        )
    if "colmap_model" in table:
        focal, center, model, distortion = _colmap(table, where)
        shift = 0.0
    else:
        model, distortion = _lens_of(table, lens, where)
        focal, center = _focal_and_center(table, where)
        shift = OPENCV_TO_OURS - _numbers(table, ("pixel_centers",), where, [0.0], 1)[0]
    if not all(1e-3 < f < 1e7 for f in focal):
        raise UserError(
            f"{where}: the camera matrix is singular: focal lengths {focal[0]:g} and {focal[1]:g} "
            "should be pixels above 0"
        )
    width, height = size
    if min(focal) < _SHORTEST * width:
        raise UserError(
            f"{where}: focal lengths {focal[0]:g} and {focal[1]:g} are too short for {width} x "
            f"{height} pixels; give the camera matrix in pixels"
        )
    x, y = center[0] + shift, center[1] + shift
    off_middle = max(abs(x / width - 0.5), abs(y / height - 0.5))
    if own_size is None and off_middle > _OFF_MIDDLE:
        raise UserError(
            f"{where}: the file has no image size, and the principal point ({x:g}, {y:g}) is not "
            f"in the middle of {width} x {height} pixels; give the calibrated --image-size W H"
        )
    if off_middle > _AT_BORDER:
        raise UserError(
            f"{where}: the principal point ({x:g}, {y:g}) is far from the middle of {width} x "
            f"{height} pixels; give the size and the camera matrix of the same pictures"
        )
    level = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    try:
        return Camera(width, height, *focal, x, y, level, (0.0, 0.0, 0.0), model, distortion)
    except UserError as error:
        raise UserError(f"{where}: {error}") from error


def _size_of(table: dict[str, Any], where: str) -> tuple[int, int] | None:
    size = _numbers(table, _SIZE, where, [], 2)
    if not size:
        size = [v for names in (_WIDTH, _HEIGHT) for v in _numbers(table, names, where, [], 1)]
    if not size:
        return None
    if len(size) != 2 or not all(v == int(v) and 1 <= v <= MAX_SIDE for v in size):
        shown = " x ".join(f"{v:g}" for v in size)
        raise UserError(f"{where}: picture of {shown} pixels: give a width and a height of 1 to "
                        f"{MAX_SIDE}")  # fmt: skip
    return int(size[0]), int(size[1])


def _focal_and_center(
    table: dict[str, Any], where: str
) -> tuple[tuple[float, float], tuple[float, float]]:
    if "fx" in table:
        fx, fy, cx, cy = (
            _numbers(table, (key,), where, [], 1)[0] for key in ("fx", "fy", "cx", "cy")
        )
        return (fx, fy), (cx, cy)
    if find(table, _MATRIX) is None:
        focal, center = _numbers(table, ("f",), where, []), _numbers(table, ("c",), where, [], 2)
        return (focal[0], focal[-1]), (center[0], center[1])
    values = _numbers(table, _MATRIX, where, [])
    if len(values) == 4 and find(table, _MATRIX[:-1]) is None:  # Kalibr
        return (values[0], values[1]), (values[2], values[3])
    if len(values) not in (6, 9):
        raise UserError(f"{where}: the camera matrix has {len(values)} numbers; it should be 3 x 3")
    fx, skew, cx, zero, fy, cy = values[:6]
    if zero or abs(skew) > 1e-6 * abs(fx) or values[6:] not in ([], [0.0, 0.0, 1.0]):
        rows = [values[i : i + 3] for i in range(0, len(values), 3)]
        raise UserError(
            f"{where}: the camera matrix {rows} should be [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]"
        )
    return (fx, fy), (cx, cy)


def _lens_of(table: dict[str, Any], lens: str, where: str) -> tuple[str, tuple[float, ...]]:
    """The lens model and its coefficients."""
    given = [find(table, (key,)) for key in _MODEL]
    words = [str(word).lower() for word in given if word is not None]
    for word in words:
        if word not in (*_FISHEYES, *_PERSPECTIVE):
            raise UserError(
                f"{where}: camera model {word!r} is not supported; pinhole (with radtan or "
                "rational_polynomial distortion) and fisheye (equidistant, Kannala-Brandt) are"
            )
    values = _numbers(table, _DISTORTION, where, [])
    if not values and "k" in table:  # mmpose's and Human3.6M's radial and tangential parts
        radial = [*_numbers(table, ("k",), where, []), 0.0, 0.0, 0.0]
        tangential = [*_numbers(table, ("p",), where, []), 0.0, 0.0]
        values = [*radial[:2], *tangential[:2], radial[2]]
    # What a file says wins over --lens; Kalibr calls its fisheyes pinhole, too.
    telling = [word for word in words if word not in ("pinhole", "opencv", "none")]
    fisheye = any(word in _FISHEYES for word in telling) if telling else lens in FISHEYES
    if len(values) == 4 and any(values) and not words and lens == "pinhole":
        raise UserError(
            f"{where}: 4 distortion coefficients are k1 k2 p1 p2 or a fisheye's; say which with "
            "--lens opencv or --lens kannala-brandt"
        )
    return _coefficients(values, fisheye, where)


def _coefficients(values: list[float], fisheye: bool, where: str) -> tuple[str, tuple[float, ...]]:
    while values and values[-1] == 0:
        values = values[:-1]
    if not values:
        return ("equidistant" if fisheye else "pinhole"), ()
    counts = (4,) if fisheye else (5, 8)
    if len(values) > counts[-1]:
        more = "" if fisheye else " (thin prisms and tilted sensors are not supported)"
        raise UserError(f"{where}: {len(values)} distortion coefficients; at most {counts[-1]} may "
                        f"differ from 0{more}")  # fmt: skip
    count = next(count for count in counts if len(values) <= count)
    padded = (*values, *[0.0] * (count - len(values)))
    return ("kannala-brandt" if fisheye else "opencv"), padded


def _colmap(
    table: dict[str, Any], where: str
) -> tuple[tuple[float, float], tuple[float, float], str, tuple[float, ...]]:
    kind = table["colmap_model"]
    if kind not in _COLMAP:
        raise UserError(
            f"{where}: camera model {kind!r} is not supported; {', '.join(_COLMAP)} are"
        )
    names, values = _COLMAP[kind].split(), table["parameters"]
    if len(names) != len(values):
        raise UserError(f"{where}: {kind} has {len(names)} parameters ({' '.join(names)}), not "
                        f"{len(values)}")  # fmt: skip
    given = dict(zip(names, values, strict=True))
    focal = (given.get("fx") or given["f"], given.get("fy") or given["f"])
    fisheye = kind.endswith("FISHEYE")
    order = (
        ("k1", "k2", "k3", "k4") if fisheye else ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")
    )
    model, distortion = _coefficients([given.get(key, 0.0) for key in order], fisheye, where)
    return focal, (given["cx"], given["cy"]), model, distortion


def _placed(
    camera: Camera, table: dict[str, Any], mount: tuple[float, float, float] | None, where: str
) -> Camera | None:
    """The camera where the mount or the file puts it; None where neither says."""
    if mount is None and _MOUNT[0] in table:
        height, tilt, roll = (_numbers(table, (key,), where, [0.0], 1)[0] for key in _MOUNT)
        mount = (height, tilt, roll)
    if mount is not None:
        return mounted(camera, *mount)
    rotation = _rotation_of(table, where)
    if rotation is None or find(table, _TRANSLATION) is None:
        return None
    translation = np.array(_numbers(table, _TRANSLATION, where, [], 3))
    if "f" in table and "c" in table:  # mmpose: from the camera to the world
        rotation = rotation.T
        translation = -rotation @ translation
    unit = str(table.get("unit", "mm" if "cam_t_w2c" in table else "m"))  # BOP's are millimetres
    if unit not in ("m", "cm", "mm"):
        raise UserError(f"{where}: unit {unit!r}: choose m, cm or mm")
    translation = translation * {"m": 1.0, "cm": 0.01, "mm": 0.001}[unit]
    position = -rotation.T @ translation
    if not (position[2] > _LOWEST and np.linalg.norm(position) < _FARTHEST):
        shown = ", ".join(f"{v:.6g}" for v in position)
        raise UserError(
            f"{where}: R and t put the camera at ({shown}) m, with the floor at z = 0 and z up; "
            'give metres, or "unit": "mm", or --camera-mount HEIGHT TILT ROLL'
        )
    return _at(camera, rotation, translation)


def _rotation_of(table: dict[str, Any], where: str) -> Float[np.ndarray, "3 3"] | None:
    if find(table, _ROTATION) is None:
        values = _numbers(table, ("rvec",), where, [], 3)
        if not values:
            return None
        import cv2

        return cv2.Rodrigues(np.array(values))[0]
    rotation = np.array(_numbers(table, _ROTATION, where, [], 9)).reshape(3, 3)
    off = np.abs(rotation @ rotation.T - np.eye(3)).max()
    if off > 1e-3 or np.linalg.det(rotation) < 0:
        raise UserError(f"{where}: R {rotation.tolist()} is not a rotation")
    # Files are rounded; the nearest rotation is exact.
    u, _, v = np.linalg.svd(rotation)
    return u @ v


def mounted(camera: Camera, height_m: float, tilt_deg: float, roll_deg: float) -> Camera:
    """The camera above the origin of the floor z = 0, looking along +y and down by the tilt; a
    positive roll turns it clockwise."""
    view = View(0.0, tilt_deg, roll_deg, 1.0)
    level = look_at(view, (0.0, 0.0, 0.0), 0.0, 2, 90.0)
    rotation = np.array(level.rotation)
    return _at(camera, rotation, -rotation @ np.array([0.0, 0.0, height_m]))


def _at(
    camera: Camera, rotation: Float[np.ndarray, "3 3"], translation: Float[np.ndarray, "3"]
) -> Camera:
    first, second, third = rotation.tolist()
    x, y, z = translation.tolist()
    rows = (tuple(first), tuple(second), tuple(third))
    return replace(camera, rotation=rows, translation=(x, y, z))


def _numbers(
    table: dict[str, Any],
    names: tuple[str, ...],
    where: str,
    default: list[float],
    count: int | None = None,
) -> list[float]:
    """The numbers of the first of these keys that the table has, as `count` if given."""
    value = find(table, names)
    if value is None:
        return default
    key = next(name for name in names if find(table, (name,)) is not None)
    values = numbers_of(value)
    if values is None or not np.isfinite(values).all():
        raise UserError(f"{where}: {key} should be finite numbers")
    if count is not None and len(values) != count:
        raise UserError(f"{where}: {key} has {len(values)} numbers; it should have {count}")
    return values
