"""Run the arms of an experiment: each is generated, trained and scored with every seed; one table.

Each step is a `repogen` command, printed as it runs. Steps whose output is there are not repeated:
run the same command again to resume.
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
from typing import Any, Literal

import numpy as np

from repogen import PRESETS, recipe
from repogen.config import flat_options
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.sets import parse_set
from repogen.training.mix import read_data_mix

Reports = list[dict[str, Any]]


@dataclass(frozen=True)
class Budget:
    """The size of the network and of the training of each arm."""

    model: str
    image_size: int
    recipe: str | None = None
    """Recipe of `repogen train`; None takes the one that the authors used for the arm."""
    epochs: int | None = None
    """Epochs of the real set: every arm sees the same real crops, synthetic ones come on top. None
    takes the recipe's."""
    base_epochs: int = 0
    """Epochs of training from scratch before the arms; 0 where --init brings trained weights."""
    train: dict[str, object] = field(default_factory=dict)
    """Options of `repogen train` that differ from the recipe's."""
    lr: float | None = None
    """Learning rate of the arms; None takes the recipe's."""


BUDGETS = {
    "laptop": Budget("tiny", 256, "short", epochs=6, base_epochs=20,
                     train={"batch-size": 8, "warmup": 200}, lr=5e-4),
    "full": Budget("vitpose-s", 1024, "repogen", epochs=50),
    "paper": Budget("vitpose-s", 1024),
}  # fmt: skip


@dataclass(frozen=True)
class Arm:
    """One way to train: what to generate, if anything, and how far to rotate the crops."""

    name: str
    generate: dict[str, Any] | None = None
    """Options of `repogen generate`; `images` is what the paper used."""
    rotation: float = 120.0
    repeat: float = 1.0
    """How often each real person comes in an epoch: more than once gives an arm without synthetic
    people as many steps as one with them."""
    published: dict[str, float] = field(default_factory=dict)
    """The paper's AP by test set (docs/method.md#published-results)."""
    recipe: str = "repogen"
    """The authors' recipe for this arm; --budget paper uses it."""
    lacks: str = ""
    """What keeps the arm from being run, and what to do. Its row shows the published AP only."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where to work, and how much to train."""

    out: Path
    """Folder for datasets, runs and reports."""
    backgrounds: str
    """Photographs without people for the synthetic images, as --backgrounds of generate."""
    init: Path | None = None
    """Weights to begin with; needed with --budget full and paper: ViTPose-S trained on COCO."""
    budget: Literal["laptop", "full", "paper"] = "laptop"
    """laptop: the tiny network. full: ViTPose-S with the authors' options for 50 epochs, on a GPU.
    paper: for as many epochs as theirs, 500 or 1,000."""
    model: str | None = None
    """Replaces the budget's network; --init holds weights of it."""
    seeds: int = 3
    """How many times everything is repeated, with other data each time."""
    share: float | None = None
    """Share of synthetic crops, between 0 and 1; by default every person comes once an epoch."""
    jobs: int = 1
    """Runs at a time; they divide the processors among them."""
    epochs: int | None = None
    """Replaces the budget's epochs."""
    base_epochs: int | None = None
    """Replaces the budget's epochs of training from scratch."""


@dataclass(frozen=True, kw_only=True)
class Experiment(Settings):
    """The settings, and the sets to train and to score on."""

    real: str
    """The real set that every arm trains on: coco=ANNOTATIONS.json:IMAGES_DIR."""
    test: tuple[str, ...]
    """Sets to score on, by the paper's names where they are the paper's: bottom, top, wepdtof,
    posefes."""
    amass: Path | None = None
    """Folder of AMASS .npz files, for the arms with measured poses; without it they are not run."""

    def measured(self, name: str, generate: dict[str, Any], **options: Any) -> Arm:
        """An arm whose people take AMASS poses."""
        lacks = "" if self.amass else "give --amass FOLDER"
        return Arm(name, generate | {"poses": self.amass}, lacks=lacks, **options)


def on_sets(settings: Settings, real: str, test: tuple[str, ...]) -> Experiment:
    """The settings with sets that a script has made or split itself."""
    return Experiment(**vars(settings), real=real, test=test)


