"""A report as text for the terminal, as a self-contained HTML page, and as Markdown."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.evaluation.findings import findings
from repogen.evaluation.pictures import TRUTH, PictureRow
from repogen.evaluation.results import Comparison, Report, Score, SetReport, SphereMap
from repogen.evaluation.tables import (
    METRICS_NOTE,
    band_tables,
    group_tables,
    joints_table,
    scores_table,
)
from repogen.extras import can_draw_figures
from repogen.messages import html_text
from repogen.pages.body_map import body_figures
from repogen.pages.frame import (
    columns,
    figure,
    folded,
    page,
    paragraph,
    people,
    person,
    picture,
    section,
    side_by_side,
    subsection,
)
from repogen.pages.scales import scale_html
from repogen.pages.sphere_map import ring_edges, sphere_svg
from repogen.pages.tables import Table, table_html


def report_text(report: Report) -> str:
    """Scores and elevation bands as aligned text, with intervals below the values."""
    blocks = []
    for set_report in report.sets.values():
        tables = _tables(set_report)[:-1]
        blocks.append(
            f"{set_report.name}: {_set_text(set_report)}\n" + "\n".join(map(_table_text, tables))
        )
    return "\n\n".join(blocks)


def report_html(report: Report, pictures: Mapping[str, Sequence[PictureRow]] | None = None) -> str:
    """The whole report as one HTML page; `pictures` of persons are by set."""
    models = "".join(
        f"<li><b>{html_text(name)}</b>: {html_text(where)}</li>"
        for name, where in report.models.items()
    )
    body = [_blend_section(report)] if report.alphas else []
    body += [_set_section(one, (pictures or {}).get(one.name, ())) for one in report.sets.values()]
    body.append(
        section("How it was measured", paragraph(_settings_text(report)), f"<ul>{models}</ul>")
    )
    return page("evaluation", _title(report), findings(report), body)


def _blend_section(report: Report) -> str:
    if not can_draw_figures("the curve of the blend"):
        return ""
    from repogen.evaluation.figures import blend_figure
    from repogen.pages.charts import chart_svg

    title = "Score against alpha"
    chart = chart_svg(title, blend_figure(report))
    return section("Blend", figure(f"{title}, with 95 % intervals", chart, wide=True))


def _set_section(set_report: SetReport, pictures: Sequence[PictureRow]) -> str:
    bands, groups = band_tables(set_report), group_tables(set_report)
    scores = scores_table(set_report)
    parts = [paragraph(_set_text(set_report)), subsection(scores.title, table_html(scores))]
    parts += [
        columns(*(subsection(t.title, table_html(t)) for t in tables))
        for tables in _pairs([*bands, *groups])
    ]
    joints = joints_table(set_report)
    parts.append(
        subsection(
            joints.title,
            side_by_side(*_bodies(set_report.total)),
            paragraph("The person faces you: their left is on your right.", "note"),
            folded("Table", table_html(joints)),
        )
    )
    if set_report.sphere is not None:
        parts.append(_sphere_part("Mean OKS by direction of the camera", set_report.sphere))
    if set_report.estimated_sphere is not None:
        title = "Mean OKS by estimated direction of the camera"
        parts.append(_sphere_part(title, set_report.estimated_sphere))
    if pictures:
        parts.append(_people_part(set_report, pictures))
    return section(set_report.name, *parts)


def _pairs(tables: Sequence[Table]) -> Iterator[Sequence[Table]]:
    """The tables of AP and of OKS of each grouping."""
    return (tables[i : i + 2] for i in range(0, len(tables), 2))


def _bodies(total: Comparison) -> Iterator[str]:
    """A body for each model, and for each difference from the first."""

    def joints_of(scores: Mapping[str, Score]) -> dict[str, float]:
        return {name: scores[f"OKS {name}"].value for name in COCO_KEYPOINTS}

    return body_figures(
        {model: joints_of(scores) for model, scores in total.scores.items()},
        {model: joints_of(scores) for model, scores in total.differences.items()},
    )


def _sphere_part(title: str, sphere: SphereMap) -> str:
    return subsection(title, sphere_figures(sphere, "OKS"))


def sphere_figures(sphere: SphereMap, metric: str) -> str:
    """A map of each model's mean of a metric, on one scale, with its legend."""
    highest = max(float(np.nanmax(values)) for values in sphere.oks.values()) or 1.0
    rings, sectors = sphere.persons.shape
    edges, width = ring_edges(rings), 360 / sectors
    maps = []
    for model, values in sphere.oks.items():

        def name(ring: int, sector: int, values: np.ndarray = values) -> str:
            where = (
                f"elevation {edges[ring]:.0f}° to {edges[ring + 1]:.0f}°, "
                f"azimuth {width * sector - 180:.0f}° to {width * (sector + 1) - 180:.0f}°"
            )
            count = sphere.persons[ring, sector]
            if not count:
                return f"{where}: no persons"
            return f"{where}: {metric} {values[ring, sector]:.2f}, {count} persons"

        maps.append(sphere_svg(model, values, highest, name))
    return figure(
        "From where the camera sees the person: azimuth 0° in front, 90° at their left; elevation "
        "90° above the head. Point at a cell for its numbers.",
        side_by_side(*maps),
        scale_html("0", f"{highest:.2f}", f"mean {metric}", empty="no persons"),
    )


