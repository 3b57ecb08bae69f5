"""Text files of other programs: their encoding, stated licence, and references to other files."""

import os
import re
from pathlib import Path

from repogen.errors import UserError
from repogen.files import cannot_read, read_regular
from repogen.limits import MAX_MODEL_TEXT

_COMMENT = r"^\s*(?:#|//)*\s*"
_PROSE = r"(?!(?:text|along|for|as|or|and|is|of)\b)"
"""Not a word that follows "license" in the sentences of a licence's own notice."""

_STATEMENTS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_COMMENT}licen[sc]e\b\s*:?\s+{_PROSE}(\w.*)",
        r"\blicen[sc]ed(?:\s+under)?(?:\s+the)?\s+(\w.*)",
        r"\breleased as (CC0)\b",
    )
]
_MAX_LICENCE = 80
_MAX_LINE = 300
"""Characters searched in a line; the patterns are slow on thousands of spaces."""


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or else Latin-1. Raises `UserError` if it cannot be read."""
    try:
        data = read_regular(path, MAX_MODEL_TEXT)
    except OSError as error:
        raise cannot_read(path, error) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def stated_licence(text: str) -> str:
    """The first licence that the lines of a file state, in comments or not; empty without one.

    Recognized are `license …`, `licensed (under) …` and `released as CC0`.
    """
    for line in text.splitlines():
        for statement in _STATEMENTS:
            if found := statement.search(line[:_MAX_LINE]):
                return " ".join(found[1].split())[:_MAX_LICENCE]
    return ""


def find_file(path: Path, name: str, root: Path) -> Path:
    """The path, inside `root`, of the file that another file at `path` refers to as `name`.

    Shared files often give a path of their author's machine, or of another folder: if there is no
    file at that path, a file of the same name is searched beside `path` and in a folder
    `textures` there or one level up. Case is ignored. Raises `UserError` if the path leaves
    `root` and no other file is found.
    """
    parts = name.replace("\\", "/")
    folder, last = path.parent, parts.rsplit("/", 1)[-1]
    stated = folder / parts
    others = [folder / last, folder / "textures" / last, folder.parent / "textures" / last]
    for candidate in (stated, *others):
        if _is_inside(candidate, root) and (found := _match_on_disk(candidate)):
            return found
    if not _is_inside(stated, root):
        raise UserError(f"{path}: the file name {name!r} is refused: it leaves {root}")
    return stated


def _is_inside(path: Path, root: Path) -> bool:
    absolute = os.path.abspath(root)  # is_relative_to is slow on thousands of folders
    return os.path.commonpath([os.path.abspath(path), absolute]) == absolute


def _match_on_disk(path: Path) -> Path | None:
    """The file, or one beside it whose name differs only in case."""
    try:
        if path.is_file():
            return path
        beside = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
        return next(
            (p for p in beside if p.name.lower() == path.name.lower() and p.is_file()), None
        )
    except (OSError, ValueError):  # a name that no file can have
        return None
