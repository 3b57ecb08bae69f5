"""`repogen info`: options of this installation, or a summary of a dataset."""

from pathlib import Path

from tyro.conf import Positional

from repogen.commands.parsing import Commands


def commands(_words: list[str]) -> Commands:
    return command


def command(dataset: Positional[Path | None] = None, plausibility: int = 0) -> int:
    """Print the options of this installation, or a summary of a dataset.

    Args:
        dataset: A finished dataset; without one the installation is described.
        plausibility: Number of random poses of each distribution and variance to measure (100:
            about a minute): the share of skin inside the body, and degrees of joints beyond the
            human range.
    """
    from repogen.visualization import info

    print(info(dataset, plausibility))
    return 0
