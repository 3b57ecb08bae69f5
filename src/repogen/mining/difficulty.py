"""How hard a person is for an estimator: by the labels, and by whether it agrees with itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from repogen.arrays import Bool, Float, UInt8
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.coco.crops import FLIP, Window, box_to_window, downsample_factor, warp_crop
from repogen.coco.oks import joint_similarity
from repogen.errors import UserError
from repogen.inference.agreement import look_to_picture
from repogen.inference.estimate import Estimator, as_joint_estimator
from repogen.inference.network import load_estimator
from repogen.pictures import downsample
from repogen.training.config import LabelConfig

_TURN_DEG = 20.0

_SHIFT = 0.06
"""Share of a window's side by which a look is moved."""

LOOKS = ((0.0, False, 0.0), (0.0, True, 0.0), (_TURN_DEG, False, 0.0), (-_TURN_DEG, True, _SHIFT))
"""Degrees clockwise, whether mirrored, and the shift to the right and down of each look."""

_BATCH = 4
"""Crops in a batch of the network: on a CPU few are faster, since they fit into its caches."""

_APART = 0.1
"""A left and a right joint count as a pair where they are further apart than this share of the
longer side of the person's box."""

_LEFT = np.array([k for k, name in enumerate(COCO_KEYPOINTS) if name.startswith("left_")])

WEIGHTS = {
    "all": (0.5, 0.2, 0.3),
    "labels": (0.7, 0.3, 0.0),
    "agreement": (0.0, 0.0, 1.0),
}
"""Weights of loss, swaps and disagreement in the difficulty, by the value of --difficulty."""


@dataclass(frozen=True)
class Difficulty:
    """How hard a person is, each part from 0 (easy) to 1. Means over the looks."""

    loss: float
    """1 - OKS over the joints that can be seen."""
    swaps: float
    """Share of left-right pairs that are exchanged, of the pairs that can be seen."""
    disagreement: float
    """1 - OKS between two looks, over the joints that can be seen and all pairs of looks. It needs
    no label but which joints can be seen."""

    def total(self, by: str = "all") -> float:
        """The difficulty, 0 to 1: the weighted sum of the parts, by a key of `WEIGHTS`."""
        parts = (self.loss, self.swaps, self.disagreement)
        return float(sum(w * part for w, part in zip(WEIGHTS[by], parts, strict=True)))


def ask(
    estimator: Estimator,
    pictures: Sequence[UInt8[np.ndarray, "h w 3"]],
    boxes: Sequence[Float[np.ndarray, "4"]],
    looks: Sequence[tuple[float, bool, float]] = LOOKS,
) -> Float[np.ndarray, "n k 17 2"]:
    """Where the estimator finds the joints in each of k looks at each of n boxes.

    Pictures are RGB, boxes x, y, w, h; pixels, with pixel centres at +0.5. Raises `UserError` where
    the estimator fails or an answer is no number.
    """
    joints_of = as_joint_estimator(estimator)
    windows = [
        (i, look)
        for i, box in enumerate(boxes)
        for look in _windows(box - (0.5, 0.5, 0, 0), joints_of.padding, joints_of.crop, looks)
    ]
    found = []
    for first in range(0, len(windows), _BATCH):
        some = windows[first : first + _BATCH]
        crops = np.stack([_cut(pictures[i], window, joints_of.crop) for i, window in some])
        poses = joints_of.find(crops, False)
        found += [
            look_to_picture(pose, window, joints_of.crop)[:, :2] + 0.5
            for pose, (_, window) in zip(poses, some, strict=True)
        ]
    out = np.array(found).reshape(len(boxes), len(looks), 17, 2)
    if not np.isfinite(out).all():
        raise UserError("the estimator's answers are no numbers (NaN): its weights are damaged")
    return out


