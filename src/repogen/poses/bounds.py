"""Joint bounds: the range of each body joint's rotation vector."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from reprlib import repr as shortened

import numpy as np

from repogen.arrays import Float
from repogen.bodies.skeleton import BODY_JOINTS
from repogen.errors import UserError, unknown_choice
from repogen.toml_files import read_toml

Bounds = Mapping[str, Float[np.ndarray, "3 2"]]
"""By joint, (lowest, highest) degrees about x, y and z; every range includes 0."""

SHOULDER_DROP_DEG = 70.0
"""Subtracted from left_shoulder z and added to right_shoulder z after sampling: the paper's
shoulder bounds are relative to arms that hang beside the body (docs/method.md)."""


def default_bounds() -> dict[str, Float[np.ndarray, "3 2"]]:
    """The paper's bounds of all 21 body joints; zeros for an axis without rotation."""
    text = (files("repogen.poses") / "bounds.toml").read_text()
    return _parse_bounds(tomllib.loads(text), "bounds.toml")


def load_bounds(path: Path) -> dict[str, Float[np.ndarray, "3 2"]]:
    """The paper's bounds, with those of a TOML file in place of the axes that it names.

    The file has a table for each joint with x, y or z = [lowest, highest] in degrees. Raises
    `UserError` for a file that cannot be read, an unknown joint or axis, or an invalid range.
    """
    return _parse_bounds(read_toml(path, "the bounds file"), str(path), default_bounds())


def _parse_bounds(
    table: Mapping[str, object],
    where: str,
    base: Mapping[str, Float[np.ndarray, "3 2"]] | None = None,
) -> dict[str, Float[np.ndarray, "3 2"]]:
    bounds = {joint: np.zeros((3, 2)) for joint in BODY_JOINTS} | dict(base or {})
    for joint, axes in table.items():
        if joint not in BODY_JOINTS:
            raise unknown_choice(f"joint in {where}", joint, BODY_JOINTS)
        if not isinstance(axes, Mapping):
            raise UserError(f"{where}: {joint} must be a table with x, y, z = [lowest, highest]")
        bounds[joint] = bounds[joint].copy()
        for axis, limits in axes.items():
            if axis not in ("x", "y", "z"):
                raise unknown_choice(f"axis of {joint} in {where}", axis, "xyz")
            bounds[joint]["xyz".index(axis)] = _range(limits, f"{where}: {joint}.{axis}")
    return bounds


def _range(limits: object, where: str) -> tuple[float, float]:
    numbers = isinstance(limits, list) and all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in limits
    )
    if not numbers or len(limits) != 2 or not -360 <= limits[0] <= 0 <= limits[1] <= 360:  # type: ignore[arg-type,index]
        raise UserError(
            f"{where} = {shortened(limits)} must be [lowest, highest] in degrees, lowest from -360 "
            "to 0 and highest from 0 to 360"
        )
    return float(limits[0]), float(limits[1])  # type: ignore[index]
