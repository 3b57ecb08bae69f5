"""Conversion of labelled people from one format to another."""

import os
from pathlib import Path

from tqdm import tqdm

from repogen.config import checked
from repogen.datasets import convert as shards
from repogen.datasets.shards import SHARD_IMAGES, check_shard_images
from repogen.formats.options import FormatName, Images
from repogen.formats.output import opened_output
from repogen.formats.readers import open_labelled
from repogen.formats.table import FORMATS
from repogen.network import is_url


@checked
def convert(
    source: Path | str,
    out: Path | str,
    shard_images: int = SHARD_IMAGES,
    to: FormatName | None = None,
    images: Images = "link",
) -> Path:
    """Write the labelled people of `source` in the format `to` into the folder `out`; returns it.

    Without `to`, a dataset's folder becomes shards of `shard_images` images, and shards a folder,
    without loss of a byte. Else `source` is a dataset's folder, shards in a folder or at a URL,
    ANNOTATIONS.json:IMAGES_DIR, a folder of YOLO-pose with its data.yaml, or an imagefolder of
    Hugging Face. `images` says whether pictures are linked (out of tar files: copied), copied, or
    left out.

    Call it again to resume a conversion that was stopped; a finished one is left as it is. Raises
    `UserError` for a source that cannot be read or is unfinished, and for an `out` that holds other
    files.

    >>> repogen.convert("people", "people-shards", shard_images=2)
    PosixPath('people-shards')
    >>> repogen.convert("people", "people-yolo", to="yolo-pose")
    PosixPath('people-yolo')
    """
    if to is None:
        return shards.convert(source, out, shard_images)
    check_shard_images(shard_images)
    source, out = str(source), Path(out)
    read = open_labelled(source)
    made_from = {
        "source": source if is_url(source) else os.path.abspath(source),
        "digest": read.digest,
        "to": to,
    }
    if FORMATS[to].pictures:
        made_from["images"] = images
    if to == "webdataset":
        made_from["shard_images"] = str(shard_images)
    with opened_output(out, images, shard_images, made_from) as output:
        if output is not None:
            every = tqdm(read.images(), total=read.count, unit="img", desc="converting")
            FORMATS[to].write(read, iter(every), output)
    return out
