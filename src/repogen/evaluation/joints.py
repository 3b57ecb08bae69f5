"""Metrics over the labelled joints: mean OKS, PCK, and left-right swaps."""

from dataclasses import dataclass

import numpy as np

from repogen.arrays import Bool, Float, Int
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.coco.annotations import PersonAnnotations
from repogen.coco.crops import FLIP
from repogen.coco.oks import joint_similarity, similarity
from repogen.inference.estimate import Estimates

PCK_SHARE = 0.1
"""A joint is correct within this share of the longer side of the person's box."""

_LEFT = np.array([k for k, name in enumerate(COCO_KEYPOINTS) if name.startswith("left_")])


@dataclass(frozen=True)
class RatioMetrics:
    """The terms of m metrics, each of which is one sum over p persons divided by another."""

    names: tuple[str, ...]
    numerators: Float[np.ndarray, "m p"]
    denominators: Float[np.ndarray, "m p"]
    persons: Int[np.ndarray, " p"]
    """Index of each person in the set."""
    image: Int[np.ndarray, " p"]
    """Index of each person's image."""

    def within(self, persons: Bool[np.ndarray, " n"]) -> "RatioMetrics":
        """The terms of the persons that a mask over the set selects."""
        keep = persons[self.persons]
        return RatioMetrics(
            self.names, self.numerators[:, keep], self.denominators[:, keep], self.persons[keep],
            self.image[keep],
        )  # fmt: skip

    def by_image(self, count: int) -> Float[np.ndarray, "2 m i"]:
        """Numerators and denominators summed over the persons of each of `count` images."""
        terms = (self.numerators, self.denominators)
        return np.array([[np.bincount(self.image, row, count) for row in rows] for rows in terms])


def ratio_metrics(people: PersonAnnotations, estimates: Estimates) -> RatioMetrics:
    """The terms of OKS, PCK, `swapped` (pairs with left and right exchanged) and `OKS <joint>`.

    Over the labelled persons. A pair counts for `swapped` where both of its joints are labelled
    and further apart than the PCK threshold.
    """
    persons = people.labelled()
    found = assigned_joints(people, estimates)[persons]
    oks, labelled = _joint_oks(people, persons, found)
    truth = people.keypoints[persons, :, :2]
    limit = PCK_SHARE * people.boxes[persons, 2:].max(axis=1)[:, None]
    distance = np.nan_to_num(np.linalg.norm(found - truth, axis=2), nan=np.inf)
    right = FLIP[_LEFT]
    apart = np.linalg.norm(truth[:, _LEFT] - truth[:, right], axis=2)
    pairs = labelled[:, _LEFT] & labelled[:, right] & (apart > limit)
    straight = distance[:, _LEFT] + distance[:, right]
    crossed = np.linalg.norm(found[:, _LEFT] - truth[:, right], axis=2) + np.linalg.norm(
        found[:, right] - truth[:, _LEFT], axis=2
    )
    columns = {
        "OKS": (_person_oks(oks, labelled), np.ones(len(persons))),
        "PCK": (((distance <= limit) & labelled).sum(axis=1), labelled.sum(axis=1)),
        "swapped": ((pairs & (crossed < 0.5 * straight)).sum(axis=1), pairs.sum(axis=1)),
    }
    for k, name in enumerate(COCO_KEYPOINTS):
        columns[f"OKS {name}"] = (oks[:, k], labelled[:, k])
    numerators, denominators = (
        np.array([column[k] for column in columns.values()], float) for k in (0, 1)
    )
    return RatioMetrics(tuple(columns), numerators, denominators, persons, people.image[persons])


def person_oks(people: PersonAnnotations, estimates: Estimates) -> Float[np.ndarray, " m"]:
    """OKS of each labelled person (`people.labelled()`) with its estimate; 0 without one."""
    persons = people.labelled()
    found = assigned_joints(people, estimates)[persons]
    return _person_oks(*_joint_oks(people, persons, found))


def assigned_joints(people: PersonAnnotations, estimates: Estimates) -> Float[np.ndarray, "n 17 2"]:
    """The estimated joints of every person, in image pixels; NaN for a person without any.

    They come from the person's own box or, for a detector's boxes, are the most similar by OKS
    of those kept by OKS-NMS in the image.
    """
    found = np.full((len(people), 17, 2), np.nan)
    own = estimates.person >= 0
    found[estimates.person[own]] = estimates.keypoints[own, :, :2]
    free = np.flatnonzero(~own & estimates.kept)
    person, estimate = same_image_pairs(people.image, estimates.image[free])
    row = free[estimate]
    oks = similarity(
        people.keypoints[person], people.boxes[person], people.areas[person],
        estimates.keypoints[row, :, :2],
    )  # fmt: skip
    order = np.lexsort((oks, person))
    found[person[order]] = estimates.keypoints[row[order], :, :2]  # the last is the best
    return found


def same_image_pairs(
    first: Int[np.ndarray, " n"], second: Int[np.ndarray, " m"]
) -> tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"]]:
    """Every pair of indices i, j with first[i] == second[j], ordered by i."""
    order = np.argsort(second, kind="stable")
    start = np.searchsorted(second[order], first, side="left")
    count = np.searchsorted(second[order], first, side="right") - start
    steps = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(np.arange(len(first)), count), order[np.repeat(start, count) + steps]


def _joint_oks(
    people: PersonAnnotations, persons: Int[np.ndarray, " m"], found: Float[np.ndarray, "m 17 2"]
) -> tuple[Float[np.ndarray, "m 17"], Bool[np.ndarray, "m 17"]]:
    """OKS of every joint (0 where it is not labelled or not found), and the mask of labelled."""
    truth = people.keypoints[persons]
    labelled = truth[:, :, 2] > 0
    oks = joint_similarity(found - truth[:, :, :2], people.areas[persons])
    return np.nan_to_num(oks) * labelled, labelled


def _person_oks(
    oks: Float[np.ndarray, "m 17"], labelled: Bool[np.ndarray, "m 17"]
) -> Float[np.ndarray, " m"]:
    return oks.sum(axis=1) / labelled.sum(axis=1)
