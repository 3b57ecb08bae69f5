"""How good estimated poses are: COCO's numbers, plainer ones beside them, all with intervals."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.datasets.crops import FLIP
from repogen.datasets.people import People
from repogen.evaluation.oks import (
    AREAS,
    MOST,
    SIGMAS,
    THRESHOLDS,
    Matches,
    match,
    precision_recall,
    similarity,
)

PCK_SHARE = 0.1
"""A joint is right within this share of the longer side of the person's box."""


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


@dataclass(frozen=True)
class Score:
    """A number and its 95 % bootstrap interval over images; NaN where nothing was asked."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def evaluate_estimates(
    people: People, estimates: Estimates, draws: int = 200, seed: int = 0
) -> dict[str, Score]:
    """Scores by name. AP, AP50, AP75, APM, APL, AR are pycocotools' to the last digit; OKS, PCK,
    `swapped` (pairs of joints with left and right exchanged) and `OKS <joint>` are over the
    labelled persons that are no crowd, each with the estimate from its box or the most similar
    one in the image (none: 0)."""
    rng = np.random.default_rng(seed)
    images = len(people.files)
    weights = [
        np.bincount(rng.integers(images, size=images), minlength=images) for _ in range(draws)
    ]
    table = {name: _matches(people, estimates, limits) for name, limits in AREAS.items()}

    def ap(area: str, rows: slice) -> Callable[[Float[np.ndarray, " i"] | None], float]:
        return lambda w: _mean(precision_recall(table[area], w)[0][rows])

    measures: dict[str, Callable[[Float[np.ndarray, " i"] | None], float]] = {
        "AP": ap("all", slice(None)),
        "AP50": ap("all", slice(0, 1)),
        "AP75": ap("all", slice(5, 6)),
        "APM": ap("medium", slice(None)),
        "APL": ap("large", slice(None)),
        "AR": lambda w: _mean(precision_recall(table["all"], w)[1]),
    }
    out = {name: _score(measure, weights) for name, measure in measures.items()}
    for name, share in _shares(people, estimates).items():
        out[name] = _score(partial(_ratio, *share), weights)
    return out


def person_oks(people: People, estimates: Estimates) -> tuple[Int[np.ndarray, " m"], np.ndarray]:
    """Index of every labelled person and the OKS of its estimate, 0 where there is none."""
    persons, found = _paired(people, estimates)
    return persons, _joint_oks(people, persons, found)[1]


def _mean(values: np.ndarray) -> float:
    return float(values[values > -1].mean()) if (values > -1).any() else float("nan")


def _score(
    measure: Callable[[Float[np.ndarray, " i"] | None], float], weights: list[np.ndarray]
) -> Score:
    value = measure(None)
    drawn = np.array([measure(w.astype(np.float64)) for w in weights])
    drawn = drawn[~np.isnan(drawn)]
    if np.isnan(value) or len(drawn) == 0:
        return Score(value, float("nan"), float("nan"))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Score(value, float(low), float(high))


def _matches(people: People, estimates: Estimates, limits: tuple[float, float]) -> Matches:
    labelled = (people.keypoints[:, :, 2] > 0).any(axis=1)
    outside = (people.areas < limits[0]) | (people.areas > limits[1])
    ignore = people.crowd | ~labelled | outside
    spans = np.ptp(estimates.keypoints[:, :, :2], axis=1)
    found_areas = spans[:, 0] * spans[:, 1]
    truths, founds = _by_image(people.image), _by_image(estimates.image)
    persons = np.bincount(people.image[~ignore], minlength=len(people.files))
    kept, hits, ignored = [], [], []
    for image in sorted(founds):
        rows = founds[image]
        rows = rows[np.argsort(-estimates.scores[rows], kind="mergesort")][:MOST]
        at = truths.get(image, np.empty(0, dtype=np.int64))
        oks = similarity(
            people.keypoints[at], people.boxes[at], people.areas[at],
            estimates.keypoints[rows, :, :2],
        )  # fmt: skip
        hit, skip = match(
            oks, estimates.scores[rows], found_areas[rows], ignore[at], people.crowd[at], limits
        )
        kept.append(rows)
        hits.append(hit)
        ignored.append(skip)
    none = np.empty((len(THRESHOLDS), 0), dtype=bool)
    rows = np.concatenate(kept) if kept else np.empty(0, dtype=np.int64)
    return Matches(
        scores=estimates.scores[rows],
        image=estimates.image[rows],
        hit=np.concatenate([none, *hits], axis=1),
        ignored=np.concatenate([none, *ignored], axis=1),
        persons=persons,
    )


def _by_image(image: Int[np.ndarray, " n"]) -> dict[int, Int[np.ndarray, " m"]]:
    order = np.argsort(image, kind="stable")
    ids, starts = np.unique(image[order], return_index=True)
    return dict(zip(ids.tolist(), np.split(order, starts[1:]), strict=True))


def _paired(
    people: People, estimates: Estimates
) -> tuple[Int[np.ndarray, " m"], Float[np.ndarray, "m 17 2"]]:
    """The labelled persons that are no crowd, and the joints found for each; NaN for none."""
    labelled = (people.keypoints[:, :, 2] > 0).any(axis=1) & ~people.crowd
    persons = np.flatnonzero(labelled)
    found = np.full((len(people), 17, 2), np.nan)
    own = estimates.person >= 0
    found[estimates.person[own]] = estimates.keypoints[own, :, :2]
    founds = _by_image(estimates.image)
    for person in persons[np.isnan(found[persons, 0, 0])]:
        rows = founds.get(int(people.image[person]), np.empty(0, dtype=np.int64))
        rows = rows[estimates.person[rows] < 0]
        if len(rows):
            one = slice(person, person + 1)
            oks = similarity(
                people.keypoints[one], people.boxes[one], people.areas[one],
                estimates.keypoints[rows, :, :2],
            )  # fmt: skip
            found[person] = estimates.keypoints[rows[oks[:, 0].argmax()], :, :2]
    return persons, found[persons]


def _joint_oks(
    people: People, persons: Int[np.ndarray, " m"], found: Float[np.ndarray, "m 17 2"]
) -> tuple[Float[np.ndarray, "m 17"], Float[np.ndarray, " m"], Bool[np.ndarray, "m 17"]]:
    """OKS of every joint and of the person, and which joints are labelled."""
    truth = people.keypoints[persons]
    labelled = truth[:, :, 2] > 0
    square = ((found - truth[:, :, :2]) ** 2).sum(axis=2)
    error = square / (2 * SIGMAS) ** 2 / (people.areas[persons, None] + np.spacing(1)) / 2
    oks = np.where(np.isnan(square), 0.0, np.exp(-error)) * labelled
    return oks, oks.sum(axis=1) / labelled.sum(axis=1), labelled


def _shares(
    people: People, estimates: Estimates
) -> dict[str, tuple[Int[np.ndarray, " m"], np.ndarray, np.ndarray]]:
    """By name: the image of each person, and what to add up above and below the fraction bar."""
    persons, found = _paired(people, estimates)
    image = people.image[persons]
    joints, whole, labelled = _joint_oks(people, persons, found)
    truth = people.keypoints[persons, :, :2]
    side = people.boxes[persons, 2:].max(axis=1)
    distance = np.nan_to_num(np.linalg.norm(found - truth, axis=2), nan=np.inf)
    near = (distance <= PCK_SHARE * side[:, None]) & labelled
    out = {
        "OKS": (image, whole, np.ones(len(persons))),
        "PCK": (image, near.sum(axis=1), labelled.sum(axis=1)),
    }
    # A pair counts where its joints are labelled and far enough apart to be told from each other.
    left = np.array([k for k, name in enumerate(COCO_KEYPOINTS) if name.startswith("left_")])
    right = FLIP[left]
    apart = np.linalg.norm(truth[:, left] - truth[:, right], axis=2)
    pairs = labelled[:, left] & labelled[:, right] & (apart > PCK_SHARE * side[:, None])
    straight = distance[:, left] + distance[:, right]
    crossed = np.linalg.norm(found[:, left] - truth[:, right], axis=2) + np.linalg.norm(
        found[:, right] - truth[:, left], axis=2
    )
    with np.errstate(invalid="ignore"):
        swapped = pairs & (np.nan_to_num(crossed, nan=np.inf) < 0.5 * straight)
    out["swapped"] = (image, swapped.sum(axis=1), pairs.sum(axis=1))
    for k, name in enumerate(COCO_KEYPOINTS):
        out[f"OKS {name}"] = (image, joints[:, k], labelled[:, k].astype(float))
    return out


def _ratio(
    image: Int[np.ndarray, " m"],
    top: np.ndarray,
    bottom: np.ndarray,
    weights: Float[np.ndarray, " i"] | None,
) -> float:
    times = 1.0 if weights is None else weights[image]
    below = float((times * bottom).sum())
    return float((times * top).sum()) / below if below else float("nan")
