"""The dataset folder: its paths, its samples, and the lock of the process that writes it."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self, get_args

from repogen.datasets.checksums import CHECKSUMS, write_checksums
from repogen.datasets.chunks import (
    chunk_digests,
    read_chunks,
    sample_line,
    write_coco,
    write_scenes,
)
from repogen.errors import UserError
from repogen.files import (
    PARTIAL_PATTERN,
    atomic_path,
    exclusive,
    remove_file,
    sha256_of,
    sha256_of_bytes,
    write_atomic,
)

CHUNK_IMAGES = 16
"""Images per chunk file: what each worker of a killed run makes again, at most."""

MAX_IMAGES = 99_999_999
"""Images in a dataset: file names have eight digits."""

PICTURE = "image"
"""The kind of the picture itself among a sample's files; the other kinds are `MAPS`."""

Map = Literal["depth", "masks", "parts", "normals", "stick"]
"""Optional outputs, each in a folder of its name beside `images/`."""

MAPS: tuple[str, ...] = get_args(Map)

_URL = re.compile(r"\w{2,}:/")
"""How s3://bucket begins as a path."""


def map_kinds(write: Sequence[str]) -> tuple[str, ...]:
    """The kinds of files that the values of --write produce."""
    plain = tuple(kind for kind in write if kind != "stick")
    return plain + (("stick/all", "stick/visible") if "stick" in write else ())


_KINDS = (PICTURE, *map_kinds(MAPS))

MINING, MINING_MARK = "mining", "mine.json"
"""The folder that `repogen mine` keeps in its dataset, and the file in it that says so."""

RUN_DIGEST = "run_sha256"
"""The key of run.json's SHA-256 in the `info` of a COCO file or manifest."""


def image_name(image_id: int) -> str:
    """The file name of an image."""
    return f"{image_id:08d}.jpg"


@dataclass(frozen=True)
class Sample:
    """One finished image with its labels."""

    image: dict[str, Any]
    """COCO's image entry."""
    annotations: list[dict[str, Any]]
    """COCO annotations without ids."""
    scene: str
    """The scene as one line of JSON."""
    files: dict[str, bytes]
    """The files by kind: `PICTURE`, depth, stick/all and the like."""


@dataclass(frozen=True)
class DatasetFolder:
    """Paths inside a dataset with a COCO file; work in progress lies in `.parts/`."""

    root: Path
    chunk: int = CHUNK_IMAGES
    """Images that are made and written together."""

    def with_root(self, root: Path) -> Self:
        """The same kind of folder at another path."""
        return replace(self, root=root)

    @property
    def run(self) -> Path:
        return self.root / "run.json"

    @property
    def annotations(self) -> Path:
        return self.root / "annotations" / "person_keypoints.json"

    @property
    def scenes(self) -> Path:
        return self.root / "scenes.jsonl"

    @property
    def checksums(self) -> Path:
        return self.root / CHECKSUMS

    @property
    def lock(self) -> Path:
        return self.root / ".parts" / "lock"

    @property
    def complete(self) -> bool:
        """Whether the run is finished: the annotations are written last."""
        return self.annotations.exists()

    def chunk_file(self, chunk: int) -> Path:
        return self.root / ".parts" / f"{chunk:08d}.jsonl"

    def inside(self, path: Path) -> Path:
        """The path of a file of the dataset. Raises `UserError` for a link that leads out of it."""
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.root)):
            raise UserError(f"{path} is a link to a file outside of the dataset")
        return path

    def image(self, image_id: int) -> Path:
        return self.root / "images" / image_name(image_id)

    def map(self, kind: str, image_id: int) -> Path:
        """A depth, mask, part, normal or stick-figure picture; `kind` may name a subfolder."""
        return self.root / kind / f"{image_id:08d}.png"

    def file(self, kind: str, image_id: int) -> Path:
        """The picture (kind `PICTURE`) or a map of an image."""
        return self.image(image_id) if kind == PICTURE else self.map(kind, image_id)

    def name(self, path: Path) -> str:
        """A path in the folder as its checksums name it."""
        return path.relative_to(self.root).as_posix()

    def files(self, sample: Sample) -> dict[Path, bytes]:
        """The files of a sample by path."""
        return {self.file(kind, sample.image["id"]): data for kind, data in sample.files.items()}

    def write_chunk(self, chunk: int, samples: Iterable[Sample]) -> None:
        """Write the files of each sample of a chunk, then the chunk file."""
        lines = []
        for sample in samples:
            for path, data in self.files(sample).items():
                write_atomic(path, data)
            digests = {kind: sha256_of_bytes(data) for kind, data in sample.files.items()}
            lines.append(sample_line(sample.image, sample.annotations, sample.scene, digests))
        write_atomic(self.chunk_file(chunk), "".join(lines).encode())

    def holds_chunk(self, chunk: int, images: int) -> bool:
        """Whether a chunk of this many images is finished, its files as they were written."""
        try:
            samples = list(read_chunks([self.chunk_file(chunk)]))
            return len(samples) == images and all(
                kind in _KINDS and sha256_of(self.file(kind, image_id)) == digest
                for sample in samples
                for image_id in [json.loads(sample["image"])["id"]]
                for kind, digest in sample["sha256"].items()
            )
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return False

    def finish(self, chunks: int, header: dict[str, Any]) -> None:
        """Merge the chunks into one dataset; `header` holds the COCO entries before images.

        The annotations are written last: a dataset that has them is complete. Raises `UserError`
        where a chunk file is missing or damaged.
        """
        files = [self.chunk_file(chunk) for chunk in range(chunks)]
        with atomic_path(self.scenes) as path, path.open("w", encoding="utf-8") as out:
            write_scenes(files, out)
        with atomic_path(self.annotations) as path:
            with path.open("w", encoding="utf-8") as out:
                write_coco(files, self.tied(header), out)
            self.write_checksums(
                chunk_digests(files, lambda kind, number: self.name(self.file(kind, number))),
                {self.annotations: path, self.run: self.run, self.scenes: self.scenes},
            )

    def tied(self, header: dict[str, Any]) -> dict[str, Any]:
        """The header with the SHA-256 of run.json in its `info`."""
        return header | {"info": header["info"] | {RUN_DIGEST: sha256_of(self.run)}}

    @property
    def sources(self) -> list[Path]:
        """The files that the dataset keeps for its scenes (--embed-sources), sorted."""
        folder = self.root / "sources"
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def write_checksums(
        self, digests: Iterable[tuple[str, str]], files: Mapping[Path, Path]
    ) -> None:
        """Write the checksums of (digest, name), of `files`: where each will lie, and its content
        now, and of `sources`."""
        named = {self.name(path): content for path, content in files.items()}
        with atomic_path(self.checksums) as path, path.open("w", encoding="utf-8") as out:
            write_checksums(out, digests, named | {self.name(path): path for path in self.sources})


