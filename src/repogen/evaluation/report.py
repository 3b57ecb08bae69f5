"""Evaluating weights on sets, and the table and JSON that come of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from repogen.datasets.folder import write_whole
from repogen.datasets.samples import readable
from repogen.datasets.sets import read_set
from repogen.evaluation.scores import Score, evaluate_estimates
from repogen.inference.estimate import estimate_people
from repogen.inference.network import load_estimator

Table = dict[str, dict[str, Score]]
"""By set, then by score."""

SHOWN = ("AP", "AP50", "AP75", "APM", "APL", "AR", "OKS", "PCK", "swapped")


def evaluate(weights: Path, data: tuple[str, ...], flip: bool = True, draws: int = 200) -> Table:
    """Score weights on sets (as `read_set` reads them) with boxes from the ground truth.

    `draws` bootstrap draws give the intervals. Raises `UserError` for input a person can mend.
    """
    estimator = load_estimator(weights)
    out = {}
    for spec in data:
        people, _ = readable(read_set(spec))
        found = estimate_people(estimator, people, flip)
        out[people.name] = evaluate_estimates(people, found, draws)
    return out


def table_text(table: Mapping[str, Mapping[str, Score]]) -> str:
    """The table as aligned text, a column for each score, intervals below the values."""
    width = max(8, *(len(name) for name in table)) + 2
    lines = [" " * width + "".join(f"{name:>16}" for name in SHOWN)]
    for name, scores in table.items():
        lines.append(f"{name:<{width}}" + "".join(f"{scores[s].value:>16.3f}" for s in SHOWN))
        spans = (f"{scores[s].low:.3f}–{scores[s].high:.3f}" for s in SHOWN)
        lines.append(" " * width + "".join(f"{span:>16}" for span in spans))
    return "\n".join(lines)


def write_report(path: Path, weights: Path, table: Table) -> None:
    """The table as JSON: value, low and high of every score of every set."""
    data = {
        "weights": str(weights),
        "sets": {
            name: {score: asdict(value) for score, value in scores.items()}
            for name, scores in table.items()
        },
    }
    write_whole(path, (json.dumps(data, indent=1) + "\n").encode())
