"""Shards: tar files of some hundred images each with their labels, as WebDataset has them.

A sample is the members of one name: 00000001.jpg, 00000001.json (its COCO image entry, its
annotations without ids, its scene) and the optional pictures, 00000001.depth.png and the like.
`shards.json` counts and hashes them; it is written last.
"""

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import cattrs
import fsspec

from repogen.datasets.folder import (
    PICTURE,
    DatasetFolder,
    Record,
    damaged_part,
    missing_part,
    write_whole,
)
from repogen.errors import UserError

FORMAT = 1
SHARD = 256
"""Images in a tar file, where nobody asks for another number."""
_MOST = 10_000
"""A gigabyte of usual pictures."""
_MANIFEST = "shards.json"
_MEMBER = re.compile(r"(\d{8})\.([a-z]+(?:\.[a-z]+)*)")
_SHARD = re.compile(r"shard-\d{6}\.tar")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_IDS = {"id", "image_id"}
_CONVERTER = cattrs.Converter(detailed_validation=False)  # details of many entries take long


def check_shard_images(count: int) -> None:
    """Raises `UserError` for a number of images that no tar file of ours holds."""
    if not 1 <= count <= _MOST:
        raise UserError(f"--shard-images {count} must lie between 1 and {_MOST:,}")


@dataclass(frozen=True)
class Shard:
    """What the manifest says of one tar file."""

    name: str
    images: int
    persons: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What `shards.json` holds; `header` is the COCO file's entries before its images."""

    format: int
    header: dict[str, Any]
    shards: tuple[Shard, ...]


@dataclass(frozen=True)
class ShardFolder(DatasetFolder):
    """Paths inside a dataset of shards."""

    @property
    def manifest(self) -> Path:
        return self.root / _MANIFEST

    @property
    def complete(self) -> bool:
        """Whether the run has been finished: the manifest is written last."""
        return self.manifest.exists()

    def part(self, chunk: int) -> Path:
        return self.root / ".parts" / f"{chunk:06d}.json"

    def write_chunk(self, chunk: int, records: Iterable[Record]) -> None:
        """Write the tar file of a chunk's images, then what the manifest will say of it."""
        name = f"shard-{chunk:06d}.tar"
        data, shard = pack(name, records)
        write_whole(self.root / name, data)
        write_whole(self.part(chunk), json.dumps(asdict(shard)).encode())

    def finish(self, chunks: int, header: dict[str, Any]) -> None:
        """Make one dataset of the chunks: write the manifest."""
        shards = tuple(self._shard(chunk) for chunk in range(chunks))
        text = json.dumps(asdict(Manifest(FORMAT, header, shards)), indent=1)
        write_whole(self.manifest, (text + "\n").encode())

    def _shard(self, chunk: int) -> Shard:
        try:
            return Shard(**json.loads(self.part(chunk).read_text()))
        except FileNotFoundError as error:
            raise missing_part(self, chunk) from error
        except (OSError, ValueError, TypeError) as error:
            raise damaged_part(self, chunk) from error


