"""Poses on which a network agrees with itself when a person's crop is turned and mirrored."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from repogen.arrays import Float
from repogen.coco.crops import FLIP, Window, box_to_window, window_to_crop
from repogen.inference.estimate import (
    BODY,
    Cutter,
    Estimator,
    as_joint_estimator,
    likeliest_turns,
    picture_named,
)

_TURN_DEG = 20.0
"""Angle by which a crop is turned either way, as well as mirrored."""

_TRUNK = [5, 6, 11, 12]

_MIN_BODY_JOINTS = 9
"""Least number, of the 12 joints below the head, for a person to be kept."""

_IndexedWindow = tuple[int, Window]
"""A window, and the number of its box."""


def estimate_agreed(
    estimator: Estimator,
    boxes: Iterable[Float[np.ndarray, "4"]],
    cut: Cutter,
    tolerance: float,
    min_score: float,
    rotations: int = 1,
    batch: int = 32,
    names: Sequence[str] = (),
) -> Iterator[Float[np.ndarray, "m 17 3"]]:
    """x, y in image pixels and the score of each joint, the mean of six looks at a person: the
    crop, turned 20 degrees either way, and each of these mirrored.

    The score is 0 where a look lies further than `tolerance` times the crop's side from that mean,
    and where the mean score is below `min_score`; all scores of a person are 0 unless the trunk and
    9 of the 12 joints below the head are left. With four `rotations` the looks are around the
    quarter turn at which the body joints score best. `names` are as for `estimate_boxes`.
    """
    joints_of = as_joint_estimator(estimator)

    def poses(windows: Sequence[_IndexedWindow]) -> Float[np.ndarray, "n 17 3"]:
        found = []
        for first in range(0, len(windows), batch):
            some = windows[first : first + batch]
            crops = np.stack([cut(i, window, joints_of.crop) for i, window in some])
            with picture_named(*names[some[0][0] : some[0][0] + 1]):
                joints = joints_of.find(crops, False)
            found += [
                look_to_picture(pose, window, joints_of.crop)
                for pose, (_, window) in zip(joints, some, strict=True)
            ]
        return np.stack(found)

    numbered = enumerate(boxes)
    while some := [*itertools.islice(numbered, batch)]:
        turned = [
            (i, box_to_window(box, joints_of.padding, joints_of.crop, turns))
            for i, box in some
            for turns in range(rotations)
        ]
        if rotations > 1:
            best = np.arange(len(some)) * rotations + likeliest_turns(poses(turned), rotations)
            turned = [turned[n] for n in best]
        looks = [(i, look) for i, window in turned for look in _looks(window)]
        found = poses(looks).reshape(len(some), -1, 17, 3)
        sides = np.array([max(window.size) for _, window in turned])
        yield _agreed(found, tolerance * sides, min_score)


def _looks(window: Window) -> Iterator[Window]:
    for turn, flip in itertools.product((0.0, -_TURN_DEG, _TURN_DEG), (False, True)):
        yield replace(window, rotation_deg=window.rotation_deg + turn, flip=flip)


def _agreed(
    looks: Float[np.ndarray, "m k 17 3"], distance: Float[np.ndarray, " m"], min_score: float
) -> Float[np.ndarray, "m 17 3"]:
    """The mean of k looks at m persons, with score 0 for what they do not agree on."""
    out = looks.mean(axis=1)
    apart = np.linalg.norm(looks[..., :2] - out[:, None, :, :2], axis=3).max(axis=1)
    sure = (apart <= distance[:, None]) & (out[..., 2] >= min_score)
    enough = sure[:, BODY].sum(axis=1) >= _MIN_BODY_JOINTS
    kept = enough & sure[:, _TRUNK].all(axis=1)
    out[..., 2] *= sure & kept[:, None]
    return out


def look_to_picture(
    joints: Float[np.ndarray, "17 3"], window: Window, crop: tuple[int, int]
) -> Float[np.ndarray, "17 3"]:
    """Joints x, y, score in the picture from those in a crop of this width and height, which may
    be mirrored."""
    matrix = window_to_crop(window, crop)
    places = np.linalg.solve(matrix[:, :2], (joints[:, :2] - matrix[:, 2]).T).T
    out = np.concatenate([places, joints[:, 2:]], axis=1)
    return out[FLIP] if window.flip else out
