"""Shards that other programs wrote: tar files of pictures and JSON, as WebDataset reads them.

A sample is the members with one name: 0001.jpg (or .jpeg, .png, .webp) and 0001.json. The JSON is
a COCO annotation, a list of them, or a table with `annotations`.
"""

import hashlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from repogen.coco.names import PERSON, detected_persons, id_key
from repogen.datasets.folder import PICTURE, Sample
from repogen.datasets.shards import FOREIGN, Manifest, Shard, read_bytes, read_manifest, read_tar
from repogen.errors import UserError
from repogen.messages import warn
from repogen.network import URL, list_url, url_exists
from repogen.pictures import PictureHeader, read_header

_MEMBER = re.compile(r"((?:.*/)?[^/.][^/.]*)\.(jpg|jpeg|png|webp|json)", re.IGNORECASE)


def open_shards(url: str) -> Manifest:
    """The manifest of the shards in a folder or at a URL; without one, that of all its tar files.

    The tar files are then read once, and samples that cannot be used are counted on stderr.
    Raises `UserError` where there are no shards, and where none of their samples can be used.
    """
    names = [] if _has_manifest(url) else _list_tars(url)
    if not names:
        return read_manifest(url)
    shards, left_out, first = [], 0, ""
    for name in names:
        data = read_bytes(f"{url.rstrip('/')}/{name}")
        samples, problems = _read_samples(data, f"{url}/{name}")
        persons = sum(len(sample.annotations) for sample in samples)
        digest = hashlib.sha256(data).hexdigest()
        shards.append(Shard(name, len(samples), persons, len(data), digest))
        left_out += len(problems)
        first = first or (problems[0] if problems else "")
    if left_out:
        warn(f"{url}: {left_out} samples are left out; the first, {first}")
    if not any(shard.images for shard in shards):
        raise UserError(f"{url} holds no sample of a picture and a JSON file")
    return Manifest(FOREIGN, {}, tuple(shards))


def unpack_foreign_shard(data: bytes, where: str) -> Iterator[Sample]:
    """The samples of another program's tar file that can be used, in order."""
    yield from _read_samples(data, where)[0]


def _has_manifest(url: str) -> bool:
    where = f"{url.rstrip('/')}/shards.json"
    return url_exists(where) if URL.match(url) else Path(where).exists()


def _list_tars(url: str) -> list[str]:
    if URL.match(url):
        names = list_url(url)
    else:
        names = [path.name for path in Path(url).iterdir()] if Path(url).is_dir() else []
    return sorted(name for name in names if name.endswith(".tar"))


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
    kept = {key: given[key] for key in ("camera", "view") if key in given}
    name = str(given.get("file_name", ""))
    return {"file_name": name, "width": header.size[0], "height": header.size[1]} | kept
