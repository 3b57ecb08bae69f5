"""`repogen info`: what this installation offers, or what a dataset holds."""

from pathlib import Path

from tyro.conf import Positional

from repogen.commands.parsing import Commands


def commands(_words: list[str]) -> Commands:
    return command


def command(dataset: Positional[Path | None] = None, plausibility: int = 0) -> int:
    """What this installation offers, or what a dataset holds.

    Args:
        dataset: A finished dataset; without one the installation is described.
        plausibility: Measure this many random poses (100: about a minute) of every
            distribution and variance: how much skin is inside the body, and how many degrees
            joints are beyond the human range.
    """
    from repogen.visualization import info

    print(info(dataset, plausibility))
    return 0
