"""Checking a dataset against everything it promises."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.datasets.folder import DatasetFolder, partial_files, write_whole
from repogen.datasets.reading import Entry, read_annotated, read_header, read_run, read_table
from repogen.datasets.shards import Shard, ShardFolder, read_manifest, read_shard, unpack, with_ids
from repogen.datasets.validate.annotations import check_annotation
from repogen.datasets.validate.pictures import check_pictures
from repogen.datasets.validate.scenes import check_scenes
from repogen.errors import UserError


def validate_files(folder: DatasetFolder) -> list[str]:
    """Every broken promise of a finished dataset, a line each; none for a sound one.

    Held against each other are the records, the scenes, the pictures and the options in run.json;
    nothing is made again. The records are read an image at a time, several times; shards one after
    the other.
    """
    if isinstance(folder, ShardFolder):
        return list(_validate_shards(folder))
    try:
        run, header = read_run(folder), read_header(folder)
        wrong = list(_check_ids(folder, header, run["config"]["images"]))
        # Where ids are wrong, what belongs to what is not known.
        return wrong or list(_check_files(folder, run["config"]))
    except UserError as error:
        return [str(error)]


def _validate_shards(folder: ShardFolder) -> Iterator[str]:
    root = folder.root
    try:
        run, manifest = read_run(folder), read_manifest(str(root))
    except UserError as error:
        yield str(error)
        return
    count = sum(shard.images for shard in manifest.shards)
    if count != run["config"]["images"]:
        yield f"shards.json counts {count} images, run.json {run['config']['images']}"
    yield from _check_categories(manifest.header)
    names = {shard.name for shard in manifest.shards}
    for path in sorted(root.glob("shard-*.tar")):
        if path.name not in names:
            yield f"{path.name}: is not in shards.json"
    first = 1
    for shard in manifest.shards:
        yield from (f"{shard.name}: {text}" for text in _check_shard(root, shard, first, run))
        first += shard.images
    yield from _check_partials(folder)


def _check_shard(root: Path, shard: Shard, first: int, run: dict[str, Any]) -> Iterator[str]:
    try:
        records = list(unpack(read_shard(str(root), shard), shard.name))
    except UserError as error:
        yield str(error)
        return
    ids = [record.image["id"] for record in records]
    if ids != list(range(first, first + shard.images)):
        yield f"image ids are not {first} to {first + shard.images - 1} in order"
        return
    persons = sum(len(record.annotations) for record in records)
    if persons != shard.persons:
        yield f"holds {persons} persons, shards.json says {shard.persons}"
    owned: dict[int, list[Entry]] = {number: [] for number in ids}
    for annotation in with_ids(records)["annotations"]:
        owned[annotation["image_id"]].append(annotation)
    entries = [(record.image, owned[record.image["id"]]) for record in records]
    with TemporaryDirectory() as somewhere:
        folder = DatasetFolder(Path(somewhere))
        for record in records:
            for path, data in folder.files(record).items():
                write_whole(path, data)
        write_whole(folder.scenes, "".join(f"{r.scene}\n" for r in records).encode())
        yield from _check_records(folder, entries, run["config"])
        yield from check_scenes(folder, entries)


def _check_files(folder: DatasetFolder, config: dict[str, Any]) -> Iterator[str]:
    yield from _check_records(folder, read_annotated(folder), config)
    yield from check_scenes(folder, read_annotated(folder))
    yield from _check_partials(folder)


def _check_partials(folder: DatasetFolder) -> Iterator[str]:
    for path in partial_files(folder):
        yield f"{path.relative_to(folder.root)}: left over from a write"


def _check_records(
    folder: DatasetFolder, entries: Iterable[tuple[Entry, list[Entry]]], config: dict[str, Any]
) -> Iterator[str]:
    for image, people in entries:
        for annotation in people:
            where = f"annotation {annotation['id']}"
            yield from _told(where, check_annotation(annotation, image, config))
        where = f"image {image['id']}"
        yield from _told(where, check_pictures(folder, image, people, config))


def _told(where: str, problems: Iterator[str]) -> Iterator[str]:
    """Each problem of a record with where it is; that it cannot be read is one, too."""
    try:
        for problem in problems:
            yield f"{where}: {problem}"
    except KeyError as error:
        yield f"{where}: lacks {error}"
    except (AttributeError, IndexError, OverflowError, TypeError, ValueError) as error:
        yield f"{where}: cannot be read: {error}"


def _check_ids(folder: DatasetFolder, header: Entry, count: int) -> Iterator[str]:
    """Whether images and annotations are numbered from 1 and each annotation is of an image, in the
    images' order."""
    places = [image.get("id") for image in read_table(folder, "images")]
    if places != list(range(1, len(places) + 1)) or len(places) != count:
        yield f"image ids are not 1 to {count} in order"
    numbered, place, last = True, 0, 0
    for place, annotation in enumerate(read_table(folder, "annotations"), start=1):
        numbered = numbered and annotation.get("id") == place
        owner = annotation.get("image_id")
        if not isinstance(owner, int) or not 1 <= owner <= len(places):
            yield f"annotation {place}: its image {owner} does not exist"
        elif owner < last:
            yield f"annotation {place}: comes after those of image {last}, but is of {owner}"
        else:
            last = owner
    if not numbered:
        yield f"annotation ids are not 1 to {place} in order"
    yield from _check_categories(header)


def _check_categories(header: Entry) -> Iterator[str]:
    try:
        names = [category.get("keypoints") for category in header["categories"]]
    except (AttributeError, KeyError, TypeError):
        names = []
    if names != [list(COCO_KEYPOINTS)]:
        yield "the categories are not COCO's one person with 17 keypoints"
