"""The tables of calibration files: YAML, JSON, npz, and COLMAP's text."""

from pathlib import Path
from typing import Any

import numpy as np

from repogen.errors import UserError, first_line
from repogen.files import open_regular, read_lines
from repogen.json_files import read_json
from repogen.limits import MAX_OPTIONS

_MOST_NUMBERS = 10_000
"""Numbers of an array that are read."""


def read_tables(path: Path) -> object:
    """The content of a calibration file, arrays as nested lists; numbers of YAML are text. Raises
    `UserError` for a file that cannot be read, and for other kinds."""
    suffix = path.suffix.lower()
    if suffix in (".yaml", ".yml"):
        from repogen.yaml_files import read_yaml

        return read_yaml(path)
    if suffix == ".json":
        return read_json(path)
    if suffix == ".npz":
        return _read_npz(path)
    if suffix == ".txt":
        return _read_colmap(path)
    raise UserError(
        f"--camera {path}: give a .yaml, .yml, .json or .npz file, or COLMAP's cameras.txt"
    )


def _read_npz(path: Path) -> dict[str, Any]:
    try:
        with open_regular(path, MAX_OPTIONS) as file, np.load(file, allow_pickle=False) as data:
            out = {}
            for key in data.files:
                if data.zip.getinfo(f"{key}.npy").file_size < 16 * _MOST_NUMBERS:
                    out[key] = data[key].tolist()
            return out
    except OSError as error:
        raise UserError(f"cannot read {path}: {first_line(error)}") from error
    except Exception as error:  # NumPy and zipfile raise errors of many kinds
        raise UserError(f"{path} is not an npz file of arrays, as np.savez writes it") from error


def _read_colmap(path: Path) -> dict[str, Any]:
    """COLMAP's cameras.txt: CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[] on each line."""
    out: dict[str, Any] = {}
    try:
        for line in read_lines(path, MAX_OPTIONS):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            number, model, width, height, *parameters = words
            values = [float(word) for word in parameters]
            if not np.isfinite(values).all():
                raise UserError(f"{path}:{number}: parameters should be finite numbers")
            out[number] = {
                "colmap_model": model, "parameters": values,
                "width": int(width), "height": int(height),
            }  # fmt: skip
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except UserError:
        raise
    except ValueError as error:
        raise UserError(
            f"{path} is not COLMAP's cameras.txt (CAMERA_ID MODEL WIDTH HEIGHT PARAMS): {error}"
        ) from error
    return out


def find(table: dict[str, Any], names: tuple[str, ...]) -> object:
    """The value of the first of these keys; names of one letter keep their case, others ignore case
    and underscores. None if the table has none of them."""
    plain = {_plain(key): value for key, value in reversed(table.items()) if len(key) > 1}
    for name in names:
        value = table.get(name) if len(name) == 1 else plain.get(_plain(name))
        if value is not None:
            return value
    return None


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def numbers_of(value: object) -> list[float] | None:
    """All numbers, or text of numbers, of nested lists, or of a matrix as OpenCV and ROS write it
    (rows, cols, data); None for anything else."""
    if isinstance(value, dict):
        value = value.get("data")
    if isinstance(value, list | tuple):
        parts = [numbers_of(each) for each in value]
        if any(part is None for part in parts):
            return None
        return [number for part in parts if part for number in part]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return [float(value)]
    except (ValueError, OverflowError):
        return None
