"""What mined people are worth: MoveNet fine-tuned on 1,000 mined people, against 1,000 and 3,000 of
the same options drawn at random, as many steps; how long mining takes; and what it finds.

    python mining.py time --candidates 200
    python mining.py rounds --mined DATASET
    python mining.py compare --out OUT --real ANNOTATIONS.json:IMAGES_DIR --steep STEEP.json

Scored on the real people of `pretrained.py`, and on generated people who are held out, by the
camera's elevation. Every score of a run is kept: run the same command again to resume.
"""

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, ParamSpec, TypeVar
from unittest.mock import patch

import cv2
import engine
import numpy as np
import pretrained
import tyro
from pretrained import AGREED, CORRECTED, Arm

from repogen import MineConfig
from repogen.coco.annotations import PersonAnnotations, parse_person_annotations
from repogen.datasets.folder import DatasetFolder
from repogen.json_files import read_json
from repogen.mining import candidates
from repogen.mining.candidates import TASK, Task, judge_task
from repogen.mining.choice import choose
from repogen.mining.fitting import fit
from repogen.mining.records import Candidate, JudgedPerson, read_candidates
from repogen.mining.regions import divide
from repogen.rendering.renderer import Renderer

RARE: Mapping[str, Any] = {
    "images": 1000, "image-size": 320, "views": "sphere",
    "orientation": ("upright=0.6", "any=0.4"),
}  # fmt: skip
"""Options that both the mined and the random people are drawn from."""

MINED = RARE | {"weights": "lightning", "candidates": 5000}
RANDOM = "1,000 random"

ARMS = {
    "pretrained": Arm(),
    RANDOM: Arm(synthetic=RARE, train=AGREED),
    "3,000 random": Arm(synthetic=RARE | {"images": 3000}, train=AGREED),
    "1,000 mined": Arm(synthetic=MINED, train=AGREED, against="3,000 random"),
    "1,000 random, corrected": Arm(synthetic=RARE, train=CORRECTED, against=RANDOM),
    "1,000 mined, corrected": Arm(
        synthetic=MINED, train=CORRECTED, against="1,000 random, corrected"
    ),
    "1,000 mined, with a teacher": Arm(
        synthetic=MINED | {"teacher": "thunder"}, train=AGREED, against="1,000 mined"
    ),
    **{
        f"1,000 mined, {name}": Arm(synthetic=MINED | options, train=AGREED, against="1,000 mined")
        for name, options in {
            "not plausible": {"max-excess": 10000, "max-inside": 1},
            "not diverse": {"diversity": 0},
            "none ordinary": {"ordinary": 0},
            "one round": {"rounds": 1},
        }.items()
    },
}
"""The first is what the others are compared with."""

BANDS = {"above": (20, 90), "level": (-20, 20), "below": (-90, -20)}
"""Degrees of the camera's elevation, of each group of generated people."""

_HELD_OUT = 300
"""Generated people to score on; their seed is no arm's."""

