"""The frame of a page: one file with its style and its script, which asks no host for anything."""

import base64
import re
from collections.abc import Iterable, Sequence
from importlib.resources import files

from repogen.messages import html_text


def page(
    kind: str,
    title: str,
    lead: Sequence[str],
    body: Iterable[str],
    script: str = "",
) -> str:
    """An HTML page: what matters as sentences (plain text), then the elements of `body`.

    `kind` says what the page is ("evaluation"). `script` is JavaScript of this page alone, which
    runs after the one that sorts tables. Sections (see `section`) get a line of links.
    """
    text = "\n".join(body)
    links = "".join(f'<a href="#{anchor}">{name}</a>' for anchor, name in _HEADING.findall(text))
    points = "".join(f"<li>{html_text(sentence)}</li>" for sentence in lead)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html_text(title)}</title>\n<style>\n{_source('page.css')}</style></head>\n<body>"
        f'<p class="kind">repogen {html_text(kind)}</p><h1>{html_text(title)}</h1>\n'
        + (f'<ul class="lead">{points}</ul>\n' if points else "")
        + (f"<nav>{links}</nav>\n" if links.count("<a ") > 1 else "")
        + f"{text}\n<script>\n{_source('page.js')}{script}</script></body></html>\n"
    )


_HEADING = re.compile(r'<h2 id="([^"]*)">(.*?)</h2>')


def section(title: str, *parts: str) -> str:
    """A titled part of a page, which the page's line of links names."""
    anchor = "-".join(re.findall(r"\w+", title.lower())) or "section"
    return f'<h2 id="{html_text(anchor)}">{html_text(title)}</h2>\n' + "\n".join(parts)


def subsection(title: str, *parts: str) -> str:
    """A titled part of a section."""
    return f"<div><h3>{html_text(title)}</h3>\n" + "\n".join(parts) + "</div>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text; `kind` is a class of page.css, such as `note`."""
    style = f' class="{kind}"' if kind else ""
    return f"<p{style}>{html_text(text)}</p>"


def side_by_side(*parts: str) -> str:
    """Parts beside each other where the window is wide enough."""
    return f'<div class="side-by-side">{"".join(parts)}</div>'


def columns(*parts: str) -> str:
    """Parts in columns of equal width, as many as fit."""
    return f'<div class="columns">{"".join(parts)}</div>'


def folded(title: str, *parts: str) -> str:
    """Parts that are shown after a click."""
    return f"<details><summary>{html_text(title)}</summary>\n" + "\n".join(parts) + "</details>"


def picture(title: str, data: bytes, kind: str = "image/jpeg") -> str:
    """A picture inside the page; `kind` is its media type."""
    coded = base64.b64encode(data).decode()
    name = html_text(title)
    return f'<img alt="{name}" title="{name}" src="data:{kind};base64,{coded}">'


def figure(caption: str, *parts: str, wide: bool = False) -> str:
    """Pictures or drawings with a caption; a `wide` one scrolls in a narrow window."""
    kind = ' class="chart"' if wide else ""
    text = f"<figcaption>{html_text(caption)}</figcaption>" if caption else ""
    return f"<figure><div{kind}>{''.join(parts)}</div>{text}</figure>"


def people(figures: Iterable[str]) -> str:
    """Figures of people in rows."""
    return f'<div class="people">{"".join(figures)}</div>'


def person(caption: str, *pictures: str) -> str:
    """A figure of one person: pictures side by side, with a caption."""
    row = f'<div class="row">{"".join(pictures)}</div>'
    return f"<figure>{row}<figcaption>{html_text(caption)}</figcaption></figure>"


def _source(name: str) -> str:
    return (files("repogen.pages") / name).read_text()
