"""Several models on one set: scores, paired differences, and both by camera direction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from repogen.arrays import Bool, Float, UInt8
from repogen.cameras.viewpoints import BANDS
from repogen.coco.annotations import PersonAnnotations
from repogen.evaluation.average_precision import AREAS
from repogen.evaluation.config import BOOTSTRAP_SAMPLES
from repogen.evaluation.groups import PersonGroups
from repogen.evaluation.joints import person_oks
from repogen.evaluation.results import (
    Band,
    Comparison,
    Group,
    Grouping,
    SetReport,
    SphereMap,
)
from repogen.evaluation.scores import (
    MatchedEstimates,
    bootstrap_weights,
    compute_metrics,
    match_estimates,
    paired_differences,
    to_scores,
)
from repogen.inference.estimate import Estimates

PERSONS_PER_CELL = 20
"""Target mean number of persons in a cell of a `SphereMap` of 4 x 8 to 12 x 24 cells."""


def compare(
    people: PersonAnnotations,
    estimates: Mapping[str, Estimates],
    bootstrap_samples: int = BOOTSTRAP_SAMPLES,
    boxes: str = "ground truth",
    seed: int = 0,
    groupings: Sequence[PersonGroups] = (),
    estimated: Float[np.ndarray, "n 2"] | None = None,
) -> SetReport:
    """Score the estimates of several models, by name, for the same boxes.

    The first model is the baseline. `boxes` names the source of the boxes in the report. Bands
    and sphere are left out for a set without views. `groupings` are scored, too, and `estimated`
    views (azimuth and elevation in degrees) give a sphere of their own.
    """
    matched = {name: match_estimates(people, found) for name, found in estimates.items()}
    weights = bootstrap_weights(people, next(iter(estimates.values())), bootstrap_samples, seed)
    everybody = np.ones(len(people), dtype=bool)
    total = _compare_persons(people, matched, weights, everybody, tuple(AREAS))
    grouped = []
    for grouping in groupings:
        found = (
            Group(name, _compare_persons(people, matched, weights, mask, ("all",)))
            for name, mask in grouping.masks.items()
        )
        groups = tuple(group for group in found if group.comparison.persons)
        if groups:
            grouped.append(Grouping(grouping.title, groups))
    labelled = people.labelled()
    oks = {name: person_oks(people, e) for name, e in estimates.items()}
    estimated_sphere = None
    if estimated is not None and np.isfinite(estimated[labelled, 0]).any():
        estimated_sphere = sphere_map(estimated[labelled, 0], estimated[labelled, 1], oks)
    out = SetReport(
        people.name, boxes, total, groupings=tuple(grouped), estimated_sphere=estimated_sphere
    )
    elevation = people.views[:, 1]
    if np.isnan(elevation[labelled]).all():
        return out
    bands = []
    for low, high in pairwise(BANDS):
        inside = (elevation >= low) & ((elevation < high) | (high == BANDS[-1]))
        bands.append(Band(low, high, _compare_persons(people, matched, weights, inside, ("all",))))
    return replace(
        out,
        bands=tuple(band for band in bands if band.comparison.persons),
        sphere=sphere_map(people.views[labelled, 0], elevation[labelled], oks),
    )


def _compare_persons(
    people: PersonAnnotations,
    matched: Mapping[str, MatchedEstimates],
    weights: UInt8[np.ndarray, "w i"],
    persons: Bool[np.ndarray, " n"],
    areas: tuple[str, ...],
) -> Comparison:
    labelled = people.labelled()
    images = people.image[labelled[persons[labelled]]]
    rows = weights if len(np.unique(images)) > 1 else weights[:1]  # one image has no interval
    samples = {
        name: compute_metrics(estimates.within(persons), rows, areas)
        for name, estimates in matched.items()
    }
    baseline = next(iter(samples.values()))
    return Comparison(
        persons=len(images),
        images=len(np.unique(images)),
        scores={name: to_scores(sample) for name, sample in samples.items()},
        differences={
            name: paired_differences(sample, baseline) for name, sample in list(samples.items())[1:]
        },
    )


def sphere_map(
    azimuth: Float[np.ndarray, " m"],
    elevation: Float[np.ndarray, " m"],
    oks: Mapping[str, Float[np.ndarray, " m"]],
) -> SphereMap:
    """The means over the persons seen from each cell; degrees, NaN where they are not known."""
    known = np.isfinite(azimuth) & np.isfinite(elevation)
    rings = int(np.clip(round((known.sum() / PERSONS_PER_CELL / 2) ** 0.5), 4, 12))
    # Archimedes: rings of equal height have equal areas.
    height = (np.sin(np.radians(elevation[known])) + 1) / 2
    ring = np.minimum((height * rings).astype(int), rings - 1)
    sector = ((azimuth[known] + 180) / 360 * 2 * rings).astype(int) % (2 * rings)
    cell = ring * 2 * rings + sector

    def sum_by_cell(values: np.ndarray | None) -> np.ndarray:
        """Sums over the persons of each cell; without values the number of persons."""
        return np.bincount(cell, values, minlength=2 * rings**2).reshape(rings, 2 * rings)

    persons = sum_by_cell(None)
    with np.errstate(invalid="ignore"):
        return SphereMap(
            persons, {name: sum_by_cell(values[known]) / persons for name, values in oks.items()}
        )