_HEAD = "Head, from the hips in the picture"
"""A way to divide people (`repogen.mining.regions`)."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Compare(pretrained.Options):
    """Where to work, and how much to train."""

    known: ClassVar[Mapping[str, Arm]] = ARMS
    arms: tuple[Literal[tuple(ARMS)], ...] = tuple(ARMS)  # type: ignore[valid-type]
    """Arms to run."""


@dataclass(frozen=True)
class Time:
    """How many candidates to measure."""

    candidates: int = 200
    """Candidates that are judged in one process."""
    weights: str = "lightning"
    """The estimator that is asked."""


@dataclass(frozen=True)
class Rounds:
    """What a run of mining found."""

    mined: Path
    """The dataset that repogen mine wrote."""
    hardest: int = 100
    """People, the hardest of all, who are counted by their trunk in the picture."""


def main(options: Compare | Time | Rounds) -> None:
    """Train and score the arms, time the stages of mining, or count what it found; print tables."""
    if isinstance(options, Time):
        print(stages(options))
    elif isinstance(options, Rounds):
        print(found_in_rounds(options))
    else:
        pretrained.main(options, held_out(options))


def held_out(options: Compare) -> dict[str, PersonAnnotations]:
    """Generated people who are in no arm, by the elevation of the camera."""
    folder = options.out / "data" / "held-out"
    if not DatasetFolder(folder).complete:
        words = [
            word for k, v in (RARE | {"images": _HELD_OUT}).items()
            for word in (f"--{k}", *(v if isinstance(v, tuple) else (v,)))
        ]  # fmt: skip
        workers = max(options.workers, 1)
        engine.run_command("generate", folder, *words, "--seed", 999, "--workers", workers)
    path = DatasetFolder(folder).annotations
    content: Any = read_json(path)
    out = {}
    for name, (low, high) in BANDS.items():
        people = [
            one for one in content["annotations"]
            if low <= one["view"]["elevation_deg"] < high and one["num_keypoints"]
        ]  # fmt: skip
        part = content | {"annotations": people}
        group = f"generated, {name}"
        out[group] = parse_person_annotations(group, part, str(path), folder / "images")
    return out


def found_in_rounds(options: Rounds) -> str:
    """Markdown tables: the difficulty by round and by how people were drawn, and the trunk's
    direction of the hardest people."""
    lines = ["| round | drawn | judged | mean difficulty | above 0.5 |", "|---|---|---|---|---|"]
    everybody: list[JudgedPerson] = []
    paths = sorted(options.mined.glob("mining/candidates-*.jsonl"), key=lambda p: (len(p.name), p))
    for number, path in enumerate(paths, start=1):
        people = [one.person for one in read_candidates(path) if one.person]
        everybody += people
        for drawn, explored in (("as the options say", True), ("by the sampler", False)):
            hard = np.array([p.hardness("all") for p in people if p.explored is explored])
            if len(hard):
                error = hard.std() / np.sqrt(len(hard))
                lines.append(
                    f"| {number} | {drawn} | {len(hard)} | {hard.mean():.3f} ± {error:.3f} "
                    f"| {(hard > 0.5).mean():.0%} |"
                )
    everybody.sort(key=lambda person: -person.hardness("all"))
    hardest = everybody[: options.hardest]
    swapped = sum(person.difficulty[0][1] > 0.5 for person in hardest)
    lines += ["", f"| {_HEAD} | hardest {len(hardest)} | all {len(everybody)} |", "|---|---|---|"]
    few, many = (
        {part.name: len(part.rows) for one in divide(people) if one.title == _HEAD
         for part in one.regions}
        for people in (hardest, everybody)
    )  # fmt: skip
    lines += [f"| {name} | {few.get(name, 0)} | {count} |" for name, count in many.items()]
    return "\n".join([
        *lines,
        "",
        f"Difficulty of the hardest: {hardest[-1].hardness('all'):.2f} to "
        f"{hardest[0].hardness('all'):.2f}. Most left-right pairs are exchanged of {swapped}.",
        "",
    ])  # fmt: skip


def stages(options: Time) -> str:
    """Markdown table of the time of each stage of mining, of one process and thread."""
    cv2.setNumThreads(1)
    count = options.candidates
    words = {k.replace("-", "_"): v for k, v in RARE.items()} | {"images": 1, "candidates": count}
    config = MineConfig(**words)

    def judged(first: int, stop: int) -> list[Candidate]:
        tasks = [range(k, min(k + TASK, stop)) for k in range(first, stop, TASK)]
        weights = (options.weights,)
        return [
            found for some in tasks
            for found in judge_task(Task(config, config.judging, weights, "", tuple(some)))
        ]  # fmt: skip

    judged(count, count + TASK)  # panoramas and garments are read once
    spent: dict[str, float] = {}
    with ExitStack() as stack:
        for stage, holder, name in (
            ("drawing", candidates, "sample_posed_scene"),
            ("plausibility", candidates, "_plausible"),
            ("rendering", Renderer, "render"),
            ("inference", candidates, "ask"),
        ):
            function = timed(spent, stage, getattr(holder, name))
            stack.enter_context(patch.object(holder, name, function))
        start = time.process_time()
        found = judged(0, count)
        spent["labels and records"] = time.process_time() - start - sum(spent.values())
    people = [one.person for one in found if one.person]
    if not people:
        sys.exit(f"nobody of --candidates {count} is plausible and seen; give more")
    hard = [one.hardness("all") for one in people]
    start = time.process_time()
    choose(found, max(count // 5, 1), 0.2, 0.0, 1.0, "all")
    fit(people, hard, config.search.components, 0.3, 60.0)
    spent["choice and fit"] = time.process_time() - start
    return table(spent, len(people), count)


def timed(spent: dict[str, float], stage: str, function: Callable[P, T]) -> Callable[P, T]:
    """The function, which adds the seconds of CPU time that it takes to those of its stage."""

    def measured(*args: P.args, **keywords: P.kwargs) -> T:
        start = time.process_time()
        out = function(*args, **keywords)
        spent[stage] = spent.get(stage, 0.0) + time.process_time() - start
        return out

    return measured


def table(spent: Mapping[str, float], judged: int, count: int) -> str:
    """Markdown table of each stage: milliseconds a candidate, and its share."""
    total = sum(spent.values())
    lines = [
        f"{count} candidates, {judged} of them plausible and seen: CPU time of one core",
        "",
        "| stage | ms a candidate | share |",
        "|---|---|---|",
    ]
    lines += [
        f"| {name} | {1000 * seconds / count:.1f} | {seconds / total:.0%} |"
        for name, seconds in spent.items()
    ]
    minutes = total / count * 10_000 / 60
    return "\n".join([
        *lines,
        f"| all | {1000 * total / count:.1f} | |",
        "",
        f"10,000 such candidates: {minutes:.1f} minutes of one core, {minutes / 2:.1f} of two.",
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    main(tyro.cli(Compare | Time | Rounds, description=__doc__))  # type: ignore[arg-type]
