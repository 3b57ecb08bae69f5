"""Images and crops of a COCO set, read from disk on demand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np

from repogen.arrays import Float, Int, UInt8
from repogen.coco.annotations import PersonAnnotations, known_box
from repogen.coco.augmentation import Augmentation, augment, color_jitter, degrade
from repogen.coco.crops import (
    CROP_SIZE,
    Window,
    box_to_window,
    downsample_factor,
    joints_to_crop,
    warp_crop,
)
from repogen.coco.decoded import DecodedPictures
from repogen.coco.references import find_pictures
from repogen.errors import UserError
from repogen.files import read_regular
from repogen.limits import MAX_PICTURE
from repogen.messages import say, warn
from repogen.pictures import PictureHeader, decode_reduced, picture_problem, read_header


@dataclass(frozen=True)
class TrainingCrop:
    """A crop (RGB) and its joints: x, y in crop pixels, v (0 without a label), and 1 where a
    teacher's answer was corrected, else 0."""

    crop: UInt8[np.ndarray, "h w 3"]
    joints: Float[np.ndarray, "17 4"]


CropReader = Callable[[Window, tuple[int, int]], UInt8[np.ndarray, "h w 3"]]
"""A function that returns the crop (BGR) of a window of one image, of a width and height."""

Relabel = Callable[
    [Float[np.ndarray, "17 3"], Float[np.ndarray, "4"], float, CropReader],
    Float[np.ndarray, "17 4"],
]
"""A function from the keypoints, box and area of a person, and the crops of their image, to the
joints to train on: x, y, v and whether a teacher's answer was corrected."""


def training_crop(
    rng: np.random.Generator,
    people: PersonAnnotations,
    person: int,
    how: Augmentation,
    pictures: Sequence[bytes] | DecodedPictures | None = None,
    relabel: Relabel | None = None,
) -> TrainingCrop:
    """An augmented crop of a person.

    The pixels come from the image's file, through `pictures` if these are decoded ones, or from
    `pictures`, one JPEG for each image. The joints are the person's own, or, in images of repogen,
    the ones from `relabel`.
    """
    image, box = int(people.image[person]), people.boxes[person]
    if pictures is None or isinstance(pictures, DecodedPictures):
        read: CropReader = partial(read_crop, people, image, decoded=pictures)
    else:
        name = str(people.path(person))
        read = partial(_decoded_crop, pictures[image], bool(people.as_stored), name)
    keypoints = people.keypoints[person].copy()
    keypoints[:, :2] -= people.pixel_centers[person]
    joints = np.column_stack([keypoints, np.zeros(17)])
    if relabel is not None and people.rendered[image]:
        joints = relabel(keypoints, box, float(people.areas[person]), read)
    window = augment(rng, box_to_window(box, how.padding, how.crop), joints, how)
    crop = color_jitter(rng, read(window, how.crop), how.jitter)
    if how.degrade and people.rendered[image]:
        crop = degrade(rng, crop)
    rgb = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB)  # many times faster than copying a reversed view
    return TrainingCrop(rgb, joints_to_crop(joints, window, how.crop))


def read_crop(
    people: PersonAnnotations,
    image: int,
    window: Window,
    crop: tuple[int, int] = CROP_SIZE,
    decoded: DecodedPictures | None = None,
) -> UInt8[np.ndarray, "p q 3"]:
    """The crop (BGR) of a window of a set's image, decoded at a reduced size where that suffices.

    Images are kept in `decoded`, those of the set. Raises `UserError` for a file that is not an
    image of the annotated size.
    """
    factor = downsample_factor(window, crop)
    decode = partial(_set_image, people, image, factor)
    picture = decode() if decoded is None else decoded.read(image, factor, decode)
    return warp_crop(picture, window, factor, crop)


def _set_image(people: PersonAnnotations, image: int, factor: int) -> UInt8[np.ndarray, "h w 3"]:
    width, height = people.sizes[image].tolist()
    path = str(people.root / people.files[image])
    return _cached_image(path, width, height, factor, bool(people.as_stored))


def _decoded_crop(
    picture: bytes, as_stored: bool, name: str, window: Window, crop: tuple[int, int]
) -> UInt8[np.ndarray, "p q 3"]:
    factor = downsample_factor(window, crop)
    decoded = decode_reduced(np.frombuffer(picture, np.uint8), factor, as_stored)
    if decoded is None:
        raise UserError(f"{name} in the shards cannot be decoded; pack the shards again without it")
    return warp_crop(decoded, window, factor, crop)


