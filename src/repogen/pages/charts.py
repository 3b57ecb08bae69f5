"""Matplotlib's figures as SVG that takes the page's text colour, in light and in dark."""

import io
import re
from typing import TYPE_CHECKING

from repogen.messages import html_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CHANGES = (
    (r"<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>", ""),
    (r' xmlns(:\w+)?="[^"]*"', ""),
    (r' id="(?![pm][0-9a-f]{10}"|C[0-9a-f]+_)[^"]*"', ""),  # nothing refers to them
    (r"xlink:href", "href"),
    (r"#000000", "currentColor"),
    (r"fill: #ffffff", "fill: none"),  # background of the figure, its axes and legends
    (r"font: (?:\w+ )?([\d.]+px) [^;\"]*", r"font-size: \1"),
    (r" font-family: [^;\"]*;?", ""),  # the page's own
    (r"\s*\n\s*", " "),
)
"""Patterns in Matplotlib's SVG, and what replaces them."""


def chart_svg(title: str, figure: "Figure") -> str:
    """A figure as an element of a page, titled for those who do not see it.

    Black (text, axes) becomes the colour of the page's text, and white transparent.
    """
    import matplotlib

    out = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": title}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    for pattern, new in _CHANGES:
        text = re.sub(pattern, new, text, flags=re.DOTALL)
    start = (
        f'<svg role="img" aria-label="{html_text(title)}" '
        'stroke-linejoin="round" stroke-linecap="butt"'
    )
    return text.replace("<svg", start, 1)
