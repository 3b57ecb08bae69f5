"""`repogen evaluate`: score weights on sets of labelled people."""

from repogen.commands.parsing import Commands, Flat
from repogen.datasets.sets import parse_set
from repogen.evaluation.config import EvaluateConfig


def commands(_words: list[str]) -> Commands:
    return command


def command(options: Flat[EvaluateConfig]) -> int:
    """Score models on sets of labelled people, and compare them."""
    for spec in options.data:
        parse_set(spec)  # an error comes now, not after seconds of imports
    from repogen.evaluation.page import report_text
    from repogen.evaluation.report import evaluate

    print(report_text(evaluate(options)))
    return 0
