"""The packaged MoveNet on real people who stand, lie and hang upside down, with and without four
quarter turns of each crop (Leeds Sports Pose Extended, as in real_photographs.py).

    python movenet.py --real ../../shared/data/lspet/annotations.json:../../shared/data/lspet/images
"""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from repogen.coco.images import drop_unreadable, with_true_sizes
from repogen.datasets.sets import read_set
from repogen.evaluation.comparison import compare
from repogen.evaluation.results import Score
from repogen.inference.estimate import estimate_people
from repogen.inference.network import load_estimator

TORSOS = {"up": "upright", "side": "sideways", "inv": "upside down"}
METRICS = ("OKS", "PCK")


@dataclass
class Options:
    """Which people, and with which weights."""

    real: str
    """ANNOTATIONS.json:IMAGES_DIR of people with `torso`."""
    groups: tuple[Literal["up", "side", "inv"], ...] = ("up", "side", "inv")
    """Directions of the torso in the picture."""
    people: int = 300
    """People of each group, the first by id."""
    weights: tuple[str, ...] = ("thunder",)
    """Weights to compare."""
    flip: bool = True
    """Average in the mirrored crops."""


def main(options: Options) -> None:
    """Print a table: each row a network with and without turns, each column a group."""
    names = [f"{TORSOS[group]}, {metric}" for group in options.groups for metric in METRICS]
    print(f"| {' | '.join(['', *names])} |")
    print("|---" * (1 + len(names)) + "|")
    rows: dict[str, list[str]] = {}
    for torso in options.groups:
        for name, cells in group_scores(options, torso).items():
            rows.setdefault(name, []).extend(cells)
    for name, cells in rows.items():
        print(f"| {' | '.join([name, *cells])} |")


def group_scores(options: Options, torso: str) -> dict[str, list[str]]:
    """By network and turns: each metric with its interval, and the change that turns make."""
    annotations, _, images = options.real.rpartition(":")
    data = json.loads(Path(annotations).read_text())
    of_group = [person for person in data["annotations"] if person.get("torso") == torso]
    data["annotations"] = of_group[: options.people]
    shown = {person["image_id"] for person in data["annotations"]}
    data["images"] = [image for image in data["images"] if image["id"] in shown]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "group.json"
        path.write_text(json.dumps(data))
        people, _ = drop_unreadable(with_true_sizes(read_set(f"{torso}={path}:{images}")))
    out = {}
    for weights in options.weights:
        estimator = load_estimator(weights)
        found = {
            str(turns): estimate_people(
                estimator, people, options.flip, rotations=turns, progress=f"{weights} x{turns}"
            )
            for turns in (1, 4)
        }
        total = compare(people, found).total
        out[weights] = [_text(total.scores["1"][metric]) for metric in METRICS]
        out[f"{weights}, four turns"] = [_text(total.scores["4"][m]) for m in METRICS]
        out[f"{weights}, gain"] = [_text(total.differences["4"][m], "+") for m in METRICS]
    return out


def _text(score: Score, sign: str = "") -> str:
    value, low, high = (100 * number for number in (score.value, score.low, score.high))
    return f"{value:{sign}.1f} ({low:{sign}.1f} to {high:{sign}.1f})"


if __name__ == "__main__":
    main(tyro.cli(Options))
