"""Messages on stderr."""

import sys


def say(text: str) -> None:
    """Print a line on stderr."""
    print(f"repogen: {text}", file=sys.stderr, flush=True)


def warn(text: str) -> None:
    """Print a warning on stderr."""
    say(f"warning: {text}")
