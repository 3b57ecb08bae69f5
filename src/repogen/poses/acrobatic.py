"""Random acrobatic poses: tucked, piked, arched, lunging and free ones, in which the joints move
together. Independent angles, as the paper draws them, hardly ever fold a body."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from repogen.arrays import Float
from repogen.bodies.skeleton import Angles
from repogen.toml_files import read_toml

ACROBATIC = "acrobatic"
"""The name of this distribution of poses."""

_SIDES = (("left", 1.0), ("right", -1.0))

_SPINE = {"spine1": 1.0, "spine2": 1.1, "spine3": 0.9}
"""How much of a family's bend each joint has."""

_OTHER_ARM = 0.3
"""Share of arms that point in a direction of their own."""

_SPREAD_LEGS = 0.3
"""Share of legs that are spread by up to 60 degrees."""

_LIMITS = {
    "hip": (-135.0, 35.0), "knee": (0.0, 150.0), "spine": (-25.0, 40.0), "elbow": (0.0, 140.0),
    "neck": (-45.0, 45.0),
}  # fmt: skip
"""Degrees of bend, lowest and highest."""


@dataclass(frozen=True)
class Family:
    """One kind of pose; see acrobatic.toml."""

    share: float
    symmetric: float
    hip: tuple[float, float]
    spine: tuple[float, float]
    knee: tuple[float, float]
    arms: dict[str, float]


@cache
def families() -> dict[str, Family]:
    """The families of acrobatic.toml by name."""
    return {name: Family(**table) for name, table in _table().items() if name != "arms"}


@cache
def _table() -> dict[str, dict[str, Any]]:
    return read_toml(Path(__file__).with_name("acrobatic.toml"), "the package's file")


def sample_acrobatic_pose(rng: np.random.Generator) -> Angles:
    """A random pose: rotation vectors by joint, degrees from the T-pose."""
    known = list(families().values())
    family = known[rng.choice(len(known), p=[one.share for one in known])]
    fold = rng.uniform()
    spine = np.interp(fold, (0, 1), family.spine)
    return _legs(rng, family, fold) | _trunk(rng, spine) | _arms(rng, family)


def _legs(rng: np.random.Generator, family: Family, fold: float) -> Angles:
    symmetric = rng.uniform() < family.symmetric
    angles: Angles = {}
    for side, sign in _SIDES:
        if side == "left" or not symmetric:
            hip = np.interp(fold if side == "left" else rng.uniform(), (0, 1), family.hip)
            knee = rng.uniform(*family.knee)
        spread = rng.uniform(0, 60) if rng.uniform() < _SPREAD_LEGS else abs(rng.normal(8, 12))
        angles[f"{side}_hip"] = (
            _limited("hip", rng.normal(hip, 10)), sign * rng.normal(5, 12), sign * spread,
        )  # fmt: skip
        angles[f"{side}_knee"] = (_limited("knee", rng.normal(knee, 10)), 0.0, 0.0)
        angles[f"{side}_ankle"] = (rng.normal(20, 20), 0.0, 0.0)
    return angles


def _trunk(rng: np.random.Generator, bend: float) -> Angles:
    twist = rng.normal(0, 7)
    angles: Angles = {}
    for joint, part in _SPINE.items():
        angles[joint] = (
            _limited("spine", rng.normal(bend * part, 4)), rng.normal(twist, 4), rng.normal(0, 6),
        )  # fmt: skip
    angles["neck"] = (
        _limited("neck", rng.normal(0.6 * bend, 15)), rng.normal(0, 15), rng.normal(0, 8),
    )  # fmt: skip
    angles["head"] = (rng.normal(0, 10), rng.normal(0, 12), rng.normal(0, 5))
    return angles


def _arms(rng: np.random.Generator, family: Family) -> Angles:
    names, shares = list(family.arms), list(family.arms.values())
    angles: Angles = {}
    kind = rng.choice(names, p=shares)
    for side, sign in _SIDES:
        own = rng.choice(names, p=shares) if rng.uniform() < _OTHER_ARM else kind
        direction = np.array(_table()["arms"][own]) * (sign, 1, 1) + rng.normal(0, 0.25, 3)
        angles[f"{side}_shoulder"] = _turn(np.array([sign, 0.0, 0.0]), direction)
        angles[f"{side}_elbow"] = (0.0, -sign * _limited("elbow", abs(rng.normal(25, 35))), 0.0)
        angles[f"{side}_wrist"] = (rng.normal(0, 10), 0.0, rng.normal(0, 25))
    return angles


def _turn(start: Float[np.ndarray, "3"], end: Float[np.ndarray, "3"]) -> tuple[float, float, float]:
    """The rotation vector, degrees, of the shortest turn from a unit vector to a direction."""
    end = end / np.linalg.norm(end)
    axis = np.cross(start, end)
    size = np.linalg.norm(axis)
    if size < 1e-9:
        return (0.0, 0.0, 180.0 if start @ end < 0 else 0.0)
    x, y, z = np.degrees(np.arctan2(size, start @ end)) * axis / size
    return float(x), float(y), float(z)


def _limited(joint: str, degrees: float) -> float:
    return float(np.clip(degrees, *_LIMITS[joint]))
