"""What the regressor learns from: generated poses, seen from everywhere, labelled as people do."""

import numpy as np
from jaxtyping import Float

from repogen.bodies import Body
from repogen.bodies.shapes import AGES
from repogen.coco.crops import FLIP
from repogen.coco.oks import SIGMAS
from repogen.labels.convention import annotators_keypoints
from repogen.poses.bounds import Bounds, default_bounds
from repogen.poses.distributions import DISTRIBUTIONS
from repogen.poses.sampling import Angles, sample_body_pose

FACE = slice(0, 5)
"""Nose, eyes and ears, which many sets do not label (LSPet)."""

FEWEST = 5
"""Labelled joints that everybody keeps."""

_LEGS, _ARMS = ("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")
_DISTRIBUTIONS = ("pair_of_gaussians", "uniform")

_DISTANCE_M = (1.5, 15.0)
_OFF_AXIS_DEG = 25.0
_NOISE = (0.1, 1.5)
"""Annotation noise in units of COCO's own, evenly on a log scale."""

_CUTS: tuple[tuple[float, list[int]], ...] = (
    (0.06, [1, 3, 5, 7, 9, 11, 13, 15]),
    (0.06, [2, 4, 6, 8, 10, 12, 14, 16]),
    (0.05, [15, 16]),
    (0.08, [13, 14, 15, 16]),
    (0.03, [11, 12, 13, 14, 15, 16]),
    (0.72, []),
)
"""Chance that these joints are lost together: the left or the right half, legs from below."""


def sample_pose(rng: np.random.Generator, bounds: Bounds) -> Angles:
    """A pose as real people take them, within and somewhat beyond the paper's bounds.

    Independent joints miss much of what people do: they mostly stand, so the variance is
    U(0.1, 1.25); they move both legs or both arms alike, half of the time here; and they sit and
    squat, which takes both hips and both knees at once (a camera below shows legs as short).
    """
    distribution = DISTRIBUTIONS[_DISTRIBUTIONS[int(rng.integers(2))]]
    angles = sample_body_pose(rng, bounds, distribution, float(rng.uniform(0.1, 1.25)))
    for limb in (_LEGS, _ARMS):
        if rng.random() < 0.5:
            for joint in limb:
                (x, y, z), (u, v, w) = angles[f"left_{joint}"], angles[f"right_{joint}"]
                angles[f"right_{joint}"] = (
                    0.8 * x + 0.2 * u, -0.8 * y + 0.2 * v, -0.8 * z + 0.2 * w
                )  # fmt: skip
    if rng.random() < 0.3:
        hip, knee = rng.uniform(0, 125), rng.uniform(0, 150)
        for side in ("left", "right"):
            _, y, z = angles[f"{side}_hip"]
            angles[f"{side}_hip"] = (float(rng.normal(-hip, 12)), y, z)
            angles[f"{side}_knee"] = (float(max(0.0, rng.normal(knee, 15))), 0.0, 0.0)
    return angles


def sample_points(rng: np.random.Generator, body: Body, count: int) -> Float[np.ndarray, "n 17 3"]:
    """Keypoints of `count` people of any age, metres, world frame, the hips at the origin."""
    bounds, ages = default_bounds(), tuple(AGES)
    return np.stack(
        [
            annotators_keypoints(
                body.pose(body.sample_shape(rng, ages), {}, sample_pose(rng, bounds))
            )
            for _ in range(count)
        ]
    )


def sample_directions(rng: np.random.Generator, count: int) -> Float[np.ndarray, "n 3"]:
    """Unit vectors from person to camera, even on the sphere."""
    vectors = rng.normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def projected(
    rng: np.random.Generator,
    points: Float[np.ndarray, "n 17 3"],
    towards: Float[np.ndarray, "n 3"],
    distances: Float[np.ndarray, " n"],
    off_axis: Float[np.ndarray, " n"],
) -> Float[np.ndarray, "n 17 2"]:
    """Points of each person in the picture of a camera in direction `towards`, x right, y down.

    The camera is rolled by any angle and looks `off_axis` radians past the person, to any side;
    its focal length is 1. Joints behind it are put 10 cm before it.
    """
    across = np.cross(rng.normal(size=towards.shape), towards)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    cosine, sine = np.cos(off_axis)[:, None], np.sin(off_axis)[:, None]
    forward = -cosine * towards + sine * across
    right = cosine * across + sine * towards
    down = np.cross(forward, right)
    offsets = points - (towards * distances[:, None])[:, None]
    x, y, z = (np.einsum("nji,ni->nj", offsets, axis) for axis in (right, down, forward))
    return np.stack([x, y], axis=2) / np.maximum(z, 0.1)[:, :, None]


def sample_labels(
    rng: np.random.Generator, points: Float[np.ndarray, "p 17 3"], count: int
) -> tuple[Float[np.ndarray, "n 17 3"], Float[np.ndarray, "n 3"]]:
    """Random people of `points`, half of them mirrored, as an annotator would label all 17 joints
    in pictures from random cameras: keypoints (x, y, 2) and the directions to the cameras."""
    chosen = points[rng.integers(len(points), size=count)]
    mirror = rng.random(count) < 0.5
    chosen[mirror] = chosen[mirror][:, FLIP] * [-1.0, 1.0, 1.0]
    towards = sample_directions(rng, count)
    distances = _log_even(rng, _DISTANCE_M, count)
    off_axis = np.radians(rng.uniform(0, _OFF_AXIS_DEG, count))
    flat = projected(rng, chosen, towards, distances, off_axis)
    # The root of a person's area is about half of the longer side of its joints' box.
    size = 0.5 * np.ptp(flat, axis=1).max(axis=1) * _log_even(rng, _NOISE, count)
    flat += rng.normal(size=flat.shape) * size[:, None, None] * SIGMAS[:, None]
    return np.concatenate([flat, np.full((count, 17, 1), 2.0)], axis=2), towards


def with_lost_joints(
    rng: np.random.Generator, keypoints: Float[np.ndarray, "n 17 3"]
) -> Float[np.ndarray, "n 17 3"]:
    """The same labels with joints missing as in real sets: no faces, cut people, single joints.

    Nobody keeps fewer than `FEWEST`: who would, loses none.
    """
    count = len(keypoints)
    tables = np.array([[joint in joints for joint in range(17)] for _, joints in _CUTS])
    lost = tables[rng.choice(len(_CUTS), count, p=[share for share, _ in _CUTS])]
    lost[rng.random(count) < 0.35, FACE] = True
    rates = rng.uniform(0, 0.3, count) * (rng.random(count) < 0.5)
    lost |= rng.random((count, 17)) < rates[:, None]
    lost[(~lost).sum(axis=1) < FEWEST] = False
    return np.where(lost[:, :, None], 0.0, keypoints)


def _log_even(
    rng: np.random.Generator, limits: tuple[float, float], count: int
) -> Float[np.ndarray, " n"]:
    low, high = np.log(limits)
    return np.exp(rng.uniform(low, high, count))
