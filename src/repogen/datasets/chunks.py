"""Chunk files: the finished chunks of a run, and merging them into one dataset."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from repogen.datasets.checksums import read_signed_lines, signed_line
from repogen.errors import UserError


def sample_line(
    image: dict[str, Any], annotations: list[dict[str, Any]], scene: str, digests: Mapping[str, str]
) -> str:
    """A sample's line in a chunk file: its COCO entries and its scene, each as JSON text, and the
    SHA-256 of its files by kind.

    Merging only copies the texts. The line begins with its own SHA-256.
    """
    return signed_line(
        compact_json(
            {
                "image": compact_json(image),
                "annotations": [compact_json(a) for a in annotations],
                "scene": scene,
                "sha256": digests,
            }
        )
    )


def write_scenes(chunks: Sequence[Path], out: TextIO) -> None:
    """Write the scenes of the chunk files, one a line. Raises `UserError` as `read_chunks`."""
    for sample in read_chunks(chunks):
        out.write(sample["scene"] + "\n")


def chunk_digests(
    chunks: Sequence[Path], name_of: Callable[[str, int], str]
) -> Iterator[tuple[str, str]]:
    """(SHA-256, name) of the files of the chunks' samples; `name_of` is given kind and image id.

    Raises `UserError` as `read_chunks`.
    """
    for image_id, sample in enumerate(read_chunks(chunks), start=1):
        for kind, digest in sample["sha256"].items():
            yield digest, name_of(kind, image_id)


def write_coco(chunks: Sequence[Path], header: dict[str, Any], out: TextIO) -> None:
    """Write the COCO file of the chunk files.

    `header` holds its entries before the images. Ids count from 1 in image order. Raises
    `UserError` as `read_chunks`.
    """
    out.write("{" + ",\n".join(f"{json.dumps(k)}:{compact_json(v)}" for k, v in header.items()))
    out.write(',\n"images":[\n')
    for i, sample in enumerate(read_chunks(chunks)):
        out.write((",\n" if i else "") + sample["image"])
    out.write('\n],\n"annotations":[\n')
    annotation_id = 0
    for image_id, sample in enumerate(read_chunks(chunks), start=1):
        for text in sample["annotations"]:
            annotation_id += 1
            ids = f'{{"id":{annotation_id},"image_id":{image_id},'
            out.write((",\n" if annotation_id > 1 else "") + ids + text[1:])
    out.write("\n]}\n")


def read_chunks(chunks: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The samples of all chunk files, in order.

    Raises `UserError` where a chunk file is missing or damaged.
    """
    for chunk in chunks:
        line = ""
        try:
            for line in read_signed_lines(chunk):
                yield json.loads(line)
        except FileNotFoundError as error:
            raise missing_chunk(chunk) from error
        except (OSError, ValueError) as error:
            raise damaged_chunk(chunk) from error
        if not line:
            raise damaged_chunk(chunk)


def damaged_chunk(chunk: Path) -> UserError:
    """The error for a chunk file whose content is not what was written."""
    return UserError(
        f"{chunk} is damaged; remove it and run the same command again to generate its images again"
    )


def missing_chunk(chunk: Path) -> UserError:
    """The error for a chunk file that was written but is not visible on this machine."""
    return UserError(
        f"{chunk} is missing although a process wrote it: every machine of a run must see the "
        "dataset folder under the same path; run the same command again to resume"
    )


def compact_json(value: object) -> str:
    """JSON text without spaces, as datasets hold it."""
    return json.dumps(value, separators=(",", ":"))
