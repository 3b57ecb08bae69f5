"""From the words of a command line to the call they ask for."""

import contextlib
import functools
import inspect
import io
import re
import sys
from ast import literal_eval
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union

import tyro
from tyro.conf import OmitArgPrefixes, OmitSubcommandPrefixes, Positional, arg, subcommand

from repogen.config import Config, config_from_table, merged
from repogen.errors import UserError, unknown_choice
from repogen.messages import escaped_output

Command = Callable[..., int]
"""A function whose parameters are options; it returns the exit code."""

Commands = Command | Mapping[str, Command]
"""A verb's command, or several by name."""

_Config = TypeVar("_Config")
_Options = TypeVar("_Options", bound=Config)

Flat = Annotated[_Config, OmitArgPrefixes, arg(name="")]
"""A config whose options are flags without a prefix; each of its groups is a box of the help."""

_REWORDED = (
    (r"Error parsing [a-z][\w.]*: (.*)", r"\1"),  # what a config refuses
    (
        r"Error parsing (-\S+): invalid literal for int\(\) .*: (.*)",
        r"\1 \2 should be a whole number",
    ),
    (r"Error parsing (-\S+): could not convert .* float: (.*)", r"\1 \2 should be a number"),
    (
        r"Error parsing (-\S+): no type matching FLOAT\|\{(\w+)\} .* from \[('.*?')\].*",
        r"\1 \3 should be a number or \2",
    ),
)
"""Messages of tyro, and the same in plain English."""


_FILES_IN_BASH = """
# Complete file names where nothing else fits.
_repogen() { _tyro_repogen; [ -n "${COMPREPLY[*]}" ] || COMPREPLY=(); return 0; }
complete -o default -F _repogen repogen"""


def run_command(verb: str, command: Commands, words: list[str]) -> int:
    """Call `command`, or the one of several that the first word names, with the arguments that
    the words give; returns its exit code.

    Raises `UserError` for words that it does not take: tyro's framed messages, on one line.
    """
    prog = f"repogen {verb}"
    messages = io.StringIO()
    if isinstance(command, Mapping) and words and not words[0].startswith("-"):
        name, *words = words
        if name not in command:
            raise unknown_choice(f"command of {prog}", name, command)
        prog, command = f"{prog} {name}", command[name]
    try:
        with contextlib.redirect_stderr(messages), escaped_output(colors=True):
            call = tyro.cli(_deferred(command), prog=prog, args=words)
    except SystemExit as end:
        if end.code != 2:
            raise
        raise UserError(f"{_one_line(messages.getvalue())}; see {prog} --help") from None
    with escaped_output():
        print(messages.getvalue(), end="", file=sys.stderr, flush=True)  # warnings of configs
        return call()


def value_of(words: list[str], flag: str) -> str | None:
    """The last value of a flag, whose choice sets the defaults of others; None without it."""
    found = None
    for i, word in enumerate(words):
        if word == flag and i + 1 < len(words):
            found = words[i + 1]
        if word.startswith(flag + "="):
            found = word.split("=", 1)[1]
    return found


def options_of(kind: type[_Options], words: list[str]) -> _Options:
    """The options of a command of `repogen generate`'s kind: those of the --preset and the --config
    in its words, which win."""
    from repogen.generation.config import options_of_preset
    from repogen.toml_files import read_config

    preset, file = value_of(words, "--preset"), value_of(words, "--config")
    distribution = value_of(words, "--pose-distribution")
    poses = {"pose": {"pose_distribution": distribution}} if distribution else {}
    table = options_of_preset(preset, merged(read_config(Path(file)) if file else {}, poses))
    return config_from_table(kind, table, f"--config {file}") if file else kind(**table)


def print_completion(shell: str, verbs: Mapping[str, Commands]) -> None:
    """Print a script that lets a shell (bash, zsh or fish) complete verbs and options."""
    with contextlib.suppress(SystemExit):
        tyro.cli(_deferred(verbs), prog="repogen", args=["--tyro-print-completion", shell])
    if shell == "bash":
        print(_FILES_IN_BASH)


def _deferred(command: Commands | Mapping[str, Commands]) -> Any:
    """For tyro: a function that defers the call until parsing is done, since what it prints on
    stderr is not the parser's. Of several commands, a function of the one that is chosen."""
    if isinstance(command, Mapping):
        kinds = [
            Annotated[Any, subcommand(name=name, constructor=_deferred(one))]
            for name, one in command.items()
        ]

        def choose(chosen: Any) -> Any:
            return chosen

        one_of: Any = Union[tuple(kinds)]  # noqa: UP007
        choose.__annotations__["chosen"] = Annotated[one_of, OmitSubcommandPrefixes]
        return choose

    @functools.wraps(command)
    def deferred(*args: Any, **kwargs: Any) -> Callable[[], int]:
        return functools.partial(command, *args, **kwargs)

    signature = inspect.signature(command)
    parameters = [
        parameter.replace(annotation=Annotated[parameter.annotation, arg(metavar=name.upper())])
        if _is_positional(parameter.annotation)
        else parameter
        for name, parameter in signature.parameters.items()
    ]
    deferred.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    deferred.__annotations__ = {p.name: p.annotation for p in parameters}
    del deferred.__wrapped__  # tyro would read the annotations there
    return deferred


def _is_positional(hint: Any) -> bool:
    return any(mark is Positional for mark in getattr(hint, "__metadata__", ()))


def _one_line(framed: str) -> str:
    """What tyro says in frames, without them, and the option that was probably meant."""
    # The frame is of spaces where the output's encoding lacks others.
    missing = re.findall(r"^[│ ] {5}(--\S+|[A-Z]\S+)", framed, re.MULTILINE)
    if "Missing from" in framed and missing:
        return f"missing: {', '.join(missing)}"
    lines = [line.strip(" │╭╮╰╯") for line in framed.splitlines()]
    blocks: list[list[str]] = [[]]
    for line in lines[1:]:
        if line and set(line) <= set("-─"):
            blocks.append([])
        elif line:
            blocks[-1].append(line)
    text = " ".join(next((block for block in blocks if block), lines)).rstrip(". ")
    for pattern, words in _REWORDED:
        text = re.sub(f"^{pattern}$", words, text)
    choice = re.match(
        r"invalid choice '(.*)' for argument '(.*)'\. Expected one of (\(.*\))$", text
    )
    if choice:
        names = literal_eval(choice[3])
        if "None" in names:  # of an option that may be left out, in any order
            names = sorted(name for name in names if name != "None")
        text = str(unknown_choice(choice[2], choice[1], names))
    near = [
        block[1].split()[0]
        for block in blocks
        if len(block) > 1 and re.match("Perhaps you meant|Arguments similar to", block[0])
    ]
    return f"{text} (did you mean {' '.join(near)}?)" if near else text
