"""Reading a finished dataset, a folder with a COCO file or shards."""

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repogen.datasets.config import DatasetConfig
from repogen.datasets.folder import PICTURE, DatasetFolder
from repogen.datasets.shards import ShardFolder, read_shard_files, read_shard_labels
from repogen.errors import UserError, first_line
from repogen.files import read_lines, read_regular, write_atomic
from repogen.limits import MAX_INDEX, MAX_JSON, MAX_LINES, MAX_PICTURE
from repogen.records import Sha256, decode, parse_json
from repogen.scenes.scene import Scene, parse_scene

RUN_FORMAT = 3

OWN_SCENES = "scenes_sha256"
"""The key in run.json of the SHA-256 of all scenes, of a dataset of the user's own scenes."""

_IMAGES, _ANNOTATIONS = '"images":[\n', '"annotations":[\n'

_LISTS = ("images", "annotations", "categories")

Entry = dict[str, Any]


@dataclass(frozen=True)
class _PackOfRun:
    """An asset pack that a run may have used."""

    name: str
    version: str
    source: str
    licences: tuple[str, ...]
    sha256: Sha256


@dataclass(frozen=True)
class _Run:
    """The contents of run.json. Paths in it are only text."""

    format: int
    config: DatasetConfig
    backgrounds_found: str
    assets: tuple[_PackOfRun, ...]
    body_files: dict[str, Sha256]
    files: dict[str, Sha256]
    versions: dict[str, str]
    scenes_sha256: Sha256 | None = None
    """Only of scenes of the user's own (`OWN_SCENES`)."""


def open_dataset(path: Path | str) -> DatasetFolder:
    """The finished dataset at `path`, of either format. Raises `UserError` where there is none."""
    folder = DatasetFolder(Path(path))
    if read_run_info(folder)["config"]["output"].get("format") == "webdataset":
        folder = ShardFolder(folder.root)
    if not folder.complete:
        kind = "shards.json" if isinstance(folder, ShardFolder) else folder.name(folder.annotations)
        raise UserError(
            f"{folder.root} is not finished: its run.json asks for {kind}, which is missing; run "
            "its command again to resume"
        )
    return folder


def open_coco_folder(path: Path | str) -> DatasetFolder:
    """The finished dataset with a COCO file at `path`. Raises `UserError` where there is none."""
    folder = open_dataset(path)
    if isinstance(folder, ShardFolder):
        raise UserError(
            f"{folder.root} holds shards; repogen convert {folder.root} FOLDER writes a folder "
            "with a COCO file"
        )
    return folder


def read_run_info(folder: DatasetFolder) -> dict[str, Any]:
    """The contents of run.json. Raises `UserError` where it is missing or not repogen's."""
    try:
        return parse_run_info(read_regular(folder.inside(folder.run), MAX_INDEX), str(folder.run))
    except OSError as error:
        raise UserError(
            f"{folder.root} is not a repogen dataset: it has no readable run.json"
        ) from error


def parse_run_info(data: bytes, where: str) -> dict[str, Any]:
    """The contents of a run.json; `where` names the file in errors.

    Raises `UserError` for data that is not a run.json of this version.
    """
    run = parse_json(data, where)
    if not isinstance(run, dict) or run.get("format") != RUN_FORMAT:
        raise UserError(
            f'{where} is not a run.json of this version: it needs "format": {RUN_FORMAT}'
        )
    _add_packs(run)
    decode(run, _Run, where)
    return run


def _add_packs(run: Entry) -> None:
    """Add the option `packs` to a run.json that was written before there was one: scenes drew from
    all packs that were installed, which `assets` lists."""
    config, packs = run.get("config"), run.get("assets")
    if isinstance(config, dict) and isinstance(packs, list):
        names = [pack.get("name") for pack in packs if isinstance(pack, dict)]
        config.setdefault("packs", names)


def write_run_info(folder: DatasetFolder, run: dict[str, Any]) -> None:
    """Write run.json."""
    write_atomic(folder.run, (json.dumps(run, indent=1) + "\n").encode())


def read_header(folder: DatasetFolder) -> Entry:
    """The COCO file's entries other than images and annotations.

    Also reads files that another program rewrote. Raises `UserError` where it cannot be read.
    """
    text = ""
    try:
        for line in read_lines(folder.inside(folder.annotations), MAX_LINES):
            if line == _IMAGES:
                return json.loads(text.rstrip().removesuffix(",") + "}")
            text += line
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"cannot read {folder.annotations}: {first_line(error)}") from error
    return {k: v for k, v in read_coco(folder).items() if k not in ("images", "annotations")}


def read_coco(folder: DatasetFolder) -> Entry:
    """The whole COCO file. Raises `UserError` where it cannot be read or lacks a list."""
    try:
        coco = json.loads(read_regular(folder.inside(folder.annotations), MAX_JSON))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"cannot read {folder.annotations}: {first_line(error)}") from error
    for name in _LISTS:
        if not isinstance(coco, dict) or not isinstance(coco.get(name), list):
            raise _no_list(folder, name)
        if not all(isinstance(entry, dict) for entry in coco[name]):
            raise _no_list(folder, name)
    return coco


