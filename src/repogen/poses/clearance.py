"""How far above the floor a measured body is, from the height of its pelvis."""

import numpy as np

from repogen.arrays import Float, Float32
from repogen.bodies.rotations import vectors_to_matrices
from repogen.bodies.skeleton import BODY_JOINTS
from repogen.poses.tree import PARENTS, SIDES

LEG = 0.86
"""Metres from the hip to the ankle of the body that stands in for the measured one."""

_SIDE = {
    "hip": (0.10, -0.02, 0.0), "knee": (0.06, -0.43, 0.0), "ankle": (0.04, -0.43, -0.03),
    "foot": (0.0, -0.06, 0.13), "collar": (0.04, 0.13, 0.0), "shoulder": (0.12, 0.03, 0.0),
    "elbow": (0.29, 0.0, 0.0), "wrist": (0.27, 0.0, 0.0),
}  # fmt: skip
_OFFSETS = {
    "spine1": (0.0, 0.10, 0.0), "spine2": (0.0, 0.12, 0.0), "spine3": (0.0, 0.10, 0.0),
    "neck": (0.0, 0.20, 0.0), "head": (0.0, 0.10, 0.02),
} | {f"{side}_{joint}": (sign * x, y, z) for side, sign in SIDES.items()
     for joint, (x, y, z) in _SIDE.items()}  # fmt: skip
"""Metres from its parent to each joint in T-pose; x = left, y = up, z = front. Of an average
adult, ours."""

_TIPS = {"head": (0.0, 0.10, 0.05)} | {
    f"{side}_{joint}": (sign * x, 0.0, z)
    for side, sign in SIDES.items()
    for joint, x, z in (("foot", 0.0, 0.08), ("wrist", 0.17, 0.0))
}
"""Metres from a joint to the end of its part: toes, fingers, and the middle of the skull."""

_RADII = {
    "foot": 0.03, "ankle": 0.07, "knee": 0.06, "hip": 0.1, "pelvis": 0.1, "spine1": 0.11,
    "spine2": 0.11, "spine3": 0.11, "neck": 0.06, "head": 0.1, "collar": 0.08, "shoulder": 0.06,
    "elbow": 0.045, "wrist": 0.03,
}  # fmt: skip
"""Metres of flesh around a joint."""

_TIP_RADII = {"head": 0.1, "foot": 0.015, "wrist": 0.01}

_LEAST = 0.1
"""Metres below which a body counts as touching the floor: the measured one has other lengths."""

_MOST = 3.0
"""Metres above the floor, at most: stairs, or another unit."""

_FLOOR = 0.01
"""Share of the frames that are lower than the floor: outliers."""

_CHUNK = 2048


def clearances(
    vectors: Float[np.ndarray, "frames joints 3"],
    orientations: Float[np.ndarray, "frames 3"],
    pelvis: Float[np.ndarray, " frames"],
) -> Float32[np.ndarray, " frames"]:
    """Metres between the floor and the lowest point of the body in each frame; 0 where it touches.

    `vectors` are rotation vectors of `BODY_JOINTS` and `orientations` of the whole body, radians,
    `pelvis` its height in metres above any level. The floor is where the lowest frames are: a clip
    that is in the air from its first frame to its last counts as on the floor, and so does one
    whose height never changes: it was not measured.
    """
    if not np.ptp(pelvis):
        return np.zeros(len(pelvis), np.float32)
    starts = range(0, len(pelvis), _CHUNK)
    low = pelvis + np.concatenate(
        [_lowest(vectors[i : i + _CHUNK], orientations[i : i + _CHUNK]) for i in starts]
    )
    above = low - np.quantile(low, _FLOOR)
    return np.where(above < _LEAST, 0.0, np.minimum(above, _MOST)).astype(np.float32)


def _lowest(
    vectors: Float[np.ndarray, "frames joints 3"], orientations: Float[np.ndarray, "frames 3"]
) -> Float[np.ndarray, " frames"]:
    """Height of the lowest point relative to the pelvis, metres."""
    frames = len(orientations)
    local = vectors_to_matrices(np.nan_to_num(vectors[:, : len(BODY_JOINTS)]).reshape(-1, 3))
    local = local.reshape(frames, -1, 3, 3)
    turned = {"pelvis": vectors_to_matrices(orientations)}
    heights = {"pelvis": np.zeros(frames)}
    lowest = np.full(frames, -_RADII["pelvis"])
    for joint, parent in PARENTS.items():
        name = joint.split("_")[-1]
        heights[joint] = heights[parent] + turned[parent][:, 1] @ np.array(_OFFSETS[joint])
        turned[joint] = turned[parent] @ local[:, BODY_JOINTS.index(joint)]
        lowest = np.minimum(lowest, heights[joint] - _RADII[name])
        if joint in _TIPS:
            tip = heights[joint] + turned[joint][:, 1] @ np.array(_TIPS[joint])
            lowest = np.minimum(lowest, tip - _TIP_RADII[name])
    return lowest
