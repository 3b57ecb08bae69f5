"""`repogen convert`: from a folder with a COCO file to shards, and back."""

from pathlib import Path

from tyro.conf import Positional

from repogen.commands.parsing import Commands


def commands(_words: list[str]) -> Commands:
    return command


def command(source: Positional[str], out: Positional[Path], shard_images: int = 256) -> int:
    """Write a dataset in the other format: a folder with a COCO file as shards, shards as a folder.

    Args:
        source: A finished dataset; shards may lie at a URL (s3://, gs://, https://).
        out: The folder to write; a half-made one is finished.
        shard_images: Images in a shard; whoever writes or reads one holds it in memory.
    """
    from repogen.datasets.convert import convert

    print(convert(source, out, shard_images))
    return 0
