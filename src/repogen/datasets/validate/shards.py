"""Validation of a dataset of shards, one shard at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from repogen.datasets.checksums import CHECKSUMS
from repogen.datasets.chunks import compact_json
from repogen.datasets.folder import Sample
from repogen.datasets.reading import Entry
from repogen.datasets.shards import (
    Shard,
    ShardFolder,
    manifest_to_json,
    pack_shard,
    read_manifest,
    read_shard,
    shard_name,
    unpack_shard,
    with_ids,
)
from repogen.datasets.validate.coco_file import check_header
from repogen.datasets.validate.files import kinds_of, shard_sizes
from repogen.datasets.validate.records import check_image
from repogen.errors import UserError
from repogen.files import read_regular
from repogen.limits import MAX_INDEX
from repogen.processes import map_tasks


@dataclass(frozen=True)
class _Task:
    root: Path
    shard: Shard
    first: int
    """The id of the shard's first image."""
    run: Entry


def check_shards(
    folder: ShardFolder, run: Entry, digests: Iterator[str] | None, workers: int
) -> Iterator[str]:
    """Problems of the manifest and of every shard; `digests` are the SHA-256 of the shards in
    order.

    Raises `UserError` for a manifest that cannot be read.
    """
    manifest = read_manifest(str(folder.root))
    if read_regular(folder.manifest, MAX_INDEX) != manifest_to_json(manifest):
        yield f"{folder.manifest.name}: is not written as repogen writes it"
    yield from check_header(folder, manifest.header, run)
    wanted = [(shard_name(k), size) for k, size in enumerate(shard_sizes(run))]
    if [(shard.name, shard.images) for shard in manifest.shards] != wanted:
        count = sum(shard.images for shard in manifest.shards)
        yield (
            f"shards.json has {len(manifest.shards)} shards of {count} images, run.json gives "
            f"{len(wanted)} of {run['config']['images']}, or other names or sizes"
        )
        return
    first, tasks = 1, []
    for shard in manifest.shards:
        if digests is not None and next(digests) != shard.sha256:
            yield f"{shard.name}: has another SHA-256 in {CHECKSUMS} than in shards.json"
        tasks.append(_Task(folder.root, shard, first, run))
        first += shard.images
    for found in map_tasks(_check_shard, tasks, workers):
        yield from found


def _check_shard(task: _Task) -> list[str]:
    return [f"{task.shard.name}: {problem}" for problem in _problems(task)]


def _problems(task: _Task) -> Iterator[str]:
    shard, kinds = task.shard, list(kinds_of(task.run))
    try:
        data = read_shard(str(task.root), shard)
        samples = list(unpack_shard(data, shard.name))
    except UserError as error:
        yield str(error)
        return
    if pack_shard(shard.name, samples)[0] != data:
        yield "is not packed as repogen does: members or data are added, repeated or out of order"
    ids = [sample.image["id"] for sample in samples]
    if ids != list(range(task.first, task.first + shard.images)):
        yield f"image ids are not {task.first} to {task.first + shard.images - 1} in order"
        return
    persons = sum(len(sample.annotations) for sample in samples)
    if persons != shard.persons:
        yield f"holds {persons} persons, shards.json says {shard.persons}"
    annotations = iter(with_ids(samples)["annotations"])
    for sample in samples:
        if list(sample.files) != kinds:
            found, wanted = ", ".join(sample.files), ", ".join(kinds)
            yield f"image {sample.image['id']}: has {found}, not {wanted}"
        own = [next(annotations) for _ in sample.annotations]
        yield from _check_sample(sample, own, task.run)


def _check_sample(sample: Sample, annotations: list[Entry], run: Entry) -> Iterator[str]:
    records = [compact_json(record) for record in (sample.image, *annotations)]
    files = {kind: data for kind, data in sample.files.items() if kind in kinds_of(run)}
    yield from check_image(sample.image["id"], records, f"{sample.scene}\n", files, run)
