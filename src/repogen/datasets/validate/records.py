"""Validation of each image's record: its annotations and its pictures."""

from collections.abc import Iterable, Iterator
from typing import Any

from repogen.datasets.folder import DatasetFolder
from repogen.datasets.reading import Entry
from repogen.datasets.validate.annotations import check_annotation
from repogen.datasets.validate.pictures import check_pictures


def check_records(
    folder: DatasetFolder, entries: Iterable[tuple[Entry, list[Entry]]], config: dict[str, Any]
) -> Iterator[str]:
    """Problems of images and their annotations, under the options of their run."""
    for image, people in entries:
        for annotation in people:
            where = f"annotation {annotation['id']}"
            yield from _prefixed(where, check_annotation(annotation, image, config))
        where = f"image {image['id']}"
        yield from _prefixed(where, check_pictures(folder, image, people, config))


def _prefixed(where: str, problems: Iterator[str]) -> Iterator[str]:
    """Each problem after the record's name; a record that cannot be read is a problem too."""
    try:
        for problem in problems:
            yield f"{where}: {problem}"
    except KeyError as error:
        yield f"{where}: lacks {error}"
    except (AttributeError, IndexError, OverflowError, TypeError, ValueError) as error:
        yield f"{where}: cannot be read: {error}"
