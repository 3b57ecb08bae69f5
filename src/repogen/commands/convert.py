"""`repogen convert`: turn a dataset's folder into shards, and back."""

from pathlib import Path

from tyro.conf import Positional

from repogen.commands.parsing import Commands


def commands(_words: list[str]) -> Commands:
    return command


def command(source: Positional[str], out: Positional[Path], shard_images: int = 256) -> int:
    """Write a dataset in the other format: a folder as shards, shards as a folder.

    Args:
        source: A finished dataset; shards may lie at a URL (s3://, gs://, https://).
        out: Folder to write; an unfinished one is resumed.
        shard_images: Images in a shard, 1 to 10000; one shard is held in memory when it is written
            or read.
    """
    from repogen.datasets.convert import convert

    print(convert(source, out, shard_images))
    return 0
