"""Conversion of a folder with a COCO file to shards and back, without loss of a byte."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from repogen.config import checked, merged
from repogen.datasets.checksums import read_checksums
from repogen.datasets.folder import (
    PICTURE,
    RUN_DIGEST,
    DatasetFolder,
    Sample,
    foreign_files,
    locked,
    map_kinds,
    remove_chunks,
)
from repogen.datasets.reading import (
    RUN_FORMAT,
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
    Manifest,
    ShardFolder,
    check_shard_images,
    read_bytes,
    read_manifest,
    read_shard,
    unpack_shard,
)
from repogen.datasets.sources import copy_sources
from repogen.errors import UserError
from repogen.files import sha256_of, sha256_of_bytes
from repogen.messages import say, warn
from repogen.scenes.scene import parse_scene


@checked
def convert(source: Path | str, out: Path | str, shard_images: int = SHARD_IMAGES) -> Path:
    """Write the dataset at `source` in the other format into the folder `out`; returns it.

    `source` is a folder, or a URL of shards for fsspec. Call it again to resume a conversion that
    was stopped; a finished one is left as it is. Raises `UserError` for a source that is unfinished
    or differs from its checksums, and for an `out` that holds other files.

    >>> repogen.convert("people", "people-shards", shard_images=2)
    PosixPath('people-shards')
    """
    check_shard_images(shard_images)
    source = str(source).rstrip("/")
    data = _read_run(source)
    run = parse_run_info(data, f"{source}/run.json")
    if run["config"]["output"].get("format") == "webdataset":
        manifest = read_manifest(source)
        _check_run_digest(manifest.header, data, source)
        return _to_folder(source, manifest, DatasetFolder(Path(out)), run)
    folder = open_dataset(source)
    header = read_header(folder)
    _check_run_digest(header, data, source)
    return _to_shards(folder, header, ShardFolder(Path(out), shard_images), run)


def _read_run(source: str) -> bytes:
    try:
        return read_bytes(f"{source}/run.json")
    except UserError as error:
        raise UserError(f"{source} is not a repogen dataset: {error}") from error


def _check_run_digest(header: dict[str, Any], data: bytes, source: str) -> None:
    """Raises `UserError` where run.json has not the content that the header names."""
    info = header.get("info")
    if not isinstance(info, dict):
        raise _damaged(source, "its labels have no info")
    if info.get(RUN_DIGEST) not in (None, sha256_of_bytes(data)):
        raise _damaged(source, "its run.json is not the one that its labels were written with")


def _to_folder(source: str, manifest: Manifest, target: DatasetFolder, run: dict[str, Any]) -> Path:
    config = merged(run["config"], {"output": {"format": "coco", "shard_images": SHARD_IMAGES}})
    run = run | {"format": RUN_FORMAT, "config": config}
    if _finished(target, run):
        return target.root
    with _locked_target(target, run):
        first = 1
        for k, shard in enumerate(tqdm(manifest.shards, unit="shard", desc="converting")):
            if not target.holds_chunk(k, shard.images):
                samples = list(unpack_shard(read_shard(source, shard), f"{source}/{shard.name}"))
                _check_ids([sample.image for sample in samples], first, shard.images, source)
                _copy_sources(source, target, config, [sample.scene for sample in samples])
                target.write_chunk(k, samples)
            first += shard.images
        target.finish(len(manifest.shards), manifest.header)
    remove_chunks(target)
    return target.root


def _to_shards(
    folder: DatasetFolder, header: dict[str, Any], target: ShardFolder, run: dict[str, Any]
) -> Path:
    output = {"format": "webdataset", "shard_images": target.chunk}
    config = merged(run["config"], {"output": output})
    images, kinds = config["images"], (PICTURE, *map_kinds(config["output"]["write"]))
    chunks = range(0, images, target.chunk)
    run = run | {"format": RUN_FORMAT, "config": config}
    if _finished(target, run):
        return target.root
    with _locked_target(target, run):
        entries, scenes = read_entries(folder), read_scene_lines(folder)
        known = _read_checksums(folder)
        for k, first in enumerate(tqdm(chunks, unit="shard", desc="converting")):
            count = min(target.chunk, images - first)
            chunk, lines = list(islice(entries, count)), list(islice(scenes, count))
            _check_ids([image for image, _ in chunk], first + 1, count, str(folder.root))
            if len(lines) != count:
                raise _damaged(str(folder.root), f"{folder.scenes.name} has too few lines")
            digests = None if known is None else dict(islice(known, count * len(kinds)))
            if not target.holds_chunk(k, count):
                _copy_sources(str(folder.root), target, config, lines)
                pairs = zip(chunk, lines, strict=True)
                samples = (_read_sample(folder, *entry, line, kinds) for entry, line in pairs)
                target.write_chunk(k, _unchanged(folder, samples, digests))
        if next(entries, None) is not None or next(scenes, None) is not None:
            raise _damaged(str(folder.root), f"it has more than the {images} images of its run")
        if known is not None:
            digests = dict(known)
            for path in (folder.annotations, folder.scenes):
                _check_digest(folder, path, sha256_of(path), digests)
        target.finish(len(chunks), header)
    remove_chunks(target)
    return target.root


def _copy_sources(
    source: str, target: DatasetFolder, config: dict[str, Any], scenes: list[str]
) -> None:
    if config["output"]["embed_sources"]:
        for scene in scenes:
            copy_sources(source, target, parse_scene(scene, source))


def _read_checksums(folder: DatasetFolder) -> Iterator[tuple[str, str]] | None:
    """(name, SHA-256) of the folder's files in the order of its images, then of the others.

    None, with a warning, where there are no checksums.
    """
    if not folder.checksums.exists():
        warn(f"{folder.root} has no {folder.checksums.name}: its files are taken as they are")
        return None
    return ((name, digest) for digest, name in read_checksums(folder.checksums))


def _unchanged(
    folder: DatasetFolder, samples: Iterable[Sample], digests: Mapping[str, str] | None
) -> Iterator[Sample]:
    """The samples. Raises `UserError` where a file's SHA-256 differs from `digests`, by name."""
    for sample in samples:
        if digests is not None:
            for path, data in folder.files(sample).items():
                _check_digest(folder, path, sha256_of_bytes(data), digests)
        yield sample


def _check_digest(
    folder: DatasetFolder, path: Path, digest: str, digests: Mapping[str, str]
) -> None:
    if digests.get(folder.name(path)) != digest:
        why = f"{folder.name(path)} has another SHA-256 than {folder.checksums.name} says"
        raise _damaged(str(folder.root), why)


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
    files = read_files(folder, image["id"], kinds)
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
