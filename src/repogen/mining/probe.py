"""A map of what an estimator finds hard, over views, poses, sizes, clothes and light."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from repogen.arrays import Float
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.config import checked, config_from_keywords
from repogen.errors import UserError
from repogen.evaluation.comparison import sphere_map
from repogen.evaluation.results import SphereMap
from repogen.files import exclusive, write_atomic
from repogen.generation.config import options_of_preset
from repogen.generation.engines import ray_cluster
from repogen.messages import say
from repogen.mining.candidates import Task
from repogen.mining.config import ProbeConfig
from repogen.mining.difficulty import check_can_be_asked
from repogen.mining.judging import (
    Judging,
    check_folder,
    check_same,
    describe,
    judge_all,
    on_any_node,
    with_teacher,
)
from repogen.mining.page import hardest, probe_html, region_text
from repogen.mining.pictures import draw_people, sheet
from repogen.mining.records import JudgedPerson, read_candidates
from repogen.mining.regions import divide
from repogen.mining.report import ProbeReport, RegionReport, region_report, report_table
from repogen.mining.spread import absolute, file_digest
from repogen.processes import check_not_in_worker

_MARK = "options.json"

_SHEET = 24
"""The hardest people of all who are shown together."""

_SAID = 5
"""Regions that are named on stderr."""


@checked
def probe(
    out: Path | str,
    weights: Path | str,
    against: Path | str | None = None,
    config: ProbeConfig | None = None,
    preset: str | None = None,
    **options: object,
) -> Path:
    """Write a page about which people and views an estimator finds hard; returns its path.

    `images` people are drawn, judged (`mining.difficulty`), and divided into regions: by view,
    orientation, joint, size, occlusion, clothes and light. With `against`, a second estimator is
    asked about the same people, and each region has the difference. The options are a `ProbeConfig`
    or its keywords. The folder `out` gets index.html, regions.json with the numbers, worst.jpg with
    the hardest people, and candidates.jsonl, a record of each person. The same call resumes an
    interrupted run.

    Raises `UserError` for weights that cannot be asked, invalid options, and a folder with other
    files.

    >>> repogen.probe("map", "lightning", images=20, image_size=96, views="sphere", worst=1,
    ...               max_excess=1000, least_side=1, workers=1)
    PosixPath('map/index.html')
    """
    check_not_in_worker("probe")
    options = options_of_preset(preset, options)
    config = config_from_keywords(ProbeConfig, config, options)
    models = tuple(str(each) for each in (weights, against) if each is not None)
    if len({*models}) < len(models):
        raise UserError(f"--against {against} is --weights, too; name another model")
    for each in models:
        check_can_be_asked(each)
    if config.judging.teacher is not None:
        check_can_be_asked(config.judging.teacher, "--teacher")
    root = Path(out)
    check_folder(root, root / _MARK)
    with exclusive(root / "lock", root), ray_cluster(config):
        own = {"judging": asdict(config.judging), "worst": config.worst}
        check_same(root, root / _MARK, describe(config, own, with_teacher(models, config.judging)))
        asked, sampler = absolute(models), file_digest(config.pose.sampler)
        judging = on_any_node(config.judging)
        shared = Judging(config, judging, asked, sampler)
        with tqdm(total=config.images, unit="person", smoothing=0.1, desc="probing") as bar:
            path = root / "candidates.jsonl"
            judge_all(shared, range(config.images), path, bar)
        report, shown = _report(config, models, path)
        task = Task(config, judging, asked, sampler, ())
        pictures = draw_people(task, shown, root)
        table = json.dumps(report_table(report), indent=1) + "\n"
        write_atomic(root / "regions.json", table.encode())
        write_atomic(root / "index.html", probe_html(report, pictures).encode())
        if report.total.worst:
            write_atomic(root / "worst.jpg", sheet([pictures[i] for i in report.total.worst]))
    for region in (report.total, *hardest(report)[:_SAID]):
        say(region_text(region))
    return root / "index.html"


def _report(
    config: ProbeConfig, models: tuple[str, ...], path: Path
) -> tuple[ProbeReport, list[tuple[int, int]]]:
    """The report, and the scene and the person of each picture it shows."""
    found = [(one.index, one.person) for one in read_candidates(path) if one.person is not None]
    if not found:
        raise UserError(
            f"nobody among {config.images} people is plausible and can be seen; loosen "
            "--max-excess, --max-inside, --least-visible or --least-side"
        )
    indices, people = [index for index, _ in found], [person for _, person in found]
    by = config.judging.difficulty
    hard = np.array([[p.hardness(by, m) for p in people] for m in range(len(models))])

    def region(name: str, rows: np.ndarray, shown: int = config.worst) -> RegionReport:
        order = sorted(rows.tolist(), key=lambda row: (-hard[0, row], row))
        worst = tuple(indices[row] for row in order[:shown])
        return region_report(name, models, hard[:, rows], worst)

    dimensions = {
        one.title: tuple(region(part.name, part.rows) for part in one.regions)
        for one in divide(people)
    }
    report = ProbeReport(
        models,
        config.images,
        by,
        region("everybody", np.arange(len(people)), _SHEET if config.worst else 0),
        dimensions,
        _sphere(people, models, hard),
        *_joints(people, models),
    )
    numbers = {index: person.number for index, person in found}
    reports = [report.total, *(one for each in dimensions.values() for one in each)]
    return report, [(i, numbers[i]) for i in sorted({i for one in reports for i in one.worst})]


def _joints(
    people: list[JudgedPerson], models: tuple[str, ...]
) -> tuple[dict[str, dict[str, float]], dict[str, int]]:
    """The mean OKS by model and joint, and of how many people each joint counts."""
    oks = np.array(
        [[[np.nan if v is None else v for v in row] for row in p.joints] for p in people]
    )
    seen = np.isfinite(oks[:, 0]).sum(axis=0)
    means = np.nansum(oks, axis=0) / np.where(seen > 0, seen, np.nan)
    by_model = {
        model: dict(zip(COCO_KEYPOINTS, means[m].tolist(), strict=True))
        for m, model in enumerate(models)
    }
    return by_model, dict(zip(COCO_KEYPOINTS, seen.tolist(), strict=True))


def _sphere(
    people: list[JudgedPerson], models: tuple[str, ...], hard: Float[np.ndarray, "m n"]
) -> SphereMap:
    azimuth = np.array([person.subject_azimuth for person in people])
    elevation = np.array([person.subject_elevation for person in people])
    return sphere_map(azimuth, elevation, dict(zip(models, hard, strict=True)))
