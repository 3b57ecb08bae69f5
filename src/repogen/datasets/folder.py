"""The dataset folder: what lies where, and files that are written whole or not at all."""

import json
import os
import re
import shutil
import socket
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, TextIO

import cv2
import numpy as np
from filelock import FileLock, Timeout

from repogen.environment.sensor import JPEG_QUALITY
from repogen.errors import UserError

CHUNK = 16
"""Images per part file: what a killed run has to make again, at most, in every worker."""

MOST_IMAGES = 99_999_999
"""Of a dataset: eight digits number them."""

PICTURE = "image"
"""The picture itself among a record's files; the others are `MAPS`."""

MAPS = ("depth", "masks", "parts", "normals", "stick")
"""Optional outputs, each in a folder of its name beside `images/`."""

_URL = re.compile(r"\w{2,}:/")
"""How s3://bucket begins as a path."""

PARTIALS = ".*.partial"
"""Files that a process is in the middle of writing, or was when it was killed."""


def map_kinds(write: Sequence[str]) -> tuple[str, ...]:
    """The kinds of files that these options of --write bring."""
    plain = tuple(kind for kind in write if kind != "stick")
    return plain + (("stick/all", "stick/visible") if "stick" in write else ())


def image_name(image_id: int) -> str:
    """The file of an image."""
    return f"{image_id:08d}.jpg"


@dataclass(frozen=True)
class Record:
    """One finished image: its COCO entry, its annotations without ids, its scene as a line of
    JSON, and its files by kind: `PICTURE`, depth, stick/all and the like."""

    image: dict[str, Any]
    annotations: list[dict[str, Any]]
    scene: str
    files: dict[str, bytes]


@dataclass(frozen=True)
class DatasetFolder:
    """Paths inside one dataset. Finished data lies in the open, work in progress in `.parts/`."""

    root: Path
    chunk: int = CHUNK
    """Images that are made and written together."""

    def moved(self, root: Path) -> Self:
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
    def lock(self) -> Path:
        return self.root / ".parts" / "lock"

    @property
    def complete(self) -> bool:
        """Whether the run has been finished: the annotations are written last."""
        return self.annotations.exists()

    def part(self, chunk: int) -> Path:
        return self.root / ".parts" / f"{chunk:08d}.jsonl"

    def image(self, image_id: int) -> Path:
        return self.root / "images" / image_name(image_id)

    def map(self, kind: str, image_id: int) -> Path:
        """A depth, mask, part, normal or stick-figure picture; `kind` may name a subfolder."""
        return self.root / kind / f"{image_id:08d}.png"

    def files(self, record: Record) -> dict[Path, bytes]:
        """A record's files by where they lie."""
        number = record.image["id"]
        return {
            self.image(number) if kind == PICTURE else self.map(kind, number): data
            for kind, data in record.files.items()
        }

    def write_chunk(self, chunk: int, records: Iterable[Record]) -> None:
        """Write the files of a chunk's images as they come, then its part file."""
        lines = []
        for record in records:
            for path, data in self.files(record).items():
                write_whole(path, data)
            lines.append(record_line(record.image, record.annotations, record.scene) + "\n")
        write_whole(self.part(chunk), "".join(lines).encode())

    def finish(self, chunks: int, header: dict[str, Any]) -> None:
        """Make one dataset of the chunks; `header` holds the COCO entries before images."""
        merge_parts(self, chunks, header)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path to write to that takes the place of `path` when the block ends well: nobody ever
    sees half a file.

    Raises `UserError` where the disk is full or the folder cannot be written.
    """
    # Processes of several machines may write the same file at once.
    partial = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):  # where its folder is a file
            partial.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write bytes as `written_whole` does."""
    with written_whole(path) as partial:
        partial.write_bytes(data)


def partial_files(folder: DatasetFolder) -> Iterator[Path]:
    """What a killed process was in the middle of writing."""
    begin, end = PARTIALS.split("*")
    for path, _, names in os.walk(folder.root):  # several times as fast as rglob
        for name in names:
            if name.startswith(begin) and name.endswith(end):
                yield Path(path, name)


def foreign_files(folder: DatasetFolder) -> list[str]:
    """What lies in a folder, if there is one, without a run.json and was put there by none of our
    runs."""
    if not folder.root.exists():
        return []
    names = [path.name for path in folder.root.iterdir() if not path.match(PARTIALS)]
    return [name for name in names if name != folder.lock.parent.name]


def remove_partials(folder: DatasetFolder) -> None:
    """Remove half-written files; only for who holds the folder's lock. Raises `UserError` where
    they may not be removed."""
    for path in list(partial_files(folder)):
        remove_file(path)


