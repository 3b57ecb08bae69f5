"""A pretrained MoveNet, fine-tuned, on real people upright, sideways, upside down and seen steeply
(Leeds Sports Pose Extended).

    python pretrained.py --out OUT --real ANNOTATIONS.json:IMAGES_DIR --steep STEEP.json

People of images 1 to 4000 are trained on, 4001 to 5000 are for choosing (`--split choose`) and 5001
to 6000 for the report; of the steep views those up to 3000 are for choosing, later ones for the
report, and none is trained on. Every arm takes the same number of steps. Every score of a run is
kept in a file of its own: run the same command again to resume.
"""

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import engine
import numpy as np
import tyro
from engine import slug
from matplotlib.figure import Figure

from repogen.coco.annotations import PersonAnnotations, parse_person_annotations
from repogen.coco.images import drop_unreadable
from repogen.datasets.folder import DatasetFolder
from repogen.evaluation.joints import assigned_joints, person_oks
from repogen.inference.estimate import estimate_people
from repogen.inference.network import load_estimator
from repogen.training.mix import read_data_mix
from repogen.training.unlabeled import SURE

TRAIN, CHOOSE, REPORT = (1, 4000), (4001, 5000), (5001, 6000)
"""First and last image of each part."""

STEEP = {"choose": (1, 3000), "report": (3001, 6000)}
"""The same for steep views."""

TORSOS = {"up": "upright", "side": "sideways", "inv": "upside down"}

STEEP_JOINTS = 8
"""People of steep views with fewer labelled joints are left out."""

PCK_SHARE = 0.2
"""A joint is right within this share of the distance from the hips' middle to the shoulders'."""

RESAMPLED = 2000
"""Bootstrap samples of the people."""

EPOCHS = 5
"""Parts of a run; a stopped one resumes after the last whole part."""


@dataclass(frozen=True)
class Arm:
    """What an arm trains on; one without sets is a network as it comes."""

    real: Literal["", "up", "all", "sure"] = ""
    """1,000 real people (`Options.real_people`): upright ones, all, or those of as many pictures
    whose labels are not used but made, by `teacher` where it is sure."""
    teacher: Literal["thunder", "rare-thunder"] = "thunder"
    """The network that labels the people of pictures."""
    synthetic: Mapping[str, Any] | None = None
    """Options of `repogen generate`."""
    share: float = 0.5
    """Share of synthetic crops where there are both."""
    steps: float = 1.0
    """Steps as a multiple of `--steps`."""
    train: Mapping[str, Any] = field(default_factory=dict)
    """Options of `repogen train` that differ from the recipe's."""
    against: str = ""
    """The arm it is compared with besides the first."""
    weights: str = ""
    """The network as it comes, in place of `--model`."""


AROUND: Mapping[str, Any] = {
    "images": 1000, "image-size": 320, "views": ("front", "back", "side", "perimeter"),
    "roll": (0, 0),
}  # fmt: skip
"""People in the paper's poses, as photographs mostly show them; training turns their crops."""

ACROBATIC = AROUND | {
    "pose-distribution": "acrobatic",
    "views": ("front=0.15", "back=0.15", "side=0.15", "perimeter=0.15", "sphere=0.4"),
}
EVERYWHERE = AROUND | {"views": "sphere"}
FLOOR = {"ground": "floor", "orientation": ("file=0.5", "any=0.25", "inverted=0.25")}
STEEP_VIEWS = {"views": ("top-wide=0.35", "bottom-wide=0.15", "sphere=0.5")}
CORRECTED = {"targets": "corrected"}
AGREED = CORRECTED | {"corrected-weight": 0.0}
FROM_RARE = {"init": "rare-lightning"}

