"""Shards: tar files of a few hundred images with their labels, in WebDataset's layout.

A sample is the members with one number: 00000001.jpg, 00000001.json (its COCO image entry, its
annotations without ids, its scene) and optional maps such as 00000001.depth.png. The manifest
`shards.json` counts and hashes the shards; it is written last.
"""

import io
import json
import re
import tarfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from repogen.datasets.checksums import read_signed_lines, signed_line
from repogen.datasets.chunks import damaged_chunk, missing_chunk
from repogen.datasets.folder import PICTURE, DatasetFolder, Sample
from repogen.errors import UserError
from repogen.files import (
    atomic_path,
    cannot_read,
    open_regular,
    read_regular,
    sha256_of,
    sha256_of_bytes,
    write_atomic,
)
from repogen.json_files import strict_json
from repogen.limits import MAX_ARCHIVE, MAX_INDEX
from repogen.network import is_url, read_url
from repogen.records import Between, Length, Sha256, decode, parse_json, parse_record

FORMAT = 1
FOREIGN = 0
"""The format of a manifest made for the tar files of another program."""
SHARD_IMAGES = 256
"""Default number of images per shard."""
_MAX_SHARD_IMAGES = 10_000
"""About a gigabyte of pictures of the default size."""
MANIFEST = "shards.json"
_MEMBER = re.compile(r"(\d{8})\.([a-z]+(?:\.[a-z]+)*)")
_IDS = {"id", "image_id"}


def check_shard_images(count: int) -> None:
    """Raises `UserError` for a number of images per shard that is out of range."""
    if not 1 <= count <= _MAX_SHARD_IMAGES:
        raise UserError(f"--shard-images {count} must lie between 1 and {_MAX_SHARD_IMAGES:,}")


@dataclass(frozen=True)
class Shard:
    """The manifest's entry of one shard."""

    name: str
    images: Annotated[int, Between(1, _MAX_SHARD_IMAGES)]
    persons: int
    bytes: int
    sha256: Sha256


@dataclass(frozen=True)
class Manifest:
    """The content of `shards.json`; `header` holds the COCO file's entries before its images."""

    format: int
    header: dict[str, Any]
    shards: Annotated[tuple[Shard, ...], Length(0, 1_000_000)]


@dataclass(frozen=True)
class ShardFolder(DatasetFolder):
    """Paths inside a dataset of shards."""

    @property
    def manifest(self) -> Path:
        return self.root / MANIFEST

    @property
    def complete(self) -> bool:
        """Whether the run is finished: the manifest is written last."""
        return self.manifest.exists()

    def chunk_file(self, chunk: int) -> Path:
        return self.root / ".parts" / f"{chunk:06d}.json"

    def write_chunk(self, chunk: int, samples: Iterable[Sample]) -> None:
        """Write the shard of a chunk, then its manifest entry as the chunk file."""
        data, shard = pack_shard(shard_name(chunk), samples)
        write_atomic(self.root / shard.name, data)
        write_atomic(self.chunk_file(chunk), signed_line(json.dumps(asdict(shard))).encode())

    def holds_chunk(self, chunk: int, images: int) -> bool:
        """Whether the shard of a chunk of this many images is finished, as it was written."""
        try:
            shard = self._shard(chunk)
            return shard.images == images and sha256_of(self.root / shard.name) == shard.sha256
        except (OSError, UserError):
            return False

    def finish(self, chunks: int, header: dict[str, Any]) -> None:
        """Complete the dataset: write the checksums, then the manifest."""
        shards = tuple(self._shard(chunk) for chunk in range(chunks))
        digests = [(shard.sha256, shard.name) for shard in shards]
        with atomic_path(self.manifest) as path:
            path.write_bytes(manifest_to_json(Manifest(FORMAT, self.tied(header), shards)))
            self.write_checksums(digests, {self.run: self.run, self.manifest: path})

    def _shard(self, chunk: int) -> Shard:
        try:
            (text,) = read_signed_lines(self.chunk_file(chunk))
            return parse_record(text.encode(), Shard, "")
        except FileNotFoundError as error:
            raise missing_chunk(self.chunk_file(chunk)) from error
        except (OSError, ValueError, UserError) as error:
            raise damaged_chunk(self.chunk_file(chunk)) from error


