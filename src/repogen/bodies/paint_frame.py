"""Where a place on any body's T-pose lies on the body that paint is measured on."""

import numpy as np
from jaxtyping import Float

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
"""z and y of the landmarks on anny's average adult, metres, the hips' middle at the origin."""

REACHES = {"middle": 0.0, "shoulder": 0.171, "elbow": 0.461, "wrist": 0.731, "fingertip": 0.938}
"""|x| of the landmarks on anny's average adult, metres."""


def to_paint_frame(points: Float[np.ndarray, "n 3"], tpose: PosedBody) -> Float[np.ndarray, "n 3"]:
    """Places on a body, moved to the same places of the one outfits are measured on.

    `tpose` is the body the points lie on; both frames are the world's: metres, z up, facing -y,
    the hips' middle at the origin. Linear between landmarks: z, and the shift along y, between
    sole, ankle, knee, hips, shoulder, eye and crown; |x| between the middle, shoulder, elbow,
    wrist and fingertip. Soles, crown and fingertips are the mesh's ends, the other landmarks are
    keypoints. Raises `UserError` where they do not follow one another as in a T-pose.
    """
    at = {name: _both_sides(tpose, name) for name in ("ankle", "knee", "shoulder", "eye")}
    at["hip"] = np.zeros(3)
    # The ends of the mesh have the depth of the landmark beside them.
    at["sole"] = np.array([0.0, at["ankle"][1], tpose.vertices[:, 2].min()])
    at["crown"] = np.array([0.0, at["eye"][1], tpose.vertices[:, 2].max()])
    heights = np.array([at[name][2] for name in HEIGHTS])
    depths = np.array([at[name][1] for name in HEIGHTS])
    reaches = np.array([
        0.0,
        *(_both_sides(tpose, name)[0] for name in ("shoulder", "elbow", "wrist")),
        np.abs(tpose.vertices[:, 0]).max(),
    ])  # fmt: skip
    for names, values, axis in ((HEIGHTS, heights, "height"), (REACHES, reaches, "reach")):
        if (np.diff(values) <= 0).any():
            listed = ", ".join(f"{n} {v:.2f}" for n, v in zip(names, values, strict=True))
            raise UserError(f"the body stands in no T-pose: {axis} in metres: {listed}")
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