SEARCHED: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "frozen up to block 8": ({}, {"freeze": 8}),
    "nothing frozen": ({}, {"freeze": 0}),
    "half the rate": ({}, {"lr": 3.5e-4}),
    "twice the rate": ({}, {"lr": 1.4e-3}),
    "rate falling by depth": ({}, {"layer-decay": 0.85}),
    "half of the crops turned": ({}, {"rotated": 0.5}),
    "crops not turned": ({}, {"rotated": 0.0}),
    "turned by 60 degrees": ({}, {"rotation": 60}),
    "strong colours": ({}, {"color-jitter": 0.5}),
    "no degradation": ({}, {"no-degrade": ()}),
    "hidden joints a third": ({}, {"occluded-weight": 0.33}),
    "hidden joints not asked for": ({}, {"occluded-weight": 0.0}),
    "tolerance 0.06": ({}, {"tolerance": 0.06}),
    "lightning as the teacher": ({}, {"teacher": "lightning"}),
    "any view": ({"views": "sphere"}, {}),
    "orbital views": ({"views": AROUND["views"]}, {}),
    "steep views": (STEEP_VIEWS, {}),
    "any roll": ({"roll": (-180, 180)}, {}),
    "half the variance": ({"pose-variance": 0.5}, {}),
    "little self-intersection": ({"max-intersection": 0.01}, {}),
    "measured poses": ({"poses": "core", "poses-noise": 12}, {}),
    "on a floor, any orientation": (FLOOR, {}),
    "painted clothes": ({"wardrobe": "painted"}, {}),
    "clothes without prints": ({"no-patterns": ()}, {}),
    "sports clothes": ({"wardrobe": "sport"}, {}),
    "built-in places": ({"backgrounds": "builtin"}, {}),
    "one colour behind": ({"backgrounds": "plain"}, {}),
    "small people": ({"image-size": 192}, {}),
    "all sensor effects": ({"effects": "all"}, {}),
    "cut people": ({"truncate": 0.4}, {}),
    "objects in front": ({"occluders": (0, 2)}, {}),
    "others beside": ({"people": (1, 3), "spread": 0.8}, {}),
}  # fmt: skip
"""What one arm each changes in the synthetic one: options of generate, and of train."""

ARMS = {
    "pretrained": Arm(),
    "rare-lightning": Arm(weights="rare-lightning"),
    "rare-thunder": Arm(weights="rare-thunder"),
    "synthetic": Arm(synthetic=ACROBATIC, train=AGREED),
    "synthetic, exact": Arm(synthetic=ACROBATIC),
    "synthetic, teacher": Arm(synthetic=ACROBATIC, train={"targets": "teacher"}),
    "synthetic, corrected": Arm(synthetic=ACROBATIC, train=CORRECTED),
    "synthetic, twice the steps": Arm(synthetic=ACROBATIC, steps=2, train=AGREED),
    "paper's poses": Arm(synthetic=AROUND, train=AGREED),
    "paper's poses, any view": Arm(synthetic=EVERYWHERE, train=AGREED),
    "real upright": Arm("up"),
    "real upright, twice the steps": Arm("up", steps=2),
    "real upright + synthetic": Arm(
        "up", synthetic=ACROBATIC, steps=2, train=AGREED, against="real upright, twice the steps"
    ),
    "unlabelled": Arm("sure"),
    "unlabelled, twice the steps": Arm("sure", steps=2),
    "unlabelled + synthetic": Arm(
        "sure", synthetic=ACROBATIC, steps=2, train=AGREED, against="unlabelled, twice the steps"
    ),
    **{
        f"{name}, twice the steps": Arm(
            synthetic=ACROBATIC | generate,
            steps=2,
            train=AGREED | train,
            against="synthetic, twice the steps",
        )
        for name, (generate, train) in {
            "on a floor": (FLOOR, {}),
            "on a floor, steep views": (FLOOR | STEEP_VIEWS, {}),
            "on a floor, rare-thunder as the teacher": (FLOOR, {"teacher": "rare-thunder"}),
            "on a floor, steep views, rare-thunder as the teacher": (
                FLOOR | STEEP_VIEWS,
                {"teacher": "rare-thunder"},
            ),
        }.items()
    },
    "real upright, 4 times the steps": Arm("up", steps=4),
    "real upright, crops not turned": Arm("up", train={"rotated": 0.0}, against="real upright"),
    "rare-lightning, then real upright": Arm(
        "up", steps=2, train=FROM_RARE, against="real upright, 4 times the steps"
    ),
    "unlabelled by rare-thunder": Arm(
        "sure", "rare-thunder", steps=2, against="unlabelled, twice the steps"
    ),
    "rare-lightning, then unlabelled by rare-thunder": Arm(
        "sure", "rare-thunder", steps=2, train=FROM_RARE, against="unlabelled, twice the steps"
    ),
    "everything real": Arm("all"),
    **{
        f"synthetic, {images} people": Arm(synthetic=ACROBATIC | {"images": images}, train=AGREED)
        for images in (100, 300, 3000, 10000)
    },
    **{
        f"synthetic, {steps:g} times the steps": Arm(synthetic=ACROBATIC, steps=steps, train=AGREED)
        for steps in (0.5, 4)
    },
    "synthetic, 4000 people, 4 times the steps": Arm(
        synthetic=ACROBATIC | {"images": 4000}, steps=4, train=AGREED
    ),
    **{
        f"synthetic, {name}": Arm(
            synthetic=ACROBATIC | generate, train=AGREED | train, against="synthetic"
        )
        for name, (generate, train) in SEARCHED.items()
    },
}
"""The first is what the others are compared with."""


