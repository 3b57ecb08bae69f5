"""Random poses and hands, and named poses."""

from pathlib import Path
from typing import Any

import numpy as np

from repogen.bodies.skeleton import BODY_JOINTS, Angles
from repogen.errors import unknown_choice
from repogen.json_files import read_json
from repogen.poses.bounds import SHOULDER_DROP_DEG, Bounds
from repogen.poses.clips import Pose, read_pose_file
from repogen.poses.distributions import AngleDistribution

SIMPLICITY = (1.0, 1.5)
"""Range of the release's random pose simplicity; the pose variance is its inverse
(docs/method.md)."""

_FLEXION_DEG = (60.0, 80.0, 45.0)
"""Flexion of a fully closed finger's three joints from its slightly bent rest pose."""

_FINGERS_ACROSS_HAND = ("thumb", "index", "middle", "ring", "pinky")


def sample_body_pose(
    rng: np.random.Generator, bounds: Bounds, distribution: AngleDistribution, variance: float
) -> Angles:
    """A random pose of the 21 body joints, every component independent within its bounds.

    `variance` multiplies every bound (docs/method.md).
    """
    table = np.concatenate([bounds[joint] for joint in BODY_JOINTS]) * variance
    drawn = distribution.sample(rng, table, 1).reshape(len(BODY_JOINTS), 3)
    return with_arms_lowered(dict(zip(BODY_JOINTS, _triples(drawn), strict=True)))


def sample_variance(rng: np.random.Generator) -> float:
    """A random pose variance 1/s, the simplicity s uniform between the ends of `SIMPLICITY`."""
    return float(1 / rng.uniform(*SIMPLICITY))


def with_arms_lowered(angles: Angles) -> Angles:
    """The angles with the shoulders lowered by `SHOULDER_DROP_DEG`, as the paper does."""
    out = dict(angles)
    for joint, sign in (("left_shoulder", -1.0), ("right_shoulder", 1.0)):
        x, y, z = out.get(joint, (0.0, 0.0, 0.0))
        out[joint] = (x, y, z + sign * SHOULDER_DROP_DEG)
    return out


def sample_hands(rng: np.random.Generator) -> Angles:
    """Random angles of both hands, each between open and a fist with its fingers bent alike.

    The paper draws components of MANO's basis from U(-1.5, 1.5), which anny does not have.
    """
    angles: Angles = {}
    for side, sign in (("left", -1.0), ("right", 1.0)):
        grip, spread = rng.uniform(-0.1, 1.0), rng.uniform(-6.0, 10.0)
        for i, finger in enumerate(_FINGERS_ACROSS_HAND):
            closure = float(np.clip(grip + rng.normal(0.0, 0.15), -0.15, 1.0))
            if finger == "thumb":
                bends = [(0.0, -sign * 30.0 * closure, 0.0)] * 3
            else:
                fan = sign * spread * (2.5 - i) / 1.5
                bends = [
                    (0.0, fan * (knuckle == 0), sign * flexion * closure)
                    for knuckle, flexion in enumerate(_FLEXION_DEG)
                ]
            for knuckle, bend in enumerate(bends, start=1):
                angles[f"{side}_{finger}{knuckle}"] = bend
    return angles


def _triples(rows: np.ndarray) -> list[tuple[float, float, float]]:
    return [(float(x), float(y), float(z)) for x, y, z in rows]


def _shipped_poses() -> dict[str, Pose]:
    path = Path(__file__).with_name("named_poses.json")
    data: Any = read_json(path)
    clip = read_pose_file(path)
    return {pose["name"]: clip.pose(frame) for frame, pose in enumerate(data["poses"])}


_SHIPPED = _shipped_poses()

NAMED_POSES = ("min", "max", *_SHIPPED)
"""Both ends of the bounds, and the poses in named_poses.json."""


def named_pose(name: str, bounds: Bounds) -> Pose:
    """A named pose. Raises `UserError` for a name not in `NAMED_POSES`."""
    if name not in NAMED_POSES:
        raise unknown_choice("pose", name, NAMED_POSES)
    if name in _SHIPPED:
        return _SHIPPED[name]
    # Shoulders are not lowered, as in the release.
    side = ("min", "max").index(name)
    rows = np.stack([bounds[joint][:, side] for joint in BODY_JOINTS])
    return Pose(dict(zip(BODY_JOINTS, _triples(rows), strict=True)))
