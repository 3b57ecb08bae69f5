"""Tar files of pictures and JSON that WebDataset reads.

https://github.com/webdataset/webdataset: members with one name are a sample, here 00000001.jpg and
00000001.json with the image's entry and its annotations. repogen reads them as other programs'
shards.
"""

import io
import tarfile
from collections.abc import Iterator
from itertools import islice
from pathlib import PurePosixPath

from repogen.datasets.chunks import compact_json
from repogen.datasets.shards import shard_name
from repogen.files import cannot_read, read_regular
from repogen.formats.coco import coco_annotation
from repogen.formats.labelled import LabelledImage, LabelledSet
from repogen.formats.output import Output
from repogen.limits import MAX_PICTURE


def write_webdataset(source: LabelledSet, images: Iterator[LabelledImage], out: Output) -> None:
    """Write shards; one is held in memory."""
    number = 0
    while shard := list(islice(images, out.shard_images)):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for image in shard:
                ending = PurePosixPath(image.name).suffix.lower() or ".jpg"
                _add(tar, f"{image.id:08d}{ending}", _picture(image))
                _add(tar, f"{image.id:08d}.json", _labels(image))
        out.write(shard_name(number), data.getvalue())
        number += 1


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _picture(image: LabelledImage) -> bytes:
    if isinstance(image.picture, bytes):
        return image.picture
    try:
        return read_regular(image.picture, MAX_PICTURE)
    except OSError as error:
        raise cannot_read(image.picture, error) from error


def _labels(image: LabelledImage) -> bytes:
    entry = {"file_name": image.name, "width": image.width, "height": image.height}
    annotations = [coco_annotation(person) for person in image.people]
    return compact_json({"image": entry, "annotations": annotations}).encode()
