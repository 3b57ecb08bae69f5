"""Evaluating weights on sets, and the files that come of it."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from repogen.coco.annotations import PersonAnnotations
from repogen.coco.samples import readable
from repogen.config import config_from_keywords
from repogen.datasets.folder import write_whole
from repogen.datasets.sets import check_unique_names, parse_set, read_set
from repogen.errors import UserError
from repogen.evaluation.comparison import SetReport, compare
from repogen.evaluation.config import EvaluateConfig
from repogen.evaluation.detections import read_detections
from repogen.evaluation.page import report_html, report_markdown
from repogen.inference.estimate import Boxes, Estimates, Estimator, estimate_people
from repogen.inference.network import load_estimator, network
from repogen.models.weights import blended, load_model


@dataclass(frozen=True)
class Report:
    """What `evaluate` found."""

    models: Mapping[str, str]
    """Where the weights of each are; the first is the baseline."""
    alphas: Mapping[str, float]
    """The alpha of each model of a blend."""
    flip: bool
    draws: int
    sets: Mapping[str, SetReport]


def evaluate(config: EvaluateConfig | None = None, **options: object) -> Report:
    """Score models on sets: METHOD 2.5 with the true boxes, or with a detector's.

    The options are an `EvaluateConfig` or its keywords: `evaluate(weights="run", data="s=set")`.
    With `out` it writes that JSON, a page .html and a .md of the same name, and
    NAME_poses/MODEL@SET.json, the poses as COCO results to score by other programs. Raises
    `UserError` for input a person can mend.
    """
    config = config_from_keywords(EvaluateConfig, config, options)
    check_unique_names(config.data)
    sets = [read_set(spec) for spec in config.data]
    boxes = _boxes(config, sets)
    unreadable = {}
    for place, people in enumerate(sets):
        whence, given = boxes[people.name]
        sets[place], bad = readable(people, () if given is None else given.image)
        unreadable[people.name] = len(bad)
        if given is not None:
            boxes[people.name] = whence, given.outside(bad)
    models = _models(config)
    for _, load in models.values():
        load()  # weights that are none are told of now, not hours later
    found: dict[str, dict[str, Estimates]] = {people.name: {} for people in sets}
    for model, (_, load) in models.items():
        estimator = load()
        for people in sets:
            found[people.name][model] = estimate_people(
                estimator,
                people,
                config.flip,
                boxes=boxes[people.name][1],
                progress=f"{model} on {people.name}",
            )
    report = Report(
        models={name: where for name, (where, _) in models.items()},
        alphas=dict(zip(models, config.blend, strict=False)),
        flip=config.flip,
        draws=config.bootstrap_samples,
        sets={
            people.name: replace(
                compare(
                    people, found[people.name], config.bootstrap_samples, boxes[people.name][0]
                ),
                unreadable=unreadable[people.name],
            )
            for people in sets
        },
    )
    if config.out is not None:
        for people in sets:
            for model, estimates in found[people.name].items():
                name = f"{quote(model, safe='')}@{quote(people.name, safe='')}.json"
                path = config.out.with_name(f"{config.out.stem}_poses") / name
                write_whole(path, (json.dumps(coco_results(people, estimates)) + "\n").encode())
        write_report(config.out, report)
    return report


def write_report(path: Path, report: Report) -> None:
    """The report as JSON, and as .html and .md beside it."""
    data = {"repogen": version("repogen"), **asdict(report)}
    text = json.dumps(_plain(data), indent=1, ensure_ascii=False)
    write_whole(path, (text + "\n").encode())
    write_whole(path.with_suffix(".html"), report_html(report).encode())
    write_whole(path.with_suffix(".md"), report_markdown(report).encode())


def coco_results(people: PersonAnnotations, estimates: Estimates) -> list[dict[str, Any]]:
    """The estimates left by OKS-NMS as pycocotools' `loadRes` reads them."""
    category = min(record["category_id"] for record in people.records)
    return [
        {
            "image_id": people.image_ids[estimates.image[row]].item(),
            "category_id": category,
            "keypoints": estimates.keypoints[row].ravel().tolist(),
            "score": float(estimates.scores[row]),
        }
        for row in np.flatnonzero(estimates.kept)
    ]


def _boxes(
    config: EvaluateConfig, sets: list[PersonAnnotations]
) -> dict[str, tuple[str, Boxes | None]]:
    """By set: whence the boxes, and a detector's where --detections names some."""
    out: dict[str, tuple[str, Boxes | None]] = {p.name: ("ground truth", None) for p in sets}
    by_name = dict(zip(out, zip(sets, config.data, strict=True), strict=True))
    for entry in config.detections:
        name, equals, file = entry.partition("=")
        if not (equals and name in by_name):
            if len(sets) > 1:
                raise UserError(
                    f"--detections {entry} must read SET=FILE, SET one of {', '.join(by_name)}"
                )
            name, file = sets[0].name, entry
        people, spec = by_name[name]
        if parse_set(spec).cap is not None:
            raise UserError(
                f"--detections finds the persons that {spec!r} leaves out, too; give no :CAP"
            )
        out[name] = file, read_detections(Path(file), people)
    return out


def _models(config: EvaluateConfig) -> dict[str, tuple[str, Callable[[], Estimator]]]:
    """By name: where the weights are, and what loads them."""
    paths = dict(_named(config.weights))
    if config.init is None:
        return {n: (str(path), partial(load_estimator, path)) for n, path in paths.items()}
    ((name, path),) = paths.items()
    return {
        f"{name}-{alpha:g}": (
            f"{1 - alpha:g} {config.init} + {alpha:g} {path}",
            partial(_blend, config.init, path, alpha),
        )
        for alpha in config.blend
    }


def _named(weights: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """NAME=PATH taken apart; by default a folder is its own name, a file without its suffix."""
    out = []
    for entry in weights:
        name, equals, rest = entry.partition("=")
        if not equals or not name or Path(entry).exists():
            path = Path(entry).resolve()
            name, rest = path.stem if path.is_file() else path.name, entry
        out.append((name, Path(rest)))
    names = [name for name, _ in out]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(f"two models are called {twice[0]!r}; give NAME=PATH")
    return iter(out)


def _blend(init: Path, tuned: Path, alpha: float) -> Estimator:
    start, _ = load_model(init)
    model, _ = load_model(tuned)
    model.load_state_dict(blended(start.state_dict(), model.state_dict(), alpha))
    return network(model)


def _plain(value: Any) -> Any:
    """What JSON can say: null for numbers that are none."""
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
