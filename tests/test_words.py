"""Docstrings, comments, errors and help texts use the plain words of STYLE."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

import repogen

ROOT = Path(repogen.__file__).parent
FOLDERS = sorted({path.relative_to(ROOT).parts[0] for path in ROOT.rglob("*.py")})
FORBIDDEN = re.compile(
    r"\b(?i:told|mended|anew|whence|nobody's|gone on|those that|evenly|things?)\b"
    r"|\b(?:METHOD|DESIGN)\b"  # pages outside the repository
)


def texts(source):
    """Line and text of each comment and of each string of several words; of a docstring with its
    first words marked by a leading newline."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    tree = ast.parse(source)
    documents = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, "\n" * (id(node) in documents) + node.value


def unplain(source):
    """LINE: WORD of each word that STYLE forbids."""
    found = set()
    for line, text in texts(source):
        for match in FORBIDDEN.finditer(text):
            found.add((line + text[: match.start()].lstrip("\n").count("\n"), match[0]))
        if text.startswith("\nOf "):
            found.add((line, "Of …"))
    return [f"{line}: {word}" for line, word in sorted(found)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_words_are_plain(folder):
    paths = (ROOT / folder).rglob("*.py") if (ROOT / folder).is_dir() else [ROOT / folder]
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in sorted(paths)}
    assert [f"{name}:{line}" for name, text in sources.items() for line in unplain(text)] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"""Of the picture, its size."""', ["1: Of …"]),
        ('x = 1\n"""Of a pixel."""', ["2: Of …"]),
        ('"""A size.\n\nIt is told anew."""', ["3: anew", "3: told"]),
        ("x = 1  # whence it came", ["1: whence"]),
        ("raise UserError('cannot be mended')", ["1: mended"]),
        ("raise UserError(f'{path} cannot be gone on from')", ["1: gone on"]),
        ('help = "nobody\'s, or evenly spread"', ["1: evenly", "1: nobody's"]),
        ('def f():\n    """Things and those that stand (METHOD 3)."""',
         ["2: METHOD", "2: Things", "2: those that"]),
        ("# DESIGN says why", ["1: DESIGN"]),
    ],
)  # fmt: skip
def test_a_forbidden_word_is_found(source, found):
    assert unplain(source) == found


@pytest.mark.parametrize(
    "source",
    [
        "told = things + mended(anew)",
        'rng = stream(seed, index, "things")',
        '"""Size of the picture (docs/method.md)."""\nsay("Of the")',
        '"""A method: nothing, something, retold, unevenly."""',
    ],
)
def test_other_words_are_allowed(source):
    assert unplain(source) == []
