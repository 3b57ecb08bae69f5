"""Training and test crops, read from the images when they are asked for."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from repogen.datasets.crops import (
    CROP_SIZE,
    Augmentation,
    Window,
    augmented,
    cut,
    degraded,
    jittered,
    joints_to_crop,
    window_of,
)
from repogen.datasets.people import People
from repogen.errors import UserError


@dataclass(frozen=True)
class Sample:
    """A crop (RGB) and its joints in crop pixels, v = 0 where there is nothing to learn."""

    crop: UInt8[np.ndarray, "256 192 3"]
    joints: Float[np.ndarray, "17 3"]


def training_sample(
    rng: np.random.Generator, people: People, person: int, how: Augmentation, degrade: bool
) -> Sample:
    """A randomly varied crop of a person; `degrade` makes renderings look like photographs."""
    keypoints = people.keypoints[person] - [people.pixel_center, people.pixel_center, 0]
    window = augmented(rng, window_of(people.boxes[person]), keypoints, how)
    crop = jittered(rng, read_crop(people.path(person), window), how.jitter)
    if degrade:
        crop = degraded(rng, crop)
    return Sample(crop[..., ::-1], joints_to_crop(keypoints, window))


def read_crop(path: Path, window: Window) -> UInt8[np.ndarray, "256 192 3"]:
    """The crop (BGR) of a window of an image file.

    A person twice or four times as large as the crop is decoded at that part of the size, which
    is quicker and spares aliasing. Raises `UserError` for a file that is no image.
    """
    fit = window.size[1] / CROP_SIZE[1]
    shrunk = 4 if fit >= 4 else 2 if fit >= 2 else 1
    return cut(_decoded(str(path), shrunk), window, shrunk)


_FLAGS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
}


@lru_cache(maxsize=4)
def _decoded(path: str, shrunk: int) -> UInt8[np.ndarray, "h w 3"]:
    """The last few are kept: a set's order often gives several persons of an image in turn."""
    picture = cv2.imread(path, _FLAGS[shrunk] | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        raise UserError(f"{path} is absent or no image; restore it, or take it out of the set")
    return picture


def readable(people: People) -> tuple[People, str]:
    """The persons whose images are there, and a word on them.

    Raises `UserError` where more than 1 % of the images are absent or no images.
    """
    files = {place: people.root / people.files[place] for place in set(people.image.tolist())}
    bad = {k for k, f in files.items() if not f.is_file() or not cv2.haveImageReader(str(f))}
    if len(bad) > 0.01 * len(files):
        raise UserError(
            f"set {people.name}: {len(bad)} of {len(files)} images are absent or broken, "
            f"first {files[min(bad)]}"
        )
    kept = people.take(np.flatnonzero(~np.isin(people.image, list(bad)))) if bad else people
    left_out = f", {len(bad)} unreadable images left out" if bad else ""
    return kept, f"{people.name}: {len(kept)} persons in {len(files)} images{left_out}"
