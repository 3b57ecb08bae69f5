"""Shards that other programs wrote: tar files of pictures and JSON, as WebDataset reads them.

A sample is the members with one name: 0001.jpg (or .jpeg, .png, .webp) and 0001.json. The JSON is
a COCO annotation, a list of them, or a table with `annotations`.
"""

import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from repogen.cache import cache_dir
from repogen.coco.names import CATEGORY, PERSON, detected_persons, id_key
from repogen.datasets.folder import PICTURE, Sample
from repogen.datasets.shards import (
    FOREIGN,
    MANIFEST,
    Manifest,
    Shard,
    read_bytes,
    read_manifest,
    read_shard,
    read_tar,
)
from repogen.errors import UserError, first_line
from repogen.files import sha256_of_bytes, write_atomic
from repogen.messages import warn
from repogen.network import is_url, list_url, url_exists
from repogen.pictures import PictureHeader, read_header

_MEMBER = re.compile(r"((?:.*/)?[^/.][^/.]*)\.(jpg|jpeg|png|webp|json)", re.IGNORECASE)


def open_shards(url: str) -> Manifest:
    """The manifest of the shards in a folder or at a URL; without one, that of all its tar files.

    The tar files are then read once, and samples that cannot be used are counted on stderr.
    Raises `UserError` where there are no shards, and where none of their samples can be used.
    """
    if _has_manifest(url):
        return read_manifest(url)
    shards, left_out, first = [], 0, ""
    for name in _list_tars(url):
        data = read_bytes(f"{url.rstrip('/')}/{name}")
        samples, problems = _read_samples(data, f"{url}/{name}")
        persons = sum(len(sample.annotations) for sample in samples)
        digest = sha256_of_bytes(data)
        shards.append(Shard(name, len(samples), persons, len(data), digest))
        left_out += len(problems)
        first = first or (problems[0] if problems else "")
    if left_out:
        warn(f"{url}: {left_out} samples are left out; the first, {first}")
    if not any(shard.images for shard in shards):
        why = f" that can be used; the first, {first}" if first else ""
        raise UserError(f"{url} holds no sample of a picture and a JSON file{why}")
    return Manifest(FOREIGN, {}, tuple(shards))


def unpack_foreign_shard(data: bytes, where: str) -> Iterator[Sample]:
    """The samples of another program's tar file that can be used, in order."""
    yield from _read_samples(data, where)[0]


def unpack_foreign_shards(url: str) -> tuple[Path, Path] | None:
    """The COCO file and folder of images of other programs' shards, unpacked into the cache once.

    None for repogen's own shards. Raises `UserError` as `open_shards` does, and where the cache
    cannot be written.
    """
    if _has_manifest(url):
        return None
    manifest = open_shards(url)
    digests = " ".join(shard.sha256 for shard in manifest.shards)
    folder = cache_dir() / "unpacked" / sha256_of_bytes(digests.encode())[:24]
    labels = folder / "labels.json"
    if labels.exists():
        return labels, folder
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for shard in manifest.shards:
        where = f"{url.rstrip('/')}/{shard.name}"
        for sample in unpack_foreign_shard(read_shard(url, shard), where):
            number = len(images) + 1
            images.append(sample.image | {"id": number, "file_name": f"{number:08d}"})
            write_atomic(folder / images[-1]["file_name"], sample.files[PICTURE])
            annotations += [a | {"image_id": number} for a in sample.annotations]
    table = {"images": images, "annotations": annotations, "categories": [CATEGORY]}
    write_atomic(labels, json.dumps(table).encode())  # last: the folder is complete with it
    return labels, folder


def _has_manifest(url: str) -> bool:
    where = f"{url.rstrip('/')}/{MANIFEST}"
    return url_exists(where) if is_url(url) else Path(where).exists()


def _list_tars(url: str) -> list[str]:
    """Names of the tar files in a folder or at a URL. Raises `UserError` where there are none, and
    where the files cannot be listed."""
    try:
        names = list_url(url) if is_url(url) else os.listdir(url)
    except OSError as error:
        raise UserError(
            f"{url} has no shards.json, and its files cannot be listed: {first_line(error)}"
        ) from error
    tars = sorted(name for name in names if name.endswith(".tar"))
    if not tars:
        raise UserError(f"{url} holds neither shards.json nor .tar files")
    return tars


def _read_samples(data: bytes, where: str) -> tuple[list[Sample], list[str]]:
    """The samples, and why others are left out."""
    read: list[tuple[dict[str, Any], list[dict[str, Any]], bytes]] = []
    problems = []
    for key, files in read_tar(io.BytesIO(data), where, pattern=_MEMBER).items():
        members = {suffix.lower(): content for suffix, content in files.items()}
        try:
            read.append(_read_sample(members))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            problems.append(f"{where}: {key}, {error}")
    used = {id_key(a.get("category_id", PERSON)) for _, annotations, _ in read for a in annotations}
    persons = detected_persons(used, where)
    samples = []
    for number, (image, annotations, picture) in enumerate(read, start=1):
        own = [
            {k: v for k, v in a.items() if k not in ("id", "image_id")} | {"category_id": PERSON}
            for a in annotations
            if id_key(a.get("category_id", next(iter(persons)))) in persons
        ]
        samples.append(Sample(image | {"id": number}, own, "null", {PICTURE: picture}))
    return samples, problems


def _read_sample(members: dict[str, bytes]) -> tuple[dict[str, Any], list[dict[str, Any]], bytes]:
    """The COCO entry of the image, its annotations, and the picture's bytes."""
    if "json" not in members:
        raise ValueError("has no JSON file")
    labels: Any = json.loads(members.pop("json"))
    picture = next(iter(members.values()), None)
    if picture is None:
        raise ValueError("has no picture")
    header = read_header(io.BytesIO(picture))
    if header is None:
        raise ValueError("has a picture that cannot be read")
    table = labels if isinstance(labels, dict) else {}
    annotations = labels if isinstance(labels, list) else table.get("annotations")
    if annotations is None:
        annotations = [table] if "keypoints" in table else []
    if not isinstance(annotations, list) or not all(isinstance(a, dict) for a in annotations):
        raise ValueError("has annotations that are not a list of records")
    given = table.get("image")
    return _entry(given if isinstance(given, dict) else table, header), annotations, picture


def _entry(given: dict[str, Any], header: PictureHeader) -> dict[str, Any]:
    """The image's COCO entry, with the size that the picture has as it is shown."""
    said = given.get("width"), given.get("height")
    if None not in said and said not in (header.size, header.stored):
        raise ValueError(f"has a picture of {header.size} pixels, and its JSON says {said}")
    kept = {key: given[key] for key in ("camera", "view", "subject_view") if key in given}
    name = str(given.get("file_name", ""))
    return {"file_name": name, "width": header.size[0], "height": header.size[1]} | kept
