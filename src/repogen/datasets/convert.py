"""From a folder with a COCO file to shards, and back: the same bytes there and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from repogen.config import merged
from repogen.datasets.folder import (
    PICTURE,
    DatasetFolder,
    Record,
    foreign_files,
    map_kinds,
    opened,
    remove_parts,
)
from repogen.datasets.reading import (
    open_dataset,
    read_annotated,
    read_files,
    read_header,
    read_run,
    read_scene_lines,
    run_of,
    write_run,
)
from repogen.datasets.shards import (
    SHARD,
    ShardFolder,
    check_shard_images,
    read_bytes,
    read_manifest,
    read_shard,
    unpack,
)
from repogen.errors import UserError


def convert(source: str, out: Path | str, shard_images: int = SHARD) -> Path:
    """Write the dataset at `source` in the other format into the folder `out`; returns it.

    `source` is a folder, or a URL of shards that fsspec knows. A conversion that was stopped goes
    on when it is called again. Raises `UserError` for a source that is no finished dataset or is
    damaged, and for an `out` that holds other things.
    """
    check_shard_images(shard_images)
    run_file = f"{source.rstrip('/')}/run.json"
    run = run_of(read_bytes(run_file), run_file)
    if run["config"]["output"].get("format") == "webdataset":
        return _to_folder(source, DatasetFolder(Path(out)), run)
    return _to_shards(open_dataset(source), ShardFolder(Path(out), shard_images), run)


def _to_folder(source: str, target: DatasetFolder, run: dict[str, Any]) -> Path:
    manifest = read_manifest(source)
    config = merged(run["config"], {"output": {"format": "coco", "shard_images": SHARD}})
    with _begun(target, run | {"config": config}):
        first = 1
        for k, shard in enumerate(tqdm(manifest.shards, unit="shard", desc="converting")):
            if not target.part(k).exists():
                records = list(unpack(read_shard(source, shard), f"{source}/{shard.name}"))
                _check_ids([record.image for record in records], first, shard.images, source)
                target.write_chunk(k, records)
            first += shard.images
        target.finish(len(manifest.shards), manifest.header)
    remove_parts(target)
    return target.root


def _to_shards(folder: DatasetFolder, target: ShardFolder, run: dict[str, Any]) -> Path:
    output = {"format": "webdataset", "shard_images": target.chunk}
    config = merged(run["config"], {"output": output})
    images, kinds = config["images"], map_kinds(config["output"]["write"])
    chunks = range(0, images, target.chunk)
    with _begun(target, run | {"config": config}):
        entries, scenes = read_annotated(folder), read_scene_lines(folder)
        for k, first in enumerate(tqdm(chunks, unit="shard", desc="converting")):
            count = min(target.chunk, images - first)
            some, lines = list(islice(entries, count)), list(islice(scenes, count))
            _check_ids([image for image, _ in some], first + 1, count, str(folder.root))
            if len(lines) != count:
                raise _unsound(str(folder.root), f"{folder.scenes.name} ends too early")
            if not target.part(k).exists():
                pairs = zip(some, lines, strict=True)
                records = (_record(folder, *entry, line, kinds) for entry, line in pairs)
                target.write_chunk(k, records)
        if next(entries, None) is not None or next(scenes, None) is not None:
            raise _unsound(str(folder.root), f"it holds more than the {images} images of its run")
        target.finish(len(chunks), read_header(folder))
    remove_parts(target)
    return target.root


def _check_ids(images: list[dict[str, Any]], first: int, count: int, source: str) -> None:
    """Raises `UserError` where these are not the `count` images from the id `first` on."""
    if [image.get("id") for image in images] != list(range(first, first + count)):
        raise _unsound(source, f"its images {first} to {first + count - 1} are not those")


def _unsound(source: str, why: str) -> UserError:
    return UserError(f"{source} is not sound: {why}; repogen validate tells what to restore")


def _record(
    folder: DatasetFolder,
    image: dict[str, Any],
    annotations: list[dict[str, Any]],
    scene: str,
    kinds: tuple[str, ...],
) -> Record:
    without_ids = [
        {key: value for key, value in a.items() if key not in ("id", "image_id")}
        for a in annotations
    ]
    files = read_files(folder, image["id"], (PICTURE, *kinds))
    return Record(image, without_ids, scene, files)


@contextmanager
def _begun(target: DatasetFolder, run: dict[str, Any]) -> Iterator[None]:
    """Open the folder for this conversion, new or half-made; refuse any other."""
    with opened(target, lambda: _check_target(target, run)):
        write_run(target, run)
        yield


def _check_target(target: DatasetFolder, run: dict[str, Any]) -> None:
    if target.run.exists():
        if target.complete or read_run(target) != run:
            raise UserError(f"{target.root} holds another dataset; choose another folder")
    elif foreign_files(target):
        raise UserError(f"{target.root} holds other files; choose another folder")
