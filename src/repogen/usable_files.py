"""Which of many input files can be read: looked at once when a run begins, the answers cached.

A file that cannot be read is left out and named once. One that goes bad or away later is drawn
again with another, and the scene says so.
"""

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from repogen._version import __version__
from repogen.cache import cache_dir, read_cached, write_cached
from repogen.errors import UserError
from repogen.files import sha256_of_bytes
from repogen.messages import say, warn

_CACHED_BYTES = 2**20
"""Files that are smaller together are read each time."""

_ANNOUNCED_BYTES = 2**26
"""From 64 MiB the check takes seconds and is announced."""

_DEEP_BYTES = 2**30
"""More than 1 GiB is checked by the quick reader: decoding would take minutes."""

_TRIES = 50

_T = TypeVar("_T")


@dataclass(frozen=True)
class Usable:
    """The files that a reader accepts, with what it returned for each, and why others are bad."""

    files: tuple[Path, ...]
    values: tuple[Any, ...]
    bad: tuple[str, ...]
    """The reason for each file left out, which names it."""

    @property
    def count(self) -> int:
        """Number of files looked at."""
        return len(self.files) + len(self.bad)


def find_usable(
    paths: Sequence[Path],
    read: Callable[[Path], Any],
    where: str,
    quick: Callable[[Path], Any] | None = None,
    threads: int = 4,
) -> Usable:
    """The files that `read` accepts, in order.

    `read` returns a JSON value, or raises `UserError`. The answers are kept in the cache folder
    and hold while a file's stamp stays the same. `where` names the cached list.
    Of more than 1 GiB, `quick` reads the files instead; what it overlooks is drawn again later.
    """
    stamps = {path: file_stamp(path) for path in paths}
    size = sum(stamp[0] for stamp in stamps.values())
    if quick is not None and size > _DEEP_BYTES:
        read = quick
    kept = size > _CACHED_BYTES
    known = _read_cache(where, read) if kept else {}
    new = [path for path in stamps if known.get(str(path), [None])[0] != stamps[path]]
    if new:
        heavy = sum(stamps[path][0] for path in new) >= _ANNOUNCED_BYTES
        if heavy and multiprocessing.parent_process() is None:
            say(f"checking {len(new)} files of {where}; this is done once")
        with ThreadPoolExecutor(threads) as pool:
            answers = list(pool.map(lambda path: _read_or_reason(path, read), new))
        known |= {str(path): [stamps[path], *a] for path, a in zip(new, answers, strict=True)}
        if kept:
            _write_cache(where, read, known)
    good = [path for path in paths if known[str(path)][2] is None]
    return Usable(
        tuple(good),
        tuple(known[str(path)][1] for path in good),
        tuple(known[str(path)][2] for path in paths if known[str(path)][2] is not None),
    )


def file_stamp(path: Path) -> list[int]:
    """Size, times of change and number of a file, zeros if it is away.

    The second time, of the file's entry on the disk, cannot be set back as the first can.
    """
    try:
        status = path.stat()
    except OSError:
        return [0, 0, 0, 0]
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _read_or_reason(path: Path, read: Callable[[Path], Any]) -> list[Any]:
    """What `read` returns and None, or None and why it refused the file."""
    try:
        return [read(path), None]
    except UserError as error:
        return [None, str(error)]


def _cache_file(where: str, read: Callable[[Path], Any]) -> Path:
    key = f"{__version__} {read.__module__}.{read.__qualname__} {os.path.abspath(where)}"
    return cache_dir() / "usable" / f"{sha256_of_bytes(os.fsencode(key))[:24]}.cache"


def _read_cache(where: str, read: Callable[[Path], Any]) -> dict[str, Any]:
    data = read_cached(_cache_file(where, read))
    return {} if data is None else json.loads(data)


def _write_cache(where: str, read: Callable[[Path], Any], known: dict[str, Any]) -> None:
    with suppress(UserError):  # a folder that cannot be written costs time only
        write_cached(_cache_file(where, read), json.dumps(known).encode())


def report_bad(option: str, found: Usable) -> None:
    """Warn once of the files left out, naming the first. Worker processes stay silent."""
    if found.bad:
        warn_once(
            f"{option}: {len(found.bad)} of {found.count} files left out, the first because "
            f"{found.bad[0]}"
        )


def warn_once(text: str) -> None:
    """Print a warning once in a run: worker processes do not repeat it."""
    if multiprocessing.parent_process() is None:
        _warn_once(text)


@lru_cache(maxsize=256)
def _warn_once(text: str) -> None:
    warn(text)


_unreadable: ContextVar[list[str] | None] = ContextVar("_unreadable", default=None)


@contextmanager
def recorded_unreadable() -> Iterator[list[str]]:
    """A list to which `draw_readable` adds why it drew again, while the block runs."""
    reasons: list[str] = []
    token = _unreadable.set(reasons)
    try:
        yield reasons
    finally:
        _unreadable.reset(token)


def draw_readable(draw: Callable[[], _T]) -> _T:
    """What `draw` returns, called again while it raises `UserError`, at most 50 times.

    `draw` chooses a file at random and reads it; it goes on in the same stream of random numbers.
    Each failure is warned of once in a process and recorded. Raises the last error.
    """
    for _ in range(_TRIES - 1):
        try:
            return draw()
        except UserError as error:
            record_unreadable(str(error))
    return draw()


def record_unreadable(reason: str) -> None:
    """Warn of a file that cannot be read any more, and record it for the scene."""
    reasons = _unreadable.get()
    if reasons is not None and reason not in reasons:
        reasons.append(reason)
    _warn_once(f"{reason}; another file is drawn in its place")