def run(
    experiment: Experiment, title: str, arms: tuple[Arm, ...], measures: tuple[str, ...] = ("AP",)
) -> Reports:
    """Run all arms with all seeds and print a table for each measure; the other arms are compared
    with the first. Returns the report of each seed; none where every arm lacks something."""
    runnable = tuple(arm for arm in arms if not arm.lacks)
    reports = _run(experiment, runnable) if runnable else []
    text = "\n".join(table(title, arms, reports, measure, experiment) for measure in measures)
    experiment.out.mkdir(parents=True, exist_ok=True)
    (experiment.out / f"{title}.md").write_text(text)
    print(text)
    return reports


def _run(experiment: Experiment, arms: tuple[Arm, ...]) -> Reports:
    budget = BUDGETS[experiment.budget]
    base_epochs = experiment.base_epochs or budget.base_epochs
    if experiment.init is None and base_epochs == 0:
        sys.exit(
            f"--budget {experiment.budget} needs --init: weights of "
            f"{experiment.model or budget.model} trained on COCO (.pth or folder)"
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
                pool.map(lambda seed: _base(experiment, base_epochs, seed, threads), seeds),
                strict=True,
            )
        )
        list(
            pool.map(
                lambda pair: _tune(experiment, *pair, bases[pair[1]], threads),
                [(arm, seed) for seed in seeds for arm in arms],
            )
        )
        return list(pool.map(lambda seed: _score(experiment, arms, seed, threads), seeds))


def values_of(reports: Reports, arm: Arm, test: str, measure: str) -> np.ndarray:
    """An arm's score x 100 with each seed."""
    scores = [r["sets"][test]["total"]["scores"][slug(arm.name)][measure] for r in reports]
    return 100 * np.array([score["value"] for score in scores])


def _data_folder(experiment: Experiment, arm: Arm, seed: int) -> Path:
    options = {k: " ".join(map(str, _words(v))) for k, v in (arm.generate or {}).items()}
    words = "-".join(f"{k}={v}" for k, v in options.items())
    name = "".join(c if c.isalnum() or c in "=.-" else "_" for c in words)
    return experiment.out / "data" / f"{name}-seed{seed}"


def generate_once(settings: Settings, folder: Path, options: dict[str, Any], seed: int) -> None:
    """Generate a dataset with options of `repogen generate`, unless it is complete."""
    size = BUDGETS[settings.budget].image_size
    ours: dict[str, Any] = {"image-size": size, "backgrounds": settings.backgrounds}
    if "wardrobe" not in dict(flat_options(PRESETS.get(options.get("preset", ""), {}))):
        ours["wardrobe"] = "painted"  # whatever asset packs a machine has
    options = ours | options
    if not DatasetFolder(folder).complete:
        words = [word for k, v in options.items() for word in (f"--{k}", *_words(v))]
        run_command("generate", folder, *words, "--seed", seed)


