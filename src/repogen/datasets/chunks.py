"""Chunk files: the finished chunks of a run, and merging them into one dataset."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from repogen.errors import UserError
from repogen.files import atomic_path, read_lines
from repogen.limits import MAX_LINES


def sample_line(image: dict[str, Any], annotations: list[dict[str, Any]], scene: str) -> str:
    """A sample's line in a chunk file: its COCO entries and its scene, each as JSON text.

    Merging only copies the texts.
    """
    return _compact_json(
        {
            "image": _compact_json(image),
            "annotations": [_compact_json(a) for a in annotations],
            "scene": scene,
        }
    )


def merge_chunks(
    chunks: Sequence[Path], scenes: Path, annotations: Path, header: dict[str, Any]
) -> None:
    """Stream the chunk files into the files `scenes` and `annotations` (COCO).

    `header` holds the COCO file's entries before its images. Ids count from 1 in image order.
    The annotations are written last: a dataset that has them is complete. Raises `UserError`
    where a chunk file is missing or damaged.
    """
    with atomic_path(scenes) as path, path.open("w", encoding="utf-8") as out:
        for sample in _read_chunks(chunks):
            out.write(sample["scene"] + "\n")
    with atomic_path(annotations) as path, path.open("w", encoding="utf-8") as out:
        _write_coco(chunks, header, out)


def _write_coco(chunks: Sequence[Path], header: dict[str, Any], out: TextIO) -> None:
    out.write("{" + ",\n".join(f"{json.dumps(k)}:{_compact_json(v)}" for k, v in header.items()))
    out.write(',\n"images":[\n')
    for i, sample in enumerate(_read_chunks(chunks)):
        out.write((",\n" if i else "") + sample["image"])
    out.write('\n],\n"annotations":[\n')
    annotation_id = 0
    for image_id, sample in enumerate(_read_chunks(chunks), start=1):
        for text in sample["annotations"]:
            annotation_id += 1
            ids = f'{{"id":{annotation_id},"image_id":{image_id},'
            out.write((",\n" if annotation_id > 1 else "") + ids + text[1:])
    out.write("\n]}\n")


def _read_chunks(chunks: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The lines of all chunk files, in order."""
    for chunk in chunks:
        line = ""
        try:
            for line in read_lines(chunk, MAX_LINES):
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


def _compact_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