def check_can_be_asked(weights: str, option: str = "--weights") -> None:
    """Raises `UserError`, naming them and their option, for weights that are none or cannot answer
    about a picture."""
    estimator = load_estimator(weights, threads=1)
    try:
        ask(estimator, [np.zeros((64, 64, 3), np.uint8)], [np.array([8.0, 8.0, 48.0, 48.0])])
    except UserError as error:
        raise UserError(f"{option} {weights} cannot be asked: {error}") from error


def _windows(
    box: Float[np.ndarray, "4"],
    padding: float,
    crop: tuple[int, int],
    looks: Sequence[tuple[float, bool, float]],
) -> Iterator[Window]:
    window = box_to_window(box, padding, crop)
    for turn, flip, shift in looks:
        (x, y), (width, height) = window.center, window.size
        yield Window((x + shift * width, y + shift * height), window.size, turn, flip)


def _cut(
    picture: UInt8[np.ndarray, "h w 3"], window: Window, crop: tuple[int, int]
) -> UInt8[np.ndarray, "h w 3"]:
    factor = downsample_factor(window, crop)
    return warp_crop(downsample(picture, factor), window, factor, crop)


def finds(
    found: Float[np.ndarray, "17 2"], truth: Float[np.ndarray, "17 2"], area: float
) -> Bool[np.ndarray, "17"]:
    """Which joints an estimator finds, in pixels: those within 12 % of the root of the person's
    area of the truth, as by default for train --tolerance."""
    return np.linalg.norm(found - truth, axis=1) <= LabelConfig().tolerance * np.sqrt(area)


def judge(
    found: Float[np.ndarray, "k 17 2"],
    truth: Float[np.ndarray, "17 2"],
    seen: Bool[np.ndarray, "17"],
    area: float,
    side: float,
) -> Difficulty:
    """The difficulty of a person from what k looks found, in pixels.

    `seen` are the joints that can be seen, at least one; `area` is that of the visible part and
    `side` the longer side of its box.
    """
    areas = np.full(len(found), area)
    loss = 1 - _oks(found - truth, areas, seen).mean()
    pairs = [*combinations(range(len(found)), 2)]
    first, second = np.array(pairs).T
    apart = 1 - _oks(found[first] - found[second], np.full(len(pairs), area), seen).mean()
    return Difficulty(float(loss), _swaps(found, truth, seen, side), float(apart))


def joint_oks(
    found: Float[np.ndarray, "k 17 2"],
    truth: Float[np.ndarray, "17 2"],
    seen: Bool[np.ndarray, "17"],
    area: float,
) -> Float[np.ndarray, " 17"]:
    """The mean OKS over the looks of each joint, as `judge`; NaN for one that cannot be seen."""
    away = np.where(seen[:, None], found - truth, 0.0)
    return np.where(seen, joint_similarity(away, np.full(len(found), area)).mean(axis=0), np.nan)


def _oks(
    away: Float[np.ndarray, "n 17 2"], areas: Float[np.ndarray, " n"], seen: Bool[np.ndarray, "17"]
) -> Float[np.ndarray, " n"]:
    return joint_similarity(away, areas)[:, seen].mean(axis=1)


def _swaps(
    found: Float[np.ndarray, "k 17 2"],
    truth: Float[np.ndarray, "17 2"],
    seen: Bool[np.ndarray, "17"],
    side: float,
) -> float:
    """The mean share of exchanged pairs; 0 without a pair (see `evaluation.joints`)."""
    right = FLIP[_LEFT]
    apart = np.linalg.norm(truth[_LEFT] - truth[right], axis=1)
    pairs = seen[_LEFT] & seen[right] & (apart > _APART * side)
    if not pairs.any():
        return 0.0
    left, right = _LEFT[pairs], right[pairs]

    def away(joints: np.ndarray, of: np.ndarray) -> Float[np.ndarray, "k p"]:
        return np.linalg.norm(found[:, joints] - truth[of], axis=2)

    straight = away(left, left) + away(right, right)
    crossed = away(left, right) + away(right, left)
    return float((crossed < 0.5 * straight).mean())
