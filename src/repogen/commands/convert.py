"""`repogen convert`: labelled people in another format; a dataset's folder as shards, and back."""

from pathlib import Path

from tyro.conf import Positional

from repogen.commands.parsing import Commands
from repogen.formats.options import FormatName, Images


def commands(_words: list[str]) -> Commands:
    return command


def command(
    source: Positional[str],
    out: Positional[Path],
    to: FormatName | None = None,
    images: Images = "link",
    shard_images: int = 256,
) -> int:
    """Write labelled people in another format.

    Args:
        source: A dataset's folder, shards in a folder or at a URL (s3://, gs://, https://),
            ANNOTATIONS.json:IMAGES_DIR of COCO keypoints, or a folder of YOLO-pose or of Hugging
            Face's imagefolder.
        out: Folder to write; an unfinished one is resumed.
        to: Format to write (docs/convert.md). Without it, a dataset's folder is written as
            shards, and shards as a folder, without loss.
        images: With --to: link to the pictures (those in tar files are copied), copy them, or
            write none.
        shard_images: Images in a shard, 1 to 10000; one shard is held in memory when it is written
            or read.
    """
    from repogen.formats.convert import convert

    print(convert(source, out, shard_images, to, images))
    return 0