@dataclass(frozen=True)
class Options:
    """Where to work, and how much to train."""

    out: Path
    """Folder for data, runs and scores."""
    real: str
    """ANNOTATIONS.json:IMAGES_DIR of people with `torso`."""
    steep: Path
    """JSON file of lists of the ids of images with a steep camera."""
    known: ClassVar[Mapping[str, Arm]] = ARMS
    arms: tuple[Literal[tuple(ARMS)], ...] = tuple(  # type: ignore[valid-type]
        name for name in ARMS if name.removeprefix("synthetic, ") not in SEARCHED
    )
    """Arms to run; by default all but the ones that change one option each."""
    split: Literal["choose", "report"] = "choose"
    """People to score on."""
    model: Literal["movenet-lightning", "movenet-thunder"] = "movenet-lightning"
    """Network to fine-tune."""
    seeds: int = 3
    """Runs of each arm."""
    steps: int = 300
    """Steps of 16 crops."""
    real_people: int = 1000
    """Real people to train on."""
    people: int = 300
    """Most people of a group to score on, the first by id."""
    workers: int = 0
    """Processes that prepare crops, and that generate (at least 1)."""

    def label(self, name: str, seed: int) -> str:
        """The file name of a run of an arm, or of its scores."""
        return f"{slug(name)}-seed{seed}-{self.steps}-{self.real_people}"

    @cached_property
    def data(self) -> dict[str, Any]:
        """The content of the annotation file."""
        return json.loads(Path(self.real.rpartition(":")[0]).read_text())

    @cached_property
    def images(self) -> Path:
        """The folder of the images."""
        return Path(self.real.rpartition(":")[2])

    @cached_property
    def steep_ids(self) -> set[int]:
        """The ids of images with a steep camera."""
        lists = json.loads(self.steep.read_text()).values()
        return {number for ids in lists if isinstance(ids, list) for number in ids}


