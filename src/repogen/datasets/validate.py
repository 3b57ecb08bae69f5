"""Checking a dataset against everything it promises."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.datasets.folder import DatasetFolder, partial_files, write_whole
from repogen.datasets.reading import read_coco, read_run
from repogen.datasets.shards import Shard, ShardFolder, read_manifest, read_shard, unpack, with_ids
from repogen.datasets.validate_annotations import check_annotation
from repogen.datasets.validate_pictures import check_pictures
from repogen.datasets.validate_scenes import check_scenes
from repogen.errors import UserError

_LISTS = ("images", "annotations", "categories")


def validate_files(folder: DatasetFolder) -> list[str]:
    """Every broken promise of a finished dataset, a line each; none for a sound one.

    Held against each other are the records, the scenes, the pictures and the options in run.json;
    nothing is made again.
    """
    try:
        run, coco = read_run(folder), read_coco(folder)
    except UserError as error:
        return [str(error)]
    for name in _LISTS:
        if not isinstance(coco.get(name), list) or not all(isinstance(r, dict) for r in coco[name]):
            return [f"{folder.annotations}: no list {name!r} of records"]
    return list(_problems(folder, coco, run["config"]))


def validate_shards(root: Path) -> Iterator[str]:
    """Every broken promise of a finished dataset of shards; they are read one after the other."""
    folder = ShardFolder(root)
    try:
        run, manifest = read_run(folder), read_manifest(str(root))
    except UserError as error:
        yield str(error)
        return
    count = sum(shard.images for shard in manifest.shards)
    if count != run["config"]["images"]:
        yield f"shards.json counts {count} images, run.json {run['config']['images']}"
    names = {shard.name for shard in manifest.shards}
    for path in sorted(root.glob("shard-*.tar")):
        if path.name not in names:
            yield f"{path.name}: is not in shards.json"
    first = 1
    for shard in manifest.shards:
        yield from (f"{shard.name}: {text}" for text in _check_shard(root, shard, first, run))
        first += shard.images
    for path in partial_files(folder):
        yield f"{path.relative_to(root)}: left over from a write"


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
    coco = with_ids(records)
    if len(coco["annotations"]) != shard.persons:
        yield f"holds {len(coco['annotations'])} persons, shards.json says {shard.persons}"
    with TemporaryDirectory() as somewhere:
        folder = DatasetFolder(Path(somewhere))
        for record in records:
            for path, data in folder.files(record).items():
                write_whole(path, data)
        write_whole(folder.scenes, "".join(f"{r.scene}\n" for r in records).encode())
        yield from _check_records(folder, coco, run["config"])


def _problems(folder: DatasetFolder, coco: dict[str, Any], config: dict[str, Any]) -> Iterator[str]:
    wrong = list(_check_ids(coco, config))
    if wrong:
        yield from wrong  # what belongs to what is not known
        return
    yield from _check_records(folder, coco, config)
    for path in partial_files(folder):
        yield f"{path.relative_to(folder.root)}: left over from a write"


def _check_records(
    folder: DatasetFolder, coco: dict[str, Any], config: dict[str, Any]
) -> Iterator[str]:
    people: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in coco["images"]}
    for annotation in coco["annotations"]:
        people[annotation["image_id"]].append(annotation)
    for image in coco["images"]:
        for annotation in people[image["id"]]:
            where = f"annotation {annotation['id']}"
            yield from _told(where, check_annotation(annotation, image, config))
        where = f"image {image['id']}"
        yield from _told(where, check_pictures(folder, image, people[image["id"]], config))
    yield from check_scenes(folder, coco["images"], people)


def _told(where: str, problems: Iterator[str]) -> Iterator[str]:
    """Each problem of a record with where it is; that it cannot be read is one, too."""
    try:
        for problem in problems:
            yield f"{where}: {problem}"
    except KeyError as error:
        yield f"{where}: lacks {error}"
    except (AttributeError, IndexError, OverflowError, TypeError, ValueError) as error:
        yield f"{where}: cannot be read: {error}"


def _check_ids(coco: dict[str, Any], config: dict[str, Any]) -> Iterator[str]:
    count = config.get("images")
    ids = [image.get("id") for image in coco["images"]]
    if ids != list(range(1, (count or 0) + 1)):
        yield f"image ids are not 1 to {count} in order"
    owners = [annotation.get("image_id") for annotation in coco["annotations"]]
    known = set(ids)
    for place, owner in enumerate(owners):
        if owner not in known:
            yield f"annotation {place + 1}: its image {owner} does not exist"
    ids = [annotation.get("id") for annotation in coco["annotations"]]
    if ids != list(range(1, len(ids) + 1)):
        yield f"annotation ids are not 1 to {len(ids)} in order"
    names = [category.get("keypoints") for category in coco["categories"]]
    if names != [list(COCO_KEYPOINTS)]:
        yield "the categories are not COCO's one person with 17 keypoints"