def shard_name(chunk: int) -> str:
    """The file name of a shard, by its number from 0."""
    return f"shard-{chunk:06d}.tar"


def manifest_to_json(manifest: Manifest) -> bytes:
    """The content of `shards.json`."""
    return (json.dumps(asdict(manifest), indent=1) + "\n").encode()


def pack_shard(name: str, samples: Iterable[Sample]) -> tuple[bytes, Shard]:
    """A tar file of samples and its manifest entry; the same bytes for the same samples."""
    out = io.BytesIO()
    images = persons = 0
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for sample in samples:
            images, persons = images + 1, persons + len(sample.annotations)
            labels = {"image": sample.image, "annotations": sample.annotations}
            text = json.dumps(labels, separators=(",", ":"))[:-1] + f',"scene":{sample.scene}}}'
            members = {"json": text.encode()}
            members |= {_kind_to_suffix(kind): data for kind, data in sample.files.items()}
            for suffix, data in members.items():
                member = tarfile.TarInfo(f"{sample.image['id']:08d}.{suffix}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    data = out.getvalue()
    return data, Shard(name, images, persons, len(data), sha256_of_bytes(data))


def _kind_to_suffix(kind: str) -> str:
    return "jpg" if kind == PICTURE else kind.replace("/", ".") + ".png"


def _suffix_to_kind(suffix: str) -> str:
    return PICTURE if suffix == "jpg" else suffix.removesuffix(".png").replace(".", "/")


def unpack_shard(data: bytes, where: str) -> Iterator[Sample]:
    """The samples of a tar file that `pack_shard` wrote, in order; nothing is written to disk.

    Raises `UserError`, naming `where`, for anything else.
    """
    for key, files in read_tar(io.BytesIO(data), where).items():
        yield _parse_sample(files, f"{where}: {key}")


def read_tar(
    file: BinaryIO,
    where: str,
    wanted: Callable[[str, str], bool] = lambda number, suffix: True,
    pattern: re.Pattern[str] = _MEMBER,
) -> dict[str, dict[str, bytes]]:
    """The wanted members of a tar file: their bytes by number (or name) and suffix.

    `pattern` matches the names of members; others are skipped in another program's file.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    members: dict[str, dict[str, bytes]] = {}
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                name = pattern.fullmatch(member.name)
                regular = member.isreg() and not member.issparse()  # holes would expand in memory
                if pattern is not _MEMBER and (not regular or name is None):
                    continue
                if not regular or name is None or member.size > size:
                    raise UserError(f"{where}: unexpected member {member.name!r}")
                if wanted(name[1], name[2]):
                    content = tar.extractfile(member)
                    assert content is not None
                    members.setdefault(name[1], {})[name[2]] = content.read()
    except UserError:
        raise
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise UserError(f"{where} is not a complete tar file: {error}") from error
    return members


def _parse_sample(files: dict[str, bytes], where: str) -> Sample:
    try:
        labels = strict_json(files.pop("json").decode())
        image, annotations = labels["image"], labels["annotations"]
        if not (isinstance(image, dict) and isinstance(image["id"], int)):
            raise TypeError("its image has no id")
        if not (isinstance(annotations, list) and all(map(_without_ids, annotations))):
            raise TypeError("its annotations are not a list of records without ids")
        scene = json.dumps(labels["scene"], separators=(",", ":"))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UserError(f"{where}.json is missing or not a repogen sample: {error}") from error
    files_by_kind = {_suffix_to_kind(suffix): data for suffix, data in files.items()}
    return Sample(image, annotations, scene, files_by_kind)


def _without_ids(annotation: Any) -> bool:
    return isinstance(annotation, dict) and bool(annotation) and not annotation.keys() & _IDS


def with_ids(samples: Sequence[Sample]) -> dict[str, list[dict[str, Any]]]:
    """The images and annotations of samples as in a COCO file; annotation ids count from 1."""
    annotations: list[dict[str, Any]] = []
    for sample in samples:
        for annotation in sample.annotations:
            ids = {"id": len(annotations) + 1, "image_id": sample.image["id"]}
            annotations.append(ids | annotation)
    return {"images": [sample.image for sample in samples], "annotations": annotations}


def read_shard_labels(folder: ShardFolder, ids: Collection[int] | None = None) -> Iterator[Sample]:
    """The samples of a dataset on disk in order, or only those of images `ids`, without files.

    Only labels are read; hashes are not checked. Raises `UserError` where they cannot be read.
    """
    for shard, first in _shards_with_first_id(folder):
        inside = range(first, first + shard.images)
        if ids is not None and not any(number in inside for number in ids):
            continue
        for key, files in _read_members(folder, shard, lambda _, suffix: suffix == "json").items():
            if ids is None or int(key) in ids:
                yield _parse_sample(files, f"{shard.name}: {key}")


def read_shard_files(folder: ShardFolder, image_id: int) -> dict[str, bytes]:
    """An image's files by kind. Raises `UserError` where its shard cannot be read."""
    for shard, first in _shards_with_first_id(folder):
        if first <= image_id < first + shard.images:
            found = _read_members(folder, shard, lambda number, _: int(number) == image_id)
            files = found.get(f"{image_id:08d}", {})
            return {
                _suffix_to_kind(suffix): data for suffix, data in files.items() if suffix != "json"
            }
    return {}


def _shards_with_first_id(folder: ShardFolder) -> Iterator[tuple[Shard, int]]:
    """The shards, each with the id of its first image."""
    first = 1
    for shard in read_manifest(str(folder.root)).shards:
        yield shard, first
        first += shard.images


def _read_members(
    folder: ShardFolder, shard: Shard, wanted: Callable[[str, str], bool]
) -> dict[str, dict[str, bytes]]:
    path = folder.inside(folder.root / shard.name)
    try:
        with open_regular(path, MAX_ARCHIVE) as file:
            return read_tar(file, str(path), wanted)
    except OSError as error:
        raise cannot_read(path, error) from error


def read_manifest(url: str) -> Manifest:
    """The manifest of the dataset in a folder or at a URL for fsspec (s3://, gs://, memory://).

    Raises `UserError` where it is missing or invalid.
    """
    where = f"{url.rstrip('/')}/{MANIFEST}"
    data = parse_json(read_bytes(where, MAX_INDEX), where)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise UserError(f'{where} is not a manifest of this version: it needs "format": {FORMAT}')
    manifest = decode(data, Manifest, where)
    for number, shard in enumerate(manifest.shards):
        if shard.name != shard_name(number):
            raise UserError(
                f"{where}: shards[{number}].name: {shard.name!r} should be {shard_name(number)}"
            )
        if shard.persons > shard.bytes:  # the annotation of one person takes hundreds of bytes
            raise UserError(
                f"{where}: shards[{number}]: {shard.persons:,} persons do not fit in "
                f"{shard.bytes:,} bytes"
            )
    return manifest


def read_shard(url: str, shard: Shard, cache: Path | None = None) -> bytes:
    """The bytes of a shard of the dataset at `url`, cached in the folder `cache` if one is given.

    Raises `UserError` where size or hash differ from the manifest.
    """
    cached = None if cache is None else cache / f"{shard.sha256}.tar"
    if cached is not None and cached.is_file():
        data = read_bytes(str(cached))
        if sha256_of_bytes(data) == shard.sha256:
            return data
    where = f"{url.rstrip('/')}/{shard.name}"
    data = read_bytes(where)
    if len(data) != shard.bytes:
        raise UserError(f"{where} has {len(data)} bytes, its manifest says {shard.bytes}")
    if sha256_of_bytes(data) != shard.sha256:
        raise UserError(f"{where} has another SHA-256 than its manifest says")
    if cached is not None:
        write_atomic(cached, data)
    return data


def read_bytes(where: str, limit: int = MAX_ARCHIVE) -> bytes:
    """The bytes of a file at a URL, or on disk. Raises `UserError` where it cannot be read, and for
    a file on disk of more than `limit` bytes."""
    if is_url(where):
        return read_url(where)
    try:
        return read_regular(where, limit)
    except OSError as error:
        raise cannot_read(where, error) from error