def _people_part(set_report: SetReport, rows: Sequence[PictureRow]) -> str:
    shown = ", ".join((TRUTH, *set_report.total.scores))
    parts = [
        paragraph(
            f"Of each person: {shown}. The person's left side is green, the right orange; occluded "
            "labels are hollow.",
            "note",
        )
    ]
    for group, of_group in groupby(rows, key=lambda row: row.group):
        blocks = [
            f"<div>{paragraph(row.kind, 'note')}"
            + people(
                person(one.caption, *(picture(t, data) for t, data in one.pictures.items()))
                for one in row.people
            )
            + "</div>"
            for row in of_group
        ]
        parts.append(f"<h4>{html_text(group)}</h4>" + "".join(blocks))
    return subsection("Persons", *parts)


def report_markdown(report: Report) -> str:
    """The tables of the report as Markdown, without figures."""
    lines = [f"# {_escape_markdown(_title(report))}", "", _settings_text(report), ""]
    lines += [
        f"- **{_escape_markdown(name)}**: {_escape_markdown(where)}"
        for name, where in report.models.items()
    ]
    for set_report in report.sets.values():
        lines += [
            "",
            f"## {_escape_markdown(set_report.name)}",
            "",
            _escape_markdown(_set_text(set_report)),
        ]
        for table in _tables(set_report):
            lines += ["", f"### {table.title}", "", _table_markdown(table)]
    return "\n".join(lines) + "\n"


def _tables(set_report: SetReport) -> tuple[Table, ...]:
    return (
        scores_table(set_report),
        *band_tables(set_report),
        *group_tables(set_report),
        joints_table(set_report),
    )


def _title(report: Report) -> str:
    return f"{', '.join(report.models)} on {', '.join(report.sets)}"


def _settings_text(report: Report) -> str:
    flip = "with" if report.flip else "without"
    turns = ", four quarter turns" if report.rotations == 4 else ""
    samples = f"{report.bootstrap_samples} bootstrap samples"
    return f"Evaluated {flip} flip test{turns}, {samples}. {METRICS_NOTE}"


def _set_text(set_report: SetReport) -> str:
    boxes = (
        "ground-truth boxes"
        if set_report.boxes == "ground truth"
        else f"boxes from {set_report.boxes}"
    )
    left_out = (
        f" ({set_report.unreadable} unreadable images left out)" if set_report.unreadable else ""
    )
    return (
        f"{set_report.total.persons} persons in {set_report.total.images} images{left_out}, {boxes}"
    )


def _table_text(table: Table) -> str:
    rows = [[(c, "") for c in table.columns]]
    for name, cells in table.rows:
        rows.append([(name, ""), *((c.text + "*" * c.significant, c.interval) for c in cells)])
    widths = [max(max(map(len, cell)) for cell in column) for column in zip(*rows, strict=True)]
    lines = [table.title]
    for row in rows:
        for part in (0, 1):
            texts = [cell[part] for cell in row]
            if any(texts):
                padded = [text.rjust(width) for text, width in zip(texts, widths, strict=True)]
                lines.append("  ".join([texts[0].ljust(widths[0]), *padded[1:]]).rstrip())
    return "\n".join(lines) + "\n"


def _table_markdown(table: Table) -> str:
    def line(cells: list[str]) -> str:
        return f"| {' | '.join(cells)} |"

    rows = [line(list(map(_escape_markdown, table.columns))), line(["---"] * len(table.columns))]
    for name, cells in table.rows:
        shown = [
            c.text + r"\*" * c.significant + (f"<br>{c.interval}" if c.interval else "")
            for c in cells
        ]
        rows.append(line([_escape_markdown(name), *shown]))
    return "\n".join(rows)


def _escape_markdown(text: str) -> str:
    """Text on one line with Markdown's and HTML's special characters escaped."""
    return re.sub(r"([\\`*_{}\[\]#|~$])", r"\\\1", html_text(text))
