"""Functions that several tests share."""

from collections.abc import Collection
from pathlib import Path


def contents(root: Path, without: Collection[str] = ()) -> dict[str, bytes]:
    """The bytes of every file below a folder, by relative path, but of names in `without`."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name not in without
    }
