"""`repogen validate`: check that a dataset is complete and consistent."""

from pathlib import Path

from tyro.conf import Positional

from repogen.commands.parsing import Commands, Flat
from repogen.datasets.sources import SourcesConfig


def commands(_words: list[str]) -> Commands:
    return command


def command(
    dataset: Positional[Path],
    rerender: int = 3,
    sources: Flat[SourcesConfig] = SourcesConfig(),  # noqa: B008
) -> int:
    """Check the labels, images and scenes of a dataset against each other. Prints a line for each
    problem; exit code 1 if there is one.

    Args:
        dataset: A finished dataset.
        rerender: Number of images to render again and compare byte for byte, from 0.
    """
    from repogen.datasets.validate.dataset import validate

    problems = validate(dataset, rerender, sources)
    print("\n".join(problems) or "no problems found")
    return 1 if problems else 0