def read_labelled_image(
    path: str, width: int, height: int, factor: int = 1, as_stored: bool = False
) -> UInt8[np.ndarray, "h w 3"]:
    """The image (BGR) `factor` times smaller, after EXIF orientation except with `as_stored`.

    Raises `UserError` for a file that is not an image of this width and height.
    """
    try:
        data = np.frombuffer(read_regular(path, MAX_PICTURE), np.uint8)
        picture = decode_reduced(data, factor, as_stored)
    except OSError:
        picture = None
    if picture is None:
        problem = picture_problem(Path(path)) or "cannot be decoded"
        raise UserError(f"{path} {problem}; restore it or remove it from the set")
    if picture.shape[:2] != (-(-height // factor), -(-width // factor)):
        raise UserError(f"{path} is not {width} x {height} pixels, as the annotations say")
    return picture


_cached_image = lru_cache(maxsize=4)(read_labelled_image)
"""Consecutive persons of a set are often in the same image."""


def labels_as_stored(
    headers: Sequence[PictureHeader | None],
    sizes: Int[np.ndarray, "i 2"],
    extents: Float[np.ndarray, "i 2"],
    name: str,
) -> bool:
    """Whether a set's labels are in the pixels as stored, before EXIF orientation.

    `sizes` are the annotated width and height of each image, `extents` the largest x and y of its
    labels. The sizes alone do not tell: some tools write those of the stored picture beside labels
    on the upright one. So the labels decide: they are in the stored pixels where more images have
    labels outside the upright picture but inside the stored one than the other way. A line on
    stderr, which begins with `name`, says so, and where sizes are those of the stored picture.
    """
    swapped = stored_only = upright_only = 0
    for header, size, extent in zip(headers, sizes.tolist(), extents, strict=True):
        if header is None or header.stored == header.size or tuple(size) != header.stored:
            continue
        swapped += 1
        in_upright, in_stored = (
            bool((extent <= np.add(sides, _LABEL_TOLERANCE)).all())
            for sides in (header.size, header.stored)
        )
        stored_only += in_stored and not in_upright
        upright_only += in_upright and not in_stored
    if not swapped:
        return False
    as_stored = stored_only > upright_only
    how = (
        "so do their labels: the set's images are read as stored, without EXIF orientation"
        if as_stored
        else "but their labels fit the upright ones: read upright"
    )
    say(f"{name}: width and height of {swapped} images fit the stored pictures, {how}")
    return as_stored


_LABEL_TOLERANCE = 1.0
"""Pixels by which labels may lie outside their image."""


def drop_unreadable(
    people: PersonAnnotations, others: Int[np.ndarray, " k"] | tuple[()] = ()
) -> tuple[PersonAnnotations, Int[np.ndarray, " b"]]:
    """The persons whose images are intact, and the indices of the images that are not.

    Checks the images that hold persons and the images `others`, and reports the counts on stderr.
    Only the beginning and the end of each file are read, so a large set takes seconds. Raises
    `UserError` where more than 1 % of the images are missing, broken, or of another size than the
    annotations say.
    """
    people = _with_found_files(people)
    images = np.union1d(people.image, np.asarray(others, dtype=np.int64))
    files = [people.root / people.files[image] for image in images]
    headers = [read_header(file) for file in files]
    people = _with_true_sizes(people, images, headers)
    problems = [
        _problem(file, header, size, bool(people.as_stored))
        for file, header, size in zip(files, headers, people.sizes[images].tolist(), strict=True)
    ]
    bad = np.flatnonzero(problems)
    broken = images[bad]
    if len(broken) > 0.01 * len(images):
        raise UserError(
            f"set {people.name}: {len(broken)} of {len(images)} images are missing, broken or not "
            f"of the annotated size; the first, {files[bad[0]]}, {problems[bad[0]]}"
        )
    kept = people.take(np.flatnonzero(~np.isin(people.image, broken)))
    narrow = int((kept.boxes[kept.labelled(), 2:] <= 1).any(axis=1).sum())
    if narrow:
        warn(
            f"{people.name}: {narrow} labelled persons are left out: their box is at most a pixel "
            "wide or high inside the image"
        )
    left_out = f", {len(broken)} unreadable images left out" if len(broken) else ""
    say(f"{people.name}: {len(kept)} persons in {len(images) - len(broken)} images{left_out}")
    return kept, broken


def with_true_sizes(people: PersonAnnotations) -> PersonAnnotations:
    """The set with the files of its images (see `find_pictures`) and their true sizes.

    These are the sizes that the labels are in (see `labels_as_stored`); sizes that the file does
    not give are the pictures'. Only headers are read.
    """
    people = _with_found_files(people)
    headers = [read_header(people.root / file) for file in people.files]
    return _with_true_sizes(people, np.arange(len(headers)), headers)


def _with_found_files(people: PersonAnnotations) -> PersonAnnotations:
    if people.as_stored is not None:
        return people
    return replace(people, files=tuple(find_pictures(people.root, people.files, people.name)))


def _with_true_sizes(
    people: PersonAnnotations,
    images: Int[np.ndarray, " k"],
    headers: list[PictureHeader | None],
) -> PersonAnnotations:
    """The set with the true sizes of these images; as it is if they are known already."""
    if people.as_stored is not None:
        return people
    extents = np.zeros((len(people.files), 2))
    boxes = [known_box(record) for record in people.records]
    corners = np.array([np.zeros(2) if b is None else b[:2] + b[2:] for b in boxes]).reshape(-1, 2)
    joints = people.keypoints[:, :, :2] * (people.keypoints[:, :, 2:] > 0)
    np.maximum.at(extents, people.image, np.maximum(corners, joints.max(axis=1, initial=0)))
    name = f"set {people.name}"
    as_stored = labels_as_stored(headers, people.sizes[images], extents[images], name)
    sizes = people.sizes.copy()
    for image, header in zip(images, headers, strict=True):
        if header is not None and (tuple(sizes[image]) == header.stored or 0 in sizes[image]):
            sizes[image] = header.stored if as_stored else header.size
    return replace(people, as_stored=as_stored).with_sizes(sizes)


def _problem(file: Path, header: PictureHeader | None, size: list[int], as_stored: bool) -> str:
    """Why a file is not an intact image of this width and height; empty if it is."""
    found = header and (header.stored if as_stored else header.size)
    if found and list(found) != size:
        return f"is {found[0]} x {found[1]}, and the annotations say {size[0]} x {size[1]}"
    return picture_problem(file, header)


def is_intact_image(file: Path, size: list[int]) -> bool:
    """Whether a file is an image of this width and height after EXIF orientation.

    For JPEG and PNG the end of the file must be there, too.
    """
    header = read_header(file)
    return header is not None and not _problem(file, header, size, as_stored=False)
