"""From the words of a command line to the call they ask for."""

import contextlib
import functools
import io
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import tyro
from tyro.conf import OmitArgPrefixes, arg

from repogen.errors import UserError

Command = Callable[..., int]
"""A function whose parameters are options; it returns the exit code."""


_Config = TypeVar("_Config")

Flat = Annotated[_Config, OmitArgPrefixes, arg(name="")]
"""A config whose options are flags without a prefix; each of its groups is a box of the help."""


def run_command(verb: str, command: Command | Mapping[str, Command], words: list[str]) -> int:
    """Call `command`, or the one of several that the first word names, with the arguments that
    the words give; returns what it does.

    Raises `UserError` for words that it does not take: tyro's framed messages, folded into a line.
    """
    prog = f"repogen {verb}"
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            if isinstance(command, Mapping):
                commands = {name: _bound(one) for name, one in command.items()}
                call = tyro.extras.subcommand_cli_from_dict(commands, prog=prog, args=words)
            else:
                call = tyro.cli(_bound(command), prog=prog, args=words)
    except SystemExit as end:
        if end.code != 2:
            raise
        raise UserError(f"{_folded(said.getvalue())}; see {prog} --help") from None
    return call()


def _bound(command: Command) -> Callable[..., Callable[[], int]]:
    """The command put off: what it says on stderr is not the parser's."""

    @functools.wraps(command)
    def bound(*args: Any, **kwargs: Any) -> Callable[[], int]:
        return functools.partial(command, *args, **kwargs)

    return bound


def _folded(framed: str) -> str:
    lines = [line.strip(" │╭╮╰╯") for line in framed.splitlines()]
    blocks: list[list[str]] = [[]]
    for line in lines[1:]:
        if line and set(line) <= set("-─"):
            blocks.append([])
        elif line:
            blocks[-1].append(line)
    return " ".join(next((block for block in blocks if block), lines)).rstrip(".")
