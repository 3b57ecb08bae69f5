"""Images and crops of a COCO set, read from disk on demand."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import Image

from repogen.coco.annotations import PersonAnnotations
from repogen.coco.augmentation import Augmentation, augment, color_jitter, degrade
from repogen.coco.crops import (
    Window,
    box_to_window,
    downsample,
    downsample_factor,
    joints_to_crop,
    warp_crop,
)
from repogen.errors import UserError
from repogen.messages import say
from repogen.pictures import decode_picture, read_picture


@dataclass(frozen=True)
class TrainingCrop:
    """A crop (RGB) and its joints x, y, v in crop pixels; v = 0 for joints without a label."""

    crop: UInt8[np.ndarray, "256 192 3"]
    joints: Float[np.ndarray, "17 3"]


def training_crop(
    rng: np.random.Generator,
    people: PersonAnnotations,
    person: int,
    how: Augmentation,
    degrade_crop: bool,
    pictures: Sequence[bytes] | None = None,
) -> TrainingCrop:
    """An augmented crop of a person; `degrade_crop` adds the blur, noise and JPEG artefacts of
    photographs.

    The pixels come from the image's file, or from `pictures`, one JPEG for each image.
    """
    keypoints = people.keypoints[person].copy()
    keypoints[:, :2] -= people.pixel_centers[person]
    window = augment(rng, box_to_window(people.boxes[person]), keypoints, how)
    image = people.image[person]
    if pictures is None:
        crop = read_crop(people, image, window)
    else:
        crop = _decoded_crop(pictures[image], window)
    crop = color_jitter(rng, crop, how.jitter)
    if degrade_crop:
        crop = degrade(rng, crop)
    return TrainingCrop(crop[..., ::-1], joints_to_crop(keypoints, window))


def read_crop(
    people: PersonAnnotations, image: int, window: Window
) -> UInt8[np.ndarray, "256 192 3"]:
    """The crop (BGR) of a window of a set's image, decoded at a reduced size where that suffices.

    Raises `UserError` for a file that is not an image of the annotated size.
    """
    width, height = people.sizes[image].tolist()
    factor = downsample_factor(window)
    path = str(people.root / people.files[image])
    return warp_crop(_cached_image(path, width, height, factor), window, factor)


def _decoded_crop(picture: bytes, window: Window) -> UInt8[np.ndarray, "256 192 3"]:
    factor = downsample_factor(window)
    data = np.frombuffer(picture, np.uint8)
    decoded = decode_picture(data, _REDUCED.get(factor, cv2.IMREAD_COLOR))
    if decoded is None:
        raise UserError("a picture in the shards cannot be decoded; run repogen validate on them")
    return warp_crop(decoded, window, factor)


_REDUCED = {
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


def read_labelled_image(
    path: str, width: int, height: int, factor: int = 1
) -> UInt8[np.ndarray, "h w 3"]:
    """The image (BGR) in the orientation of its annotations, `factor` times smaller.

    EXIF rotation is applied only if width and height, from the annotations, need it. Raises
    `UserError` for a file that is not an image of that size.
    """
    # OpenCV decodes only JPEG at a reduced size; of other files it would skip pixels.
    reduced = _REDUCED.get(factor) if path.lower().endswith((".jpg", ".jpeg")) else None
    for orientation in (cv2.IMREAD_IGNORE_ORIENTATION, 0):
        picture = read_picture(path, (reduced or cv2.IMREAD_COLOR) | orientation)
        if picture is None:
            raise UserError(
                f"{path} is missing or not an image; restore it or remove it from the set"
            )
        if reduced is None and factor > 1:
            picture = downsample(picture, factor)
        if picture.shape[:2] == (-(-height // factor), -(-width // factor)):
            return picture
    raise UserError(f"{path} is not {width} x {height} pixels, as the annotations say")


_cached_image = lru_cache(maxsize=4)(read_labelled_image)
"""Consecutive persons of a set are often in the same image."""


def drop_unreadable(
    people: PersonAnnotations, others: Int[np.ndarray, " k"] | tuple[()] = ()
) -> tuple[PersonAnnotations, Int[np.ndarray, " b"]]:
    """The persons whose images are intact, and the indices of the images that are not.

    Checks the images that hold persons and the images `others`, and reports the counts on stderr.
    Only the beginning and the end of each file are read, so a large set takes seconds. Raises
    `UserError` where more than 1 % of the images are missing, broken, or of another size than the
    annotations say.
    """
    images = np.union1d(people.image, np.asarray(others, dtype=np.int64))
    files = [people.root / people.files[image] for image in images]
    sizes = people.sizes[images].tolist()
    intact = np.array(
        [is_intact_image(file, size) for file, size in zip(files, sizes, strict=True)], dtype=bool
    )
    broken = images[~intact]
    if len(broken) > 0.01 * len(images):
        raise UserError(
            f"set {people.name}: {len(broken)} of {len(images)} images are missing, broken or not "
            f"of the annotated size, first {files[int(np.argmin(intact))]}"
        )
    kept = people.take(np.flatnonzero(~np.isin(people.image, broken)))
    left_out = f", {len(broken)} unreadable images left out" if len(broken) else ""
    say(f"{people.name}: {len(kept)} persons in {len(images) - len(broken)} images{left_out}")
    return kept, broken


def is_intact_image(file: Path, size: list[int]) -> bool:
    """Whether a file is an image of this width and height, before or after EXIF rotation.

    For JPEG and PNG the end of the file must be there, too.
    """
    try:
        with Image.open(file) as image:
            sizes, kind = [list(image.size)], image.format
            if image.getexif().get(_ORIENTATION, 1) > 4:
                sizes.append(sizes[0][::-1])
        with file.open("rb") as data:
            data.seek(max(0, file.stat().st_size - _END_BYTES))
            end = data.read()
    except (OSError, ValueError, SyntaxError, TypeError, Image.DecompressionBombError):
        return False
    if kind == "JPEG":  # the end marker must follow the last scan; other data may come after it
        return size in sizes and end.rfind(b"\xff\xd9") > end.rfind(b"\xff\xda")
    return size in sizes and (kind != "PNG" or b"IEND" in end)


_ORIENTATION = 0x0112
"""EXIF's tag; values above 4 rotate the image by 90 degrees."""

_END_BYTES = 2**16
"""Bytes to read from a file's end."""