def remove_file(path: Path) -> None:
    """Remove a file, if it is there. Raises `UserError` where it may not be removed."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


@contextmanager
def opened(folder: DatasetFolder, check: Callable[[], None]) -> Iterator[None]:
    """Hold the folder for this process alone, rid of what a killed one was writing.

    `check` raises `UserError` where the folder is not this run's to write. It is asked twice, since
    another run may begin, or end, between a first look and the lock. Raises `UserError`, too,
    for a file, where another holds the folder, and where it cannot be written.
    """
    if _URL.match(str(folder.root)):
        raise UserError(f"{folder.root}: datasets are written to a folder; copy it to a store then")
    if folder.root.exists() and not folder.root.is_dir():
        raise UserError(f"{folder.root} is a file; give the name of a folder")
    check()
    with alone(folder.lock, folder.root):
        try:
            check()
        except UserError:
            if folder.complete:  # another run has ended, and its lock with it
                remove_parts(folder)
            raise
        remove_partials(folder)
        yield


@contextmanager
def alone(lock: Path, root: Path) -> Iterator[None]:
    """Hold the lock on `root` while the block runs. Raises `UserError` where another process does,
    and where it cannot be written."""
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(lock, timeout=0)
        held.acquire()
    except Timeout as error:
        raise UserError(
            f"another run is writing into {root}; wait for it or choose another folder"
        ) from error
    except OSError as error:
        raise cannot_write(root, error) from error
    try:
        yield
    finally:
        held.release()


def remove_parts(folder: DatasetFolder) -> None:
    """Remove our own working files, once everything they hold is in the open."""
    shutil.rmtree(folder.lock.parent, ignore_errors=True)


def cannot_write(path: Path, error: OSError) -> UserError:
    """The error for a disk that is full or a folder that may not be written."""
    return UserError(
        f"cannot write {path}: {error.strerror}; what is written stays valid: mend it and run the "
        "same command again to go on"
    )


def encode_jpeg(picture: np.ndarray, quality: int = JPEG_QUALITY) -> bytes:
    """BGR to JPEG of a quality from 1 to 100."""
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError(f"OpenCV cannot encode {picture.shape} {picture.dtype} as JPEG")
    return data.tobytes()


def encode_png(picture: np.ndarray) -> bytes:
    """BGR or one channel, 8 or 16 bits, to PNG.

    Rows without prediction at zlib's fastest level: on masks and depth much faster than OpenCV's
    writer, and hardly larger (PNG specification, third edition, 2025).
    """
    height, width = picture.shape[:2]
    color = 2 if picture.ndim == 3 else 0
    samples = picture[..., ::-1] if picture.ndim == 3 else picture
    big_endian = np.ascontiguousarray(samples, dtype=picture.dtype.newbyteorder(">"))
    rows = big_endian.view(np.uint8).reshape(height, -1)
    filtered = np.pad(rows, ((0, 0), (1, 0)))  # filter type 0 before every row
    header = struct.pack(">IIBBBBB", width, height, 8 * picture.itemsize, color, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def record_line(image: dict[str, Any], annotations: list[dict[str, Any]], scene: str) -> str:
    """A picture's line in a part file: its COCO entries and its scene, each as JSON text, so that
    merging parts only copies."""
    return _compact(
        {
            "image": _compact(image),
            "annotations": [_compact(a) for a in annotations],
            "scene": scene,
        }
    )


def read_records(folder: DatasetFolder, chunks: int) -> Iterator[dict[str, Any]]:
    """What `record_line` wrote, of all part files in order. Raises `UserError` where one is
    missing or damaged."""
    for chunk in range(chunks):
        line = ""
        try:
            with folder.part(chunk).open() as lines:
                for line in lines:
                    yield json.loads(line)
        except FileNotFoundError as error:
            raise missing_part(folder, chunk) from error
        except (OSError, ValueError) as error:
            raise damaged_part(folder, chunk) from error
        if not line:
            raise damaged_part(folder, chunk)


def damaged_part(folder: DatasetFolder, chunk: int) -> UserError:
    """The error for a part file that holds something else than was written."""
    return UserError(
        f"{folder.part(chunk)} is damaged; remove it and run the same command again to make its "
        "images anew"
    )


def missing_part(folder: DatasetFolder, chunk: int) -> UserError:
    """The error for a part file that was written, but is not seen here."""
    return UserError(
        f"{folder.part(chunk)} is not there, though a process has written it: every machine of a "
        "run must see the dataset's folder under this path; run the same command again to go on"
    )


def merge_parts(folder: DatasetFolder, chunks: int, header: dict[str, Any]) -> None:
    """Write `scenes.jsonl` and the COCO file from the part files, streaming.

    `header` holds the COCO entries before images. Ids count from 1 in image order.
    The annotations come last: once they are there the dataset is complete.
    """
    with written_whole(folder.scenes) as path, path.open("w", encoding="utf-8") as out:
        _write_scenes(folder, chunks, out)
    with written_whole(folder.annotations) as path, path.open("w", encoding="utf-8") as out:
        _write_coco(folder, chunks, header, out)


def _write_scenes(folder: DatasetFolder, chunks: int, out: TextIO) -> None:
    for record in read_records(folder, chunks):
        out.write(record["scene"] + "\n")


def _write_coco(folder: DatasetFolder, chunks: int, header: dict[str, Any], out: TextIO) -> None:
    out.write("{" + ",\n".join(f"{json.dumps(k)}:{_compact(v)}" for k, v in header.items()))
    out.write(',\n"images":[\n')
    for place, record in enumerate(read_records(folder, chunks)):
        out.write((",\n" if place else "") + record["image"])
    out.write('\n],\n"annotations":[\n')
    annotation_id = 0
    for place, record in enumerate(read_records(folder, chunks)):
        for text in record["annotations"]:
            annotation_id += 1
            ids = f'{{"id":{annotation_id},"image_id":{place + 1},'
            out.write((",\n" if annotation_id > 1 else "") + ids + text[1:])
    out.write("\n]}\n")


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
