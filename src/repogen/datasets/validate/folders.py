"""Validation of a dataset with a COCO file, some images at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from repogen.datasets.checksums import CHECKSUMS
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.reading import Entry
from repogen.datasets.validate.coco_file import check_coco, lines_by_image
from repogen.datasets.validate.files import kinds_of
from repogen.datasets.validate.records import check_image
from repogen.errors import UserError
from repogen.files import read_lines, read_regular, sha256_of_bytes
from repogen.limits import MAX_LINES, MAX_PICTURE
from repogen.processes import map_tasks

_BATCH = 32
"""Images in a task of a process."""


@dataclass(frozen=True)
class _Image:
    """An image's record and annotations as JSON, its line of scenes.jsonl if there is one, and the
    SHA-256 of its files by kind; none where they are not known."""

    number: int
    records: list[str]
    scene: str | None
    digests: dict[str, str]


@dataclass(frozen=True)
class _Batch:
    folder: DatasetFolder
    run: Entry
    images: Sequence[_Image]


def check_folder(
    folder: DatasetFolder, run: Entry, digests: Iterator[str] | None, workers: int
) -> Iterator[str]:
    """Problems of a dataset with a COCO file; `digests` are the SHA-256 of its files in order.

    Raises `UserError` for a COCO file or scenes that cannot be read.
    """
    in_order = yield from check_coco(folder, run)
    if not in_order:
        return  # with wrong ids nothing says which annotations belong to which image
    scenes = sum(1 for _ in _scene_lines(folder))
    if scenes != run["config"]["images"]:
        yield f"scenes.jsonl has {scenes} scenes for {run['config']['images']} images"
    images = _images(folder, run, digests)
    batches = iter(lambda: list(islice(images, _BATCH)), [])
    tasks = (_Batch(folder, run, batch) for batch in batches)
    for found in map_tasks(_check_batch, tasks, workers):
        yield from found


def _images(folder: DatasetFolder, run: Entry, digests: Iterator[str] | None) -> Iterator[_Image]:
    kinds, scenes = kinds_of(run), _scene_lines(folder)
    for number, (image, annotations) in enumerate(lines_by_image(folder), start=1):
        own = dict(zip(kinds, islice(digests, len(kinds)), strict=False)) if digests else {}
        yield _Image(number, [image, *annotations], next(scenes, None), own)


def _scene_lines(folder: DatasetFolder) -> Iterator[str]:
    try:
        yield from read_lines(folder.inside(folder.scenes), MAX_LINES, newline="\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {folder.scenes}: {error}") from error


def _check_batch(batch: _Batch) -> list[str]:
    return [problem for image in batch.images for problem in _check(batch.folder, batch.run, image)]


def _check(folder: DatasetFolder, run: Entry, image: _Image) -> Iterator[str]:
    files = {}
    for kind in kinds_of(run):
        path = folder.file(kind, image.number)
        try:
            data = read_regular(folder.inside(path), MAX_PICTURE)
        except FileNotFoundError:
            yield f"{folder.name(path)}: is missing"
            continue
        except OSError as error:
            yield f"{folder.name(path)}: cannot be read: {error.strerror}"
            continue
        if image.digests and sha256_of_bytes(data) != image.digests[kind]:
            yield f"{folder.name(path)}: has another SHA-256 than {CHECKSUMS} says"
        files[kind] = data
    yield from check_image(image.number, image.records, image.scene, files, run)
