"""Evaluating weights on sets, and writing the report."""

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from repogen.arrays import Bool, Float
from repogen.cameras.viewpoints import BANDS
from repogen.coco.annotations import PersonAnnotations
from repogen.coco.images import drop_unreadable, with_true_sizes
from repogen.coco.names import PERSON
from repogen.config import config_from_keywords
from repogen.datasets.sets import check_unique_names, parse_set, read_set
from repogen.errors import UserError
from repogen.evaluation.comparison import compare
from repogen.evaluation.config import EvaluateConfig
from repogen.evaluation.detections import read_detections
from repogen.evaluation.findings import band_name
from repogen.evaluation.groups import (
    PersonGroups,
    estimated_views,
    orientation_groups,
    view_groups,
)
from repogen.evaluation.page import report_html, report_markdown
from repogen.evaluation.pictures import PictureRow, picture_rows
from repogen.evaluation.results import Report
from repogen.inference.estimate import Boxes, Estimates, Estimator, estimate_people
from repogen.inference.network import load_estimator, torch_estimator
from repogen.models.weights import blend_tensors, load_model
from repogen.outputs import OutputFolder


def evaluate(config: EvaluateConfig | None = None, **options: object) -> Report:
    """Score models on sets, with the ground-truth boxes or those of a detector.

    The options are an `EvaluateConfig` or its keywords: `evaluate(weights="run", data="s=set")`.
    `out` names a JSON file for the report; beside it come .html and .md files of the same
    name and the folder NAME_poses with MODEL@SET.json, the poses as COCO results. Raises
    `UserError` for bad input, and where one of these files exists and is not of an earlier call.

    >>> report = repogen.evaluate(weights="run", data="synth=people")
    >>> list(report.sets)
    ['synth']
    """
    config = config_from_keywords(EvaluateConfig, config, options)
    check_unique_names(config.data)
    sets = [with_true_sizes(read_set(spec)) for spec in config.data]
    boxes = _boxes(config, sets)
    unreadable = {}
    for i, people in enumerate(sets):
        source, detected = boxes[people.name]
        sets[i], bad = drop_unreadable(people, () if detected is None else detected.image)
        unreadable[people.name] = len(bad)
        if detected is not None:
            boxes[people.name] = source, detected.without_images(bad)
    models = _models(config)
    if config.out is not None:
        of_poses = (_poses_path(config.out, model, p.name) for model in models for p in sets)
        reports = (config.out, config.out.with_suffix(".html"), config.out.with_suffix(".md"))
        OutputFolder(config.out.parent, "evaluate").check(*reports, *of_poses)
    for _, load in models.values():
        load()  # bad weights are an error now, not hours later
    estimates: dict[str, dict[str, Estimates]] = {people.name: {} for people in sets}
    for model, (_, load) in models.items():
        estimator = load()
        for people in sets:
            estimates[people.name][model] = estimate_people(
                estimator,
                people,
                config.flip,
                boxes=boxes[people.name][1],
                progress=f"{model} on {people.name}",
                rotations=config.rotations,
            )
    views = {people.name: _estimated_views(config, people) for people in sets}
    groupings = {people.name: _groupings(people, views[people.name]) for people in sets}
    report = Report(
        models={name: source for name, (source, _) in models.items()},
        alphas=dict(zip(models, config.blend, strict=False)),
        flip=config.flip,
        rotations=config.rotations,
        bootstrap_samples=config.bootstrap_samples,
        sets={
            people.name: replace(
                compare(
                    people,
                    estimates[people.name],
                    config.bootstrap_samples,
                    boxes[people.name][0],
                    groupings=groupings[people.name],
                    estimated=views[people.name],
                ),
                unreadable=unreadable[people.name],
            )
            for people in sets
        },
    )
    if config.out is not None:
        folder = OutputFolder(config.out.parent, "evaluate")
        for people in sets:
            for model, poses in estimates[people.name].items():
                path = _poses_path(config.out, model, people.name)
                folder.write(path, (json.dumps(coco_results(people, poses)) + "\n").encode())
        pictures = {
            people.name: picture_rows(
                people,
                estimates[people.name],
                _picture_groups(people, groupings[people.name]),
                config.pictures,
            )
            for people in sets
        }
        write_report(config.out, report, pictures)
    return report