def read_scenes(folder: DatasetFolder, ids: Collection[int] | None = None) -> Iterator[Scene]:
    """The scenes in image order, or only those of the images `ids`.

    Raises `UserError` where one cannot be read.
    """
    if isinstance(folder, ShardFolder):
        for sample in read_shard_labels(folder, ids):
            yield parse_scene(sample.scene, f"{folder.root}: scene of image {sample.image['id']}")
        return
    for number, (where, line) in enumerate(_lines(folder), start=1):
        if ids is None or number in ids:
            yield parse_scene(line, where)


def scenes_digest(folder: DatasetFolder) -> str:
    """SHA-256 of all scenes, as they stand in scenes.jsonl. Raises `UserError` where one cannot be
    read."""
    digest = hashlib.sha256()
    if isinstance(folder, ShardFolder):
        for sample in read_shard_labels(folder):
            digest.update(f"{sample.scene}\n".encode())
    else:
        for _, line in _lines(folder):
            digest.update(line.encode())
    return digest.hexdigest()


def read_scene_lines(folder: DatasetFolder) -> Iterator[str]:
    """The scenes as JSON text. Raises `UserError` for a line that is not JSON."""
    for where, line in _lines(folder):
        parse_json(line, where)
        yield line.rstrip("\n")


def _lines(folder: DatasetFolder) -> Iterator[tuple[str, str]]:
    """The lines of scenes.jsonl, each after its place: FILE:LINE."""
    where = str(folder.scenes)
    number = 0
    try:
        for number, line in enumerate(read_lines(folder.inside(folder.scenes), MAX_LINES), start=1):
            where = f"{folder.scenes}:{number}"
            yield where, line
    except OSError as error:
        raise UserError(f"cannot read {folder.scenes}: {first_line(error)}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: is not UTF-8: {error}") from error


def read_entries(
    folder: DatasetFolder, ids: Collection[int] | None = None
) -> Iterator[tuple[Entry, list[Entry]]]:
    """The COCO entry and the annotations of each image, in order, one image at a time.

    With `ids` only those of these images. Annotations from shards have no ids. Raises `UserError`
    where they cannot be read.
    """
    if isinstance(folder, ShardFolder):
        yield from ((s.image, s.annotations) for s in read_shard_labels(folder, ids))
        return
    try:
        left = None if ids is None else set(ids)
        tables = read_table(folder, "images"), read_table(folder, "annotations")
        for image, annotations in _by_image(*tables):
            if left is None:
                yield image, annotations
            elif image["id"] in left:
                yield image, annotations
                left.remove(image["id"])
                if not left:
                    return
    except UserError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"cannot read {folder.annotations}: {first_line(error)}") from error


def read_files(folder: DatasetFolder, image_id: int, kinds: Sequence[str]) -> dict[str, bytes]:
    """The picture (kind `PICTURE`) and maps of an image, by kind.

    Raises `UserError` where one is missing.
    """
    if isinstance(folder, ShardFolder):
        data = read_shard_files(folder, image_id)
        for kind in kinds:
            if kind not in data:
                raise UserError(f"{folder.root}: its shards have no {kind} of image {image_id}")
        return {kind: data[kind] for kind in kinds}
    try:
        return {
            kind: read_regular(
                folder.inside(
                    folder.image(image_id) if kind == PICTURE else folder.map(kind, image_id)
                ),
                MAX_PICTURE,
            )
            for kind in kinds
        }
    except OSError as error:
        raise UserError(f"cannot read {error.filename}: {error.strerror}") from error


def read_table(folder: DatasetFolder, name: str) -> Iterator[Entry]:
    """The COCO file's images or annotations, one at a time.

    repogen writes one entry per line; a file that another program rewrote is read whole. Raises
    `UserError` where it cannot be read.
    """
    begins = {"images": _IMAGES, "annotations": _ANNOTATIONS}[name]
    try:
        lines = read_lines(folder.inside(folder.annotations), MAX_LINES)
        ours = any(line == begins for line in lines)
        for line in lines:
            if line.startswith("]"):
                return
            entry = json.loads(line.rstrip().removesuffix(","))
            if not isinstance(entry, dict):
                raise _no_list(folder, name)
            yield entry
    except UserError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"cannot read {folder.annotations}: {first_line(error)}") from error
    if ours:
        raise UserError(f"{folder.annotations} ends within its {name}")
    yield from read_coco(folder)[name]


def _no_list(folder: DatasetFolder, name: str) -> UserError:
    return UserError(f"{folder.annotations}: {name!r} is not a list of records")


def _by_image(
    images: Iterator[Entry], annotations: Iterator[Entry]
) -> Iterator[tuple[Entry, list[Entry]]]:
    following = next(annotations, None)
    for image in images:
        own = []
        while following is not None and following["image_id"] == image["id"]:
            own.append(following)
            following = next(annotations, None)
        yield image, own
    if following is not None:
        raise ValueError(f"annotation {following['id']} belongs to no image or is out of order")
