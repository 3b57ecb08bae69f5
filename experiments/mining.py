"""What mined people are worth: MoveNet fine-tuned on 1,000 mined people, against 1,000 and 3,000 of
the same options drawn at random, as many steps; and how long mining takes.

    python mining.py time --candidates 200
    python mining.py compare --out OUT --real ANNOTATIONS.json:IMAGES_DIR --steep STEEP.json

Scored on the real people of `pretrained.py`, and on generated people who are held out, by the
camera's elevation. Every score of a run is kept: run the same command again to resume.
"""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

import cv2
import engine
import numpy as np
import pretrained
import tyro
from pretrained import AGREED, Arm

from repogen import MineConfig, load_estimator
from repogen.bodies import load_body
from repogen.bodies.intersection import intersecting_share
from repogen.coco.annotations import PersonAnnotations, parse_person_annotations
from repogen.datasets.folder import DatasetFolder
from repogen.json_files import read_json
from repogen.mining.candidates import Task, at_scale, judge_task, small_scale
from repogen.mining.choice import choose
from repogen.mining.difficulty import ask
from repogen.mining.fitting import fit
from repogen.poses.plausibility import range_excess
from repogen.rendering.renderer import Renderer
from repogen.scenes.sample.scene import sample_posed_scene

RARE: Mapping[str, Any] = {
    "images": 1000, "image-size": 320, "views": "sphere",
    "orientation": ("upright=0.6", "any=0.4"),
}  # fmt: skip
"""Options that both the mined and the random people are drawn from."""

MINED = RARE | {"weights": "lightning", "candidates": 10000}
RANDOM = "1,000 random"

ARMS = {
    "pretrained": Arm(),
    RANDOM: Arm(synthetic=RARE, train=AGREED),
    "3,000 random": Arm(synthetic=RARE | {"images": 3000}, train=AGREED),
    "1,000 mined": Arm(synthetic=MINED, train=AGREED, against="3,000 random"),
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

_WARM = 16
"""Candidates before the clock starts: panoramas and garments are read once."""

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
    """Candidates whose stages are timed one by one, in one process."""
    weights: str = "lightning"
    """The estimator that is asked."""


def main(options: Compare | Time) -> None:
    """Train and score the arms, or time the stages of mining; print a table."""
    if isinstance(options, Time):
        print(stages(options))
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


def stages(options: Time) -> str:
    """Markdown table of the time of each stage of mining, of one process and thread."""
    cv2.setNumThreads(1)
    count = options.candidates
    words = {k.replace("-", "_"): v for k, v in RARE.items()} | {"images": 1, "candidates": count}
    config = MineConfig(**words)
    body = load_body("anny")
    renderer, estimator = Renderer(body), load_estimator(options.weights, threads=1)
    spent: dict[str, list[float]] = {}

    def timed(name: str, index: int, stage: Callable[[], T]) -> T:
        start = time.process_time()
        out = stage()
        if index >= _WARM:
            spent.setdefault(name, []).append(time.process_time() - start)
        return out

    for index in range(_WARM + count):
        drawn = timed("drawing", index, lambda i=index: sample_posed_scene(config, 0, i, body))
        posed = drawn.people[0]
        timed("plausibility", index, lambda p=posed: (
            range_excess(p.person.angles), intersecting_share(body.surface, p.at_origin)
        ))  # fmt: skip
        small = at_scale(drawn.scene, small_scale(config.judging, drawn.scene))
        result = timed("rendering", index, lambda s=small, d=drawn: renderer.render(s, d.people))
        left, top, right, bottom = result.amodal_boxes[0]
        box = np.array([left, top, max(right - left, 1.0), max(bottom - top, 1.0)])
        timed("inference", index, lambda r=result, b=box: ask(estimator, [r.image[..., ::-1]], [b]))
    task = Task(config, config.judging, (options.weights,), "", tuple(range(count)))
    judged = judge_task(task)
    people = [one.person for one in judged if one.person]
    if not people:
        sys.exit(f"nobody of --candidates {count} is plausible and seen; give more")
    start = time.process_time()
    hard = [one.hardness("all") for one in people]
    choose(judged, max(count // 5, 1), 0.2, 0.0, 1.0, "all")
    fit(people, hard, config.search.components, 0.3, 60.0)
    spent["choice and fit"] = [(time.process_time() - start) / count] * count
    return table(spent, len(people), count)


def table(spent: Mapping[str, list[float]], judged: int, count: int) -> str:
    """Milliseconds a candidate of each stage: the mean, and the middle half of the candidates."""
    total = sum(np.mean(times) for times in spent.values())
    lines = [
        f"### {count} candidates, {judged} of them judged: seconds of one core",
        "",
        "| stage | ms a candidate | middle half | share |",
        "|---|---|---|---|",
    ]
    for name, times in spent.items():
        low, high = 1000 * np.percentile(times, [25, 75])
        mean = np.mean(times)
        lines.append(
            f"| {name} | {1000 * mean:.1f} | {low:.1f} to {high:.1f} | {mean / total:.0%} |"
        )
    minutes = total * 10_000 / 60
    lines.append(f"| all | {1000 * total:.1f} | | |")
    lines += [
        "",
        f"10,000 such candidates: {minutes:.0f} minutes of one core. Here all go through every "
        "stage; in mining, whoever is refused skips the later ones.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(tyro.cli(Compare | Time, description=__doc__))  # type: ignore[arg-type]
