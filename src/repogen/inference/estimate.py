"""Poses that a model estimates for given boxes."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
from tqdm import tqdm

from repogen.arrays import Bool, Float, Int, UInt8
from repogen.coco.annotations import PersonAnnotations
from repogen.coco.crops import (
    CROP_SIZE,
    FLIP,
    PADDING,
    Window,
    box_to_window,
    joints_to_picture,
)
from repogen.coco.images import read_crop
from repogen.coco.oks import oks_nms
from repogen.errors import UserError, printable
from repogen.models.heatmaps import heatmaps_to_joints

HeatmapEstimator = Callable[[UInt8[np.ndarray, "n 256 192 3"]], Float[np.ndarray, "n 17 64 48"]]
"""A function from RGB crops to heatmaps: a network on any device, or an ONNX file."""


@dataclass(frozen=True)
class JointEstimator:
    """A network with crops of its own size that finds the joints itself."""

    crop: tuple[int, int]
    """Width and height of its crops."""
    padding: float
    """Size of a crop's window relative to its box, once the box has the crop's aspect ratio."""
    find: Callable[[UInt8[np.ndarray, "n h w 3"], bool], Float[np.ndarray, "n 17 3"]]
    """x, y in pixels of the RGB crops, and the score of each joint; the second argument is whether
    the mirrored crops are averaged in."""


Estimator = HeatmapEstimator | JointEstimator
"""A network on any device, or an ONNX file."""

Cutter = Callable[[int, Window, tuple[int, int]], UInt8[np.ndarray, "h w 3"]]
"""A function that returns the RGB crop of box i in a window, of a width and height."""

_MIN_JOINT_SCORE = 0.2
"""Joints that score less do not count for the person's score, as in ViTPose's evaluation."""


BODY = slice(5, 17)
"""The joints below the head: those of the face are as sure of themselves upside down."""

_UNTURNED_BONUS = 0.05
"""Mean score by which a turned crop must be better than the picture's own way up; chosen on people
of Leeds Sports Pose Extended (ids 4001 to 5000) so that upright ones lose nothing."""


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
    rotations: int = 1,
) -> Estimates:
    """Estimate the pose in every box, by default the ground-truth boxes, and run OKS-NMS.

    Coordinates are rounded to a thousandth of a pixel. The score of a pose is its box's score
    times `person_scores`; its area for OKS-NMS is that of its crop window. `progress` labels a
    progress bar; none is drawn without it. Raises `UserError` for an image that cannot be read.
    """
    boxes = boxes or ground_truth_boxes(people)

    def cut(i: int, window: Window, crop: tuple[int, int]) -> UInt8[np.ndarray, "h w 3"]:
        return read_crop(people, int(boxes.image[i]), window, crop)[..., ::-1]

    names = [str(people.files[image]) for image in boxes.image]
    # The bar ends before an error is printed.
    with tqdm(boxes.boxes, desc=printable(progress), unit="person", disable=not progress) as rows:
        found = [*estimate_boxes(estimator, rows, cut, flip, rotations, batch, names)]
    keypoints = np.concatenate([np.empty((0, 17, 3)), *found])
    keypoints[:, :, :2] += 0.5 * people.rendered[boxes.image, None, None]
    keypoints = keypoints.round(3)
    scores = boxes.scores * person_scores(keypoints[:, :, 2])
    areas = np.array([np.prod(box_to_window(box).size) for box in boxes.boxes])
    kept = np.ones(len(scores), dtype=bool)
    for image in np.flatnonzero(np.bincount(boxes.image) > 1):
        here = np.flatnonzero(boxes.image == image)
        kept[here] = oks_nms(keypoints[here, :, :2], scores[here], areas[here])
    return Estimates(keypoints, scores, boxes.image, boxes.person, kept)


def estimate_boxes(
    estimator: Estimator,
    boxes: Iterable[Float[np.ndarray, "4"]],
    cut: Cutter,
    flip: bool = True,
    rotations: int = 1,
    batch: int = 32,
    names: Sequence[str] = (),
) -> Iterator[Float[np.ndarray, "m 17 3"]]:
    """x, y in image pixels and the score of each joint, batch by batch.

    With `flip` the mirrored crops are averaged in. With four `rotations` each crop is turned by 0,
    90, 180 and 270 degrees, and the pose is kept whose body joints score best on average; a turned
    one must be better by 0.05. `names` are the pictures of the boxes: where the estimator raises
    `UserError`, its message begins with the batch's first.
    """
    joints_of = as_joint_estimator(estimator)
    crop, padding = joints_of.crop, joints_of.padding
    numbered = enumerate(boxes)
    while some := [*itertools.islice(numbered, max(1, batch // rotations))]:
        turned = [
            (i, box_to_window(box, padding, crop, turns))
            for i, box in some
            for turns in range(rotations)
        ]
        windows = [window for _, window in turned]
        crops = np.stack([cut(i, window, crop) for i, window in turned])
        first = some[0][0]
        with picture_named(*names[first : first + 1]):
            joints = joints_of.find(crops, flip)
        places = joints_to_picture(joints[..., :2], windows, crop)
        poses = np.concatenate([places, joints[..., 2:]], axis=2)
        yield poses[np.arange(len(some)) * rotations + likeliest_turns(poses, rotations)]


def likeliest_turns(poses: Float[np.ndarray, "m 17 3"], rotations: int) -> Int[np.ndarray, " n"]:
    """The quarter turn, below `rotations`, at which each person's body joints score best; the
    poses hold the turns of each person one after another."""
    likely = poses[:, BODY, 2].mean(axis=1).reshape(-1, rotations)
    likely[:, 0] += _UNTURNED_BONUS
    return likely.argmax(axis=1)


def as_joint_estimator(estimator: Estimator) -> JointEstimator:
    """The estimator itself, or one that reads the joints from its heatmaps."""
    if isinstance(estimator, JointEstimator):
        return estimator
    return JointEstimator(CROP_SIZE, PADDING, partial(_peaks, estimator))


def _peaks(
    estimator: HeatmapEstimator, crops: UInt8[np.ndarray, "n 256 192 3"], flip: bool
) -> Float[np.ndarray, "n 17 3"]:
    """x, y in crop pixels and the score of each joint, from the mean of the heatmaps and those of
    the mirrored crops."""
    maps = estimator(crops)
    if flip:
        mirrored = estimator(np.ascontiguousarray(crops[:, :, ::-1]))
        maps = (maps + mirrored[:, FLIP, :, ::-1]) / 2
    joints, scores = heatmaps_to_joints(maps)
    return np.concatenate([joints, scores[..., None]], axis=2)


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
