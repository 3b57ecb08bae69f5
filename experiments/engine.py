"""Arms of an experiment: every one generates, trains and is scored, with every seed; one table.

Each step is a `repogen` command, printed as it runs, and is not repeated where its output is
there: a stopped experiment goes on when the same command is given again.
"""

import hashlib
import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from repogen.datasets.folder import DatasetFolder
from repogen.datasets.sets import parse_set
from repogen.training.mix import read_mix

Reports = list[dict[str, Any]]


@dataclass(frozen=True)
class Budget:
    """How much is spent on an arm."""

    model: str
    image_size: int
    batch: int
    warmup: int
    epochs: int
    """Of the real set: every arm sees the same real crops, synthetic ones come on top."""
    base_epochs: int
    """Of training from scratch before that; 0 where --init brings trained weights."""
    lr: float | None = None
    """Learning rate of the arms, where it is not the model's own."""


BUDGETS = {
    "laptop": Budget("tiny", 256, 8, 200, epochs=6, base_epochs=20, lr=5e-4),
    "full": Budget("vitpose-s", 1024, 128, 300, epochs=50, base_epochs=0),
}


@dataclass(frozen=True)
class Arm:
    """One way to train: what to generate, if anything, and how far to turn the crops."""

    name: str
    generate: dict[str, Any] | None = None
    """Options of `repogen generate`; `images` is what the paper used."""
    rotation: float = 120.0
    repeat: float = 1.0
    """How often each real person comes in an epoch: as many steps as with synthetic people, but
    without them."""
    published: dict[str, float] = field(default_factory=dict)
    """AP by test set (METHOD section 3)."""


@dataclass(frozen=True)
class Experiment:
    """Where to work, on what data, and how much of it."""

    out: Path
    """Folder for datasets, runs and reports."""
    real: str
    """The real set that every arm trains on: coco=ANNOTATIONS.json:IMAGES_DIR."""
    test: tuple[str, ...]
    """Sets to score on, by the paper's names where they are the paper's: bottom, top, wepdtof,
    posefes."""
    backgrounds: str
    """Photographs without people for the synthetic images, as --backgrounds of generate."""
    init: Path | None = None
    """Weights to begin with; needed with --budget full: ViTPose-S trained on COCO."""
    budget: str = "laptop"
    """laptop (the tiny network) or full (ViTPose-S on a GPU)."""
    seeds: int = 3
    """How many times everything is repeated, data and all."""
    share: float | None = None
    """Share of synthetic crops; by default each person of every set comes once an epoch."""
    jobs: int = 1
    """Runs at a time, the processors divided among them."""
    epochs: int | None = None
    """Replaces the budget's epochs."""
    base_epochs: int | None = None
    """Replaces the budget's epochs of training from scratch."""


