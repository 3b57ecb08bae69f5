"""What info and figures need of a dataset: some 60 bytes a person, however many there are."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from repogen.datasets.folder import DatasetFolder
from repogen.datasets.reading import read_entries
from repogen.errors import UserError

PERSON = np.dtype(
    [("view", "i2"), ("azimuth_deg", "f8"), ("elevation_deg", "f8"), ("box", "f4", 4),
     ("side", "i4"), ("area", "f4"), ("flags", "i1", 17)]
)  # fmt: skip
"""Of one person: the place of its image's view in `Summary.views`, where the camera stands, the box
(x, y, w, h) and the image's longer side in pixels, the area, and v of the 17 keypoints."""


@dataclass(frozen=True)
class Summary:
    """All images and people of a dataset."""

    views: Counter[str]
    """Images by their view's name."""
    people: np.ndarray
    """Records of `PERSON`."""


def summarize(folder: DatasetFolder) -> Summary:
    """Read a dataset's records once. Raises `UserError` where they cannot be read."""
    views: Counter[str] = Counter()
    try:
        return Summary(views, np.fromiter(_people(folder, views), PERSON))
    except UserError:
        raise
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder.root} holds records that are not ours ({error!r}); repogen validate "
            "tells which"
        ) from error


def _people(folder: DatasetFolder, views: Counter[str]) -> Iterator[tuple[Any, ...]]:
    for image, annotations in read_entries(folder):
        name = image["view"]["name"]
        views[name] += 1
        place, side = list(views).index(name), max(image["width"], image["height"])
        for person in annotations:
            view = person["view"]
            angles = view["azimuth_deg"], view["elevation_deg"]
            flags = tuple(person["keypoints"][2::3])
            yield place, *angles, tuple(person["bbox"]), side, person["area"], flags
