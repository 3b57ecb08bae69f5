"""`repogen train`: fine-tune a pose estimator on real and synthetic people."""

from pathlib import Path

from repogen.commands.parsing import Flat, run_command
from repogen.datasets.sets import parse_set
from repogen.training.config import TrainConfig


def run(words: list[str]) -> int:
    return run_command("train", command, words)


def command(options: Flat[TrainConfig], out: Path) -> int:
    """Fine-tune a pose estimator, or train a tiny one, on real and synthetic people.

    Args:
        out: Folder of the run; a half-made one of the same options is finished.
    """
    for spec in (*options.data.train, *options.data.val):
        parse_set(spec)  # an error comes now, not after seconds of imports
    from repogen.training.loop import train

    print(train(out, options))
    return 0