def _words(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def _base(experiment: Experiment, epochs: int, seed: int, threads: int) -> Path:
    """The weights that all arms of a seed begin with."""
    if experiment.init is not None:
        return experiment.init
    out = experiment.out / "runs" / f"base-seed{seed}"
    words = ("--train", experiment.real, "--rotation", 40, "--seed", seed)
    _train(experiment, out, "short", epochs, threads, *words)
    return out


def _tune(experiment: Experiment, arm: Arm, seed: int, base: Path, threads: int) -> None:
    budget = BUDGETS[experiment.budget]
    sets = [f"{experiment.real}:x{arm.repeat:g}"]
    if arm.generate:
        sets.append(f"synth={_data_folder(experiment, arm, seed)}")
        if experiment.share is not None:
            real, made = (len(read_data_mix((spec,))) for spec in sets)
            sets[1] += f":x{experiment.share / (1 - experiment.share) * real / made:.6f}"
    rate = () if budget.lr is None else ("--lr", budget.lr)
    _train(experiment, _run_folder(experiment, arm, seed), budget.recipe or arm.recipe,
           experiment.epochs or budget.epochs, threads, "--train", *sets,
           "--init", base if base == experiment.init else base / "last.safetensors",
           "--rotation", arm.rotation, *rate, "--seed", seed)  # fmt: skip


def _run_folder(experiment: Experiment, arm: Arm, seed: int) -> Path:
    return experiment.out / "runs" / f"{slug(arm.name)}-seed{seed}"


def _train(
    settings: Settings, out: Path, name: str, epochs: int | None, threads: int, *words: object
) -> None:
    """Train with the recipe `name`, for its own number of epochs without one here."""
    budget = BUDGETS[settings.budget]
    model = settings.model or budget.model
    epochs = epochs or recipe(name, model)["optimizer"]["epochs"]
    own = [word for k, v in budget.train.items() for word in (f"--{k}", v)]
    command = ["train", "--out", out, "--recipe", name, "--model", model, "--epochs", epochs, *own,
               *words]  # fmt: skip
    if threads == 1:
        command += ["--workers", 0]
    log, description = out / "log.jsonl", out / "run.json"
    done = log.exists() and len(log.read_text().splitlines()) == epochs
    if not (done and json.loads(description.read_text())["command"][1:] == [*map(str, command)]):
        run_command(*command, threads=threads)


def _score(
    experiment: Experiment, arms: tuple[Arm, ...], seed: int, threads: int
) -> dict[str, Any]:
    weights = [
        f"{slug(a.name)}={_run_folder(experiment, a, seed) / 'last.safetensors'}" for a in arms
    ]
    what = hashlib.sha256(repr((weights, experiment.test)).encode()).hexdigest()[:8]
    out = experiment.out / "reports" / f"{what}-seed{seed}.json"
    if not out.exists():
        run_command("evaluate", "--weights", *weights, "--data", *experiment.test, "--out", out,
                 threads=threads)  # fmt: skip
    return json.loads(out.read_text())


def table(
    title: str,
    arms: tuple[Arm, ...],
    reports: Reports,
    measure: str,
    experiment: Experiment,
) -> str:
    """Markdown table: mean over seeds with the lowest and highest, difference from the first arm
    with the mean of its bootstrap interval's ends, and the published AP where there is one. Below
    it stands why an arm was not run."""
    tests = [parse_set(spec).name for spec in experiment.test]
    lines = [
        f"### {title}: {measure} x 100, mean of {len(reports)} seeds (lowest to highest)"
        if reports
        else f"### {title}: not run",
        "",
        "| training | " + " | ".join(tests) + " |",
        "|---" * (len(tests) + 1) + "|",
    ]
    for arm in arms:
        cells = []
        for test in tests:
            texts = [] if arm.lacks else [_measured(arm, arms, reports, test, measure)]
            if test in arm.published:
                texts.append(f"published AP {arm.published[test]:.1f}")
            cells.append("; ".join(texts))
        lines.append(f"| {arm.name} | " + " | ".join(cells) + " |")
    left_out: dict[str, list[str]] = {}
    for arm in arms:
        if arm.lacks:
            left_out.setdefault(arm.lacks, []).append(arm.name)
    lines += [f"\nNot run: {', '.join(names)} ({why})." for why, names in left_out.items()]
    return "\n".join(lines) + "\n"


def _measured(arm: Arm, arms: tuple[Arm, ...], reports: Reports, test: str, measure: str) -> str:
    """An arm's score on a test, and its difference from the first arm that was run."""
    values = values_of(reports, arm, test, measure)
    text = f"{values.mean():.1f} ({values.min():.1f} to {values.max():.1f})"
    if arm is next(other for other in arms if not other.lacks):
        return text
    gains = [r["sets"][test]["total"]["differences"][slug(arm.name)][measure] for r in reports]
    low, value, high = (
        100 * np.mean([gain[end] for gain in gains]) for end in ("low", "value", "high")
    )
    return f"{text} {value:+.1f} [{low:+.1f}, {high:+.1f}]"


def slug(name: str) -> str:
    text = "".join(c if c.isalnum() else "-" for c in name.lower())
    return "-".join(word for word in text.split("-") if word)


def run_command(verb: str, *words: object, threads: int = 0) -> None:
    command = [sys.executable, "-m", "repogen", verb, *map(str, words)]
    print("$ repogen", shlex.join(command[3:]), flush=True)
    environment = os.environ | ({"OMP_NUM_THREADS": str(threads)} if threads else {})
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{shlex.join(command[3:])} failed:\n{done.stderr[-2000:]}")
