"""What can be converted: datasets of repogen, COCO files, shards, and folders of YOLO and of
Hugging Face."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from repogen.coco.annotations import (
    label_convention,
    parse_person_annotations,
    read_person_annotations,
)
from repogen.coco.images import with_true_sizes
from repogen.coco.names import CATEGORY
from repogen.datasets.folder import PICTURE, DatasetFolder, Sample, map_kinds
from repogen.datasets.foreign_shards import open_shards, unpack_foreign_shard
from repogen.datasets.reading import (
    open_dataset,
    read_entries,
    read_header,
    read_run_info,
    read_scenes,
)
from repogen.datasets.shards import (
    FOREIGN,
    MANIFEST,
    ShardFolder,
    manifest_to_json,
    read_shard,
    unpack_shard,
    with_ids,
)
from repogen.datasets.sources import SourcesConfig, find_body, find_sources
from repogen.environment.backgrounds import Plain
from repogen.errors import UserError
from repogen.files import cannot_read, sha256_of, sha256_of_bytes
from repogen.formats.hugging_face import METADATA, is_hugging_face, read_hugging_face
from repogen.formats.labelled import LabelledImage, LabelledSet, labelled_images, safe_name, stem_of
from repogen.formats.yolo_pose import DATA, read_yolo
from repogen.network import is_url
from repogen.scenes.scene import Scene

_AT_ONCE = 64
"""Images whose labels are parsed together."""

_COCO_FOLDERS = (
    ("annotations/person_keypoints.json", "images"),  # --to coco
    ("labels.json", "data"),  # --to fiftyone
    ("annotations.json", "images"),  # --to crowdpose and other joint sets
)
"""A COCO file and the folder of its images, in folders that this package writes."""


def open_labelled(source: str) -> LabelledSet:
    """Open a dataset's folder, shards in a folder or at a URL, ANNOTATIONS.json:IMAGES_DIR, a
    folder or data.yaml of YOLO, or an imagefolder of Hugging Face.

    Raises `UserError` for anything else, and for a source that cannot be read; so do its images.
    """
    if is_url(source):
        return _shards(source)
    root = Path(source)
    if root.is_dir():
        if (root / "run.json").exists():
            folder = open_dataset(root)
            opened = _shards(source) if isinstance(folder, ShardFolder) else _dataset(folder)
            return _with_scenes(opened, folder)
        if (root / DATA).exists():
            return read_yolo(root / DATA)
        if is_hugging_face(root):
            return read_hugging_face(root)
        for labels, images in _COCO_FOLDERS:
            if (root / labels).exists():
                return _coco(source, root / labels, root / images)
        if (root / MANIFEST).exists() or any(root.glob("*.tar")):
            return _shards(source)
        names = ", ".join(
            ["run.json", DATA, f"train/{METADATA}", *(labels for labels, _ in _COCO_FOLDERS)]
        )
        raise UserError(f"{source} holds none of {names} and no .tar files; nothing to convert")
    if root.suffix in (".yaml", ".yml"):
        return read_yolo(root)
    labels, colon, images = source.rpartition(":")
    if colon and labels.endswith(".json"):
        if not Path(images).is_dir():
            raise UserError(f"{source}: no folder {images}")
        return _coco(source, Path(labels), Path(images))
    if root.suffix == ".json" and root.exists():
        raise UserError(f"{source}: give the folder of its images, too: {source}:IMAGES_DIR")
    raise UserError(
        f"{source} is no dataset: give a folder, ANNOTATIONS.json:IMAGES_DIR, or data.yaml"
    )


def _dataset(folder: DatasetFolder) -> LabelledSet:
    """A dataset of repogen with a COCO file, read a few images at a time."""
    run = read_run_info(folder)
    kinds = map_kinds(run["config"]["output"]["write"])
    header = read_header(folder)

    def images() -> Iterator[LabelledImage]:
        entries = read_entries(folder)
        while chunk := list(islice(entries, _AT_ONCE)):
            records = [image for image, _ in chunk]
            table = {
                "images": records,
                "annotations": [a for _, annotations in chunk for a in annotations],
                "categories": [CATEGORY],
            }
            where = str(folder.annotations)
            people = parse_person_annotations("", table, where, folder.root / "images")
            ids = people.image_ids.tolist()
            if people.image_ids.dtype.kind not in "iu":
                raise UserError(f"{where}: the image ids {ids[0]}, … are not whole numbers")
            yield from labelled_images(
                people,
                records,
                [folder.inside(folder.root / "images" / safe_name(f)) for f in people.files],
                [{kind: folder.map(kind, i) for kind in kinds} for i in ids],
            )

    return LabelledSet(
        str(folder.root),
        images,
        run["config"]["images"],
        sha256_of(folder.annotations),
        label_convention(header),
        _licences(run),
    )


def _with_scenes(images: LabelledSet, folder: DatasetFolder) -> LabelledSet:
    """The set with its dataset's scenes, whose photographs and panoramas are not looked for."""
    run = read_run_info(folder)

    def scenes() -> Iterator[Scene]:
        for scene in read_scenes(folder):
            surfaces = replace(scene, background=Plain("#000000"))
            find_sources(folder, [surfaces], SourcesConfig(), run["config"])
            yield scene

    return replace(images, scenes=scenes, body=lambda: find_body(folder, run, None))