def main(options: Options, more: Mapping[str, PersonAnnotations] | None = None) -> None:
    """Train and score every arm with every seed, also on `more` groups; print the tables and write
    them into --out."""
    groups = scored_groups(options) | dict(more or {})
    scores: dict[str, list[dict[str, Any]]] = {}
    for name in dict.fromkeys([next(iter(options.known)), *options.arms]):
        arm = options.known[name]
        for seed in range(options.seeds if trained(arm) else 1):
            for weights in ("blended", "unblended") if trained(arm) else ("",):
                found = score_once(options, name, seed, weights, groups)
                scores.setdefault(f"{name}, {weights}".rstrip(", "), []).append(found)
    text = "\n".join(table(options, scores, metric) for metric in ("PCK", "OKS"))
    name = options.out / f"{options.model}-{options.split}"
    name.with_suffix(".md").write_text(text)
    print(text)
    if len(scores) > 1:
        draw(scores, name.with_suffix(".png"))
        print(f"{name}.png shows it")


def trained(arm: Arm) -> bool:
    """Whether an arm trains at all."""
    return bool(arm.real or arm.synthetic)


def scored_groups(options: Options) -> dict[str, PersonAnnotations]:
    """The people to score on, by group."""
    first, last = CHOOSE if options.split == "choose" else REPORT
    groups = {
        name: [p for p in options.data["annotations"]
               if p.get("torso") == torso and first <= p["image_id"] <= last]
        for torso, name in TORSOS.items()
    }  # fmt: skip
    first, last = STEEP[options.split]
    groups["steep"] = [
        p for p in options.data["annotations"]
        if p["image_id"] in options.steep_ids and first <= p["image_id"] <= last
        and p["num_keypoints"] >= STEEP_JOINTS
    ]  # fmt: skip
    out = {}
    for name, people in groups.items():
        if not people:
            sys.exit(f"--real {options.real} has nobody {name} for --split {options.split}")
        content = part(options, people[: options.people])
        parsed = parse_person_annotations(name, content, options.real, options.images)
        out[name] = drop_unreadable(parsed)[0]
    return out


def part(options: Options, people: list[dict[str, Any]]) -> dict[str, Any]:
    """The annotation file with these people and their images only."""
    shown = {person["image_id"] for person in people}
    images = [image for image in options.data["images"] if image["id"] in shown]
    return options.data | {"annotations": people, "images": images}


def score_once(
    options: Options, name: str, seed: int, weights: str, groups: Mapping[str, PersonAnnotations]
) -> dict[str, Any]:
    """The scores of every person of each group, from the file of an earlier call if there is one:
    right and labelled joints and OKS by group, and the minutes of training."""
    label = options.label(f"{name} {weights}", seed)
    path = options.out / "scores" / options.model / options.split / f"{label}.json"
    if path.exists():
        return json.loads(path.read_text())
    minutes = 0.0
    arm = options.known[name]
    if trained(arm):
        run = train_once(options, name, seed)
        log = (run / "log.jsonl").read_text().splitlines()
        minutes = sum(json.loads(line)["seconds"] for line in log) / 60
        file = run / {"blended": "blend.safetensors", "unblended": "last.safetensors"}[weights]
        estimator = load_estimator(file)
    else:
        estimator = load_estimator(arm.weights or options.model.removeprefix("movenet-"))
    found: dict[str, Any] = {"minutes": minutes}
    for group, people in groups.items():
        estimates = estimate_people(estimator, people, flip=False)
        right, labelled = right_joints(people, assigned_joints(people, estimates))
        oks = person_oks(people, estimates)
        found[group] = {
            "right": right.tolist(), "labelled": labelled.tolist(), "OKS": oks.tolist(),
        }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(found))
    partial.replace(path)
    return found


