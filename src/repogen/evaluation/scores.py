"""Metrics of estimated poses with bootstrap intervals: COCO's AP and AR, OKS, PCK, swaps."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from repogen.arrays import Bool, Float, UInt8
from repogen.coco.annotations import PersonAnnotations, known_box
from repogen.coco.oks import similarity
from repogen.evaluation.average_precision import (
    AREAS,
    MAX_DETECTIONS,
    Matches,
    match_detections,
    precision_recall,
)
from repogen.evaluation.config import BOOTSTRAP_SAMPLES
from repogen.evaluation.joints import RatioMetrics, ratio_metrics, same_image_pairs
from repogen.evaluation.results import Score
from repogen.inference.estimate import Estimates

MetricSamples = Mapping[str, Float[np.ndarray, " w"]]
"""Values of each metric by name: over all images first, then over each bootstrap sample."""

_AP_THRESHOLDS = {"AP": slice(None), "AP50": slice(0, 1), "AP75": slice(5, 6)}


@dataclass(frozen=True)
class MatchedEstimates:
    """The estimates of one model matched to the labelled persons of a set."""

    matches: Mapping[str, Matches]
    """By range of areas (`AREAS`)."""
    ratios: RatioMetrics

    def within(self, persons: Bool[np.ndarray, " n"]) -> "MatchedEstimates":
        """The same with only the persons of a mask counted."""
        matches = {area: matches.within(persons) for area, matches in self.matches.items()}
        return MatchedEstimates(matches, self.ratios.within(persons))


def evaluate_estimates(
    people: PersonAnnotations,
    estimates: Estimates,
    bootstrap_samples: int = BOOTSTRAP_SAMPLES,
    seed: int = 0,
) -> dict[str, Score]:
    """Score estimates against the labels of a set; returns the scores by metric.

    AP, AP50, AP75, APM, APL and AR equal pycocotools' to the last digit. OKS, PCK, `swapped`
    (pairs of joints with left and right exchanged) and `OKS <joint>` are over the labelled
    persons except crowds, each with the estimate from its own box or, for a detector's boxes, the
    most similar one in the image; a person without any has OKS 0.
    """
    weights = bootstrap_weights(people, estimates, bootstrap_samples, seed)
    return to_scores(compute_metrics(match_estimates(people, estimates), weights))


def bootstrap_weights(
    people: PersonAnnotations, estimates: Estimates, bootstrap_samples: int, seed: int = 0
) -> UInt8[np.ndarray, "w i"]:
    """Weights of the images: ones in the first row, the counts of one bootstrap sample in each
    other row. Samples are drawn with replacement from the images with a person or an estimate."""
    total = len(people.files)
    images = np.union1d(people.image, estimates.image)
    rng = np.random.default_rng(seed)
    out = np.ones((bootstrap_samples + 1, total), dtype=np.uint8)
    for row in range(1, bootstrap_samples + 1):
        out[row] = np.bincount(rng.choice(images, size=len(images)), minlength=total)
    return out


def match_estimates(people: PersonAnnotations, estimates: Estimates) -> MatchedEstimates:
    """Match estimates to the labelled persons of their images, once for all bootstrap samples."""
    return MatchedEstimates(_matches(people, estimates), ratio_metrics(people, estimates))


def compute_metrics(
    matched: MatchedEstimates,
    weights: UInt8[np.ndarray, "w i"],
    areas: tuple[str, ...] = tuple(AREAS),
) -> dict[str, Float[np.ndarray, " w"]]:
    """Every metric under every row of image weights, by name; NaN where it is undefined.

    APM and APL are computed where `areas` names their ranges. Give two models the same rows to
    pair their differences.
    """
    out: dict[str, Float[np.ndarray, " w"]] = {}
    for area in areas:
        average, highest = precision_recall(matched.matches[area], weights)
        if area == "all":
            out |= {name: average[:, rows].mean(axis=1) for name, rows in _AP_THRESHOLDS.items()}
            out["AR"] = highest.mean(axis=1)
        else:
            out[f"AP{area[0].upper()}"] = average.mean(axis=1)
    terms = matched.ratios.by_image(weights.shape[1])
    numerators, denominators = (np.array([rows @ row for row in weights]) for rows in terms)
    with np.errstate(invalid="ignore"):
        return out | dict(zip(matched.ratios.names, (numerators / denominators).T, strict=True))


def to_scores(samples: MetricSamples) -> dict[str, Score]:
    """Each metric's value with the 2.5th and 97.5th percentiles of its bootstrap samples."""
    return {name: _score(values) for name, values in samples.items()}


