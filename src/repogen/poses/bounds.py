"""The range each body joint turns in."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from reprlib import repr as shortened

import numpy as np
from jaxtyping import Float

from repogen.bodies.skeleton import BODY_JOINTS
from repogen.errors import UserError, unknown_choice
from repogen.toml_files import read_toml

Bounds = Mapping[str, Float[np.ndarray, "3 2"]]
"""Per joint, (lowest, highest) degrees about x, y and z; every range holds 0."""

SHOULDER_DROP_DEG = 70.0
"""Taken from left_shoulder z and added to right_shoulder z after sampling: the shoulder bounds
are relative to arms hanging near the body (docs/method.md#poses)."""


def default_bounds() -> dict[str, Float[np.ndarray, "3 2"]]:
    """The paper's table: all 21 body joints, zeros where a joint does not turn."""
    text = (files("repogen.poses") / "bounds.toml").read_text()
    return _filled(tomllib.loads(text), "bounds.toml")


def load_bounds(path: Path) -> dict[str, Float[np.ndarray, "3 2"]]:
    """The paper's table with the axes that a TOML file names replaced by its own.

    The file has a table per joint with x, y or z = [lowest, highest] in degrees. Raises
    `UserError` for a file that cannot be read, an unknown joint or axis, or a bad range.
    """
    return _filled(read_toml(path, "the bounds file"), str(path), default_bounds())


def _filled(
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
            f"{where} = {shortened(limits)} must be [lowest, highest] in degrees with lowest <= 0 "
            "<= highest"
        )
    return float(limits[0]), float(limits[1])  # type: ignore[index]
