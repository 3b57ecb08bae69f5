"""Map points on any body's T-pose to anny's average adult, on which outfits are measured."""

import numpy as np

from repogen.arrays import Float
from repogen.bodies.protocol import PosedBody
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.errors import UserError

HEIGHTS = {
    "sole": (-0.977, -0.005),
    "ankle": (-0.876, -0.005),
    "knee": (-0.449, -0.030),
    "hip": (0.0, 0.0),
    "shoulder": (0.522, -0.016),
    "eye": (0.748, -0.136),
    "crown": (0.861, -0.136),
}
"""z and y of landmarks on anny's average adult in metres; the mid-hip is the origin."""

REACHES = {"middle": 0.0, "shoulder": 0.171, "elbow": 0.461, "wrist": 0.731, "fingertip": 0.938}
"""|x| of landmarks on anny's average adult in metres."""


def to_canonical(points: Float[np.ndarray, "n 3"], tpose: PosedBody) -> Float[np.ndarray, "n 3"]:
    """Points on the body `tpose`, mapped to the corresponding points of anny's average adult.

    Both frames are the world's: metres, z up, facing -y, the mid-hip at the origin. The map is
    linear between landmarks: z, and the shift along y, between sole, ankle, knee, hips, shoulder,
    eye and crown; |x| between the midline, shoulder, elbow, wrist and fingertip. Soles, crown and
    fingertips are the mesh's ends, the other landmarks are keypoints. Raises `UserError` if the
    landmarks are not in the order of a T-pose.
    """
    marks = {name: _both_sides(tpose, name) for name in ("ankle", "knee", "shoulder", "eye")}
    marks["hip"] = np.zeros(3)
    # The ends of the mesh have the depth of the landmark beside them.
    marks["sole"] = np.array([0.0, marks["ankle"][1], tpose.vertices[:, 2].min()])
    marks["crown"] = np.array([0.0, marks["eye"][1], tpose.vertices[:, 2].max()])
    heights = np.array([marks[name][2] for name in HEIGHTS])
    depths = np.array([marks[name][1] for name in HEIGHTS])
    reaches = np.array([
        0.0,
        *(_both_sides(tpose, name)[0] for name in ("shoulder", "elbow", "wrist")),
        np.abs(tpose.vertices[:, 0]).max(),
    ])  # fmt: skip
    for names, values, axis in ((HEIGHTS, heights, "height"), (REACHES, reaches, "reach")):
        if (np.diff(values) <= 0).any():
            listed = ", ".join(f"{n} {v:.2f}" for n, v in zip(names, values, strict=True))
            raise UserError(
                f"the body is not in T-pose: its landmarks by {axis} in metres, {listed}, must "
                "ascend"
            )
    z, y = np.array(list(HEIGHTS.values())).T
    return np.stack(
        [
            np.sign(points[:, 0])
            * np.interp(np.abs(points[:, 0]), reaches, np.array(list(REACHES.values()))),
            points[:, 1] + np.interp(points[:, 2], heights, y - depths),
            np.interp(points[:, 2], heights, z),
        ],
        axis=1,
    )


def _both_sides(body: PosedBody, name: str) -> Float[np.ndarray, "3"]:
    """Mean of a left and a right keypoint, the right one mirrored."""
    left, right = (body.keypoints[COCO_KEYPOINTS.index(f"{s}_{name}")] for s in ("left", "right"))
    return (left + right * [-1, 1, 1]) / 2
