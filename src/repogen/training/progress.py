"""What a run says while it goes on: the time that is left, and whether it has learnt anything.

A network that has learnt nothing is no better than a constant answer. For heatmaps that answer is
the mean of the targets, which of all constant answers has the lowest loss; for the validation sets
it is the mean pose of their people in the crop.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from torch import Tensor
from tqdm import tqdm

from repogen.coco.annotations import PersonAnnotations
from repogen.coco.crops import box_to_window, joints_to_crop, joints_to_picture
from repogen.coco.oks import similarity
from repogen.models.heatmaps import joints_to_heatmaps

_COMPARED_STEPS = 64
"""Steps of an epoch at least whose loss is compared, if it has so many."""


class Clock:
    """The time that is left of a run, from the steps since this process began or resumed it."""

    def __init__(self, done: int, total: int) -> None:
        """`done` of `total` steps were made before."""
        self._start, self._first, self._total = time.monotonic(), done, total

    def left(self, done: int) -> str:
        """Hours, minutes and seconds until all steps are made, `done` of which are."""
        seconds = (time.monotonic() - self._start) / max(done - self._first, 1)
        return str(tqdm.format_interval(seconds * (self._total - done)))


class ConstantLoss:
    """The loss of heatmaps that a network has in the second half of an epoch, beside the loss of
    the best constant answer to the same crops."""

    def __init__(self, steps: int) -> None:
        """For an epoch of so many steps, of which some are compared."""
        self._from = steps // 2
        self._each = max(1, steps // 2 // _COMPARED_STEPS)
        self._losses: list[float] = []
        self._values = 0
        # Sums over crops, by joint: of weights, their squares, weighted maps and their squares.
        self._sums: list[Tensor] = []

    def add(self, step: int, loss: float, joints: Tensor) -> None:
        """Take the step of an epoch into account: its loss, and the `joints` (n, 17, 3 or more):
        x, y in crop pixels and the weight of each map."""
        if step < self._from or (step - self._from) % self._each:
            return
        targets = joints_to_heatmaps(joints[..., :2].double())
        weights = joints[..., 2].to(targets)[..., None, None]
        self._losses.append(loss)
        self._values += targets.numel()
        terms = (weights, weights**2, weights * targets, weights * targets**2)
        sums = [term.sum(dim=0) for term in terms]
        before = self._sums or [0.0] * len(sums)
        self._sums = [a + b for a, b in zip(before, sums, strict=True)]

    def losses(self) -> tuple[float, float] | None:
        """The mean loss of the network and that of the constant answer; None before any step.

        The mean of a joint's n targets fits just these by n / (n - 1) too well, which is made up
        for; n is Kish's effective number.
        """
        if not self._losses:
            return None
        weights, squared, maps, squares = self._sums
        weights = weights.clamp(min=1e-9)
        count = (weights**2 / squared.clamp(min=1e-9)).clamp(min=2.0)
        left = (squares - maps**2 / weights) * count / (count - 1)
        return float(np.mean(self._losses)), float(left.sum()) / self._values


def mean_pose_oks(people: PersonAnnotations) -> float:
    """The mean OKS of an answer that is the same for all persons to score: each joint at the mean
    of its places in the crops; 0 for a set without persons."""
    rows = people.trainable()
    if len(rows) == 0:
        return 0.0
    truth = rows.keypoints.copy()
    truth[:, :, :2] -= rows.pixel_centers[:, None]
    windows = [box_to_window(box) for box in rows.boxes]
    crops = np.stack([joints_to_crop(*pair) for pair in zip(truth, windows, strict=True)])
    known = crops[:, :, 2:] > 0
    mean = (crops[:, :, :2] * known).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    found = joints_to_picture(np.repeat(mean[None], len(rows), axis=0), windows)
    return float(similarity(truth, rows.boxes, rows.areas, found).mean())


def nothing_learnt(
    constant: ConstantLoss | None,
    scores: Mapping[str, Mapping[str, Any]],
    val_sets: Iterable[PersonAnnotations],
) -> str:
    """Why an epoch's network is no better than a constant answer, as the end of a sentence; empty
    where it is better. `scores` are those of the validation sets, by name."""
    reasons = []
    losses = constant.losses() if constant is not None else None
    if losses is not None and losses[0] >= losses[1]:
        reasons.append(
            f"its loss of {losses[0]:.2e} is not below {losses[1]:.2e}, that of the mean heatmaps"
        )
    for people in val_sets:
        oks, mean = scores[people.name]["OKS"], mean_pose_oks(people)
        if oks <= mean:
            reasons.append(
                f"OKS {oks:.3f} on {people.name} is not above {mean:.3f}, that of the mean pose"
            )
    return "; ".join(reasons)
