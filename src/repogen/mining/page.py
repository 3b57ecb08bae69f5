"""The page of `repogen probe`: one file, which asks no other host for anything."""

import base64
from collections.abc import Mapping

from repogen.evaluation.page import PAGE, figure_html, table_html
from repogen.evaluation.tables import Cell, Table, score_cell
from repogen.extras import can_draw_figures
from repogen.messages import html_text
from repogen.mining.difficulty import LOOKS, WEIGHTS
from repogen.mining.report import ProbeReport, RegionReport

_FEW = 10
"""Regions with fewer people are not named among the hardest."""

_NAMED = 12
"""Regions named among the hardest."""

_PARTS = ("the loss (1 - OKS)", "exchanged left-right pairs", "disagreement")

_STYLE = """<style>.people{display:flex;flex-wrap:wrap;gap:1em;margin:.5em 0}
.people div{font-size:13px} .people img{display:inline-block;margin-right:3px}</style>"""


def probe_html(report: ProbeReport, pictures: Mapping[int, bytes]) -> str:
    """The page; `pictures` are JPEG files by the index of the scene."""
    title = f"What is hard for {report.models[0]}"
    body = [_STYLE, f"<p>{html_text(_about(report))}</p>"]
    body += ["<h2>Hardest regions</h2>", table_html(_table("", hardest(report), report))]
    body += [_people(report.total, pictures), "<h2>Views</h2>"]
    if can_draw_figures("the page"):
        from repogen.evaluation.figures import sphere_figure

        caption = "Mean difficulty by the camera's direction from the person's own axes"
        body.append(figure_html(caption, sphere_figure(report.sphere, "mean difficulty")))
    for name, regions in report.dimensions.items():
        body += [f"<h2>{html_text(name)}</h2>", table_html(_table(name, regions, report))]
        body.append('<div class="people">')
        body += [_people(region, pictures) for region in regions]
        body.append("</div>")
    return PAGE.format(title=html_text(title), body="\n".join(body))


def region_text(region: RegionReport) -> str:
    """A region on a line of text: its name, people, and difficulty for each model."""
    cells = [score_cell(score) for score in region.scores.values()]
    cells += [score_cell(region.difference, "+")] if region.difference else []
    shown = ", ".join(f"{c.text}{'*' * c.significant} ({c.interval})" for c in cells)
    return f"{region.name} ({region.people} people): {shown}"


def hardest(report: ProbeReport) -> tuple[RegionReport, ...]:
    """The regions of at least 10 people that are hardest for the first model, named in full."""
    named = [
        RegionReport(f"{title}: {one.name}", one.people, one.scores, one.difference, one.worst)
        for title, regions in report.dimensions.items()
        for one in regions
        if one.people >= _FEW
    ]
    first = report.models[0]
    named.sort(key=lambda one: (-one.scores[first].value, one.name))
    return tuple(named[:_NAMED])


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
        cells = [Cell(str(one.people)), *(score_cell(one.scores[m]) for m in report.models)]
        cells += [score_cell(one.difference, "+")] if one.difference else []
        rows.append((one.name, tuple(cells)))
    return Table(title, tuple(columns), tuple(rows))


def _people(region: RegionReport, pictures: Mapping[int, bytes]) -> str:
    shown = "".join(
        f'<img alt="scene {index}" title="scene {index}" '
        f'src="data:image/jpeg;base64,{base64.b64encode(pictures[index]).decode()}">'
        for index in region.worst
    )
    return f"<div>{html_text(region.name)}<br>{shown}</div>" if shown else ""
