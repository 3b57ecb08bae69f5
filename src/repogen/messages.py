"""Messages on stderr."""

import sys
from contextlib import suppress


def say(text: str) -> None:
    """Print a line on stderr, where it can be written."""
    with suppress(OSError):
        print(f"repogen: {text}", file=sys.stderr, flush=True)


def warn(text: str) -> None:
    """Print a warning on stderr."""
    say(f"warning: {text}")
