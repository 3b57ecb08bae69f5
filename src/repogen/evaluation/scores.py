"""How good estimated poses are: COCO's numbers, plainer ones beside them, all with intervals."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from repogen.coco.annotations import PersonAnnotations
from repogen.coco.oks import similarity
from repogen.evaluation.config import BOOTSTRAP_SAMPLES
from repogen.evaluation.joints import Shares, same_image, shares
from repogen.evaluation.oks import AREAS, MOST, Matches, match, precision_recall
from repogen.inference.estimate import Estimates

Samples = Mapping[str, Float[np.ndarray, " w"]]
"""By measure: its value over the images as they are, then over every bootstrap draw of them."""

_PRECISION = {"AP": slice(None), "AP50": slice(0, 1), "AP75": slice(5, 6)}


@dataclass(frozen=True)
class Score:
    """A number and its 95 % bootstrap interval over images; NaN where nothing was asked."""

    value: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether 0 lies outside the interval: of a difference, whether it is one."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Judged:
    """What every person adds to every measure."""

    matches: Mapping[str, Matches]
    """By range of areas."""
    shares: Shares

    def within(self, persons: Bool[np.ndarray, " n"]) -> "Judged":
        """What some of the persons add."""
        matches = {area: matches.within(persons) for area, matches in self.matches.items()}
        return Judged(matches, self.shares.within(persons))


def evaluate_estimates(
    people: PersonAnnotations, estimates: Estimates, draws: int = BOOTSTRAP_SAMPLES, seed: int = 0
) -> dict[str, Score]:
    """Scores by name. AP, AP50, AP75, APM, APL, AR are pycocotools' to the last digit; OKS, PCK,
    `swapped` (pairs of joints with left and right exchanged) and `OKS <joint>` are over the
    labelled persons that are no crowd, each with the estimate from its box or the most similar
    one in the image (none: 0)."""
    weights = resamples(people, estimates, draws, seed)
    return scores_of(measured(judged(people, estimates), weights))


def resamples(
    people: PersonAnnotations, estimates: Estimates, draws: int, seed: int = 0
) -> UInt8[np.ndarray, "w i"]:
    """How often each image counts: once in the first row, in each other row as often as drawn
    with replacement from the images that hold a person or an estimate."""
    total = len(people.files)
    images = np.union1d(people.image, estimates.image)
    rng = np.random.default_rng(seed)
    out = np.ones((draws + 1, total), dtype=np.uint8)
    for draw in range(1, draws + 1):
        out[draw] = np.bincount(rng.choice(images, size=len(images)), minlength=total)
    return out


def judged(people: PersonAnnotations, estimates: Estimates) -> Judged:
    """Estimates held against the labels, once for all draws."""
    return Judged(_matches(people, estimates), shares(people, estimates))


def measured(
    what: Judged, weights: UInt8[np.ndarray, "w i"], areas: tuple[str, ...] = tuple(AREAS)
) -> dict[str, Float[np.ndarray, " w"]]:
    """Every measure under every row of weights, NaN where nothing is asked for; APM and APL
    where `areas` names them. The same rows for two models make their differences paired."""
    out: dict[str, Float[np.ndarray, " w"]] = {}
    for area in areas:
        average, highest = precision_recall(what.matches[area], weights)
        if area == "all":
            out |= {name: average[:, rows].mean(axis=1) for name, rows in _PRECISION.items()}
            out["AR"] = highest.mean(axis=1)
        else:
            out[f"AP{area[0].upper()}"] = average.mean(axis=1)
    sums = what.shares.by_image(weights.shape[1])
    above, below = (np.array([side @ times for times in weights]) for side in sums)
    with np.errstate(invalid="ignore"):
        return out | dict(zip(what.shares.names, (above / below).T, strict=True))


def scores_of(samples: Samples) -> dict[str, Score]:
    """Values, and the 2.5th and 97.5th percentiles of the draws."""
    return {name: _score(values) for name, values in samples.items()}


def differences(samples: Samples, baseline: Samples) -> dict[str, Score]:
    """By how much one model's measures exceed another's, over the same draws of the images."""
    return {name: _score(values - baseline[name]) for name, values in samples.items()}


def _score(values: Float[np.ndarray, " w"]) -> Score:
    drawn = values[1:][~np.isnan(values[1:])]
    low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (np.nan, np.nan)
    return Score(float(values[0]), float(low), float(high))


def _matches(people: PersonAnnotations, estimates: Estimates) -> dict[str, Matches]:
    # By image id, best first, equals in order of the estimates: as pycocotools ranks them.
    place = np.argsort(np.argsort(people.image_ids))
    rows = np.flatnonzero(estimates.kept)
    rows = rows[np.lexsort((-estimates.scores[rows], place[estimates.image[rows]]))]
    rank = _ranks(place[estimates.image[rows]])
    rows, rank = rows[rank < MOST], rank[rank < MOST]
    image, points = estimates.image[rows], estimates.keypoints[rows, :, :2]

    order = np.argsort(people.image, kind="stable")
    slot = np.empty(len(people), dtype=np.int64)
    slot[order] = _ranks(people.image[order])
    shape = (len(people.files), int(slot.max(initial=-1)) + 1)
    who = np.full(shape, -1)
    who[people.image, slot] = np.arange(len(people))
    oks = np.full((shape[0], int(rank.max(initial=-1)) + 1, shape[1]), -1.0)
    found, person = same_image(image, people.image)
    # Of people without labelled joints pycocotools takes the box as it stands in the file.
    boxes = np.array([r.get("bbox", b) for r, b in zip(people.records, people.boxes, strict=True)])
    oks[image[found], rank[found], slot[person]] = similarity(
        people.keypoints[person], boxes[person], people.areas[person], points[found]
    )

    uncounted = people.crowd | ~(people.keypoints[:, :, 2] > 0).any(axis=1)
    found_areas = np.ptp(points, axis=1).prod(axis=1)
    by_score = np.argsort(-estimates.scores[rows], kind="stable")
    out = {}
    for area, (low, high) in AREAS.items():
        ignore = uncounted | (people.areas < low) | (people.areas > high)
        tables = _spread(ignore, people, slot, shape), _spread(people.crowd, people, slot, shape)
        hit, ignored, whom = (table[:, image, rank] for table in match(oks, *tables))
        ignored |= ~hit & ((found_areas < low) | (found_areas > high))
        out[area] = Matches(
            image=image[by_score],
            hit=hit[:, by_score],
            ignored=ignored[:, by_score],
            about=np.where(whom < 0, estimates.person[rows], who[image, whom])[:, by_score],
            asked=~ignore,
            home=people.image,
        )
    return out


def _ranks(groups: np.ndarray) -> np.ndarray:
    """The place of each row within its group, for sorted groups."""
    return np.arange(len(groups)) - np.searchsorted(groups, groups, side="left")


def _spread(
    flags: Bool[np.ndarray, " n"],
    people: PersonAnnotations,
    slot: np.ndarray,
    shape: tuple[int, int],
) -> Bool[np.ndarray, "i t"]:
    """Flags of persons as a table of images and the persons in each."""
    out = np.zeros(shape, dtype=bool)
    out[people.image, slot] = flags
    return out
