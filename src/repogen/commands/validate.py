"""`repogen validate`: check that a dataset is complete and consistent."""

from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from repogen.commands.parsing import Commands, Flat
from repogen.datasets.sources import SourcesConfig


def commands(_words: list[str]) -> Commands:
    return command


def command(
    dataset: Positional[Path],
    rerender: int | Literal["all"] = 3,
    workers: int = 0,
    sources: Flat[SourcesConfig] = SourcesConfig(),  # noqa: B008
) -> int:
    """Check every file of a dataset against its SHA-256, and labels, images, scenes and options
    against each other. Prints a line for each problem; exit code 1 if there is one.

    Args:
        dataset: A finished dataset.
        rerender: Number of images to make again from options and scenes, and to compare byte for
            byte, from 0; or all.
        workers: Processes, at most 1024; 0 is one for each processor.
    """
    from repogen.datasets.validate.dataset import validate

    problems = validate(dataset, rerender, workers, sources)
    print("\n".join(problems) or "no problems found")
    return 1 if problems else 0
