"""Validation of a dataset of shards, one shard at a time."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from repogen.datasets.folder import DatasetFolder
from repogen.datasets.reading import Entry, read_run_info
from repogen.datasets.shards import (
    Shard,
    ShardFolder,
    read_manifest,
    read_shard,
    unpack_shard,
    with_ids,
)
from repogen.datasets.validate.coco_file import check_categories
from repogen.datasets.validate.records import check_records
from repogen.datasets.validate.scenes import check_scenes
from repogen.errors import UserError
from repogen.files import write_atomic


def check_shards(folder: ShardFolder) -> Iterator[str]:
    """Problems of the manifest and of every shard."""
    root = folder.root
    try:
        run, manifest = read_run_info(folder), read_manifest(str(root))
    except UserError as error:
        yield str(error)
        return
    count = sum(shard.images for shard in manifest.shards)
    if count != run["config"]["images"]:
        yield f"shards.json counts {count} images, run.json {run['config']['images']}"
    yield from check_categories(manifest.header)
    names = {shard.name for shard in manifest.shards}
    for path in sorted(root.glob("shard-*.tar")):
        if path.name not in names:
            yield f"{path.name}: is not in shards.json"
    first = 1
    for shard in manifest.shards:
        problems = _check_shard(root, shard, first, run["config"])
        yield from (f"{shard.name}: {problem}" for problem in problems)
        first += shard.images


def _check_shard(root: Path, shard: Shard, first: int, config: dict[str, Any]) -> Iterator[str]:
    try:
        samples = list(unpack_shard(read_shard(str(root), shard), shard.name))
    except UserError as error:
        yield str(error)
        return
    ids = [sample.image["id"] for sample in samples]
    if ids != list(range(first, first + shard.images)):
        yield f"image ids are not {first} to {first + shard.images - 1} in order"
        return
    persons = sum(len(sample.annotations) for sample in samples)
    if persons != shard.persons:
        yield f"holds {persons} persons, shards.json says {shard.persons}"
    annotations: dict[int, list[Entry]] = {image_id: [] for image_id in ids}
    for annotation in with_ids(samples)["annotations"]:
        annotations[annotation["image_id"]].append(annotation)
    entries = [(sample.image, annotations[sample.image["id"]]) for sample in samples]
    with TemporaryDirectory() as unpacked:
        folder = DatasetFolder(Path(unpacked))
        for sample in samples:
            for path, data in folder.files(sample).items():
                write_atomic(path, data)
        write_atomic(folder.scenes, "".join(f"{s.scene}\n" for s in samples).encode())
        yield from check_records(folder, entries, config)
        yield from check_scenes(folder, entries)
