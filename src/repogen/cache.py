"""Files that are computed once per machine, each with a digest that is checked when it is read."""

import os
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from repogen.errors import UserError, first_line
from repogen.files import atomic_path, read_regular, sha256_of_bytes
from repogen.limits import MAX_CACHED
from repogen.messages import say

_DIGEST_BYTES = 66
"""A line end, SHA-256 in hexadecimal and a line end, after the data."""


def cache_dir() -> Path:
    """The folder of computed files: `REPOGEN_CACHE`, by default `~/.cache/repogen`."""
    return Path(os.environ.get("REPOGEN_CACHE", Path.home() / ".cache" / "repogen"))


def read_cached(path: Path) -> bytes | None:
    """The data of a file that `write_cached` wrote; None where it is absent, cannot be read or is
    not as it was written under this name.

    Raises `UserError` where `path` is a folder or a device, which no file replaces.
    """
    if path.exists() and not path.is_file():
        raise UserError(f"{path} is not a file; remove it, and repogen makes it again")
    try:
        content = read_regular(path, MAX_CACHED)
    except OSError:
        return None
    if content[-_DIGEST_BYTES:] != _digest(path, memoryview(content)[:-_DIGEST_BYTES]):
        return None
    return content[:-_DIGEST_BYTES]


def write_cached(path: Path, data: bytes) -> None:
    """Write the data and their digest, whole or not at all. Raises `UserError` where it fails."""
    try:
        with atomic_path(path) as partial:
            partial.write_bytes(data + _digest(path, data))
    except UserError as error:
        raise _cannot_cache(path, error.__cause__ or error) from error


def read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    """The data of a file of the cache folder; `make` returns them where there is no such file, or
    a damaged one.

    Where several processes start together, one makes the file and the others wait for it. Raises
    `UserError` where it cannot be written.
    """
    data = read_cached(path)
    if data is not None:
        return data
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            data = read_cached(path)
            if data is None:
                if path.exists():
                    say(f"{path} is damaged; it is made again")
                data = make()
                write_cached(path, data)
        return data
    except OSError as error:
        raise _cannot_cache(path, error) from error


def _cannot_cache(path: Path, error: BaseException) -> UserError:
    return UserError(
        f"cannot write {path}: {first_line(error)}; set REPOGEN_CACHE to a writable folder"
    )


def _digest(path: Path, data: bytes | memoryview) -> bytes:
    """The digest depends on the file's name, which holds the version of what is in it."""
    digest = sha256_of_bytes(path.name.encode() + b"\n" + data)
    return f"\n{digest}\n".encode()
