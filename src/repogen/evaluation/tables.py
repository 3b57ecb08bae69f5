"""Tables of a set's report, independent of the format they are written in."""

import math

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.evaluation.results import Comparison, Score, SetReport
from repogen.pages.tables import Cell, Table

MAIN_METRICS = ("AP", "AP50", "AP75", "APM", "APL", "AR", "OKS", "PCK", "swapped")
"""The metrics of the scores table."""

METRICS_NOTE = (
    "OKS is the mean over persons, PCK the share of joints within 0.1 of the longer side of the "
    "box, swapped the share of left-right pairs of joints that are exchanged (lower is better). "
    "Below each number is its 95 % bootstrap interval over images. Differences are paired (over "
    "the same bootstrap samples); * marks a difference whose interval leaves out 0."
)


def scores_table(report: SetReport) -> Table:
    """The main metrics of each model, and their differences from the first model."""
    total = report.total
    first = next(iter(total.scores))
    rows = [
        (m, tuple(score_cell(s[k], later=m != first) for k in MAIN_METRICS))
        for m, s in total.scores.items()
    ]
    rows += [
        (f"{m} − {first}", tuple(score_cell(s[k], "+") for k in MAIN_METRICS))
        for m, s in total.differences.items()
    ]
    return Table("Scores", ("", *MAIN_METRICS), tuple(rows))


def band_tables(report: SetReport) -> tuple[Table, ...]:
    """AP and mean OKS by elevation of the camera; no tables for a set without views."""
    if not report.bands:
        return ()
    return tuple(
        _metric_table(
            f"{metric} by elevation of the camera",
            [(f"{b.low}° … {b.high}°", b.comparison, metric) for b in report.bands],
            persons=True,
        )
        for metric in ("AP", "OKS")
    )


def group_tables(report: SetReport) -> tuple[Table, ...]:
    """AP and mean OKS of each group of persons, a table per grouping and metric."""
    return tuple(
        _metric_table(
            f"{metric} by {grouping.title}",
            [(group.name, group.comparison, metric) for group in grouping.groups],
            persons=True,
        )
        for grouping in report.groupings
        for metric in ("AP", "OKS")
    )


def joints_table(report: SetReport) -> Table:
    """OKS of each joint."""
    return _metric_table(
        "OKS of each joint",
        [(name.replace("_", " "), report.total, f"OKS {name}") for name in COCO_KEYPOINTS],
    )


def _metric_table(
    title: str, rows: list[tuple[str, Comparison, str]], persons: bool = False
) -> Table:
    """A table of rows (name, comparison, metric), with a column for each model and difference.

    With `persons` the first column is the number of persons.
    """
    scores = rows[0][1].scores
    first = next(iter(scores))
    columns = ("", *["persons"] * persons, *scores, *(f"{m} − {first}" for m in list(scores)[1:]))
    return Table(
        title,
        columns,
        tuple(
            (
                name,
                (
                    *[count_cell(comparison.persons)] * persons,
                    *(
                        score_cell(scores[metric], later=m != first)
                        for m, scores in comparison.scores.items()
                    ),
                    *(
                        score_cell(scores[metric], "+")
                        for scores in comparison.differences.values()
                    ),
                ),
            )
            for name, comparison, metric in rows
        ),
    )


def count_cell(count: int) -> Cell:
    """A number of persons as a cell."""
    return Cell(str(count), value=count)


def score_cell(score: Score, sign: str = "", later: bool = False) -> Cell:
    """A score as a cell; with the `sign` "+" it is a difference, `later` one of another model
    than the first."""
    if math.isnan(score.value):
        return Cell("–")
    text = f"{score.value:{sign}z.3f}"
    ends = (score.value, score.low, score.high)
    if math.isnan(score.low):
        return Cell(text, "", False, *ends, bool(sign), later)
    interval = f"{score.low:{sign}z.3f}{'…' if sign else '–'}{score.high:{sign}z.3f}"
    return Cell(text, interval, bool(sign) and score.significant, *ends, bool(sign), later)
