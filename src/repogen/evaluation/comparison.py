"""Several models on one set: scores, paired differences, and both by where the camera stood."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from repogen.cameras.viewpoints import BANDS
from repogen.coco.annotations import PersonAnnotations
from repogen.evaluation.config import BOOTSTRAP_SAMPLES
from repogen.evaluation.joints import person_oks
from repogen.evaluation.oks import AREAS
from repogen.evaluation.scores import (
    Judged,
    Score,
    differences,
    judged,
    measured,
    resamples,
    scores_of,
)
from repogen.inference.estimate import Estimates

CELL = 20
"""Persons in a cell of the sphere on average; it has between 4 x 8 and 12 x 24 cells."""


@dataclass(frozen=True)
class Comparison:
    """Every model's scores, and by how much the others exceed the first on the same draws."""

    persons: int
    images: int
    scores: Mapping[str, Mapping[str, Score]]
    """By model, then by measure."""
    differences: Mapping[str, Mapping[str, Score]]
    """By model but the first, then by measure."""


@dataclass(frozen=True)
class Band:
    """Elevations in degrees, and what the people seen from there give."""

    low: int
    high: int
    comparison: Comparison


@dataclass(frozen=True)
class Sphere:
    """Mean OKS by the camera's direction: cells of equal area, r rings of a sectors.

    Rings rise from -90 degrees of elevation, sectors from -180 of azimuth.
    """

    persons: Int[np.ndarray, "r a"]
    oks: Mapping[str, Float[np.ndarray, "r a"]]
    """By model, NaN in empty cells."""


@dataclass(frozen=True)
class SetReport:
    """What models make of one set."""

    name: str
    boxes: str
    """Whence the boxes: "ground truth", or a detections file."""
    total: Comparison
    bands: tuple[Band, ...] = ()
    """Those with a labelled person in them, where the set says its views."""
    sphere: Sphere | None = None
    unreadable: int = 0
    """Images that were absent or broken and are left out."""


def compare(
    people: PersonAnnotations,
    found: Mapping[str, Estimates],
    draws: int = BOOTSTRAP_SAMPLES,
    boxes: str = "ground truth",
    seed: int = 0,
) -> SetReport:
    """Score estimates of the same boxes by several models; the first is the baseline."""
    results = {name: judged(people, estimates) for name, estimates in found.items()}
    weights = resamples(people, next(iter(found.values())), draws, seed)
    total = _comparison(people, results, weights, np.ones(len(people), dtype=bool), tuple(AREAS))
    elevation = people.views[:, 1]
    if np.isnan(elevation[people.labelled()]).all():
        return SetReport(people.name, boxes, total)
    bands = []
    for low, high in pairwise(BANDS):
        inside = (elevation >= low) & ((elevation < high) | (high == BANDS[-1]))
        bands.append(Band(low, high, _comparison(people, results, weights, inside, ("all",))))
    return SetReport(
        people.name,
        boxes,
        total,
        tuple(band for band in bands if band.comparison.persons),
        _sphere(people, {name: person_oks(people, e) for name, e in found.items()}),
    )


def _comparison(
    people: PersonAnnotations,
    results: Mapping[str, Judged],
    weights: UInt8[np.ndarray, "w i"],
    persons: Bool[np.ndarray, " n"],
    areas: tuple[str, ...],
) -> Comparison:
    labelled = people.labelled()
    of = people.image[labelled[persons[labelled]]]
    rows = weights if len(np.unique(of)) > 1 else weights[:1]  # one image says nothing of others
    samples = {
        name: measured(result.within(persons), rows, areas) for name, result in results.items()
    }
    baseline = next(iter(samples.values()))
    return Comparison(
        persons=len(of),
        images=len(np.unique(of)),
        scores={name: scores_of(sample) for name, sample in samples.items()},
        differences={
            name: differences(sample, baseline) for name, sample in list(samples.items())[1:]
        },
    )


def _sphere(people: PersonAnnotations, oks: Mapping[str, Float[np.ndarray, " m"]]) -> Sphere:
    azimuth, elevation, _ = people.views[people.labelled()].T
    seen = np.isfinite(azimuth) & np.isfinite(elevation)
    rings = int(np.clip(round((seen.sum() / CELL / 2) ** 0.5), 4, 12))
    # Archimedes: rings of equal height have equal areas.
    height = (np.sin(np.radians(elevation[seen])) + 1) / 2
    ring = np.minimum((height * rings).astype(int), rings - 1)
    sector = ((azimuth[seen] + 180) / 360 * 2 * rings).astype(int) % (2 * rings)
    cell = ring * 2 * rings + sector

    def table(values: np.ndarray | None) -> np.ndarray:
        return np.bincount(cell, values, minlength=2 * rings**2).reshape(rings, 2 * rings)

    persons = table(None)
    with np.errstate(invalid="ignore"):
        return Sphere(
            persons, {name: table(values[seen]) / persons for name, values in oks.items()}
        )
