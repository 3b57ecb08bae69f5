"""The results of `repogen probe`: how hard the people of each region are, with intervals."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from repogen.arrays import Float
from repogen.evaluation.results import Score, SphereMap

_RESAMPLED = 500
"""Bootstrap samples behind each interval."""


@dataclass(frozen=True)
class RegionReport:
    """How hard the people of a region are for each model."""

    name: str
    people: int
    scores: Mapping[str, Score]
    """The mean difficulty by model, with its interval."""
    difference: Score | None
    """The second model's mean less the first's, paired; None with one model."""
    worst: tuple[int, ...]
    """Scene indices of the hardest people for the first model, the hardest first."""


@dataclass(frozen=True)
class ProbeReport:
    """The results of `probe`."""

    models: tuple[str, ...]
    drawn: int
    """Scenes that were drawn."""
    difficulty: str
    total: RegionReport
    dimensions: Mapping[str, tuple[RegionReport, ...]]
    sphere: SphereMap
    """The mean difficulty by the camera's direction from the person's own axes."""
    joints: Mapping[str, Mapping[str, float]]
    """The mean OKS by model, then by the joint's COCO name, over the people of whom it counts;
    NaN where that is nobody."""
    seen: Mapping[str, int]
    """The number of these people by joint."""


def region_report(
    name: str, models: tuple[str, ...], hard: Float[np.ndarray, "m n"], worst: tuple[int, ...]
) -> RegionReport:
    """The report of n people's difficulties for m models: means with bootstrap intervals over
    people, the same samples for all models."""
    count = hard.shape[1]
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=_RESAMPLED) / count
    samples = np.einsum("rn,mn->mr", drawn, hard)
    scores = {
        model: _score(float(hard[k].mean()), samples[k], count) for k, model in enumerate(models)
    }
    difference = None
    if len(models) > 1:
        mean = float((hard[1] - hard[0]).mean())
        difference = _score(mean, samples[1] - samples[0], count)
    return RegionReport(name, count, scores, difference, worst)


def _score(value: float, samples: Float[np.ndarray, " r"], count: int) -> Score:
    """A mean with its interval; of one person there is none."""
    low, high = np.percentile(samples, [2.5, 97.5]) if count > 1 else (np.nan, np.nan)
    return Score(value, float(low), float(high))


def report_table(report: ProbeReport) -> dict[str, object]:
    """The report as JSON, without the sphere; NaN becomes null."""

    def number(value: float) -> float | None:
        return None if np.isnan(value) else round(value, 4)

    def score(one: Score | None) -> list[float | None] | None:
        if one is None:
            return None
        ends = (one.value, one.low, one.high)
        return [number(v) for v in ends]

    def region(one: RegionReport) -> dict[str, object]:
        return {
            "name": one.name,
            "people": one.people,
            "difficulty": {model: score(each) for model, each in one.scores.items()},
            "difference": score(one.difference),
            "worst_scenes": [*one.worst],
        }

    return {
        "models": [*report.models],
        "drawn": report.drawn,
        "difficulty": report.difficulty,
        "total": region(report.total),
        "joints": {
            joint: {
                "people": people,
                "oks": {model: number(values[joint]) for model, values in report.joints.items()},
            }
            for joint, people in report.seen.items()
        },
        "regions": {
            title: [region(one) for one in each] for title, each in report.dimensions.items()
        },
    }
