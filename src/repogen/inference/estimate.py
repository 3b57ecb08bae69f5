"""Poses that a model estimates for given boxes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from tqdm import tqdm

from repogen.coco.annotations import PersonAnnotations
from repogen.coco.crops import FLIP, Window, box_to_window, joints_to_picture
from repogen.coco.images import read_crop
from repogen.coco.oks import oks_nms
from repogen.errors import UserError, printable
from repogen.models.heatmaps import heatmaps_to_joints

Estimator = Callable[[UInt8[np.ndarray, "n 256 192 3"]], Float[np.ndarray, "n 17 64 48"]]
"""A function from RGB crops to heatmaps: a network on any device, or an ONNX file."""

_MIN_JOINT_SCORE = 0.2
"""Joints that score less do not count for the person's score, as in ViTPose's evaluation."""


@dataclass(frozen=True)
class Boxes:
    """n person boxes x, y, w, h in pixels of their images."""

    boxes: Float[np.ndarray, "n 4"]
    scores: Float[np.ndarray, " n"]
    image: Int[np.ndarray, " n"]
    """Index into the set's images."""
    person: Int[np.ndarray, " n"]
    """Index of the person whose ground-truth box it is; -1 for a detector's box."""

    def without_images(self, images: Int[np.ndarray, " b"]) -> "Boxes":
        """The boxes that are not in the given images."""
        rows = ~np.isin(self.image, images)
        return Boxes(self.boxes[rows], self.scores[rows], self.image[rows], self.person[rows])


@dataclass(frozen=True)
class Estimates:
    """n poses that a model estimated, in pixels of their images."""

    keypoints: Float[np.ndarray, "n 17 3"]
    """x, y and the joint's score."""
    scores: Float[np.ndarray, " n"]
    image: Int[np.ndarray, " n"]
    """Index into the set's images."""
    person: Int[np.ndarray, " n"]
    """Index of the person whose ground-truth box was used; -1 for a detector's box."""
    kept: Bool[np.ndarray, " n"]
    """Whether OKS-NMS kept the pose; average precision is over kept poses."""


def ground_truth_boxes(people: PersonAnnotations) -> Boxes:
    """The boxes of the labelled persons except crowds, each with score 1."""
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
    """Estimate the pose in every box, by default the ground-truth boxes, and run OKS-NMS.

    Coordinates are rounded to a thousandth of a pixel. The score of a pose is its box's score
    times `person_scores`; its area for OKS-NMS is that of its crop window. `progress` labels a
    progress bar; none is drawn without it. Raises `UserError` for an image that cannot be read.
    """
    boxes = boxes or ground_truth_boxes(people)
    windows = [box_to_window(box) for box in boxes.boxes]
    names = [str(people.files[image]) for image in boxes.image]
    # The bar ends before an error is printed.
    with tqdm(boxes.image, desc=printable(progress), unit="person", disable=not progress) as images:
        crops = (
            read_crop(people, image, window)[..., ::-1]
            for image, window in zip(images, windows, strict=True)
        )
        found = [*estimate_crops(estimator, crops, windows, flip, batch, names)]
    keypoints = np.concatenate([np.empty((0, 17, 3)), *found])
    keypoints[:, :, :2] += 0.5 * people.rendered[boxes.image, None, None]
    keypoints = keypoints.round(3)
    scores = boxes.scores * person_scores(keypoints[:, :, 2])
    areas = np.array([window.size[0] * window.size[1] for window in windows])
    kept = np.ones(len(scores), dtype=bool)
    for image in np.flatnonzero(np.bincount(boxes.image) > 1):
        here = np.flatnonzero(boxes.image == image)
        kept[here] = oks_nms(keypoints[here, :, :2], scores[here], areas[here])
    return Estimates(keypoints, scores, boxes.image, boxes.person, kept)


def estimate_crops(
    estimator: Estimator,
    crops: Iterable[UInt8[np.ndarray, "256 192 3"]],
    windows: list[Window],
    flip: bool = True,
    batch: int = 32,
    names: Sequence[str] = (),
) -> Iterable[Float[np.ndarray, "m 17 3"]]:
    """x, y in image pixels and the score of each joint, batch by batch.

    With `flip` the heatmaps of the mirrored crops are averaged in. `names` are the pictures of the
    crops: where the estimator raises `UserError`, its message begins with the batch's first.
    """
    waiting: list[np.ndarray] = []
    start = 0
    for i, crop in enumerate(crops):
        waiting.append(crop)
        if len(waiting) == batch or i + 1 == len(windows):
            with picture_named(*names[start : start + 1]):
                maps = _estimate_heatmaps(estimator, np.stack(waiting), flip)
            joints, scores = heatmaps_to_joints(maps)
            here = windows[start : start + len(waiting)]
            yield np.concatenate([joints_to_picture(joints, here), scores[..., None]], axis=2)
            start += len(waiting)
            waiting = []


def _estimate_heatmaps(
    estimator: Estimator, pixels: UInt8[np.ndarray, "n 256 192 3"], flip: bool
) -> Float[np.ndarray, "n 17 64 48"]:
    maps = estimator(pixels)
    if flip:
        mirrored = estimator(np.ascontiguousarray(pixels[:, :, ::-1]))
        maps = (maps + mirrored[:, FLIP, :, ::-1]) / 2
    return maps


@contextmanager
def picture_named(*name: str) -> Iterator[None]:
    """Begin the message of a `UserError` in the block with the picture's name, if there is one."""
    try:
        yield
    except UserError as error:
        raise UserError(": ".join([*name, str(error)])) from error


def person_scores(scores: Float[np.ndarray, "n 17"]) -> Float[np.ndarray, " n"]:
    """The mean score of a person's joints that score more than 0.2; 0 without any."""
    counted = scores > _MIN_JOINT_SCORE
    return (scores * counted).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
