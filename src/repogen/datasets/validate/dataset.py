"""Validation of a whole dataset."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from repogen.config import checked, config_from_keywords
from repogen.datasets.folder import DatasetFolder, partial_files
from repogen.datasets.reading import open_dataset, read_entries, read_header, read_run_info
from repogen.datasets.shards import ShardFolder
from repogen.datasets.sources import MissingSourceError, SourcesConfig
from repogen.datasets.validate.coco_file import check_ids
from repogen.datasets.validate.records import check_records
from repogen.datasets.validate.rerendering import check_rerendered
from repogen.datasets.validate.scenes import check_scenes
from repogen.datasets.validate.shards import check_shards
from repogen.errors import UserError
from repogen.messages import warn


@checked
def validate(
    dataset: Path | str,
    rerender: int = 3,
    config: SourcesConfig | None = None,
    **options: object,
) -> list[str]:
    """The problems of a dataset, one line each; an empty list for a valid one.

    `rerender` images, uniformly spread, are rendered again from their scenes: pictures must agree
    byte for byte and labels number for number. Files that the images show are found as for
    `rerender`; without them, and without options, a warning says so. Raises `UserError` where there
    is no finished dataset.

    >>> repogen.validate("people")
    []
    """
    folder, given = open_dataset(dataset), config_from_keywords(SourcesConfig, config, options)
    problems = validate_files(folder)
    if problems or not rerender:
        return problems
    count = read_run_info(folder)["config"]["images"]
    ids = {1 + (count - 1) * i // max(rerender - 1, 1) for i in range(rerender)}
    try:
        return list(check_rerendered(folder, ids, given))
    except MissingSourceError as error:
        if given != SourcesConfig():
            raise
        warn(f"no image was rendered again: {error}")
        return []


def validate_files(folder: DatasetFolder) -> list[str]:
    """The problems of a finished dataset, without rendering; one line each.

    Compares the COCO entries, the scenes, the pictures and the options in run.json. Only one image
    or one shard is in memory at a time.
    """
    if isinstance(folder, ShardFolder):
        return [*check_shards(folder), *_check_partials(folder)]
    try:
        run, header = read_run_info(folder), read_header(folder)
        problems = list(check_ids(folder, header, run["config"]["images"]))
        # With wrong ids nothing says which annotations belong to which image.
        return problems or list(_check_files(folder, run["config"]))
    except UserError as error:
        return [str(error)]


def _check_files(folder: DatasetFolder, config: dict[str, Any]) -> Iterator[str]:
    yield from check_records(folder, read_entries(folder), config)
    yield from check_scenes(folder, read_entries(folder))
    yield from _check_partials(folder)


def _check_partials(folder: DatasetFolder) -> Iterator[str]:
    for path in partial_files(folder):
        yield f"{path.relative_to(folder.root)}: is left over from an interrupted write"
