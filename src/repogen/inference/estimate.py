"""A model's poses for given boxes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from tqdm import tqdm

from repogen.coco.annotations import PersonAnnotations
from repogen.coco.crops import FLIP, Window, joints_to_picture, window_of
from repogen.coco.oks import unsuppressed
from repogen.coco.samples import read_crop
from repogen.models.heatmaps import heatmaps_to_joints

Estimator = Callable[[UInt8[np.ndarray, "n 256 192 3"]], Float[np.ndarray, "n 17 64 48"]]
"""RGB crops to heatmaps: a network on any device, or an ONNX file."""

_SURE = 0.2
"""Joints that score less do not count for the person's score (as ViTPose's evaluation)."""


@dataclass(frozen=True)
class Boxes:
    """Where to look for people: n boxes x, y, w, h in the pixels of their images."""

    boxes: Float[np.ndarray, "n 4"]
    scores: Float[np.ndarray, " n"]
    image: Int[np.ndarray, " n"]
    """Index into the set's images."""
    person: Int[np.ndarray, " n"]
    """Index of the person it is the true box of; -1 for a detector's."""

    def outside(self, images: Int[np.ndarray, " b"]) -> "Boxes":
        """Those in other images."""
        rows = ~np.isin(self.image, images)
        return Boxes(self.boxes[rows], self.scores[rows], self.image[rows], self.person[rows])


@dataclass(frozen=True)
class Estimates:
    """Poses found by a model: n of them, in the pixels of their images."""

    keypoints: Float[np.ndarray, "n 17 3"]
    """x, y and the joint's own score."""
    scores: Float[np.ndarray, " n"]
    image: Int[np.ndarray, " n"]
    """Index into the set's images."""
    person: Int[np.ndarray, " n"]
    """Index of the person whose box it was made from; -1 for a detector's."""
    kept: Bool[np.ndarray, " n"]
    """Whether it is left after OKS-NMS; average precision is over these."""


def true_boxes(people: PersonAnnotations) -> Boxes:
    """The true box of every person who is scored, each with score 1, as in the paper."""
    persons = people.labelled()
    persons = persons[(people.boxes[persons, 2:] > 1).all(axis=1)]
    return Boxes(people.boxes[persons], np.ones(len(persons)), people.image[persons], persons)


def estimate_people(
    estimator: Estimator,
    people: PersonAnnotations,
    flip: bool = True,
    batch: int = 32,
    boxes: Boxes | None = None,
    progress: str = "",
) -> Estimates:
    """A pose for every box, by default the true ones, and which are left after OKS-NMS.

    Coordinates are to a thousandth of a pixel. A pose scores its box's score times
    `person_scores`; its area, for OKS-NMS, is its window's. `progress` names the bar to draw.
    """
    boxes = boxes or true_boxes(people)
    windows = [window_of(box) for box in boxes.boxes]
    crops = (
        read_crop(people, image, window)[..., ::-1]
        for image, window in zip(
            tqdm(boxes.image, desc=progress, unit="person", disable=not progress),
            windows,
            strict=True,
        )
    )
    found = estimate_crops(estimator, crops, windows, flip, batch)
    keypoints = np.concatenate([np.empty((0, 17, 3)), *found])
    keypoints[:, :, :2] += 0.5 * people.rendered[boxes.image, None, None]
    keypoints = keypoints.round(3)
    scores = boxes.scores * person_scores(keypoints[:, :, 2])
    areas = np.array([window.size[0] * window.size[1] for window in windows])
    kept = np.ones(len(scores), dtype=bool)
    for image in np.flatnonzero(np.bincount(boxes.image) > 1):
        here = np.flatnonzero(boxes.image == image)
        kept[here] = unsuppressed(keypoints[here, :, :2], scores[here], areas[here])
    return Estimates(keypoints, scores, boxes.image, boxes.person, kept)


def estimate_crops(
    estimator: Estimator,
    crops: Iterable[UInt8[np.ndarray, "256 192 3"]],
    windows: list[Window],
    flip: bool = True,
    batch: int = 32,
) -> Iterable[Float[np.ndarray, "m 17 3"]]:
    """x, y in the pictures' pixels and the score of each joint, batch by batch.

    With `flip` the mirrored crops are looked at too, and the heatmaps averaged.
    """
    waiting: list[np.ndarray] = []
    start = 0
    for place, crop in enumerate(crops):
        waiting.append(crop)
        if len(waiting) == batch or place + 1 == len(windows):
            pixels = np.stack(waiting)
            maps = estimator(pixels)
            if flip:
                mirrored = estimator(np.ascontiguousarray(pixels[:, :, ::-1]))
                maps = (maps + mirrored[:, FLIP, :, ::-1]) / 2
            joints, scores = heatmaps_to_joints(maps)
            here = windows[start : start + len(waiting)]
            yield np.concatenate([joints_to_picture(joints, here), scores[..., None]], axis=2)
            start += len(waiting)
            waiting = []


def person_scores(scores: Float[np.ndarray, "n 17"]) -> Float[np.ndarray, " n"]:
    """The mean score of the joints that are sure, 0 where none is."""
    sure = scores > _SURE
    return (scores * sure).sum(axis=1) / np.maximum(sure.sum(axis=1), 1)
