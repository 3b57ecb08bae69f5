"""`repogen train`: fine-tune a pose estimator on real and synthetic people."""

from typing import Annotated

from tyro.conf import OmitArgPrefixes

from repogen.commands.parsing import run_command
from repogen.datasets.sets import parse_set
from repogen.training.config import TrainConfig


def run(words: list[str]) -> int:
    return run_command("train", command, words)


def command(options: Annotated[TrainConfig, OmitArgPrefixes]) -> int:
    """Fine-tune a pose estimator, or train a tiny one, on real and synthetic people."""
    for spec in (*options.train, *options.val):
        parse_set(spec)  # a wrong one is told at once, not after seconds of imports
    from repogen.training.loop import train

    print(train(options))
    return 0
