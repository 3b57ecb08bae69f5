"""What comes from files is escaped where it is shown: on terminals, in pages, in figures."""

import io
import sys
from html.parser import HTMLParser

import pytest

from repogen.errors import UserError
from repogen.messages import escaped_output, figure_text, html_text, say, warn

HOSTILE = (
    "\x1b]0;title\x07", "\x9b31m", "\x1b[2J", "\r", "\x08", "\x7f", "\u202e", "\u2066", "\u2028",
    "\udcff", "\0",
)  # fmt: skip


def is_safe(text, kept="\n\t"):
    return all(c.isprintable() or c in kept for c in text)


@pytest.mark.parametrize("text", HOSTILE)
def test_messages_are_one_line_without_control_characters(text, capfd):
    say(f"a{text}b\nc")
    warn(text)
    out, err = capfd.readouterr()
    assert not out
    assert is_safe(err)
    assert err.count("\n") == 2
    assert is_safe(str(UserError(text)), "")


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_printed_has_no_control_characters(text, capfd):
    with escaped_output():
        print("a", text, "b\n\tc")
        print(text, file=sys.stderr)
        sys.stderr.writelines([text, "\rbar"])
    out, err = capfd.readouterr()
    assert is_safe(out)
    assert out.endswith("b\n\tc\n")
    assert is_safe(err, "\n\t\r")


def test_long_values_are_shortened(capfd):
    say("x" * 10**6)
    assert len(capfd.readouterr().err) < 3000


def test_output_in_another_encoding_is_escaped(monkeypatch):
    data = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(data, encoding="ascii"))
    with escaped_output():
        print("a → ü")
    sys.stdout.flush()
    assert data.getvalue() == b"a \\u2192 \\xfc\n"


def test_colours_stay_only_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return True

    for stream, expected in ((Terminal(), "\x1b[1mx"), (io.StringIO(), "\\x1b[1mx")):
        monkeypatch.setattr(sys, "stdout", stream)
        with escaped_output(colors=True):
            print("\x1b[1mx\x1b]0;y", end="")
        assert stream.getvalue() == f"{expected}\\x1b]0;y"


@pytest.mark.parametrize("text", ["<script>x</script>", "\" onload='x'", "]]>", "-->", "&#60;b"])
def test_text_in_a_page_is_only_text(text):
    seen = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            seen.append((tag, attributes))

        def handle_data(self, data):
            seen.append(data)

    page = Reader()
    page.feed(f"<p title=\"{html_text(text)}\" id='{html_text(text)}'>{html_text(text)}</p>")
    page.close()
    assert seen[0] == ("p", [("title", text), ("id", text)])
    assert "".join(seen[1:]) == text


@pytest.mark.parametrize("text", [r"$\frac$", "$", "_hidden", "a\nb", "\udcff", "\x1b[2J", "$$$"])
def test_any_name_can_stand_in_a_figure(text):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    axes = figure.add_subplot()
    axes.plot([0, 1], label=figure_text(text))
    axes.set_title(figure_text(text))
    figure.legend()
    picture = io.BytesIO()
    figure.savefig(picture)
    assert picture.tell() > 0
