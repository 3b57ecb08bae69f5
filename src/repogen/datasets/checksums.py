"""The SHA-256 of every file of a dataset, in the format of `sha256sum -c`, and of lines of text."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from repogen.errors import UserError
from repogen.files import read_lines, sha256_of, sha256_of_bytes
from repogen.limits import MAX_LINES

CHECKSUMS = "checksums.sha256"
"""The file's name, in the dataset's folder."""

_LINE = re.compile(r"([0-9a-f]{64})  ([\w./-]+)\n", re.ASCII)


def checksum_line(digest: str, name: str) -> str:
    """The line of a file, `name` relative to the dataset's folder, for `sha256sum -c`."""
    return f"{digest}  {name}\n"


def write_checksums(
    out: TextIO, digests: Iterable[tuple[str, str]], files: dict[str, Path]
) -> None:
    """Write the lines of (digest, name), then those of `files` by name, which are read for it."""
    for digest, name in digests:
        out.write(checksum_line(digest, name))
    for name, path in files.items():
        out.write(checksum_line(sha256_of(path), name))


def read_checksums(path: Path) -> Iterator[tuple[str, str]]:
    """(digest, name) of each line. Raises `UserError` where a line is another."""
    try:
        for number, line in enumerate(read_lines(path, MAX_LINES, newline="\n"), start=1):
            found = _LINE.fullmatch(line)
            if found is None:
                raise UserError(
                    f"{path} line {number} is not a SHA-256, two spaces and a file's name"
                )
            yield found[1], found[2]
    except UserError:
        raise
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from error


def signed_line(text: str) -> str:
    """A line of text after its SHA-256."""
    return f"{sha256_of_bytes(text.encode())} {text}\n"


def read_signed_lines(path: Path) -> Iterator[str]:
    """The texts of a file of `signed_line`. Raises `OSError`, or `ValueError` for damaged lines."""
    for line in read_lines(path, MAX_LINES, newline="\n"):
        digest, _, text = line.removesuffix("\n").partition(" ")
        if not line.endswith("\n") or sha256_of_bytes(text.encode()) != digest:
            raise ValueError("a line differs from its SHA-256")
        yield text
