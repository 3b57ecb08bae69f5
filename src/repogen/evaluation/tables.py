"""A set's report as tables, whatever they are then written in."""

import math
from dataclasses import dataclass

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.evaluation.comparison import Comparison, SetReport
from repogen.evaluation.scores import Score

SHOWN = ("AP", "AP50", "AP75", "APM", "APL", "AR", "OKS", "PCK", "swapped")
"""The measures of the first table."""

NOTE = (
    "OKS is the mean over persons, PCK the share of joints within 0.1 of the longer side of the "
    "box, swapped the share of pairs with left and right exchanged (less is better). Below each "
    "number stands its 95 % bootstrap interval over images; differences are paired, of the same "
    "draws, and * marks those whose interval leaves out 0."
)


@dataclass(frozen=True)
class Cell:
    """A number, its interval, and whether it is a difference that is clear of 0."""

    text: str
    span: str = ""
    clear: bool = False


@dataclass(frozen=True)
class Table:
    """Named rows of cells below named columns, the rows' own column first."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def scores_table(report: SetReport) -> Table:
    """Models and their differences from the first, measure by measure."""
    total = report.total
    first = next(iter(total.scores))
    rows = [(m, tuple(_cell(s[k]) for k in SHOWN)) for m, s in total.scores.items()]
    rows += [
        (f"{m} − {first}", tuple(_cell(s[k], "+") for k in SHOWN))
        for m, s in total.differences.items()
    ]
    return Table("Scores", ("", *SHOWN), tuple(rows))


def band_tables(report: SetReport) -> tuple[Table, ...]:
    """AP and mean OKS by the camera's elevation; none where the set does not say it."""
    if not report.bands:
        return ()
    return tuple(
        _across(
            f"{measure} by elevation of the camera",
            [(f"{b.low}° … {b.high}°", b.comparison, measure) for b in report.bands],
            counted=True,
        )
        for measure in ("AP", "OKS")
    )


def joints_table(report: SetReport) -> Table:
    """OKS of every joint."""
    return _across(
        "OKS of every joint",
        [(name.replace("_", " "), report.total, f"OKS {name}") for name in COCO_KEYPOINTS],
    )


def _across(title: str, rows: list[tuple[str, Comparison, str]], counted: bool = False) -> Table:
    """One measure in each row, a column for each model and each difference."""
    scores = rows[0][1].scores
    first = next(iter(scores))
    columns = ("", *["persons"] * counted, *scores, *(f"{m} − {first}" for m in list(scores)[1:]))
    return Table(
        title,
        columns,
        tuple(
            (
                name,
                (
                    *[Cell(str(comparison.persons))] * counted,
                    *(_cell(scores[measure]) for scores in comparison.scores.values()),
                    *(_cell(scores[measure], "+") for scores in comparison.differences.values()),
                ),
            )
            for name, comparison, measure in rows
        ),
    )


def _cell(score: Score, sign: str = "") -> Cell:
    if math.isnan(score.value):
        return Cell("–")
    text = f"{score.value:{sign}z.3f}"
    if math.isnan(score.low):
        return Cell(text)
    span = f"{score.low:{sign}z.3f}{'…' if sign else '–'}{score.high:{sign}z.3f}"
    return Cell(text, span, bool(sign) and score.clear)