def _estimated_views(
    config: EvaluateConfig, people: PersonAnnotations
) -> Float[np.ndarray, "n 2"] | None:
    """Estimated views of a set's persons; None where the set has views."""
    known = np.isfinite(people.views[people.labelled(), 1]).any()
    return None if known or not config.estimate_views else estimated_views(people)


def _groupings(
    people: PersonAnnotations, views: Float[np.ndarray, "n 2"] | None
) -> tuple[PersonGroups, ...]:
    return (orientation_groups(people), *(() if views is None else view_groups(views)))


def _picture_groups(
    people: PersonAnnotations, groupings: tuple[PersonGroups, ...]
) -> dict[str, Bool[np.ndarray, " n"]]:
    """Masks over the persons by the groups' names, everybody first."""
    elevation = people.views[:, 1]
    bands = {
        f"elevation of the camera {band_name(low, high)}": (elevation >= low)
        & ((elevation < high) | (high == BANDS[-1]))
        for low, high in pairwise(BANDS)
    }
    named = {f"{one.title}: {name}": mask for one in groupings for name, mask in one.masks.items()}
    return {"all persons": np.ones(len(people), dtype=bool)} | bands | named


def _quoted(name: str) -> str:
    return quote(os.fsencode(name), safe="")


def write_report(
    path: Path, report: Report, pictures: Mapping[str, Sequence[PictureRow]] | None = None
) -> None:
    """Write the report as JSON to `path`, and as .html (with pictures by set) and .md beside it.

    Raises `UserError` where one of the files exists and is not of an earlier report.
    """
    folder = OutputFolder(path.parent, "evaluate")
    data = {"repogen": version("repogen"), **asdict(report)}
    text = json.dumps(_to_json(data), indent=1, ensure_ascii=False)
    # Bytes of names that are no UTF-8 become JSON's escapes, which Python reads back.
    folder.write(path, (text + "\n").encode(errors="backslashreplace"))
    folder.write(path.with_suffix(".html"), report_html(report, pictures).encode())
    folder.write(path.with_suffix(".md"), report_markdown(report).encode())


def _poses_path(out: Path, model: str, name: str) -> Path:
    """The file of a model's poses on a set."""
    file = f"{_quoted(model)}@{_quoted(name)}.json"
    return out.with_name(f"{out.stem}_poses") / file


def coco_results(people: PersonAnnotations, estimates: Estimates) -> list[dict[str, Any]]:
    """The estimates that OKS-NMS kept, as COCO results (for pycocotools' `loadRes`)."""
    category = people.records[0].get("category_id", PERSON) if people.records else PERSON
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
    """By set: the source of the boxes, and the boxes that --detections names, else None."""
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
                f"--detections also holds persons that {spec!r} leaves out; remove :CAP"
            )
        out[name] = file, read_detections(Path(file), people)
    return out


def _models(config: EvaluateConfig) -> dict[str, tuple[str, Callable[[], Estimator]]]:
    """By name: where the weights are, and a function that loads them."""
    paths = dict(_named_weights(config.weights))
    if config.init is None:
        return {
            n: (str(path), partial(load_estimator, path, timeout=config.timeout))
            for n, path in paths.items()
        }
    ((name, path),) = paths.items()
    return {
        f"{name}-{alpha:g}": (
            f"{1 - alpha:g} {config.init} + {alpha:g} {path}",
            partial(_blend_estimator, config.init, path, alpha),
        )
        for alpha in config.blend
    }


def _named_weights(weights: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """(name, path) of each entry NAME=PATH; without NAME, the folder's or the file's stem."""
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
        raise UserError(f"two models are named {twice[0]!r}; give NAME=PATH")
    return iter(out)


def _blend_estimator(init: Path, tuned: Path, alpha: float) -> Estimator:
    start, _ = load_model(init)
    model, _ = load_model(tuned)
    model.load_state_dict(blend_tensors(start.state_dict(), model.state_dict(), alpha))
    return torch_estimator(model)


def _to_json(value: Any) -> Any:
    """A value as JSON can hold it; NaN and infinity become null."""
    if isinstance(value, np.ndarray):
        return _to_json(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(item) for item in value]
    return value
