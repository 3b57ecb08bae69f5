"""The page of `repogen probe`: one file, which asks no other host for anything."""

import math
from collections.abc import Iterator, Mapping

from repogen.evaluation.page import sphere_figures
from repogen.evaluation.tables import count_cell, score_cell
from repogen.mining.difficulty import LOOKS, WEIGHTS
from repogen.mining.report import ProbeReport, RegionReport
from repogen.pages.body_map import body_figures
from repogen.pages.frame import (
    folded,
    page,
    paragraph,
    people,
    person,
    picture,
    section,
    side_by_side,
)
from repogen.pages.tables import Cell, Table, table_html

_FEW = 10
"""Regions with fewer people are not named among the hardest."""

_NAMED = 12
"""Regions named among the hardest."""

_PARTS = ("the loss (1 - OKS)", "exchanged left-right pairs", "disagreement")

_LEAD = 3
"""Regions named in the first sentences."""


def probe_html(report: ProbeReport, pictures: Mapping[int, bytes]) -> str:
    """The page; `pictures` are JPEG files by the index of the scene."""
    worst = (picture(f"scene {index}", pictures[index]) for index in report.total.worst)
    body = [
        section("Hardest regions", table_html(_table("", hardest(report), report))),
        section(
            "Hardest people",
            paragraph("The labels are green, the answer red.", "note"),
            people(worst),
        ),
        section("Joints", *_joints(report)),
        section("Views", sphere_figures(report.sphere, "difficulty")),
    ]
    for name, regions in report.dimensions.items():
        shown = (_people(region, pictures) for region in regions)
        body.append(section(name, table_html(_table(name, regions, report)), side_by_side(*shown)))
    body.append(section("How it was measured", paragraph(_about(report))))
    return page("probe", f"What is hard for {report.models[0]}", list(_lead(report)), body)


def _joints(report: ProbeReport) -> Iterator[str]:
    """The mean OKS of each joint on a body, and as a table."""
    (_, before), *others = report.joints.items()
    differences = {
        model: {joint: value - before[joint] for joint, value in values.items()}
        for model, values in others
    }
    yield side_by_side(*body_figures(report.joints, differences))
    yield paragraph(
        "OKS of each joint, over the people of whom it counts: 1 is right, 0 far away. The "
        "person faces you: their left is on your right.",
        "note",
    )
    rows = [
        (
            joint.replace("_", " "),
            (
                count_cell(people),
                *(
                    Cell(
                        "–" if math.isnan(values[joint]) else f"{values[joint]:.2f}",
                        value=values[joint],
                    )
                    for values in report.joints.values()
                ),
            ),
        )
        for joint, people in report.seen.items()
    ]
    table = Table("", ("joint", "people", *report.joints), tuple(rows))
    yield folded("Table", table_html(table))


def _lead(report: ProbeReport) -> Iterator[str]:
    """What matters, as sentences."""
    total, first = report.total, report.models[0]
    score = score_cell(total.scores[first])
    yield (
        f"The mean difficulty is {score.text}{_interval(score.interval)} over {total.people} "
        "people (0: easy, 1: all wrong)."
    )
    for region in hardest(report)[:_LEAD]:
        score = score_cell(region.scores[first])
        yield (
            f"Hard: {_lower(region.name)}, difficulty {score.text}{_interval(score.interval)}, "
            f"{region.people} people."
        )
    easiest = _named_regions(report)[-1:]
    for region in easiest:
        score = score_cell(region.scores[first])
        yield f"Easiest: {_lower(region.name)}, difficulty {score.text}, {region.people} people."
    if total.difference is not None:
        change = score_cell(total.difference, "+")
        model = report.models[1]
        by = f"{change.text}{_interval(change.interval)}"
        if change.significant:
            better = "easier" if total.difference.value < 0 else "harder"
            yield f"{model} finds the same people {better}: {by}."
        else:
            yield f"Whether {model} finds the same people easier stays open: {by}."


def _interval(text: str) -> str:
    return f" ({text})" if text else ""


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def region_text(region: RegionReport) -> str:
    """A region on a line of text: its name, people, and difficulty for each model."""
    cells = [score_cell(score) for score in region.scores.values()]
    cells += [score_cell(region.difference, "+")] if region.difference else []
    shown = ", ".join(f"{c.text}{'*' * c.significant} ({c.interval})" for c in cells)
    return f"{region.name} ({region.people} people): {shown}"


def hardest(report: ProbeReport) -> tuple[RegionReport, ...]:
    """The regions of at least 10 people that are hardest for the first model, named in full."""
    return _named_regions(report)[:_NAMED]


def _named_regions(report: ProbeReport) -> tuple[RegionReport, ...]:
    """The regions of at least 10 people, named in full, the hardest for the first model first."""
    named = [
        RegionReport(f"{title}: {one.name}", one.people, one.scores, one.difference, one.worst)
        for title, regions in report.dimensions.items()
        for one in regions
        if one.people >= _FEW
    ]
    first = report.models[0]
    return tuple(sorted(named, key=lambda one: (-one.scores[first].value, one.name)))


def _about(report: ProbeReport) -> str:
    weights = ", ".join(
        f"{weight:g} x {part}"
        for weight, part in zip(WEIGHTS[report.difficulty], _PARTS, strict=True)
        if weight
    )
    compared = ""
    if len(report.models) > 1:
        compared = (
            f" {report.models[1]} was asked about the same people; differences are paired, and * "
            "marks those whose interval leaves out 0. Below 0 it finds the people easier."
        )
    return (
        f"{report.total.people} of {report.drawn} drawn people are plausible and can be seen. "
        f"Difficulty, 0 (easy) to 1, is {weights}, over the joints that can be seen and "
        f"{len(LOOKS)} looks at each person (docs/mining.md). Below each number is its 95 % "
        "bootstrap interval. "
        "Pictures show the hardest people of a region, the labels in green and the answer in red."
        + compared
    )


def _table(title: str, regions: tuple[RegionReport, ...], report: ProbeReport) -> Table:
    columns = ["", "people", *report.models]
    columns += [f"{report.models[1]} − {report.models[0]}"] if len(report.models) > 1 else []
    rows = []
    for one in regions:
        scores = (score_cell(one.scores[m], later=i > 0) for i, m in enumerate(report.models))
        cells = [count_cell(one.people), *scores]
        cells += [score_cell(one.difference, "+")] if one.difference else []
        rows.append((one.name, tuple(cells)))
    return Table(title, tuple(columns), tuple(rows))


def _people(region: RegionReport, pictures: Mapping[int, bytes]) -> str:
    if not region.worst:
        return ""
    shown = [picture(f"scene {index}", pictures[index]) for index in region.worst]
    return people([person(region.name, *shown)])
