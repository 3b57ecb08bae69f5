"""Compare the limbs of a retargeted clip with the file's joint positions."""

from collections.abc import Mapping
from functools import cache

import numpy as np

from repogen.arrays import Float
from repogen.messages import warn
from repogen.poses.tree import BONE_ENDS, tpose_direction

_TOLERANCE_DEG = 25.0

_LIMBS = {
    "hip": "thigh",
    "knee": "shin",
    "ankle": "foot",
    "shoulder": "upper arm",
    "elbow": "forearm",
}
_TRUNK = {"pelvis": 0.2, "spine1": 0.13, "spine2": 0.06, "spine3": 0.21}
"""Lengths of the trunk's bones from the hips to the neck, metres."""


def angles_deg(
    first: Float[np.ndarray, "*n 3"], second: Float[np.ndarray, "*n 3"]
) -> Float[np.ndarray, "*n"]:
    """Angles between vectors, degrees; 0 where one has no length."""
    across = np.linalg.norm(np.cross(first, second), axis=-1)
    return np.degrees(np.arctan2(across, np.sum(first * second, axis=-1)))


def limb_errors(
    ours: Mapping[str, Float[np.ndarray, "frames 3 3"]],
    source: Mapping[str, Float[np.ndarray, "frames 3"]],
) -> dict[str, Float[np.ndarray, " frames"]]:
    """Angles in degrees between our limbs and trunk and the file's, by name.

    `ours` are the joints' rotations from the T-pose, `source` the joints' positions, both with the
    file's axes.
    """
    out = {}
    for joint, end in BONE_ENDS.items():
        direction = tpose_direction(joint)
        if joint in source and end in source and direction is not None:
            side, _, name = joint.partition("_")
            vector = source[end] - source[joint]
            out[f"{side} {_LIMBS[name]}"] = angles_deg(ours[joint] @ direction, vector)
    hips = (source["left_hip"] + source["right_hip"]) / 2
    arms = (source["left_shoulder"] + source["right_shoulder"]) / 2
    trunk = sum(length * ours[joint][:, :, 1] for joint, length in _TRUNK.items())
    return out | {"trunk": angles_deg(np.asarray(trunk), source.get("neck", arms) - hips)}


def compare_limbs(
    ours: Mapping[str, Float[np.ndarray, "frames 3 3"]],
    source: Mapping[str, Float[np.ndarray, "frames 3"]],
    where: str,
) -> None:
    """Warn of the limbs and trunk that deviate from the file's positions by more than 25 degrees,
    the worst first."""
    errors = {
        name: off for name, off in limb_errors(ours, source).items() if off.max() > _TOLERANCE_DEG
    }
    if not errors:
        return
    names = sorted(errors, key=lambda name: -float(errors[name].max()))
    shown = ", ".join(f"{name} by up to {errors[name].max():.0f} degrees" for name in names)
    frames = np.array([*errors.values()]).max(axis=0) > _TOLERANCE_DEG
    cause = "; the trunk bends at joints which the body does not have, or leans at rest"
    _warn_once(
        f"{where}: in {int(frames.sum())} of {len(frames)} frames its limbs are more than "
        f"{_TOLERANCE_DEG:.0f} degrees off the file's joint positions: {shown}"
        f"{cause if 'trunk' in errors else ''}"
    )


@cache
def _warn_once(text: str) -> None:
    """Files are read again when many others were read in between."""
    warn(text)
