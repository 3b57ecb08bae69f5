"""Tables of numbers with intervals, independent of the format they are written in, and as HTML."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from repogen.messages import html_text


@dataclass(frozen=True)
class Cell:
    """A number and its interval as text, and whether it is a significant difference."""

    text: str
    interval: str = ""
    significant: bool = False
    value: float = math.nan
    """The number, by which the page sorts; NaN where it is unknown."""
    low: float = math.nan
    high: float = math.nan
    signed: bool = False
    """Whether it is a difference, drawn about 0."""
    later: bool = False
    """Whether it is of another model than the first, and has another colour."""


@dataclass(frozen=True)
class Table:
    """Rows of (name, cells); `columns` holds the header of the names first."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def table_html(table: Table) -> str:
    """A table as an element of a page: a click on a header sorts it; intervals are drawn below
    their numbers, all on one scale, and differences on one about 0."""
    cells = [cell for _, row in table.rows for cell in row]
    limits = tuple(
        max((abs(end) for end in _ends(cells, signed)), default=1.0) or 1.0
        for signed in (False, True)
    )
    head = "".join(f"<th>{_sorter(name)}</th>" for name in table.columns)
    rows = "\n".join(
        f"<tr><td>{html_text(name)}</td>"
        + "".join(_cell_html(cell, limits[cell.signed]) for cell in row)
        + "</tr>"
        for name, row in table.rows
    )
    return (
        f'<div class="scroll"><table class="sortable"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _ends(cells: list[Cell], signed: bool) -> Iterator[float]:
    for cell in cells:
        if cell.signed == signed and not math.isnan(cell.low):
            yield from (cell.low, cell.high, cell.value)


def _sorter(name: str) -> str:
    return f'<button type="button">{html_text(name)}</button>' if name else ""


def _cell_html(cell: Cell, limit: float) -> str:
    sorted_by = "" if math.isnan(cell.value) else f' data-value="{cell.value:.6g}"'
    kind = ' class="significant"' if cell.significant else ""
    text = f"{html_text(cell.text)}{'*' * cell.significant}"
    if cell.interval:
        text += f"<br><small>{html_text(cell.interval)}</small>{_interval_html(cell, limit)}"
    return f"<td{kind}{sorted_by}>{text}</td>"


def _interval_html(cell: Cell, limit: float) -> str:
    """The interval drawn from 0 to `limit`, a difference from -limit to limit."""
    kind = "interval" + " signed" * cell.signed + " later" * (cell.later and not cell.signed)
    ends = {"low": cell.low, "high": cell.high, "value": cell.value}
    start, span = (-limit, 2 * limit) if cell.signed else (0.0, limit)
    places = ";".join(f"--{name}:{(v - start) / span:.1%}" for name, v in ends.items())
    return f'<i class="{kind}" style="{places}"></i>'
