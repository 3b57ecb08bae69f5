"""Files that are written completely or not at all, locks, and hashes of files."""

import hashlib
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from filelock import FileLock, Timeout

from repogen.errors import UserError

PARTIAL_PATTERN = ".*.partial"
"""Names of files that a process is writing, or was writing when it was killed."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path to write to; it replaces `path` when the block succeeds.

    No reader ever sees a partial file. Raises `UserError` where the disk is full or the folder
    cannot be written.
    """
    # Processes on several machines may write the same file at once.
    partial = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_dead_partials(path.parent)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):  # where its folder is a file
            partial.unlink(missing_ok=True)


@lru_cache(maxsize=1024)
def _remove_dead_partials(folder: Path) -> None:
    """Remove what killed processes of this machine left half-written in a folder; once for each
    folder."""
    ours = re.compile(rf"\..+\.{re.escape(socket.gethostname())}\.(\d+)\.partial")
    for name in os.listdir(folder):
        if match := ours.fullmatch(name):
            try:
                os.kill(int(match[1]), 0)
            except ProcessLookupError:
                (folder / name).unlink(missing_ok=True)
            except (OSError, OverflowError):  # another user's, or no process number
                continue


def write_atomic(path: Path, data: bytes) -> None:
    """Write bytes through `atomic_path`."""
    with atomic_path(path) as partial:
        partial.write_bytes(data)


def remove_file(path: Path) -> None:
    """Remove a file if it exists. Raises `UserError` where it cannot be removed."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


@contextmanager
def exclusive(lock: Path, root: Path) -> Iterator[None]:
    """Hold the lock file of the folder `root` while the block runs.

    Raises `UserError` where another process holds it or the folder cannot be written.
    """
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(lock, timeout=0)
        held.acquire()
    except Timeout as error:
        raise UserError(
            f"another run is writing into {root}; wait for it or choose another folder"
        ) from error
    except OSError as error:
        raise cannot_write(root, error) from error
    try:
        yield
    finally:
        held.release()


def cannot_write(path: Path, error: OSError) -> UserError:
    """The error for a full disk or a folder that cannot be written."""
    return UserError(
        f"cannot write {path}: {error.strerror}; files written so far are valid; fix the problem "
        "and run the same command again to resume"
    )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_bytes(data: bytes) -> str:
    """SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
