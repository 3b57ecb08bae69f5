"""Validation of a dataset's files: none too many, each as it was written."""

import json
import os
from collections.abc import Generator, Iterator
from itertools import zip_longest
from pathlib import Path

from repogen.datasets.checksums import CHECKSUMS, read_checksums
from repogen.datasets.folder import MINING, PICTURE, DatasetFolder, is_partial, map_kinds
from repogen.datasets.reading import Entry
from repogen.datasets.shards import ShardFolder, shard_name
from repogen.errors import UserError
from repogen.files import read_regular, sha256_of
from repogen.json_files import strict_json
from repogen.limits import MAX_INDEX

_PREVIEW = "preview"
"""The folder that `repogen preview` writes into a dataset."""


def kinds_of(run: Entry) -> tuple[str, ...]:
    """The kinds of files that a run writes for each image."""
    return (PICTURE, *map_kinds(run["config"]["output"]["write"]))


def shard_sizes(run: Entry) -> list[int]:
    """The number of images in each shard of a run."""
    images, size = run["config"]["images"], run["config"]["output"]["shard_images"]
    return [min(size, images - first) for first in range(0, images, size)]


def check_run_file(folder: DatasetFolder) -> Iterator[str]:
    """Whether run.json is JSON in the strict sense, and as repogen writes it."""
    data = read_regular(folder.run, MAX_INDEX)
    try:
        run = strict_json(data.decode())
    except ValueError as error:
        yield f"{folder.run.name}: {error}"
        return
    if data != (json.dumps(run, indent=1) + "\n").encode():
        yield f"{folder.run.name}: is not written as repogen writes it"


def check_names(folder: DatasetFolder, run: Entry) -> Iterator[str]:
    """Files that are no part of the dataset. Missing ones are found where they are read."""
    known = {CHECKSUMS, *map(folder.name, (*_files_of_all(folder), *kept_sources(folder, run)))}
    if isinstance(folder, ShardFolder):
        known |= {shard_name(k) for k in range(len(shard_sizes(run)))}
    kinds = () if isinstance(folder, ShardFolder) else kinds_of(run)
    for path, folders, names in os.walk(folder.root):
        inside = "" if path == str(folder.root) else os.path.relpath(path, folder.root) + "/"
        beside = (_PREVIEW, MINING)
        folders[:] = sorted(each for each in folders if f"{inside}{each}" not in beside)
        for name in (f"{inside}{each}" for each in sorted(names)):
            if is_partial(name.rpartition("/")[2]):
                yield f"{name}: is left over from an interrupted write"
            elif name not in known and not _is_of_image(name, kinds, run["config"]["images"]):
                yield f"{name}: is no file of this dataset"


def _is_of_image(name: str, kinds: tuple[str, ...], images: int) -> bool:
    """Whether the folder of a dataset has a file of this name, of these kinds, for an image."""
    place, _, file = name.rpartition("/")
    number, _, suffix = file.partition(".")
    kind = PICTURE if place == "images" else place
    is_number = len(number) == 8 and number.isascii() and number.isdigit()
    return (
        kind in kinds
        and suffix == ("jpg" if kind == PICTURE else "png")
        and is_number
        and 1 <= int(number) <= images
    )


def _files_of_all(folder: DatasetFolder) -> list[Path]:
    """The files that hold something of every image, in the order of the checksums."""
    if isinstance(folder, ShardFolder):
        return [folder.run, folder.manifest]
    return [folder.annotations, folder.run, folder.scenes]


def names_in_order(folder: DatasetFolder, run: Entry) -> Iterator[str]:
    """The names of a dataset's files, in the order of its checksums."""
    if isinstance(folder, ShardFolder):
        yield from map(shard_name, range(len(shard_sizes(run))))
    else:
        for image_id in range(1, run["config"]["images"] + 1):
            for kind in kinds_of(run):
                yield folder.name(folder.file(kind, image_id))
    yield from map(folder.name, (*_files_of_all(folder), *kept_sources(folder, run)))


def kept_sources(folder: DatasetFolder, run: Entry) -> list[Path]:
    """The files of `sources/`, sorted, in a dataset with --embed-sources."""
    return folder.sources if run["config"]["output"]["embed_sources"] else []


def read_digests(folder: DatasetFolder) -> Iterator[str]:
    """The SHA-256 of the dataset's files, in the order of `names_in_order`."""
    return (digest for digest, _ in read_checksums(folder.checksums))


def check_checksums(folder: DatasetFolder, run: Entry) -> Generator[str, None, bool]:
    """Problems of the checksums, and of the files that hold something of every image.

    Returns whether the checksums are those of the dataset's files in order.
    """
    if not folder.checksums.exists():
        yield (
            f"{CHECKSUMS}: is missing; only changes that contradict other files are found, the "
            "rest by --rerender all"
        )
        return False
    paths = {folder.name(path): path for path in (*_files_of_all(folder), *folder.sources)}
    try:
        pairs = zip_longest(names_in_order(folder, run), read_checksums(folder.checksums))
        for number, (wanted, line) in enumerate(pairs, start=1):
            digest, name = line or ("", "nothing")
            if name != wanted:
                yield f"{CHECKSUMS} line {number}: is of {name}, not of {wanted or 'nothing'}"
                return False
            if name in paths and sha256_of(paths[name]) != digest:
                yield f"{name}: has another SHA-256 than {CHECKSUMS} says"
    except UserError as error:
        yield str(error)
        return False
    except OSError as error:
        yield f"cannot read {error.filename}: {error.strerror}"
        return False
    return True
