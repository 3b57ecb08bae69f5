"""Regular files of bounded size, whole writes, locks, and hashes of files.

No other module opens a file by its path, which may name a FIFO that nobody writes to, a device
without an end, or a file that grows while it is read.
"""

import errno
import hashlib
import io
import os
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from filelock import FileLock, Timeout

from repogen.errors import UserError, first_line
from repogen.limits import MAX_FILE, MAX_LINE

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


def open_regular(path: Path | str, limit: int) -> io.BufferedReader:
    """A regular file, or a link to one, open to be read as bytes.

    Raises `OSError`, with `path` as its `filename`, for other kinds (FIFOs, sockets, devices,
    folders), without opening them or waiting; for files that cannot be opened; and for files of
    more than `limit` bytes, here or by the read that goes beyond it.
    """
    return io.BufferedReader(_BoundedFile(os.fspath(path), limit))


def read_regular(path: Path | str, limit: int) -> bytes:
    """All bytes of a file. Raises `OSError` as `open_regular` does."""
    with open_regular(path, limit) as file:
        return file.read()


def read_lines(
    path: Path | str, limit: int, errors: str = "strict", newline: str | None = None
) -> Iterator[str]:
    """The lines of a UTF-8 file, each with `\\n` at its end; `newline` is as for `open`.

    Raises `OSError` as `open_regular` does, and for a line longer than `MAX_LINE`; for other
    encodings `UnicodeDecodeError`, unless `errors` says otherwise.
    """
    with open_regular(path, limit) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", errors=errors, newline=newline)
        while line := text.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                what = f"it has a line of more than {MAX_LINE:,} characters"
                raise OSError(errno.EFBIG, what, str(path))
            yield line


@contextmanager
def path_for_library(path: Path | str, limit: int | None) -> Iterator[str]:
    """A path to the same file for a library that must open it itself, valid inside the block.

    It is a link where the name is no UTF-8, which crashes such libraries, or has a percent sign,
    which OpenCV takes for a pattern of names; a link to its folder where only that has such a name,
    since a network's weights may lie beside it. A file to read must be regular: raises `OSError`
    as `open_regular` does. `limit` is None for a file to write.
    """
    if limit is not None:
        open_regular(path, limit).close()
    name = os.path.abspath(path)
    if _usual(name):
        yield name
        return
    parent, own = os.path.split(name)
    with TemporaryDirectory(prefix="repogen-") as folder:
        if _usual(own):
            link = os.path.join(folder, "folder")
            os.symlink(parent, link)
            yield os.path.join(link, own)
        else:
            link = os.path.join(folder, f"file{Path(path).suffix}")
            os.symlink(name, link)
            yield link


def _usual(name: str) -> bool:
    return name.isprintable() and "%" not in name


class _BoundedFile(io.FileIO):
    """A regular file, of which no byte beyond `limit` can be read."""

    def __init__(self, path: str, limit: int) -> None:
        self._path, self._limit = path, limit
        try:
            self._check(os.stat(path))  # opening a device may change it
            super().__init__(path, opener=_open_at_once)
        except ValueError as error:
            raise OSError(errno.EINVAL, "no file can have a name with a null", path) from error
        try:
            self._check(os.fstat(self.fileno()))
        except OSError:
            self.close()
            raise

    def _check(self, status: os.stat_result) -> None:
        kind = _KINDS.get(stat.S_IFMT(status.st_mode))
        if kind is not None:
            raise OSError(errno.EINVAL, f"it is {kind}, not a regular file", self._path)
        if status.st_size > self._limit:
            raise self._too_large()
        self._size = status.st_size

    def readinto(self, buffer: Any, /) -> int:
        return self._counted(super().readinto(memoryview(buffer)[: self._left()]))

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            return self.readall()
        data = super().read(min(size, self._left()))
        self._counted(None if data is None else len(data))
        return data

    def readall(self) -> bytes:
        parts = []
        while part := self.read(max(self._size - self.tell() + 1, io.DEFAULT_BUFFER_SIZE)):
            parts.append(part)
        return b"".join(parts)

    def _left(self) -> int:
        """Bytes to read at most: one more than is allowed, which shows that the file is larger."""
        return max(0, self._limit - self.tell() + 1)

    def _counted(self, count: int | None) -> int:
        if count is None:  # a kernel's log, which would wait for more
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN), self._path)
        if count and self.tell() > self._limit:
            raise self._too_large()
        return count

    def _too_large(self) -> OSError:
        return OSError(errno.EFBIG, f"it has more than {self._limit:,} bytes", self._path)


def _open_at_once(path: str, flags: int) -> int:
    """A file descriptor; opening a FIFO does not wait for a writer."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))


PARTIAL_PATTERN = ".*.partial"
"""Names of files that a process is writing, or was writing when it was killed."""


_LONG_NAME = 150
"""Bytes of a name that leave no room for the additions, since a name has at most 255."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path to write to; it replaces `path` when the block succeeds.

    No reader ever sees a partial file. Raises `UserError` where the disk is full or the folder
    cannot be written.
    """
    # Processes on several machines may write the same file at once.
    name = (
        path.name
        if len(os.fsencode(path.name)) < _LONG_NAME
        else sha256_of_bytes(os.fsencode(path.name))[:24]
    )
    partial = path.with_name(f".{name}.{socket.gethostname()}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)  # of a killed process, or a link
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
    ours = re.compile(rf"\..+\.{re.escape(socket.gethostname())}\.(\d+)\.(?:partial|mp4)")
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


def cannot_read(path: Path | str, error: OSError) -> UserError:
    """The error for a file that cannot be opened, or that `open_regular` refuses."""
    return UserError(f"cannot read {path}: {first_line(error)}")


def cannot_write(path: Path, error: OSError) -> UserError:
    """The error for a full disk or a folder that cannot be written."""
    return UserError(
        f"cannot write {path}: {error.strerror}; files written so far are valid; fix the problem "
        "and run the same command again to resume"
    )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal. Raises `OSError` as `open_regular` does."""
    with open_regular(path, MAX_FILE) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_bytes(data: bytes) -> str:
    """SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
