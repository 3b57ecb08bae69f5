"""`repogen train`: fine-tune a pose estimator on real and synthetic people."""

from pathlib import Path

from repogen.commands.parsing import Commands, Flat
from repogen.datasets.sets import parse_set
from repogen.training.config import TrainConfig


def commands(_words: list[str]) -> Commands:
    return command


def command(options: Flat[TrainConfig], out: Path) -> int:
    """Fine-tune a pose estimator, or train a tiny one, on real and synthetic people.

    Args:
        out: Folder of the run; an unfinished one of the same options is resumed.
    """
    for spec in (*options.data.train, *options.data.val):
        parse_set(spec)  # an error comes now, not after seconds of imports
    from repogen.training.loop import train

    print(train(out, options))
    return 0
