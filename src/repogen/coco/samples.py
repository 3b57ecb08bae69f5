"""Training and test crops, read from the images when they are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import Image

from repogen.coco.annotations import PersonAnnotations
from repogen.coco.crops import (
    Augmentation,
    Window,
    augmented,
    cut,
    degraded,
    jittered,
    joints_to_crop,
    shrinkage,
    shrunk,
    window_of,
)
from repogen.errors import UserError
from repogen.messages import say
from repogen.pictures import decode_picture, read_picture


@dataclass(frozen=True)
class Sample:
    """A crop (RGB) and its joints in crop pixels, v = 0 where there is nothing to learn."""

    crop: UInt8[np.ndarray, "256 192 3"]
    joints: Float[np.ndarray, "17 3"]


def training_sample(
    rng: np.random.Generator,
    people: PersonAnnotations,
    person: int,
    how: Augmentation,
    degrade: bool,
    pictures: Sequence[bytes] | None = None,
) -> Sample:
    """A randomly varied crop of a person; `degrade` makes renderings look like photographs.

    Images are read from their files, or are the `pictures`, a JPEG for each.
    """
    keypoints = people.keypoints[person].copy()
    keypoints[:, :2] -= people.pixel_centers[person]
    window = augmented(rng, window_of(people.boxes[person]), keypoints, how)
    image = people.image[person]
    if pictures is None:
        crop = read_crop(people, image, window)
    else:
        crop = _decoded_crop(pictures[image], window)
    crop = jittered(rng, crop, how.jitter)
    if degrade:
        crop = degraded(rng, crop)
    return Sample(crop[..., ::-1], joints_to_crop(keypoints, window))


def read_crop(
    people: PersonAnnotations, image: int, window: Window
) -> UInt8[np.ndarray, "256 192 3"]:
    """The crop (BGR) of a window of a set's image, decoded at a half to an eighth of its size
    where that will do. Raises `UserError` for a file that is no image of the set's size."""
    width, height = people.sizes[image].tolist()
    times = shrinkage(window)
    return cut(
        _decoded(str(people.root / people.files[image]), width, height, times), window, times
    )


def _decoded_crop(picture: bytes, window: Window) -> UInt8[np.ndarray, "256 192 3"]:
    times = shrinkage(window)
    data = np.frombuffer(picture, np.uint8)
    found = decode_picture(data, _REDUCED.get(times, cv2.IMREAD_COLOR))
    if found is None:
        raise UserError("a picture among the shards is no image; validate the dataset")
    return cut(found, window, times)


_REDUCED = {
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


def labelled_picture(
    path: str, width: int, height: int, times: int = 1
) -> UInt8[np.ndarray, "h w 3"]:
    """The image (BGR) as it was when it was labelled, `times` smaller: turned as its EXIF says
    only where width and height, from the annotations, are those of the turned image.

    Raises `UserError` for a file that is no image of that size.
    """
    # Only JPEG is decoded smaller; of other files OpenCV would leave pixels out.
    reduced = _REDUCED.get(times) if path.lower().endswith((".jpg", ".jpeg")) else None
    for turn in (cv2.IMREAD_IGNORE_ORIENTATION, 0):
        picture = read_picture(path, (reduced or cv2.IMREAD_COLOR) | turn)
        if picture is None:
            raise UserError(f"{path} is absent or no image; restore it, or take it out of the set")
        if reduced is None and times > 1:
            picture = shrunk(picture, times)
        if picture.shape[:2] == (-(-height // times), -(-width // times)):
            return picture
    raise UserError(f"{path} is not {width} x {height} pixels, as the annotations say")


_decoded = lru_cache(maxsize=4)(labelled_picture)
"""The last few are kept: a set's order often gives several persons of an image in turn."""


def readable(
    people: PersonAnnotations, others: Int[np.ndarray, " k"] | tuple[()] = ()
) -> tuple[PersonAnnotations, Int[np.ndarray, " b"]]:
    """The persons whose images are there, and which images are not, of those that hold persons
    and the `others`; says on stderr how many there are.

    Raises `UserError` where more than 1 % of the images are absent, broken, or of another size
    than the annotations say. Only a file's two ends are looked at, so that it takes seconds.
    """
    images = np.union1d(people.image, np.asarray(others, dtype=np.int64))
    files = [people.root / people.files[image] for image in images]
    whole = np.array(
        [is_whole(f, people.sizes[k].tolist()) for k, f in zip(images, files, strict=True)],
        dtype=bool,
    )
    bad = images[~whole]
    if len(bad) > 0.01 * len(images):
        raise UserError(
            f"set {people.name}: {len(bad)} of {len(images)} images are absent, broken or not of "
            f"the size in the annotations, first {files[int(np.argmin(whole))]}"
        )
    kept = people.take(np.flatnonzero(~np.isin(people.image, bad)))
    left_out = f", {len(bad)} unreadable images left out" if len(bad) else ""
    say(f"{people.name}: {len(kept)} persons in {len(images) - len(bad)} images{left_out}")
    return kept, bad


def is_whole(file: Path, size: list[int]) -> bool:
    """Whether a file begins as an image of this width and height does, upright or turned as its
    EXIF says, and, if it is a JPEG or PNG, ends as one."""
    try:
        with Image.open(file) as image:
            sizes, kind = [list(image.size)], image.format
            if image.getexif().get(_ORIENTATION, 1) > 4:
                sizes.append(sizes[0][::-1])
        with file.open("rb") as data:
            data.seek(max(0, file.stat().st_size - _END))
            end = data.read()
    except (OSError, ValueError, SyntaxError, TypeError, Image.DecompressionBombError):
        return False
    if kind == "JPEG":  # the end of the picture after its last scan, though more may follow
        return size in sizes and end.rfind(b"\xff\xd9") > end.rfind(b"\xff\xda")
    return size in sizes and (kind != "PNG" or b"IEND" in end)


_ORIENTATION = 0x0112
"""EXIF's tag; values above 4 turn the picture by a quarter."""

_END = 2**16
"""Bytes of a file's end."""
