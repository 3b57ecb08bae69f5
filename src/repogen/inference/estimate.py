"""A model's poses for given boxes."""

from collections.abc import Callable, Iterable

import numpy as np
from jaxtyping import Float, UInt8

from repogen.datasets.crops import FLIP, Window, joints_to_picture, window_of
from repogen.datasets.people import People
from repogen.datasets.samples import read_crop
from repogen.evaluation.scores import Estimates
from repogen.models.heatmaps import heatmaps_to_joints

Estimator = Callable[[UInt8[np.ndarray, "n 256 192 3"]], Float[np.ndarray, "n 17 64 48"]]
"""RGB crops to heatmaps: a network on any device, or an ONNX file."""

_SURE = 0.2
"""Joints that score less do not count for the person's score (as ViTPose's evaluation)."""


def estimate_people(
    estimator: Estimator, people: People, flip: bool = True, batch: int = 32
) -> Estimates:
    """A pose for every person with a box that is no crowd, from its box alone."""
    boxed = np.flatnonzero(~people.crowd & (people.boxes[:, 2:] > 1).all(axis=1))
    windows = [window_of(people.boxes[person]) for person in boxed]
    crops = (
        read_crop(people.path(int(person)), window)[..., ::-1]
        for person, window in zip(boxed, windows, strict=True)
    )
    keypoints = np.concatenate(
        [
            np.empty((0, 17, 3)),
            *estimate_crops(estimator, crops, windows, flip, batch),
        ]
    )
    return Estimates(
        keypoints=keypoints,
        scores=person_scores(keypoints[:, :, 2]),
        image=people.image[boxed],
        person=boxed,
    )


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
