"""What matters most in a report, as sentences."""

import math
from collections.abc import Iterator

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.evaluation.results import Comparison, Report, Score, SetReport

_FEW = 10
"""Groups with fewer persons are not named."""

_WEAK_JOINTS = 3


def findings(report: Report) -> list[str]:
    """Sentences about each set: the scores, whether the models differ, the hardest group, the
    weakest joints, and exchanged sides. All but the first two are about the last model."""
    return [
        sentence if len(report.sets) == 1 else f"{set_report.name}: {sentence}"
        for set_report in report.sets.values()
        for sentence in _about_set(set_report)
    ]


def _about_set(set_report: SetReport) -> Iterator[str]:
    total = set_report.total
    scores = total.scores
    first, last = next(iter(scores)), list(scores)[-1]
    yield (
        "; ".join(
            f"{model} scores OKS {_with_interval(one['OKS'])} and AP {_with_interval(one['AP'])}"
            for model, one in scores.items()
        )
        + f", over {total.persons} persons."
    )
    for model, differences in total.differences.items():
        yield _difference_sentence(model, first, differences["OKS"])
    yield from _about_groups(set_report, last)
    joints = {
        name: scores[last][f"OKS {name}"].value
        for name in COCO_KEYPOINTS
        if not math.isnan(scores[last][f"OKS {name}"].value)
    }
    weakest = sorted(joints, key=joints.__getitem__)[:_WEAK_JOINTS]
    named = ", ".join(f"{name.replace('_', ' ')} ({joints[name]:.2f})" for name in weakest)
    yield f"{last} is weakest at the {named}."
    swapped = scores[last]["swapped"].value
    if not math.isnan(swapped):
        yield f"{last} exchanges left and right in {swapped:.1%} of the pairs of joints."


def _difference_sentence(model: str, first: str, oks: Score) -> str:
    change = f"{oks.value:+z.3f}"
    if not math.isnan(oks.low):
        change += f" ({oks.low:+z.3f} to {oks.high:+z.3f})"
    if oks.significant:
        return f"{model} is {'better' if oks.value > 0 else 'worse'} than {first}: OKS {change}."
    return f"Whether {model} is better than {first} stays open: OKS {change}."


def _about_groups(set_report: SetReport, model: str) -> Iterator[str]:
    """The group with the lowest mean OKS, and of several models that with the largest change."""
    groups = {name: one for name, one in named_groups(set_report) if one.persons >= _FEW}
    if len(groups) < 2:
        return
    hardest = min(groups, key=lambda name: groups[name].scores[model]["OKS"].value)
    one = groups[hardest]
    yield (
        f"Hardest for {model}: {hardest}, OKS {_with_interval(one.scores[model]['OKS'])} over "
        f"{one.persons} persons, against {set_report.total.scores[model]['OKS'].value:.3f} over "
        "all."
    )
    if not one.differences:
        return
    changes = {name: one.differences[model]["OKS"] for name, one in groups.items()}
    clear = {name: change for name, change in changes.items() if change.significant}
    if clear:
        most = max(clear, key=lambda name: abs(clear[name].value))
        change = clear[most]
        yield (
            f"The largest change is at {most}: OKS {change.value:+z.3f} ({change.low:+z.3f} to "
            f"{change.high:+z.3f})."
        )


def named_groups(set_report: SetReport) -> Iterator[tuple[str, Comparison]]:
    """Every band and every group of a set, with a name that says what it is a group by."""
    for band in set_report.bands:
        yield f"elevation of the camera {band_name(band.low, band.high)}", band.comparison
    for grouping in set_report.groupings:
        for group in grouping.groups:
            yield f"{grouping.title}: {group.name}", group.comparison


def band_name(low: int, high: int) -> str:
    """A range of elevations in degrees."""
    return f"{low}° … {high}°"


def _with_interval(score: Score) -> str:
    if math.isnan(score.low):
        return f"{score.value:.3f}"
    return f"{score.value:.3f} ({score.low:.3f} to {score.high:.3f})"
