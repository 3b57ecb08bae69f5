"""Training data of the regressor: random poses from random directions, with annotation noise."""

import numpy as np

from repogen.arrays import Float
from repogen.bodies import Body
from repogen.bodies.shapes import AGES
from repogen.bodies.skeleton import Angles
from repogen.coco.crops import FLIP
from repogen.coco.oks import SIGMAS
from repogen.labels.convention import annotators_keypoints
from repogen.poses.bounds import Bounds, default_bounds
from repogen.poses.distributions import DISTRIBUTIONS
from repogen.poses.sampling import sample_body_pose

FACE_JOINTS = slice(0, 5)
"""Nose, eyes and ears, which some datasets do not label (LSPet)."""

MIN_JOINTS = 5
"""Labelled joints that `drop_joints` leaves at least."""

_LEGS, _ARMS = ("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")
_DISTRIBUTIONS = ("pair_of_gaussians", "uniform")

_DISTANCE_M = (1.5, 15.0)
_OFF_AXIS_DEG = 25.0
_NOISE = (0.1, 1.5)
"""Range of the annotation noise in units of COCO's sigmas, log-uniform."""

_LOST_TOGETHER: tuple[tuple[float, list[int]], ...] = (
    (0.06, [1, 3, 5, 7, 9, 11, 13, 15]),
    (0.06, [2, 4, 6, 8, 10, 12, 14, 16]),
    (0.05, [15, 16]),
    (0.08, [13, 14, 15, 16]),
    (0.03, [11, 12, 13, 14, 15, 16]),
    (0.72, []),
)
"""Probabilities that these joints are missing together: a left or right half, or lower legs."""


def sample_pose(rng: np.random.Generator, bounds: Bounds) -> Angles:
    """A random pose with the joint correlations of real people, up to 1.25 times the bounds.

    Independent joints would miss them. People mostly stand: the variance is U(0.1, 1.25). Both
    legs, or both arms, move alike half of the time. People sit and squat, which bends both hips
    and both knees (from below the legs look short): 30 % of the poses.
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


def sample_people(rng: np.random.Generator, body: Body, count: int) -> Float[np.ndarray, "n 17 3"]:
    """3D keypoints of `count` people of any age in random poses; metres, world frame.

    The hips are at the origin; the keypoints are where annotators click (see
    `labels.convention`).
    """
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
    """Unit vectors from person to camera, uniform on the sphere."""
    vectors = rng.normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def project_people(
    rng: np.random.Generator,
    points: Float[np.ndarray, "n 17 3"],
    towards: Float[np.ndarray, "n 3"],
    distances: Float[np.ndarray, " n"],
    off_axis: Float[np.ndarray, " n"],
) -> Float[np.ndarray, "n 17 2"]:
    """Project each person's points (metres, world frame) into a camera in direction `towards`.

    The camera is `distances` metres away, rolled by a random angle, and its axis points
    `off_axis` radians past the person to a random side. Returns x right, y down, for a focal
    length of 1. Joints less than 10 cm in front of the camera are projected as at 10 cm.
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
    """Noisy 2D keypoints of random people of `points`, half of them mirrored, in random cameras.

    Returns keypoints (x, y, v = 2) and the unit directions to the cameras.
    """
    chosen = points[rng.integers(len(points), size=count)]
    mirror = rng.random(count) < 0.5
    chosen[mirror] = chosen[mirror][:, FLIP] * [-1.0, 1.0, 1.0]
    towards = sample_directions(rng, count)
    distances = _log_uniform(rng, _DISTANCE_M, count)
    off_axis = np.radians(rng.uniform(0, _OFF_AXIS_DEG, count))
    flat = project_people(rng, chosen, towards, distances, off_axis)
    # The square root of a person's area is about half the longer side of its joints' box.
    size = 0.5 * np.ptp(flat, axis=1).max(axis=1) * _log_uniform(rng, _NOISE, count)
    flat += rng.normal(size=flat.shape) * size[:, None, None] * SIGMAS[:, None]
    return np.concatenate([flat, np.full((count, 17, 1), 2.0)], axis=2), towards


def drop_joints(
    rng: np.random.Generator, keypoints: Float[np.ndarray, "n 17 3"]
) -> Float[np.ndarray, "n 17 3"]:
    """The keypoints with joints missing as in real datasets: faces, body parts, single joints.

    A person that would keep fewer than `MIN_JOINTS` joints loses none.
    """
    count = len(keypoints)
    masks = np.array([[joint in joints for joint in range(17)] for _, joints in _LOST_TOGETHER])
    lost = masks[rng.choice(len(_LOST_TOGETHER), count, p=[share for share, _ in _LOST_TOGETHER])]
    lost[rng.random(count) < 0.35, FACE_JOINTS] = True
    rates = rng.uniform(0, 0.3, count) * (rng.random(count) < 0.5)
    lost |= rng.random((count, 17)) < rates[:, None]
    lost[(~lost).sum(axis=1) < MIN_JOINTS] = False
    return np.where(lost[:, :, None], 0.0, keypoints)


def _log_uniform(
    rng: np.random.Generator, limits: tuple[float, float], count: int
) -> Float[np.ndarray, " n"]:
    low, high = np.log(limits)
    return np.exp(rng.uniform(low, high, count))