def run(
    experiment: Experiment, title: str, arms: tuple[Arm, ...], measures: tuple[str, ...] = ("AP",)
) -> Reports:
    """Run all arms with all seeds and print a table for each measure; the first arm is what the
    others are compared with. Returns a report of each seed."""
    budget = BUDGETS[experiment.budget]
    base_epochs = experiment.base_epochs or budget.base_epochs
    if experiment.init is None and base_epochs == 0:
        sys.exit(
            "--budget full needs --init: weights of ViTPose-S trained on COCO (.pth or folder)"
        )
    if experiment.share is not None and not 0 < experiment.share < 1:
        sys.exit(f"--share {experiment.share:g} must lie between 0 and 1")
    seeds = range(experiment.seeds)
    wanted = {
        _data_folder(experiment, arm, seed): (arm, seed)
        for arm, seed in product(arms, seeds)
        if arm.generate
    }
    for folder, (arm, seed) in wanted.items():
        generate_once(experiment, folder, arm.generate or {}, 1000 + seed)
    threads = max((os.cpu_count() or 1) // experiment.jobs, 1)
    with ThreadPoolExecutor(experiment.jobs) as pool:
        bases = dict(
            zip(
                seeds,
                pool.map(lambda seed: _base(experiment, budget, base_epochs, seed, threads), seeds),
                strict=True,
            )
        )
        list(
            pool.map(
                lambda pair: _tune(experiment, budget, *pair, bases[pair[1]], threads),
                [(arm, seed) for seed in seeds for arm in arms],
            )
        )
        reports = list(pool.map(lambda seed: _score(experiment, arms, seed, threads), seeds))
    text = "\n".join(table(title, arms, reports, measure, experiment) for measure in measures)
    (experiment.out / f"{title}.md").write_text(text)
    print(text)
    return reports


def values_of(reports: Reports, arm: Arm, test: str, measure: str) -> np.ndarray:
    """An arm's score x 100 with each seed."""
    scores = [r["sets"][test]["total"]["scores"][_slug(arm.name)][measure] for r in reports]
    return 100 * np.array([score["value"] for score in scores])


def _data_folder(experiment: Experiment, arm: Arm, seed: int) -> Path:
    options = {k: " ".join(map(str, _words(v))) for k, v in (arm.generate or {}).items()}
    words = "-".join(f"{k}={v}" for k, v in options.items())
    name = "".join(c if c.isalnum() or c in "=.-" else "_" for c in words)
    return experiment.out / "data" / f"{name}-seed{seed}"


def generate_once(experiment: Experiment, folder: Path, options: dict[str, Any], seed: int) -> None:
    """Generate a dataset with options of `repogen generate`, unless it is there."""
    size = BUDGETS[experiment.budget].image_size
    # Clothes must not depend on which asset packs a machine has.
    options = {
        "image-size": size, "backgrounds": experiment.backgrounds, "wardrobe": "painted"
    } | options  # fmt: skip
    if not DatasetFolder(folder).complete:
        words = [word for k, v in options.items() for word in (f"--{k}", *_words(v))]
        _command("generate", folder, *words, "--seed", seed)


def _words(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def _base(experiment: Experiment, budget: Budget, epochs: int, seed: int, threads: int) -> Path:
    """The weights that all arms of a seed begin with."""
    if experiment.init is not None:
        return experiment.init
    out = experiment.out / "runs" / f"base-seed{seed}"
    _train(out, budget, threads, "--train", experiment.real, "--rotation", 40,
           "--epochs", epochs, "--seed", seed)  # fmt: skip
    return out


def _tune(
    experiment: Experiment, budget: Budget, arm: Arm, seed: int, base: Path, threads: int
) -> None:
    sets = [f"{experiment.real}:x{arm.repeat:g}"]
    if arm.generate:
        sets.append(f"synth={_data_folder(experiment, arm, seed)}")
        if experiment.share is not None:
            real, made = (len(read_mix((spec,))) for spec in sets)
            sets[1] += f":x{experiment.share / (1 - experiment.share) * real / made:.6f}"
    rate = () if budget.lr is None else ("--lr", budget.lr)
    epochs = experiment.epochs or budget.epochs
    _train(_run_folder(experiment, arm, seed), budget, threads, "--train", *sets,
           "--init", base if base == experiment.init else base / "last.safetensors",
           "--rotation", arm.rotation, "--epochs", epochs, *rate, "--seed", seed)  # fmt: skip


def _run_folder(experiment: Experiment, arm: Arm, seed: int) -> Path:
    return experiment.out / "runs" / f"{_slug(arm.name)}-seed{seed}"


def _train(out: Path, budget: Budget, threads: int, *words: object) -> None:
    epochs = int(str(words[words.index("--epochs") + 1]))
    command = ["train", "--out", out, "--model", budget.model, "--batch-size", budget.batch,
               "--warmup", budget.warmup, *words]  # fmt: skip
    if threads == 1:
        command += ["--workers", 0]
    log, description = out / "log.jsonl", out / "run.json"
    done = log.exists() and len(log.read_text().splitlines()) == epochs
    if not (done and json.loads(description.read_text())["command"][1:] == [*map(str, command)]):
        _command(*command, threads=threads)


def _score(
    experiment: Experiment, arms: tuple[Arm, ...], seed: int, threads: int
) -> dict[str, Any]:
    weights = [
        f"{_slug(a.name)}={_run_folder(experiment, a, seed) / 'last.safetensors'}" for a in arms
    ]
    what = hashlib.sha256(repr((weights, experiment.test)).encode()).hexdigest()[:8]
    out = experiment.out / "reports" / f"{what}-seed{seed}.json"
    if not out.exists():
        _command("evaluate", "--weights", *weights, "--data", *experiment.test, "--out", out,
                 threads=threads)  # fmt: skip
    return json.loads(out.read_text())


def table(
    title: str,
    arms: tuple[Arm, ...],
    reports: Reports,
    measure: str,
    experiment: Experiment,
) -> str:
    """Markdown: mean over seeds and lowest to highest, difference from the first arm with the
    mean of its bootstrap interval's ends, and the published AP where there is one."""
    tests = [parse_set(spec).name for spec in experiment.test]
    lines = [
        f"### {title}: {measure} x 100, mean of {len(reports)} seeds (lowest to highest)",
        "",
        "| training | " + " | ".join(tests) + " |",
        "|---" * (len(tests) + 1) + "|",
    ]
    for arm in arms:
        cells = []
        for test in tests:
            values = values_of(reports, arm, test, measure)
            cell = f"{values.mean():.1f} ({values.min():.1f} to {values.max():.1f})"
            if arm is not arms[0]:
                gains = [
                    r["sets"][test]["total"]["differences"][_slug(arm.name)][measure]
                    for r in reports
                ]
                low, value, high = (
                    100 * np.mean([gain[end] for gain in gains]) for end in ("low", "value", "high")
                )
                cell += f" {value:+.1f} [{low:+.1f}, {high:+.1f}]"
            if test in arm.published:
                cell += f"; published AP {arm.published[test]:.1f}"
            cells.append(cell)
        lines.append(f"| {arm.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _slug(name: str) -> str:
    text = "".join(c if c.isalnum() else "-" for c in name.lower())
    return "-".join(word for word in text.split("-") if word)


def _command(verb: str, *words: object, threads: int = 0) -> None:
    command = [sys.executable, "-m", "repogen", verb, *map(str, words)]
    print("$ repogen", shlex.join(command[3:]), flush=True)
    environment = os.environ | ({"OMP_NUM_THREADS": str(threads)} if threads else {})
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{shlex.join(command[3:])} failed:\n{done.stderr[-2000:]}")