def paired_differences(samples: MetricSamples, baseline: MetricSamples) -> dict[str, Score]:
    """The difference of each metric from the baseline's, over the same bootstrap samples."""
    return {name: _score(values - baseline[name]) for name, values in samples.items()}


def _score(values: Float[np.ndarray, " w"]) -> Score:
    samples = values[1:][~np.isnan(values[1:])]
    low, high = np.percentile(samples, [2.5, 97.5]) if len(samples) else (np.nan, np.nan)
    return Score(float(values[0]), float(low), float(high))


def _matches(people: PersonAnnotations, estimates: Estimates) -> dict[str, Matches]:
    # By image id, the highest score first, ties in the order of the estimates: as pycocotools.
    id_rank = np.argsort(np.argsort(people.image_ids))
    rows = np.flatnonzero(estimates.kept)
    rows = rows[np.lexsort((-estimates.scores[rows], id_rank[estimates.image[rows]]))]
    rank = _rank_in_group(id_rank[estimates.image[rows]])
    rows, rank = rows[rank < MAX_DETECTIONS], rank[rank < MAX_DETECTIONS]
    image, points = estimates.image[rows], estimates.keypoints[rows, :, :2]

    order = np.argsort(people.image, kind="stable")
    slot = np.empty(len(people), dtype=np.int64)
    slot[order] = _rank_in_group(people.image[order])
    shape = (len(people.files), int(slot.max(initial=-1)) + 1)
    persons = np.full(shape, -1)
    persons[people.image, slot] = np.arange(len(people))
    oks = np.full((shape[0], int(rank.max(initial=-1)) + 1, shape[1]), -1.0)
    found, person = same_image_pairs(image, people.image)
    # pycocotools takes the file's own box of a person without labelled joints.
    known = map(known_box, people.records)
    boxes = np.array([b if k is None else k for k, b in zip(known, people.boxes, strict=True)])
    oks[image[found], rank[found], slot[person]] = similarity(
        people.keypoints[person], boxes[person], people.areas[person], points[found]
    )

    uncounted = people.crowd | ~(people.keypoints[:, :, 2] > 0).any(axis=1)
    found_areas = np.ptp(points, axis=1).prod(axis=1)
    by_score = np.argsort(-estimates.scores[rows], kind="stable")
    out = {}
    for area, (low, high) in AREAS.items():
        ignore = uncounted | (people.areas < low) | (people.areas > high)
        tables = (
            _by_image(ignore, people, slot, shape),
            _by_image(people.crowd, people, slot, shape),
        )
        matched, ignored, column = (
            table[:, image, rank] for table in match_detections(oks, *tables)
        )
        ignored |= ~matched & ((found_areas < low) | (found_areas > high))
        out[area] = Matches(
            image=image[by_score],
            matched=matched[:, by_score],
            ignored=ignored[:, by_score],
            person=np.where(column < 0, estimates.person[rows], persons[image, column])[
                :, by_score
            ],
            wanted=~ignore,
            person_image=people.image,
        )
    return out


def _rank_in_group(groups: np.ndarray) -> np.ndarray:
    """The index of each row within its group, for sorted groups."""
    return np.arange(len(groups)) - np.searchsorted(groups, groups, side="left")


def _by_image(
    flags: Bool[np.ndarray, " n"],
    people: PersonAnnotations,
    slot: np.ndarray,
    shape: tuple[int, int],
) -> Bool[np.ndarray, "i t"]:
    """Flags of persons as a table: a row per image, a column per person in it."""
    out = np.zeros(shape, dtype=bool)
    out[people.image, slot] = flags
    return out
