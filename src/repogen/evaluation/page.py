"""A report to read: in the terminal, as one HTML page that needs no other file, as Markdown."""

import base64
import html
import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from repogen.evaluation import figures
from repogen.evaluation.comparison import SetReport
from repogen.evaluation.tables import NOTE, Cell, Table, band_tables, joints_table, scores_table

if TYPE_CHECKING:
    from repogen.evaluation.report import Report

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:15px sans-serif;max-width:1250px;margin:2em auto;padding:0 1em}}
img{{max-width:100%}} table{{border-collapse:collapse;margin:1em 0;font-size:14px;display:block;
overflow-x:auto}}
td,th{{padding:.25em .5em;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}}
td:first-child,th:first-child{{text-align:left}} small{{color:#666;font-weight:normal}}
.clear{{font-weight:bold;background:#fff3d0}}</style>
<h1>{title}</h1>
{body}
</html>
"""


def report_text(report: "Report") -> str:
    """Scores and bands of elevation as aligned text, intervals below the values."""
    blocks = []
    for one in report.sets.values():
        tables = (scores_table(one), *band_tables(one))
        blocks.append(f"{one.name}: {_about(one)}\n" + "\n".join(map(_text, tables)))
    return "\n\n".join(blocks)


def report_html(report: "Report") -> str:
    """The whole report as one page."""
    body = [f"<p>{html.escape(_how(report))}</p>", "<ul>"]
    body += [
        f"<li><b>{html.escape(name)}</b>: {html.escape(where)}</li>"
        for name, where in report.models.items()
    ]
    body.append("</ul>")
    if report.alphas:
        body += ["<h2>Blend</h2>", _image("Score against alpha", figures.blend_figure(report))]
    for one in report.sets.values():
        body.append(f"<h2>{html.escape(one.name)}</h2><p>{html.escape(_about(one))}</p>")
        for table, figure in _parts(one):
            body += [f"<h3>{html.escape(table.title)}</h3>", _html(table)]
            if figure is not None:
                body.append(_image(f"{one.name}: {table.title}", figure))
        if one.sphere is not None:
            title = "Mean OKS by the direction of the camera"
            body += [f"<h3>{title}</h3>", _image(title, figures.sphere_figure(one.sphere))]
    return _PAGE.format(title=html.escape(_title(report)), body="\n".join(body))


def report_markdown(report: "Report") -> str:
    """The tables, to paste into an issue; the figures are in the page."""
    lines = [f"# {_marked(_title(report))}", "", _how(report), ""]
    lines += [f"- **{_marked(name)}**: {_marked(where)}" for name, where in report.models.items()]
    for one in report.sets.values():
        lines += ["", f"## {_marked(one.name)}", "", _marked(_about(one))]
        for table, _ in _parts(one, drawn=False):
            lines += ["", f"### {table.title}", "", _markdown(table)]
    return "\n".join(lines) + "\n"


def _parts(one: SetReport, drawn: bool = True) -> Iterator[tuple[Table, Figure | None]]:
    """Every table, and the figure that goes with it."""
    yield scores_table(one), figures.scores_figure(one) if drawn else None
    for place, table in enumerate(bands := band_tables(one)):
        last = place + 1 == len(bands)
        yield table, figures.bands_figure(one) if drawn and last else None
    yield joints_table(one), figures.joints_figure(one) if drawn else None


def _title(report: "Report") -> str:
    return f"{', '.join(report.models)} on {', '.join(report.sets)}"


def _how(report: "Report") -> str:
    flip = "with" if report.flip else "without"
    return f"Evaluated {flip} flip test, {report.draws} bootstrap draws. {NOTE}"


def _about(one: SetReport) -> str:
    boxes = "true boxes" if one.boxes == "ground truth" else f"boxes from {one.boxes}"
    left_out = f" ({one.unreadable} unreadable ones left out)" if one.unreadable else ""
    return f"{one.total.persons} persons in {one.total.images} images{left_out}, {boxes}"


def _text(table: Table) -> str:
    rows = [[(c, "") for c in table.columns]]
    for name, cells in table.rows:
        rows.append([(name, ""), *((c.text + "*" * c.clear, c.span) for c in cells)])
    widths = [max(max(map(len, cell)) for cell in column) for column in zip(*rows, strict=True)]
    lines = [table.title]
    for row in rows:
        for part in (0, 1):
            texts = [cell[part] for cell in row]
            if any(texts):
                padded = [text.rjust(width) for text, width in zip(texts, widths, strict=True)]
                lines.append("  ".join([texts[0].ljust(widths[0]), *padded[1:]]).rstrip())
    return "\n".join(lines) + "\n"


def _html(table: Table) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in table.columns)
    rows = "\n".join(
        f"<tr><td>{html.escape(name)}</td>{''.join(map(_html_cell, cells))}</tr>"
        for name, cells in table.rows
    )
    return f"<table><tr>{head}</tr>\n{rows}</table>"


def _html_cell(cell: Cell) -> str:
    span = f"<br><small>{cell.span}</small>" if cell.span else ""
    kind = ' class="clear"' if cell.clear else ""
    return f"<td{kind}>{cell.text}{'*' * cell.clear}{span}</td>"


def _markdown(table: Table) -> str:
    def line(cells: list[str]) -> str:
        return f"| {' | '.join(cells)} |"

    rows = [line(list(map(_marked, table.columns))), line(["---"] * len(table.columns))]
    for name, cells in table.rows:
        shown = [c.text + r"\*" * c.clear + (f"<br>{c.span}" if c.span else "") for c in cells]
        rows.append(line([_marked(name), *shown]))
    return "\n".join(rows)


def _marked(text: str) -> str:
    """Text as itself in Markdown, on one line."""
    return re.sub(r"([\\`*_{}\[\]#|~$])", r"\\\1", html.escape(" ".join(text.split())))


def _image(title: str, figure: Figure) -> str:
    data = io.BytesIO()
    figure.savefig(data, dpi=110)
    coded = base64.b64encode(data.getvalue()).decode()
    return f'<p><img alt="{html.escape(title)}" src="data:image/png;base64,{coded}"></p>'
