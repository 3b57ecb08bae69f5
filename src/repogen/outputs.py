"""Files that a command writes into a folder, and their record: no other file is overwritten."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from repogen.errors import UserError
from repogen.files import atomic_path, cannot_write, read_regular, sha256_of
from repogen.limits import MAX_INDEX

RECORD = ".repogen.jsonl"
"""A line of JSON for each file that a command wrote below this file's folder."""

_BEGIN = b'{"file": "'


class OutputFolder:
    """A folder into which a command writes files, and their record in `RECORD`.

    A file is recorded with its SHA-256 before it appears. One that exists is overwritten only if
    the record says that the same command wrote it as it is: whatever a user put or changed there
    stays. Nothing is written through a link below the folder.
    """

    def __init__(self, root: Path, command: str) -> None:
        """Read the record of the folder `root`, which need not exist.

        Raises `UserError` for a file or link of the record's name that repogen did not write.
        """
        self.root = root
        self._command = command
        self._known = _read_record(root / RECORD)

    def check(self, *paths: Path) -> None:
        """Raises `UserError` where one of the paths below the folder may not be written."""
        for path in paths:
            self._check(path)

    @contextmanager
    def writing(self, path: Path) -> Iterator[Path]:
        """A temporary path to write to; it replaces `path` when the block succeeds.

        Raises `UserError` as `check` and `atomic_path` do.
        """
        self._check(path)
        with atomic_path(path) as partial:
            yield partial
            self._record(path, sha256_of(partial))

    def write(self, path: Path, data: bytes) -> None:
        """Write bytes through `writing`."""
        with self.writing(path) as partial:
            partial.write_bytes(data)

    def write_text(self, path: Path, pieces: Iterable[str]) -> None:
        """Write text in UTF-8 through `writing`."""
        with self.writing(path) as partial, partial.open("w", encoding="utf-8") as out:
            out.writelines(pieces)

    def _check(self, path: Path) -> None:
        name = path.relative_to(self.root)
        for part in (name, *name.parents[:-1]):
            if (self.root / part).is_symlink():
                raise UserError(
                    f"{self.root / part} is a link, and repogen {self._command} writes through "
                    "none; choose another folder"
                )
        if not os.path.lexists(path):
            return
        key = (name.as_posix(), self._command)
        if key not in self._known or not path.is_file():
            raise UserError(
                f"{path} exists and was not written by repogen {self._command}; choose another "
                "folder"
            )
        try:
            digest = sha256_of(path)
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from error
        if digest not in self._known[key]:
            raise UserError(
                f"{path} has changed since repogen {self._command} wrote it; move it elsewhere, or "
                "choose another folder"
            )

    def _record(self, path: Path, digest: str) -> None:
        name = path.relative_to(self.root).as_posix()
        digests = self._known.setdefault((name, self._command), set())
        if digest in digests:
            return
        record = self.root / RECORD
        line = json.dumps({"file": name, "command": self._command, "sha256": digest})
        try:
            with record.open("a", encoding="utf-8") as file:
                file.write(f"\n{line}")  # the line before may be half a line, of a full disk
        except OSError as error:
            raise cannot_write(record, error) from error
        digests.add(digest)


def _read_record(path: Path) -> dict[tuple[str, str], set[str]]:
    """The SHA-256 of all that each command wrote, by file name and command."""
    known: dict[tuple[str, str], set[str]] = {}
    if not os.path.lexists(path):
        return known
    lines = [b"no file"]
    if path.is_file() and not path.is_symlink():
        try:
            lines = read_regular(path, MAX_INDEX).splitlines()
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from error
    if not all(_BEGIN.startswith(line[: len(_BEGIN)]) for line in lines):
        raise UserError(f"{path} was not written by repogen; choose another folder")
    for line in lines:
        try:
            entry = json.loads(line)
            key = str(entry["file"]), str(entry["command"])
            known.setdefault(key, set()).add(str(entry["sha256"]))
        except (KeyError, RecursionError, TypeError, ValueError):
            continue  # an empty line, or half a one
    return known
