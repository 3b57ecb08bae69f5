"""Conversion of a folder with a COCO file to shards and back, without loss of a byte."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from repogen.config import checked, merged
from repogen.datasets.folder import (
    PICTURE,
    DatasetFolder,
    Sample,
    foreign_files,
    locked,
    map_kinds,
    remove_chunks,
)
from repogen.datasets.reading import (
    open_dataset,
    parse_run_info,
    read_entries,
    read_files,
    read_header,
    read_run_info,
    read_scene_lines,
    write_run_info,
)
from repogen.datasets.shards import (
    SHARD_IMAGES,
    ShardFolder,
    check_shard_images,
    read_bytes,
    read_manifest,
    read_shard,
    unpack_shard,
)
from repogen.errors import UserError
from repogen.messages import say


@checked
def convert(source: Path | str, out: Path | str, shard_images: int = SHARD_IMAGES) -> Path:
    """Write the dataset at `source` in the other format into the folder `out`; returns it.

    `source` is a folder, or a URL of shards for fsspec. Call it again to resume a conversion that
    was stopped; a finished one is left as it is. Raises `UserError` for a source that is
    unfinished or damaged, and for an `out` that holds other files.

    >>> repogen.convert("people", "people-shards", shard_images=2)
    PosixPath('people-shards')
    """
    check_shard_images(shard_images)
    source = str(source).rstrip("/")
    run = _read_run(source)
    if run["config"]["output"].get("format") == "webdataset":
        return _to_folder(source, DatasetFolder(Path(out)), run)
    return _to_shards(open_dataset(source), ShardFolder(Path(out), shard_images), run)


def _read_run(source: str) -> dict[str, Any]:
    where = f"{source}/run.json"
    try:
        data = read_bytes(where)
    except UserError as error:
        raise UserError(f"{source} is not a repogen dataset: {error}") from error
    return parse_run_info(data, where)


def _to_folder(source: str, target: DatasetFolder, run: dict[str, Any]) -> Path:
    manifest = read_manifest(source)
    config = merged(run["config"], {"output": {"format": "coco", "shard_images": SHARD_IMAGES}})
    run = run | {"config": config}
    if _finished(target, run):
        return target.root
    with _locked_target(target, run):
        first = 1
        for k, shard in enumerate(tqdm(manifest.shards, unit="shard", desc="converting")):
            if not target.chunk_file(k).exists():
                samples = list(unpack_shard(read_shard(source, shard), f"{source}/{shard.name}"))
                _check_ids([sample.image for sample in samples], first, shard.images, source)
                target.write_chunk(k, samples)
            first += shard.images
        target.finish(len(manifest.shards), manifest.header)
    remove_chunks(target)
    return target.root


def _to_shards(folder: DatasetFolder, target: ShardFolder, run: dict[str, Any]) -> Path:
    output = {"format": "webdataset", "shard_images": target.chunk}
    config = merged(run["config"], {"output": output})
    images, kinds = config["images"], map_kinds(config["output"]["write"])
    chunks = range(0, images, target.chunk)
    run = run | {"config": config}
    if _finished(target, run):
        return target.root
    with _locked_target(target, run):
        entries, scenes = read_entries(folder), read_scene_lines(folder)
        for k, first in enumerate(tqdm(chunks, unit="shard", desc="converting")):
            count = min(target.chunk, images - first)
            chunk, lines = list(islice(entries, count)), list(islice(scenes, count))
            _check_ids([image for image, _ in chunk], first + 1, count, str(folder.root))
            if len(lines) != count:
                raise _damaged(str(folder.root), f"{folder.scenes.name} has too few lines")
            if not target.chunk_file(k).exists():
                pairs = zip(chunk, lines, strict=True)
                samples = (_read_sample(folder, *entry, line, kinds) for entry, line in pairs)
                target.write_chunk(k, samples)
        if next(entries, None) is not None or next(scenes, None) is not None:
            raise _damaged(str(folder.root), f"it has more than the {images} images of its run")
        target.finish(len(chunks), read_header(folder))
    remove_chunks(target)
    return target.root


def _check_ids(images: list[dict[str, Any]], first: int, count: int, source: str) -> None:
    """Raises `UserError` unless these are `count` images with ids from `first` on."""
    if [image.get("id") for image in images] != list(range(first, first + count)):
        raise _damaged(source, f"the ids of its images are not {first} to {first + count - 1}")


def _damaged(source: str, why: str) -> UserError:
    return UserError(f"{source} is damaged: {why}; repogen validate lists what to restore")


def _read_sample(
    folder: DatasetFolder,
    image: dict[str, Any],
    annotations: list[dict[str, Any]],
    scene: str,
    kinds: tuple[str, ...],
) -> Sample:
    without_ids = [
        {key: value for key, value in a.items() if key not in ("id", "image_id")}
        for a in annotations
    ]
    files = read_files(folder, image["id"], (PICTURE, *kinds))
    return Sample(image, without_ids, scene, files)


@contextmanager
def _locked_target(target: DatasetFolder, run: dict[str, Any]) -> Iterator[None]:
    """Lock the folder for this conversion, new or to resume, and write its run.json."""
    with locked(target, lambda: _check_target(target, run)):
        write_run_info(target, run)
        yield


def _finished(target: DatasetFolder, run: dict[str, Any]) -> bool:
    """Whether the target already holds this dataset; says so."""
    finished = target.complete and target.run.exists() and read_run_info(target) == run
    if finished:
        say(
            f"{target.root} is already finished: the {run['config']['images']} images of the source"
        )
    return finished


def _check_target(target: DatasetFolder, run: dict[str, Any]) -> None:
    if target.run.exists():
        if target.complete or read_run_info(target) != run:
            raise UserError(f"{target.root} holds another dataset; choose another folder")
    elif foreign_files(target):
        raise UserError(f"{target.root} holds other files; choose another folder")
