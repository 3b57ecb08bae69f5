"""From a folder with a COCO file to shards, and back: the same bytes there and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from repogen.datasets.folder import (
    PICTURE,
    DatasetFolder,
    Record,
    foreign_files,
    locked,
    map_kinds,
    remove_parts,
)
from repogen.datasets.reading import (
    open_dataset,
    read_annotated,
    read_header,
    read_run,
    run_of,
    write_run,
)
from repogen.datasets.shards import (
    SHARD,
    ShardFolder,
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
    run_file = f"{source.rstrip('/')}/run.json"
    run = run_of(read_bytes(run_file), run_file)
    if run["config"].get("format") == "webdataset":
        return _to_folder(source, DatasetFolder(Path(out)), run)
    return _to_shards(open_dataset(source), ShardFolder(Path(out), shard_images), run)


def _to_folder(source: str, target: DatasetFolder, run: dict[str, Any]) -> Path:
    manifest = read_manifest(source)
    config = run["config"] | {"format": "coco", "shard_images": SHARD}
    with _begun(target, run | {"config": config}):
        for k, shard in enumerate(tqdm(manifest.shards, unit="shard", desc="converting")):
            if not target.part(k).exists():
                records = unpack(read_shard(source, shard), f"{source}/{shard.name}")
                target.write_chunk(k, records)
        target.finish(len(manifest.shards), manifest.header)
    remove_parts(target)
    return target.root


def _to_shards(folder: DatasetFolder, target: ShardFolder, run: dict[str, Any]) -> Path:
    config = run["config"] | {"format": "webdataset", "shard_images": target.chunk}
    chunks = -(-config["images"] // target.chunk)
    kinds = map_kinds(config["write"])
    with _begun(target, run | {"config": config}), folder.scenes.open() as scenes:
        entries = zip(read_annotated(folder), scenes, strict=True)
        for k in tqdm(range(chunks), unit="shard", desc="converting"):
            some = list(islice(entries, target.chunk))
            if not target.part(k).exists():
                records = (_record(folder, *entry, scene, kinds) for entry, scene in some)
                target.write_chunk(k, records)
        target.finish(chunks, read_header(folder))
    remove_parts(target)
    return target.root


def _record(
    folder: DatasetFolder,
    image: dict[str, Any],
    annotations: list[dict[str, Any]],
    scene: str,
    kinds: tuple[str, ...],
) -> Record:
    files = {PICTURE: folder.image(image["id"])}
    files |= {kind: folder.map(kind, image["id"]) for kind in kinds}
    without_ids = [
        {key: value for key, value in a.items() if key not in ("id", "image_id")}
        for a in annotations
    ]
    try:
        data = {kind: path.read_bytes() for kind, path in files.items()}
    except OSError as error:
        raise UserError(f"cannot read {error.filename}: {error.strerror}") from error
    return Record(image, without_ids, scene.rstrip("\n"), data)


@contextmanager
def _begun(target: DatasetFolder, run: dict[str, Any]) -> Iterator[None]:
    """Open the folder for this conversion, new or half-made; refuse any other."""
    _check_target(target, run)
    with locked(target):
        _check_target(target, run)  # another run may have begun, or ended, in between
        write_run(target, run)
        yield


def _check_target(target: DatasetFolder, run: dict[str, Any]) -> None:
    if target.run.exists():
        if target.complete or read_run(target) != run:
            raise UserError(f"{target.root} holds another dataset; choose another folder")
    elif target.root.exists() and foreign_files(target):
        raise UserError(f"{target.root} holds other files; choose another folder")
