"""Messages on stderr, and text from files made safe to show on terminals, in pages and figures."""

import html
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any

from repogen.errors import escaped, printable

_COLOR = re.compile(r"(\x1b\[[0-9;]*m)")
"""ECMA-48's SGR, which sets colours and weight."""


def say(text: str) -> None:
    """Print a line on stderr, where it can be written."""
    with suppress(OSError):
        print(f"repogen: {printable(text)}", file=sys.stderr, flush=True)


def warn(text: str) -> None:
    """Print a warning on stderr."""
    say(f"warning: {text}")


def html_text(text: str) -> str:
    """Text for a page's elements and quoted attributes, on one line."""
    return html.escape(printable(text))


def figure_text(text: str) -> str:
    """Text for matplotlib: "$" starts no formula, and a leading "_" does not hide a label."""
    plain = printable(text).replace("$", r"\$")
    return f" {plain}" if plain.startswith("_") else plain


@contextmanager
def escaped_output(colors: bool = False) -> Iterator[None]:
    """While the block runs, what Python prints has escapes for what terminals would obey.

    Line ends and tabs stay, on stderr carriage returns (of progress bars), and with `colors`, on
    a terminal, colours.
    """
    out, err = sys.stdout, sys.stderr
    with (
        redirect_stdout(_Escaped(out, "\n\t", colors) if out else out),
        redirect_stderr(_Escaped(err, "\n\t\r", colors) if err else err),
    ):
        yield


class _Escaped:
    """A text stream that writes to another, escaped."""

    def __init__(self, stream: Any, kept: str, colors: bool) -> None:
        self._stream, self._kept = stream, kept
        self._colors = colors and stream.isatty()

    def write(self, text: str) -> int:
        parts = _COLOR.split(text) if self._colors else [text]
        # Each second part is a colour.
        shown = "".join(p if i % 2 else escaped(p, self._kept) for i, p in enumerate(parts))
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(shown.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
