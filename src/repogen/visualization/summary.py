"""A compact summary of a dataset for info and figures: about 60 bytes per person."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from repogen.datasets.folder import DatasetFolder
from repogen.datasets.reading import read_entries
from repogen.errors import UserError

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
    try:
        return Summary(views, np.fromiter(_people(folder, views), PERSON_DTYPE))
    except UserError:
        raise
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder.root} holds annotations that are not ours ({error!r}); repogen validate "
            "lists them"
        ) from error


def _people(folder: DatasetFolder, views: Counter[str]) -> Iterator[tuple[Any, ...]]:
    for image, annotations in read_entries(folder):
        name = image["view"]["name"]
        views[name] += 1
        view_index, side = list(views).index(name), max(image["width"], image["height"])
        for person in annotations:
            view = person["view"]
            angles = view["azimuth_deg"], view["elevation_deg"]
            flags = tuple(person["keypoints"][2::3])
            yield view_index, *angles, tuple(person["bbox"]), side, person["area"], flags
