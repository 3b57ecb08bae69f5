"""A compact summary of a dataset for info and figures: about 60 bytes per person."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from repogen.datasets.folder import MAX_IMAGES, DatasetFolder
from repogen.datasets.reading import read_entries
from repogen.errors import UserError
from repogen.limits import MAX_PIXELS, MAX_SIDE
from repogen.records import Angle, Between, Length, decode_part
from repogen.scenes.scene import ViewName

PERSON_DTYPE = np.dtype(
    [("view", "i2"), ("azimuth_deg", "f8"), ("elevation_deg", "f8"), ("box", "f4", 4),
     ("side", "i4"), ("area", "f4"), ("flags", "i1", 17)]
)  # fmt: skip
"""One person: the index of the image's view in `Summary.views`, the camera's direction, the box
(x, y, w, h), the image's longer side, the area in square pixels, and v of the 17 keypoints."""


@dataclass(frozen=True)
class Summary:
    """A summary of all images and people of a dataset."""

    views: Counter[str]
    """The number of images of each view, by name."""
    people: np.ndarray
    """One element of `PERSON_DTYPE` per person."""


def summarize(folder: DatasetFolder) -> Summary:
    """Summarize a dataset in one pass. Raises `UserError` for annotations that are not ours."""
    views: Counter[str] = Counter()
    people = np.fromiter(_people(folder, views), PERSON_DTYPE)
    if not views:
        raise UserError(f"{folder.root} holds no images")
    return Summary(views, people)


@dataclass(frozen=True)
class _Direction:
    """The camera's direction from a person."""

    azimuth_deg: Angle
    elevation_deg: Angle


@dataclass(frozen=True)
class _View(_Direction):
    name: ViewName


@dataclass(frozen=True)
class _Image:
    """What figures and sheets need of an image record."""

    id: Annotated[int, Between(1, MAX_IMAGES)]
    width: Annotated[int, Between(1, MAX_SIDE)]
    height: Annotated[int, Between(1, MAX_SIDE)]
    view: _View


@dataclass(frozen=True)
class _Person:
    """What figures and sheets need of an annotation."""

    view: _Direction
    bbox: tuple[float, float, float, float]
    area: Annotated[float, Between(0, MAX_PIXELS)]
    keypoints: Annotated[tuple[float, ...], Length(51, 51)]


def _people(folder: DatasetFolder, views: Counter[str]) -> Iterator[tuple[Any, ...]]:
    for number, (entry, annotations) in enumerate(read_entries(folder), start=1):
        where = f"{folder.root}: image {number} of its annotations"
        image = decode_part(entry, _Image, where)
        views[image.view.name] += 1
        view_index, side = list(views).index(image.view.name), max(image.width, image.height)
        for annotation in annotations:
            person = decode_part(annotation, _Person, where)
            angles = person.view.azimuth_deg, person.view.elevation_deg
            flags = person.keypoints[2::3]
            if not {0, 1, 2}.issuperset(flags):
                raise UserError(f"{where}: keypoints: a v is not 0, 1 or 2")
            yield view_index, *angles, person.bbox, side, person.area, flags
