"""The one exception for bad input, and the checks that raise it."""

import errno
import re
from collections.abc import Iterable
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

_LONGEST = 2_000
"""Largest number of characters of a message; names in files may have any length."""

_NO_MEMORY = re.compile(
    r"failed to map segment|(?i:can(no|')t allocate memory|(unable|failed) to allocate)|bad_alloc"
    r"|can't start new thread|DefaultCPUAllocator"
)
"""Messages of libraries without memory; their errors have no common class."""


class UserError(ValueError):
    """Bad input: the message is one line that says what is wrong, where, and what to do.

    The command line prints it without a traceback and exits with code 2. Line ends and characters
    that a terminal cannot show, in names that it quotes, are replaced.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def escaped(text: str, kept: str = "") -> str:
    """The text with escapes for characters that a terminal obeys or cannot show, except `kept`:
    control characters, both directions of writing, and bytes of names that are no UTF-8."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept else ascii(c)[1:-1] for c in text)


def printable(text: str) -> str:
    """The text on one line, with escapes for what UTF-8 and terminals cannot show."""
    shown = escaped(" ".join(text.splitlines()))
    if len(shown) > _LONGEST:
        return f"{shown[: _LONGEST // 2]} … {shown[-_LONGEST // 2 :]}"
    return shown


def first_line(error: BaseException) -> str:
    """The first line of an exception's message, or its class name if it has none; of an error of
    the operating system only the reason, since messages name the file themselves."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).splitlines() or [type(error).__name__])[0]


def exhausted(error: BaseException | None) -> str | None:
    """What the process has too little of, with the remedy, if that caused the error or an error
    before it; else None."""
    while error is not None:
        number = error.errno if isinstance(error, OSError) else None
        if number in (errno.EMFILE, errno.ENFILE):
            return "too many open files; allow more (ulimit -n), or use fewer --workers"
        if (
            isinstance(error, MemoryError)
            or number == errno.ENOMEM
            or _NO_MEMORY.search(str(error))
        ):
            return (
                "out of memory; run the same command again to resume, with fewer --workers or more "
                "memory (ulimit -v)"
            )
        error = error.__cause__ or error.__context__
    return None


def plain_number(value: float) -> str:
    """A number as a person would type it: 1000000 and 0.05, not 1e+06 or 0.050000000000000003."""
    return f"{value:.12g}"


def check_between(name: str, value: float, low: float, high: float) -> None:
    """Raises `UserError` for a value outside of `low` to `high`, and for NaN."""
    if not low <= value <= high:
        shown, least, most = (plain_number(number) for number in (value, low, high))
        raise UserError(f"{name} {shown} must lie between {least} and {most}")


def check_range(name: str, limits: tuple[float, float], low: float, high: float) -> None:
    """Raises `UserError` for a range that leaves `low` to `high`, or whose ends are swapped."""
    for value in limits:
        check_between(name, value, low, high)
    if limits[0] > limits[1]:
        shown = " ".join(plain_number(limit) for limit in limits)
        raise UserError(f"{name} {shown}: give the lower value first")


def check_counts(name: str, limits: tuple[int, int], low: int, high: int) -> None:
    """Raises `UserError` for a range of counts that leaves `low` to `high`, or is swapped."""
    few, many = limits
    if not low <= few <= many <= high:
        raise UserError(
            f"{name} {few} {many}: two counts between {low} and {high}, the smaller one first"
        )


def check_not_empty(path: Path) -> None:
    """Raises `UserError` for an empty file. What else is wrong with a file, its reader says."""
    with suppress(OSError):
        if path.is_file() and path.stat().st_size == 0:
            raise UserError(f"{path} is empty")


def unknown_choice(kind: str, value: str, choices: Iterable[object]) -> UserError:
    """The error for a name that is not one of the choices; it lists them and suggests one."""
    names = [str(choice) for choice in choices]
    near = closest(value, names)
    advice = f" (did you mean {near}?)" if near else ""
    return UserError(f"unknown {kind} {value!r}; choose from {', '.join(names)}{advice}")


def closest(word: str, names: Iterable[str]) -> str | None:
    """The name that a misspelt word probably means; None where none is near."""
    return next(iter(get_close_matches(word, list(names), n=1)), None)
