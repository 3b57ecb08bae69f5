"""The one exception for mistakes a person can mend."""

_LONGEST = 2_000
"""Letters of a message; files may hold names of any length."""


class UserError(ValueError):
    """Bad input: the message is one line saying what was wrong, where, and what to do.

    The command line prints it without a traceback and exits with code 2. Names and reasons that
    it quotes may hold line ends and what no terminal can print; the message does not.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def printable(text: str) -> str:
    """The text on one line, with what UTF-8 and terminals cannot show written out."""
    whole = " ".join(text.splitlines())
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in whole)
    if len(shown) > _LONGEST:
        return f"{shown[: _LONGEST // 2]} … {shown[-_LONGEST // 2 :]}"
    return shown


def first_line(error: BaseException) -> str:
    """What an exception says first; its name where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def check_between(name: str, value: float, low: float, high: float) -> None:
    """Raises `UserError` for a value that is not between two others, NaN among them."""
    if not low <= value <= high:
        raise UserError(f"{name} {value:g} must lie between {low:g} and {high:g}")


def unknown_choice(kind: str, value: str, choices: object) -> UserError:
    """The error for a name that is not in a catalogue: it lists the names that are."""
    names = ", ".join(str(c) for c in choices)  # type: ignore[attr-defined]
    return UserError(f"unknown {kind} {value!r}; choose from {names}")
