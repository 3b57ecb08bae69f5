"""What people write by hand or with other programs: text, licences, and names of other files."""

import os
import re
from pathlib import Path

from repogen.errors import UserError

_COMMENT = r"^\s*(?:#|//)*\s*"
_PROSE = r"(?!(?:text|along|for|as|or|and|is|of)\b)"
"""Words after "license" that make it part of a sentence of a licence's own notice."""

_STATEMENTS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_COMMENT}licen[sc]e\b\s*:?\s+{_PROSE}(\w.*)",
        r"\blicen[sc]ed(?:\s+under)?(?:\s+the)?\s+(\w.*)",
        r"\breleased as (CC0)\b",
    )
]
_LONGEST_LICENCE = 80
_LONGEST_LINE = 300
"""What of a line is looked at; the patterns take long over thousands of spaces."""


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or else Latin-1. Raises `UserError` where it cannot be read."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # a name with a null is a ValueError
        why = getattr(error, "strerror", None) or error
        raise UserError(f"cannot read {path}: {why}") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def stated_licence(text: str) -> str:
    """The licence that the lines of a file, comments or not, first put it under; empty where none
    does. Understood are `license …`, `licensed (under) …` and `released as CC0`."""
    for line in text.splitlines():
        for statement in _STATEMENTS:
            if found := statement.search(line[:_LONGEST_LINE]):
                return " ".join(found[1].split())[:_LONGEST_LICENCE]
    return ""


def find_file(path: Path, name: str, root: Path) -> Path:
    """The file that another file at `path` calls `name`, without leaving `root`.

    Many that people share call it by a path of their own machine, or of another folder than it
    was packed in: where the path leads nowhere, a file of that name is looked for beside `path`
    and in a folder `textures` there or one above. Upper and lower case are the same. Raises
    `UserError` where the path leaves `root` and nothing is found instead.
    """
    parts = name.replace("\\", "/")
    own, last = path.parent, parts.rsplit("/", 1)[-1]
    wanted = own / parts
    places = [own / last, own / "textures" / last, own.parent / "textures" / last]
    for place in (wanted, *places):
        if _is_inside(place, root) and (found := _on_disk(place)):
            return found
    if not _is_inside(wanted, root):
        raise UserError(f"{path}: the file name {name!r} is refused: it leaves {root}")
    return wanted


def _is_inside(path: Path, root: Path) -> bool:
    whole = os.path.abspath(root)  # is_relative_to takes long over thousands of folders
    return os.path.commonpath([os.path.abspath(path), whole]) == whole


def _on_disk(path: Path) -> Path | None:
    """The file, or one beside it whose name differs in upper and lower case alone."""
    try:
        if path.is_file():
            return path
        beside = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
        return next(
            (p for p in beside if p.name.lower() == path.name.lower() and p.is_file()), None
        )
    except (OSError, ValueError):  # a name that no file can have
        return None
