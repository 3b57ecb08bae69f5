"""The standard streams of a command, which may be closed, full or read by nobody."""

import io
import os
import sys
from typing import Any

STDOUT = "standard output"
"""The file name in an `OSError` of `sys.stdout`."""


def open_streams() -> None:
    """Make the standard streams safe to write to; called once, before any file is opened.

    A closed one becomes the null device: the next file opened would get its number, and what
    libraries print would go into it. Errors of stderr are ignored, those of stdout have the file
    name `STDOUT`.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
    if sys.stdin is None:
        sys.stdin = open(0)  # noqa: SIM115
    sys.stdout = _text(_Named(1, "wb", closefd=False), sys.stdout)
    sys.stderr = _text(_Ignoring(2, "wb", closefd=False), sys.stderr)


def drop_stdout() -> None:
    """Send what is still to be printed to the null device: Python tries it again at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


class _Named(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data) or 0
        except OSError as error:
            raise OSError(error.errno, error.strerror, STDOUT) from error


class _Ignoring(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data) or 0
        except OSError:
            return len(memoryview(data).cast("B"))


def _text(file: io.FileIO, before: Any) -> io.TextIOWrapper:
    """A text stream on the file that encodes like `before`."""
    encoding = getattr(before, "encoding", None) or "utf-8"
    errors = getattr(before, "errors", None) or "backslashreplace"
    return io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding,
        errors,
        line_buffering=file.isatty() or file.fileno() == 2,
    )
