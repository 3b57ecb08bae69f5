"""Validation of a whole dataset."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from repogen.config import checked, config_from_keywords
from repogen.datasets.config import OutputConfig
from repogen.datasets.folder import MAX_IMAGES, DatasetFolder
from repogen.datasets.reading import OWN_SCENES, open_dataset, read_run_info, scenes_digest
from repogen.datasets.shards import ShardFolder
from repogen.datasets.sources import MissingSourceError, SourcesConfig
from repogen.datasets.validate.files import (
    check_checksums,
    check_names,
    check_run_file,
    read_digests,
)
from repogen.datasets.validate.folders import check_folder
from repogen.datasets.validate.rerendering import check_rerendered
from repogen.datasets.validate.shards import check_shards
from repogen.errors import UserError, check_between
from repogen.messages import warn
from repogen.processors import default_workers

_WORTH_PROCESSES = 300
"""Images from which on checking in several processes saves more than starting them takes."""

_RENDERING = 10
"""How many images are checked in the time that it takes to make one again."""


@checked
def validate(
    dataset: Path | str,
    rerender: int | Literal["all"] = 3,
    workers: int = 0,
    config: SourcesConfig | None = None,
    **options: object,
) -> list[str]:
    """The problems of a dataset, one line each; an empty list for a valid one.

    Every file is compared with the SHA-256 in `checksums.sha256`, the labels, scenes, pictures and
    options with each other. Then `rerender` images, uniformly spread, or all of them, are made
    again: scenes from the options in run.json, if repogen drew them, pictures and labels from the
    scenes. They must agree byte for byte and number for number. `workers` processes check many
    images; 0 is one for each processor. Files that the images show are found as for `rerender`;
    without them, and without options, a warning says so. Raises `UserError` where there is no
    finished dataset.

    >>> repogen.validate("people")
    []
    """
    check_between("--workers", workers, 0, 1024)
    if rerender != "all":
        check_between("--rerender", rerender, 0, MAX_IMAGES)
    folder, given = open_dataset(dataset), config_from_keywords(SourcesConfig, config, options)
    problems = validate_files(folder, workers)
    if problems:
        return problems
    images = read_run_info(folder)["config"]["images"]
    count = images if rerender == "all" else min(rerender, images)
    ids = {1 + (images - 1) * i // max(count - 1, 1) for i in range(count)}
    processes = _processes(workers, _RENDERING * len(ids))
    try:
        return list(check_rerendered(folder, ids, given, processes))
    except MissingSourceError as error:
        if given != SourcesConfig():
            raise
        warn(f"no image was rendered again: {error}")
        return []


def validate_files(folder: DatasetFolder, workers: int = 1) -> list[str]:
    """The problems of a finished dataset, without rendering; one line each.

    Only some images or one shard of each process are in memory at a time.
    """
    problems: list[str] = []
    try:
        problems.extend(_problems(folder, workers))
    except UserError as error:
        problems.append(str(error))
    return problems


def _problems(folder: DatasetFolder, workers: int) -> Iterator[str]:
    run = read_run_info(folder)
    OutputConfig(**run["config"]["output"])
    yield from check_run_file(folder)
    yield from check_names(folder, run)
    known = yield from check_checksums(folder, run)
    digests = read_digests(folder) if known else None
    processes = _processes(workers, run["config"]["images"])
    if isinstance(folder, ShardFolder):
        yield from check_shards(folder, run, digests, processes)
    else:
        yield from check_folder(folder, run, digests, processes)
    if run.get(OWN_SCENES) not in (None, scenes_digest(folder)):
        yield f"its scenes are not those of {OWN_SCENES} in run.json"


def _processes(workers: int, images: int) -> int:
    return (workers or default_workers()) if images >= _WORTH_PROCESSES else 1