def pack(name: str, records: Iterable[Record]) -> tuple[bytes, Shard]:
    """A tar file of records, the same bytes for the same records, and its manifest's entry."""
    out = io.BytesIO()
    images = persons = 0
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for record in records:
            images, persons = images + 1, persons + len(record.annotations)
            facts = {"image": record.image, "annotations": record.annotations}
            text = json.dumps(facts, separators=(",", ":"))[:-1] + f',"scene":{record.scene}}}'
            members = {"json": text.encode()}
            members |= {_ending(kind): data for kind, data in record.files.items()}
            for ending, data in members.items():
                member = tarfile.TarInfo(f"{record.image['id']:08d}.{ending}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    data = out.getvalue()
    return data, Shard(name, images, persons, len(data), hashlib.sha256(data).hexdigest())


def _ending(kind: str) -> str:
    return "jpg" if kind == PICTURE else kind.replace("/", ".") + ".png"


def _kind(ending: str) -> str:
    return PICTURE if ending == "jpg" else ending.removesuffix(".png").replace(".", "/")


def unpack(data: bytes, where: str) -> Iterator[Record]:
    """The records of a tar file that `pack` wrote, in order.

    Raises `UserError`, naming `where`, for anything else; nothing is written to the disk.
    """
    for key, files in _members(io.BytesIO(data), where).items():
        yield _record(files, f"{where}: {key}")


def _members(
    file: BinaryIO, where: str, wanted: Callable[[str, str], bool] = lambda name, ending: True
) -> dict[str, dict[str, bytes]]:
    """What the members of a tar file hold whose name and ending are wanted, by these two."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    members: dict[str, dict[str, bytes]] = {}
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                name = _MEMBER.fullmatch(member.name)
                whole = member.isreg() and not member.issparse()  # holes are memory from nothing
                if not whole or name is None or member.size > size:
                    raise UserError(f"{where}: foreign member {member.name!r}")
                if wanted(name[1], name[2]):
                    content = tar.extractfile(member)
                    assert content is not None
                    members.setdefault(name[1], {})[name[2]] = content.read()
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise UserError(f"{where} is no whole tar file: {error}") from error
    return members


def _record(files: dict[str, bytes], where: str) -> Record:
    try:
        text = files.pop("json").decode()
        facts = json.loads(text)
        image, annotations = facts["image"], facts["annotations"]
        if not (isinstance(image, dict) and isinstance(image["id"], int)):
            raise TypeError("its image has no id")
        if not (isinstance(annotations, list) and all(map(_without_ids, annotations))):
            raise TypeError("its annotations are no list of records without ids")
        scene = json.dumps(facts["scene"], separators=(",", ":"))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UserError(f"{where}.json is missing or no record of ours: {error}") from error
    return Record(image, annotations, scene, {_kind(k): data for k, data in files.items()})


def _without_ids(annotation: Any) -> bool:
    return isinstance(annotation, dict) and bool(annotation) and not annotation.keys() & _IDS


def with_ids(records: Sequence[Record]) -> dict[str, list[dict[str, Any]]]:
    """The images and annotations of records as a COCO file has them; annotations count from 1."""
    annotations: list[dict[str, Any]] = []
    for record in records:
        for annotation in record.annotations:
            ids = {"id": len(annotations) + 1, "image_id": record.image["id"]}
            annotations.append(ids | annotation)
    return {"images": [record.image for record in records], "annotations": annotations}


def read_labels(folder: ShardFolder, ids: Collection[int] | None = None) -> Iterator[Record]:
    """The records of a dataset on the disk in order, with `ids` only those of these images, and
    without any of their files: of a shard only the labels are read, and its hash is not asked for.
    Raises `UserError` where they cannot be read."""
    for shard, first in _numbered(folder):
        inside = range(first, first + shard.images)
        if ids is not None and not any(number in inside for number in ids):
            continue
        for key, files in _read_members(folder, shard, lambda _, ending: ending == "json").items():
            if ids is None or int(key) in ids:
                yield _record(files, f"{shard.name}: {key}")


def read_pictures(folder: ShardFolder, image_id: int) -> dict[str, bytes]:
    """An image's files by kind. Raises `UserError` where its shard cannot be read."""
    for shard, first in _numbered(folder):
        if first <= image_id < first + shard.images:
            found = _read_members(folder, shard, lambda name, _: int(name) == image_id)
            files = found.get(f"{image_id:08d}", {})
            return {_kind(ending): data for ending, data in files.items() if ending != "json"}
    return {}


def _numbered(folder: ShardFolder) -> Iterator[tuple[Shard, int]]:
    """The shards, each with the id of its first image."""
    first = 1
    for shard in read_manifest(str(folder.root)).shards:
        yield shard, first
        first += shard.images


def _read_members(
    folder: ShardFolder, shard: Shard, wanted: Callable[[str, str], bool]
) -> dict[str, dict[str, bytes]]:
    path = folder.root / shard.name
    try:
        with path.open("rb") as file:
            return _members(file, str(path), wanted)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error


def read_manifest(url: str) -> Manifest:
    """The manifest of the dataset in a folder, or below a URL that fsspec knows (s3://, gs://,
    memory://). Raises `UserError` where there is none of ours."""
    where = f"{url.rstrip('/')}/{_MANIFEST}"
    try:
        manifest = _CONVERTER.structure(json.loads(read_bytes(where)), Manifest)
        if manifest.format != FORMAT:
            raise ValueError(f"format {manifest.format}")
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{where} is no manifest of this version: {error}") from error
    for shard in manifest.shards:
        if _SHARD.fullmatch(shard.name) is None:
            raise UserError(f"{where} names a foreign file {shard.name!r}")
        if _SHA256.fullmatch(shard.sha256) is None:
            raise UserError(f"{where}: {shard.sha256!r} is no SHA-256")
        # A person's record is some hundred bytes long.
        if not (1 <= shard.images <= _MOST and 0 <= shard.persons <= shard.bytes):
            raise UserError(f"{where} counts what {shard.name} cannot hold")
    return manifest


def read_shard(url: str, shard: Shard, cache: Path | None = None) -> bytes:
    """A tar file of the dataset below `url`; with a folder `cache`, from there once it has been
    fetched. Raises `UserError` where it is not what its manifest says."""
    kept = None if cache is None else cache / f"{shard.sha256}.tar"
    if kept is not None and kept.is_file():
        data = read_bytes(str(kept))
        if hashlib.sha256(data).hexdigest() == shard.sha256:
            return data
    where = f"{url.rstrip('/')}/{shard.name}"
    data = read_bytes(where)
    if len(data) != shard.bytes:
        raise UserError(f"{where} has {len(data)} bytes, its manifest says {shard.bytes}")
    if hashlib.sha256(data).hexdigest() != shard.sha256:
        raise UserError(f"{where} is not the file its manifest was made of")
    if kept is not None:
        write_whole(kept, data)
    return data


def read_bytes(where: str) -> bytes:
    """A file on the disk or at a URL. Raises `UserError` where it cannot be read."""
    try:
        with fsspec.open(where, "rb") as file:
            return file.read()
    except (OSError, ValueError, ImportError) as error:
        raise UserError(f"cannot read {where}: {error}") from error