def _licences(run: dict[str, Any]) -> tuple[str, ...]:
    return tuple(sorted({licence for pack in run["assets"] for licence in pack["licences"]}))


def _shards(url: str) -> LabelledSet:
    """Shards of repogen or of another program, read one at a time."""
    manifest = open_shards(url)
    unpack = unpack_foreign_shard if manifest.format == FOREIGN else unpack_shard

    def images() -> Iterator[LabelledImage]:
        first = 1
        for shard in manifest.shards:
            where = f"{url.rstrip('/')}/{shard.name}"
            samples = list(unpack(read_shard(url, shard), where))
            yield from _sample_images(samples, where, first)
            first += len(samples)

    return LabelledSet(
        url,
        images,
        sum(shard.images for shard in manifest.shards),
        sha256_of_bytes(manifest_to_json(manifest)),
        label_convention(manifest.header),
    )


def _sample_images(samples: list[Sample], where: str, first: int) -> Iterator[LabelledImage]:
    endings = {b"\x89P": "png", b"RI": "webp"}
    records = [
        # Names within other programs' shards need not be unique.
        sample.image
        | {"file_name": f"{number:08d}.{endings.get(sample.files[PICTURE][:2], 'jpg')}"}
        for number, sample in enumerate(samples, first)
    ]
    table = with_ids(samples) | {"images": records, "categories": [CATEGORY]}
    people = parse_person_annotations("", table, where, Path())
    yield from labelled_images(
        people,
        records,
        [sample.files[PICTURE] for sample in samples],
        [{k: v for k, v in sample.files.items() if k != PICTURE} for sample in samples],
        first,
    )


def _coco(source: str, labels: Path, folder: Path) -> LabelledSet:
    """A COCO file, which is held in memory. Joints are found by their names, in any order."""
    people = with_true_sizes(read_person_annotations(labels.stem, labels, folder))
    if people.as_stored:
        raise UserError(
            f"{source}: its labels are in the pixels before EXIF orientation, which other programs "
            "do not expect; turn the pictures first (exiftool -Orientation= -overwrite_original)"
        )
    names = [safe_name(name) for name in people.files]
    stems = [stem_of(name) for name in names]
    if len(set(stems)) < len(stems):
        again = next(name for name, stem in zip(names, stems, strict=True) if stems.count(stem) > 1)
        raise UserError(f"{source}: {again} and another of its images have the same name")
    numbered = people.image_ids.dtype.kind in "iu"
    records = [{"file_name": name} for name in names]
    pictures = [folder / name for name in people.files]

    def images() -> Iterator[LabelledImage]:
        yield from labelled_images(people, records, pictures, None, None if numbered else 1)

    try:
        digest = sha256_of(labels)
    except OSError as error:
        raise cannot_read(labels, error) from error
    return LabelledSet(source, images, len(names), digest, people.label_convention)
