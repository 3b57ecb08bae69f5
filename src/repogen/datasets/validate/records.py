"""Validation of one image: its record, its annotations, its scene and its pictures."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from repogen.datasets.chunks import compact_json
from repogen.datasets.validate.annotations import check_annotation
from repogen.datasets.validate.pictures import check_pictures
from repogen.datasets.validate.scenes import check_scene
from repogen.json_files import strict_json


def check_image(
    image_id: int,
    records: Sequence[str],
    scene: str | None,
    files: Mapping[str, bytes],
    run: dict[str, Any],
) -> Iterator[str]:
    """Problems of an image: of its record and its annotations (`records`, in this order, as JSON
    texts), its scene, if there is one, and its files, by kind, under its run's run.json."""
    try:
        image, *people = map(strict_json, records)
        for record, text in zip((image, *people), records, strict=True):
            if compact_json(record) != text:
                raise ValueError("one is not written as repogen writes it")
    except ValueError as error:
        yield f"image {image_id}: its records cannot be read: {error}"
        return
    masks = []
    for annotation in people:
        where = f"annotation {annotation.get('id')}"
        mask = yield from _prefixed(where, check_annotation(annotation, image, run["config"]))
        masks += [] if mask is None else [mask]
    if scene is not None:
        where = f"scenes.jsonl line {image_id}"
        yield from _prefixed(where, check_scene(scene, image_id, image, people, run))
    yield from _prefixed(f"image {image_id}", check_pictures(image, people, masks, files))


def _prefixed(where: str, problems: Iterator[str]) -> Generator[str, None, Any]:
    """Each problem after the record's name; a record that cannot be read is a problem too.

    Returns what the generator of problems returns, None for a record that cannot be read.
    """
    try:
        while True:
            yield f"{where}: {next(problems)}"
    except StopIteration as end:
        return end.value
    except KeyError as error:
        yield f"{where}: lacks {error}"
    except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError) as error:
        yield f"{where}: cannot be read: {error}"
    return None
