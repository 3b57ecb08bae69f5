"""Plain measures over the labelled joints: OKS, PCK, left and right exchanged."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.coco.annotations import PersonAnnotations
from repogen.coco.crops import FLIP
from repogen.coco.oks import joint_similarity, similarity
from repogen.inference.estimate import Estimates

PCK_SHARE = 0.1
"""A joint is right within this share of the longer side of the person's box."""

_LEFT = np.array([k for k, name in enumerate(COCO_KEYPOINTS) if name.startswith("left_")])


@dataclass(frozen=True)
class Shares:
    """Measures that are a sum over persons divided by another: m of them."""

    names: tuple[str, ...]
    above: Float[np.ndarray, "m p"]
    below: Float[np.ndarray, "m p"]
    persons: Int[np.ndarray, " p"]
    """Index of each person summed over."""
    image: Int[np.ndarray, " p"]

    def within(self, persons: Bool[np.ndarray, " n"]) -> "Shares":
        """Those of some of all persons."""
        keep = persons[self.persons]
        return Shares(
            self.names, self.above[:, keep], self.below[:, keep], self.persons[keep],
            self.image[keep],
        )  # fmt: skip

    def by_image(self, count: int) -> Float[np.ndarray, "2 m i"]:
        """What each of `count` images adds above and below."""
        sides = (self.above, self.below)
        return np.array([[np.bincount(self.image, row, count) for row in side] for side in sides])


def shares(people: PersonAnnotations, estimates: Estimates) -> Shares:
    """OKS, PCK, `swapped` (pairs of joints left for right) and `OKS <joint>`."""
    persons = people.labelled()
    found = found_joints(people, estimates)[persons]
    oks, labelled = _joint_oks(people, persons, found)
    truth = people.keypoints[persons, :, :2]
    limit = PCK_SHARE * people.boxes[persons, 2:].max(axis=1)[:, None]
    distance = np.nan_to_num(np.linalg.norm(found - truth, axis=2), nan=np.inf)
    right = FLIP[_LEFT]
    # A pair counts where its joints are labelled and far enough apart to be told from each other.
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
    above, below = (np.array([c[side] for c in columns.values()], float) for side in (0, 1))
    return Shares(tuple(columns), above, below, persons, people.image[persons])


def person_oks(people: PersonAnnotations, estimates: Estimates) -> Float[np.ndarray, " m"]:
    """OKS of each of the `labelled` people with its estimate, 0 where there is none."""
    persons = people.labelled()
    found = found_joints(people, estimates)[persons]
    return _person_oks(*_joint_oks(people, persons, found))


def found_joints(people: PersonAnnotations, estimates: Estimates) -> Float[np.ndarray, "n 17 2"]:
    """The joints found for every person: those from its own box or, where a detector made the
    boxes, the most similar ones left by OKS-NMS in the image; NaN where there are none."""
    found = np.full((len(people), 17, 2), np.nan)
    own = estimates.person >= 0
    found[estimates.person[own]] = estimates.keypoints[own, :, :2]
    free = np.flatnonzero(~own & estimates.kept)
    person, place = same_image(people.image, estimates.image[free])
    row = free[place]
    oks = similarity(
        people.keypoints[person], people.boxes[person], people.areas[person],
        estimates.keypoints[row, :, :2],
    )  # fmt: skip
    order = np.lexsort((oks, person))
    found[person[order]] = estimates.keypoints[row[order], :, :2]  # the last is the best
    return found


def same_image(
    first: Int[np.ndarray, " n"], second: Int[np.ndarray, " m"]
) -> tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"]]:
    """Every pair of a row of `first` and one of `second` that are of the same image, in order."""
    order = np.argsort(second, kind="stable")
    start = np.searchsorted(second[order], first, side="left")
    count = np.searchsorted(second[order], first, side="right") - start
    steps = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(np.arange(len(first)), count), order[np.repeat(start, count) + steps]


def _joint_oks(
    people: PersonAnnotations, persons: Int[np.ndarray, " m"], found: Float[np.ndarray, "m 17 2"]
) -> tuple[Float[np.ndarray, "m 17"], Bool[np.ndarray, "m 17"]]:
    """OKS of every joint, 0 where nothing is labelled or found, and which joints are labelled."""
    truth = people.keypoints[persons]
    labelled = truth[:, :, 2] > 0
    oks = joint_similarity(found - truth[:, :, :2], people.areas[persons])
    return np.nan_to_num(oks) * labelled, labelled


def _person_oks(
    oks: Float[np.ndarray, "m 17"], labelled: Bool[np.ndarray, "m 17"]
) -> Float[np.ndarray, " m"]:
    return oks.sum(axis=1) / labelled.sum(axis=1)
