"""Clips, the poses of consecutive frames, and our own JSON files of poses."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, NamedTuple

import numpy as np

from repogen.arrays import Float32
from repogen.bodies.skeleton import JOINTS, Angles
from repogen.errors import UserError, unknown_choice
from repogen.json_files import read_json

POSES_FORMAT = "repogen-poses"


Vector = tuple[float, float, float]

UPRIGHT: Vector = (0.0, 0.0, 0.0)


class Pose(NamedTuple):
    """A pose and how the whole body is turned."""

    angles: Angles
    orientation: Vector = UPRIGHT
    """Rotation vector in degrees of the hips from a person who stands and faces the front, about
    that person's axes: x = left, y = up, z = front (see `Person`)."""
    clearance: float = 0.0
    """Metres between the floor and the lowest point."""


@dataclass(frozen=True, eq=False)
class Clip:
    """Rotation vectors in degrees, as `Body.pose` takes them; NaN for a joint without angles."""

    joints: tuple[str, ...]
    degrees: Float32[np.ndarray, "frames joints 3"]
    orientations: Float32[np.ndarray, "frames 3"]
    """Rotation vectors of the whole body, as in `Pose`, with any heading."""
    clearances: Float32[np.ndarray, " frames"] | None = None
    """As in `Pose`; None for a file without heights."""

    def angles(self, frame: int) -> Angles:
        """The pose of one frame, by joint name."""
        return {
            joint: (x, y, z)
            for joint, (x, y, z) in zip(self.joints, self.degrees[frame].tolist(), strict=True)
            if not math.isnan(x)
        }

    def pose(self, frame: int) -> Pose:
        """The pose of one frame, with the heading of the file."""
        x, y, z = self.orientations[frame].tolist()
        clearance = 0.0 if self.clearances is None else float(self.clearances[frame])
        return Pose(self.angles(frame), (x, y, z), clearance)


def read_pose_file(path: Path) -> Clip:
    """The poses of our own JSON file, one frame each.

    Raises `UserError` for anything else than docs/poses.md describes.
    """
    data: Any = read_json(path)
    if not isinstance(data, dict) or data.get("format") != POSES_FORMAT:
        raise UserError(f'{path} is not a pose file: it needs "format": "{POSES_FORMAT}"')
    poses = data.get("poses")
    if not isinstance(poses, list) or not poses:
        raise UserError(f'{path} holds no poses: "poses" must be a list with at least one')
    _check_keys(data, ("format", "poses"), str(path))
    orientations = np.zeros((len(poses), 3), dtype=np.float32)
    degrees = np.full((len(poses), len(JOINTS), 3), np.nan, dtype=np.float32)
    for number, pose in enumerate(poses):
        where = f"{path}: pose {number}"
        angles = pose.get("angles") if isinstance(pose, dict) else None
        if not isinstance(angles, Mapping):
            raise UserError(f'{where} must hold "angles": {{joint: [x, y, z]}}')
        _check_keys(pose, ("name", "angles", "orientation"), where)
        for joint, vector in angles.items():
            if joint not in JOINTS:
                raise unknown_choice(f"joint in {where}", joint, JOINTS)
            degrees[number, JOINTS.index(joint)] = _rotation_vector(vector, f"{where}: {joint}")
        if "orientation" in pose:
            orientations[number] = _rotation_vector(pose["orientation"], f"{where}: orientation")
    return Clip(JOINTS, degrees, orientations)


def _check_keys(data: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in data:
        if key not in known:
            raise unknown_choice(f"key in {where}:", key, known)


def _rotation_vector(value: object, where: str) -> list[float]:
    numbers = isinstance(value, list) and len(value) == 3
    if not numbers or not all(
        isinstance(v, int | float) and not isinstance(v, bool) and abs(v) <= 1e4
        for v in value  # type: ignore[attr-defined]
    ):
        raise UserError(
            f"{where} = {shortened(value)} must be three numbers from -10000 to 10000, degrees "
            "about x, y, z"
        )
    return value  # type: ignore[return-value]
