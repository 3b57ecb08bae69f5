"""A report as text for the terminal, as a self-contained HTML page, and as Markdown."""

import base64
import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from repogen.evaluation.results import Report, SetReport
from repogen.evaluation.tables import (
    METRICS_NOTE,
    Cell,
    Table,
    band_tables,
    joints_table,
    scores_table,
)
from repogen.extras import can_draw_figures
from repogen.messages import html_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:15px sans-serif;max-width:1250px;margin:2em auto;padding:0 1em}}
img{{max-width:100%}} table{{border-collapse:collapse;margin:1em 0;font-size:14px;display:block;
overflow-x:auto}}
td,th{{padding:.25em .5em;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}}
td:first-child,th:first-child{{text-align:left}} small{{color:#666;font-weight:normal}}
.significant{{font-weight:bold;background:#fff3d0}}</style>
<h1>{title}</h1>
{body}
</html>
"""


def report_text(report: Report) -> str:
    """Scores and elevation bands as aligned text, with intervals below the values."""
    blocks = []
    for set_report in report.sets.values():
        tables = (scores_table(set_report), *band_tables(set_report))
        blocks.append(
            f"{set_report.name}: {_set_text(set_report)}\n" + "\n".join(map(_table_text, tables))
        )
    return "\n\n".join(blocks)


def report_html(report: Report) -> str:
    """The whole report, tables and figures (with Matplotlib), as one HTML page."""
    draw = can_draw_figures("the report")
    if draw:
        from repogen.evaluation import figures
    body = [f"<p>{html_text(_settings_text(report))}</p>", "<ul>"]
    body += [
        f"<li><b>{html_text(name)}</b>: {html_text(where)}</li>"
        for name, where in report.models.items()
    ]
    body.append("</ul>")
    if draw and report.alphas:
        body += [
            "<h2>Blend</h2>",
            figure_html("Score against alpha", figures.blend_figure(report)),
        ]
    for set_report in report.sets.values():
        body.append(
            f"<h2>{html_text(set_report.name)}</h2><p>{html_text(_set_text(set_report))}</p>"
        )
        for table, figure in _tables_and_figures(set_report, draw):
            body += [f"<h3>{html_text(table.title)}</h3>", table_html(table)]
            if figure is not None:
                body.append(figure_html(f"{set_report.name}: {table.title}", figure))
        if draw and set_report.sphere is not None:
            title = "Mean OKS by direction of the camera"
            body += [
                f"<h3>{title}</h3>",
                figure_html(title, figures.sphere_figure(set_report.sphere)),
            ]
    return PAGE.format(title=html_text(_title(report)), body="\n".join(body))


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
        for table, _ in _tables_and_figures(set_report, False):
            lines += ["", f"### {table.title}", "", _table_markdown(table)]
    return "\n".join(lines) + "\n"


def _tables_and_figures(
    set_report: SetReport, draw: bool
) -> Iterator[tuple[Table, "Figure | None"]]:
    """Each table of a set with its figure; None where it has none, or without `draw`."""
    bands = band_tables(set_report)
    tables = scores_table(set_report), *bands, joints_table(set_report)
    if not draw:
        yield from ((table, None) for table in tables)
        return
    from repogen.evaluation import figures

    yield tables[0], figures.scores_figure(set_report)
    for table in bands:
        yield table, figures.bands_figure(set_report) if table is bands[-1] else None
    yield tables[-1], figures.joints_figure(set_report)


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


def table_html(table: Table) -> str:
    """A table as an element of a page."""
    head = "".join(f"<th>{html_text(name)}</th>" for name in table.columns)
    rows = "\n".join(
        f"<tr><td>{html_text(name)}</td>{''.join(map(_cell_html, cells))}</tr>"
        for name, cells in table.rows
    )
    return f"<table><tr>{head}</tr>\n{rows}</table>"


def _cell_html(cell: Cell) -> str:
    span = f"<br><small>{html_text(cell.interval)}</small>" if cell.interval else ""
    kind = ' class="significant"' if cell.significant else ""
    return f"<td{kind}>{html_text(cell.text)}{'*' * cell.significant}{span}</td>"


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


def figure_html(title: str, figure: "Figure") -> str:
    """A figure as an element of a page, the picture in it."""
    data = io.BytesIO()
    figure.savefig(data, dpi=110)
    coded = base64.b64encode(data.getvalue()).decode()
    return f'<p><img alt="{html_text(title)}" src="data:image/png;base64,{coded}"></p>'