def right_joints(people: PersonAnnotations, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many of each person's labelled joints are right, and how many are labelled."""
    truth, labelled = people.keypoints[..., :2], people.keypoints[..., 2] > 0
    torso = np.linalg.norm(truth[:, [5, 6]].mean(axis=1) - truth[:, [11, 12]].mean(axis=1), axis=1)
    distance = np.linalg.norm(found - truth, axis=2)
    right = labelled & (distance <= PCK_SHARE * torso[:, None])
    return right.sum(axis=1), labelled.sum(axis=1)


def train_once(options: Options, name: str, seed: int) -> Path:
    """The finished run of an arm with a seed."""
    arm = options.known[name]
    run = options.out / "runs" / options.model / options.label(name, seed)
    log = run / "log.jsonl"
    if log.exists() and len(log.read_text().splitlines()) == EPOCHS:
        return run
    crops = 16 * round(options.steps * arm.steps)
    share = arm.share if arm.real and arm.synthetic else float(bool(arm.synthetic))
    sets = []
    if arm.real:
        sets.append((real_set(options, arm), 1 - share))
    if arm.synthetic:
        sets.append((synthetic_set(options, arm.synthetic, seed), share))
    words = ["--train"]
    for spec, part_of_crops in sets:
        times = crops * part_of_crops / EPOCHS / len(read_data_mix((spec,)))
        words.append(f"{spec}:x{times:.6f}")
    words += option_words(arm.train)
    words += ["--epochs", str(EPOCHS), "--seed", str(seed), "--workers", str(options.workers)]
    engine.run_command("train", "--out", run, "--model", options.model, *words)
    return run


def real_set(options: Options, arm: Arm) -> str:
    """The set of real people to train on, uniformly spread over the ids."""
    kind = arm.real
    first, last = TRAIN
    people = [
        p for p in options.data["annotations"]
        if first <= p["image_id"] <= last and p["image_id"] not in options.steep_ids
        and (kind in ("all", "sure") or p.get("torso") == kind)
    ]  # fmt: skip
    if kind == "sure":
        return sure_set(options, arm.teacher, part(options, people)["images"])
    path = options.out / "data" / f"{kind}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(part(options, people)))
    return f"{kind}={path}:{options.images}:{options.real_people}"


def sure_set(options: Options, teacher: str, images: list[dict[str, Any]]) -> str:
    """People whom the teacher is sure of, in as many pictures as there are real people to train
    on."""
    photos, made = options.out / "data" / "photos", options.out / "data" / f"sure-{teacher}"
    if not (made / "people.json").exists():
        photos.mkdir(parents=True, exist_ok=True)
        chosen = np.linspace(0, len(images) - 1, min(options.real_people, len(images)))
        for k in chosen.round().astype(int):
            name = images[k]["file_name"]
            shutil.copyfile(options.images / name, photos / name)
        words = [w for k, v in SURE.items() for w in (f"--{k.replace('_', '-')}", str(v))]
        words += ["--weights", teacher, "--write", "people", "images"]
        engine.run_command("predict", photos, "--out", made, *words)
    return f"sure={made / 'people.json'}:{made / 'images'}"


def synthetic_set(options: Options, generate: Mapping[str, Any], seed: int) -> str:
    """The generated set with other people for each seed, or with `weights` the mined one."""
    verb = "mine" if "weights" in generate else "generate"
    words = option_words(generate)
    folder = options.out / "data" / f"{slug(' '.join(map(str, words)))}-seed{seed}"
    if not DatasetFolder(folder).complete:
        workers = max(options.workers, 1)
        engine.run_command(verb, folder, *words, "--seed", 1000 + seed, "--workers", workers)
    return f"synth={folder}"


def option_words(options: Mapping[str, Any]) -> list[str]:
    """Options as words of the command line; a tuple is several words, an empty one a switch."""
    return [
        str(word) for name, value in options.items()
        for word in (f"--{name}", *(value if isinstance(value, tuple) else (value,)))
    ]  # fmt: skip


def table(options: Options, scores: Mapping[str, list[dict[str, Any]]], metric: str) -> str:
    """Markdown table of a metric: the first arm's score, and the change that each other makes, as
    the mean over seeds, with its interval over people (paired); then the changes against other
    arms."""
    first, *others = scores
    groups = [group for group in scores[first][0] if group != "minutes"]
    lines = [
        f"### {options.model}, {options.split}: {metric} x 100, up to {options.seeds} seeds",
        "",
        "| training | " + " | ".join(groups) + " | minutes |",
        "|---" * (len(groups) + 2) + "|",
        f"| {first} | {' | '.join(cell(scores[first], g, metric) for g in groups)} | |",
    ]
    for name in others:
        cells = [cell(scores[name], g, metric, scores[first]) for g in groups]
        minutes = np.mean([run["minutes"] for run in scores[name]])
        spent = f"{minutes:.1f} " if minutes else ""
        lines.append(f"| {name} | {' | '.join(cells)} | {spent}|")
    for name, other in pairs(options, scores):
        cells = [cell(scores[name], g, metric, scores[other]) for g in groups]
        lines.append(f"| {name}, against {other} | {' | '.join(cells)} | |")
    return "\n".join(lines) + "\n"


def pairs(options: Options, scores: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Scored arms, each with the one that it is against."""
    out = []
    for name in scores:
        arm, _, weights = name.rpartition(", ")
        other = f"{options.known[arm].against}, {weights}" if arm in options.known else ""
        if other in scores:
            out.append((name, other))
    return out


def cell(
    runs: list[dict[str, Any]],
    group: str,
    metric: str,
    before: list[dict[str, Any]] | None = None,
) -> str:
    """A score x 100, or its change from that of other runs, with its interval; none for one."""
    value, low, high = interval(runs, group, metric, before)
    sign = "+" if before else ""
    ends = f" ({low:{sign}.1f} to {high:{sign}.1f})" if len(runs[0][group]["OKS"]) > 1 else ""
    return f"{value:{sign}.1f}{ends}"


def interval(
    runs: list[dict[str, Any]],
    group: str,
    metric: str,
    before: list[dict[str, Any]] | None = None,
) -> tuple[float, float, float]:
    """A score x 100, the mean of the seeds, or its change from that of other runs; and the ends of
    its 95 % bootstrap interval over people."""

    def terms(runs: list[dict[str, Any]]) -> np.ndarray:
        """Numerator and denominator by person, the mean of the seeds."""
        if metric == "PCK":
            return np.mean([[run[group]["right"], run[group]["labelled"]] for run in runs], axis=0)
        return np.mean([[run[group]["OKS"], np.ones(len(run[group]["OKS"]))] for run in runs], 0)

    both = [terms(some) for some in ((runs, before) if before else (runs,))]
    people = both[0].shape[1]
    rng = np.random.default_rng(0)
    weights = np.vstack(
        [np.ones(people), rng.multinomial(people, [1 / people] * people, RESAMPLED)]
    )
    values = [100 * (weights @ above) / (weights @ below) for above, below in both]
    change = values[0] - values[1] if before else values[0]
    low, high = np.percentile(change[1:], [2.5, 97.5])
    return float(change[0]), float(low), float(high)


def draw(scores: Mapping[str, list[dict[str, Any]]], path: Path) -> None:
    """Picture of what each arm changes, with its interval: PCK, and OKS of steep views."""
    first = next(iter(scores))
    arms = [name for name in scores if name != first]
    groups = [group for group in scores[first][0] if group != "minutes"]
    figure = Figure(figsize=(3 + 2 * len(groups), 1 + 0.3 * len(arms)), layout="constrained")
    for group, axes in zip(groups, figure.subplots(1, len(groups), sharey=True), strict=True):
        metric = "OKS" if group == "steep" else "PCK"
        values = np.array([interval(scores[name], group, metric, scores[first]) for name in arms])
        middle, low, high = values.T
        axes.errorbar(middle, range(len(arms)), xerr=[middle - low, high - middle], fmt="o", ms=4)
        axes.axvline(0, color="0.6", lw=0.8)
        axes.set_title(f"{group}: {metric}", fontsize=9)
        axes.tick_params(labelsize=8)
    axes.set_yticks(range(len(arms)), arms)
    axes.invert_yaxis()
    figure.supxlabel(f"change from {first}, x 100, with 95 % intervals over people", fontsize=9)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main(tyro.cli(Options))
