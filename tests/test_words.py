"""Docstrings, comments, errors, help texts and pages use the plain words of STYLE."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

import repogen

ROOT = Path(repogen.__file__).parent
PROJECT = Path(__file__).parents[1]
PAGES = [
    *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((PROJECT / "docs").rglob("*.md")),
    *sorted((PROJECT / "examples").glob("*.md")),
    *sorted((PROJECT / "experiments").rglob("*.md")),
]
FOLDERS = sorted({path.relative_to(ROOT).parts[0] for path in ROOT.rglob("*.py")})
FORBIDDEN = re.compile(
    r"\b(?i:told|mended|anew|whence|nobody's|gone on|those that|evenly|things?)\b"
    r"|\b(?:METHOD|DESIGN)\b"  # pages outside the repository
)

AMERICAN = re.compile(r"\b(?:artifacts?|behaviors?|centers?|colors?|meters?|neighbors?)\b", re.I)
"""Spellings to avoid in comments, docstrings and pages; other strings may be code."""
CODE = re.compile(r"```.*?```|`[^`]*`|\]\([^)]*\)|https?:\S+", re.DOTALL)
"""Code and addresses."""


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


def forbidden(text, patterns, line=1):
    """Line and word of each word that STYLE forbids, code between backticks aside."""
    words = CODE.sub(lambda code: "\n" * code[0].count("\n"), text)
    matches = [m for pattern in patterns for m in pattern.finditer(words)]
    return {(line + words[: m.start()].lstrip("\n").count("\n"), m[0]) for m in matches}


def unplain_page(text):
    """LINE: WORD of each word of a Markdown page that STYLE forbids."""
    return [f"{line}: {word}" for line, word in sorted(forbidden(text, (FORBIDDEN, AMERICAN)))]


def unplain(source):
    """LINE: WORD of each word of Python source that STYLE forbids."""
    found = set()
    for line, text in texts(source):
        prose = text.startswith(("#", "\n"))
        found |= forbidden(text, (FORBIDDEN, AMERICAN) if prose else (FORBIDDEN,), line)
        if text.startswith("\nOf "):
            found.add((line, "Of …"))
    return [f"{line}: {word}" for line, word in sorted(found)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_words_are_plain(folder):
    paths = (ROOT / folder).rglob("*.py") if (ROOT / folder).is_dir() else [ROOT / folder]
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in sorted(paths)}
    assert [f"{name}:{line}" for name, text in sources.items() for line in unplain(text)] == []


@pytest.mark.parametrize(
    "folder", ["tests", "tools", "benchmarks", "docs", "examples", "experiments"]
)
def test_words_outside_the_package_are_plain(folder):
    paths = {path for path in (PROJECT / folder).rglob("*.py") if path != Path(__file__)}
    sources = {str(path.relative_to(PROJECT)): path.read_text() for path in sorted(paths)}
    assert len(sources) >= 3
    assert [f"{name}:{line}" for name, text in sources.items() for line in unplain(text)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_words_of_a_page_are_plain(page):
    assert unplain_page(page.read_text()) == []


def test_a_forbidden_word_of_a_page_is_found():
    text = "# A page\n\n```\ncolor things\n```\n\n`color` [a](things.md)\nThe color of things.\n"
    assert unplain_page(text) == ["8: color", "8: things"]


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