def partial_files(folder: DatasetFolder) -> Iterator[Path]:
    """Half-written files of a process that was killed."""
    for path, _, names in os.walk(folder.root):  # several times as fast as rglob
        yield from (Path(path, name) for name in names if is_partial(name))


def is_partial(name: str) -> bool:
    """Whether a file of this name is half-written."""
    begin, end = PARTIAL_PATTERN.split("*")
    return name.startswith(begin) and name.endswith(end)


def foreign_files(folder: DatasetFolder) -> list[str]:
    """Names in a folder that none of our runs wrote; for a folder without a run.json."""
    if not folder.root.exists():
        return []
    work = folder.lock.parent  # a run that is killed before it writes run.json leaves the lock
    ours = not work.is_symlink() and work.is_dir() and {*work.iterdir()} <= {folder.lock}
    known = {work.name} if ours else set()
    if (folder.root / MINING / MINING_MARK).is_file():
        known.add(MINING)
    names = [path.name for path in folder.root.iterdir() if not path.match(PARTIAL_PATTERN)]
    return [name for name in names if name not in known]


def remove_partials(folder: DatasetFolder) -> None:
    """Remove half-written files; only the process that holds the lock may call this.

    Raises `UserError` where they cannot be removed.
    """
    for path in list(partial_files(folder)):
        remove_file(path)


@contextmanager
def locked(folder: DatasetFolder, check: Callable[[], None]) -> Iterator[None]:
    """Hold the folder's lock and remove half-written files.

    `check` raises `UserError` where this run may not write the folder. It runs before and after
    the lock is taken, since another run may begin or end in between. Raises `UserError` also for
    a path that is a file or a URL, where another process holds the lock, and where the folder
    cannot be written.
    """
    if _URL.match(str(folder.root)):
        raise UserError(
            f"{folder.root} is a URL; write the dataset to a local folder, then copy it there"
        )
    if folder.root.exists() and not folder.root.is_dir():
        raise UserError(f"{folder.root} is a file; give the name of a folder")
    check()
    with exclusive(folder.lock, folder.root):
        try:
            check()
        except UserError:
            if folder.complete:  # another run finished, and this lock is new
                remove_chunks(folder)
            raise
        remove_partials(folder)
        yield


def remove_chunks(folder: DatasetFolder) -> None:
    """Remove `.parts/`; only once the dataset is complete."""
    shutil.rmtree(folder.lock.parent, ignore_errors=True)
