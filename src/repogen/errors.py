"""The one exception for mistakes a person can mend."""


class UserError(ValueError):
    """Bad input: the message is one line saying what was wrong, where, and what to do.

    The command line prints it without a traceback and exits with code 2.
    """


def choose(kind: str, value: str, choices: object) -> UserError:
    """The error for a name that is not in a catalogue: it lists the names that are."""
    names = ", ".join(str(c) for c in choices)  # type: ignore[attr-defined]
    return UserError(f"unknown {kind} {value!r}; choose from {names}")
