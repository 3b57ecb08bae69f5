"""Labelled images as all formats take them, in COCO's conventions."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from repogen.arrays import Float
from repogen.bodies.protocol import Body
from repogen.coco.annotations import PersonAnnotations
from repogen.errors import UserError
from repogen.scenes.scene import Scene

BOX_AREA_SHARE = 0.53
"""A person's area as a share of their box, as `coco.annotations` takes where there is no mask."""

Picture = Path | bytes
"""A picture's file, or its bytes where it lies in a tar file."""


@dataclass(frozen=True, eq=False)
class LabelledPerson:
    """One person of an image."""

    keypoints: Float[np.ndarray, "17 3"]
    """x, y, v; pixel centres are whole numbers. v = 0 not labelled (then x = y = 0), 1 occluded, 2
    visible."""
    box: Float[np.ndarray, "4"]
    """x, y, w, h in pixels."""
    area: float
    crowd: bool
    record: Mapping[str, Any]
    """The annotation as the source has it, in the source's conventions."""


@dataclass(frozen=True, eq=False)
class LabelledImage:
    """One image with its labels."""

    id: int
    name: str
    """Path below the folder of images, with forward slashes."""
    width: int
    height: int
    people: tuple[LabelledPerson, ...]
    picture: Picture
    record: Mapping[str, Any]
    """The image's entry as the source has it; one of repogen has a `camera`."""
    maps: Mapping[str, Picture] = field(default_factory=dict)
    """Depth and other maps by kind, as far as the source has them."""

    @property
    def stem(self) -> str:
        """The name without its ending, for files that lie beside pictures."""
        return stem_of(self.name)


@dataclass(frozen=True)
class LabelledSet:
    """A source of labelled images, opened."""

    name: str
    """The source as the user wrote it."""
    images: Callable[[], Iterator[LabelledImage]]
    """Reads the images from the first, one or a few at a time."""
    count: int | None
    """The number of images, where it is known before they are read."""
    digest: str
    """Identifies the labels: a conversion that was stopped resumes with the same ones only."""
    label_convention: str = "annotators"
    licences: tuple[str, ...] = ()
    """Licences of what the images show, where the source says."""
    scenes: Callable[[], Iterator[Scene]] | None = None
    """Reads the scene of each image, in their order; None where the source has none."""
    body: Callable[[], Body] | None = None
    """Loads the body model of the scenes."""


def labelled_images(
    people: PersonAnnotations,
    records: Sequence[Mapping[str, Any]],
    pictures: Sequence[Picture],
    maps: Sequence[Mapping[str, Picture]] | None = None,
    first_id: int | None = None,
) -> Iterator[LabelledImage]:
    """The images of a set, all or some of a larger one, with their people.

    `records` are the images' entries. Images keep their ids, or count from `first_id`. Raises
    `UserError` for an image whose size is unknown.
    """
    order = np.argsort(people.image, kind="stable")
    ends = np.searchsorted(people.image[order], np.arange(len(people.files) + 1))
    keypoints = people.keypoints.copy()
    labelled = keypoints[..., 2:] > 0
    keypoints[..., :2] -= people.pixel_centers[:, None]
    keypoints *= labelled
    keypoints[..., 2] = visibility(keypoints[..., 2])
    for i, (record, picture) in enumerate(zip(records, pictures, strict=True)):
        width, height = people.sizes[i].tolist()
        name = safe_name(people.files[i])
        if min(width, height) < 1:
            raise UserError(f"{name}: the labels give no width and height of it")
        yield LabelledImage(
            id=int(people.image_ids[i]) if first_id is None else first_id + i,
            name=name,
            width=width,
            height=height,
            people=tuple(
                LabelledPerson(
                    keypoints[row],
                    people.boxes[row],
                    float(people.areas[row]),
                    bool(people.crowd[row]),
                    people.records[row],
                )
                for row in order[ends[i] : ends[i + 1]]
            ),
            picture=picture,
            record=record,
            maps=maps[i] if maps else {},
        )


def visibility(v: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """v as COCO has it, 0, 1 or 2, where a source has other numbers, such as confidences."""
    return np.clip(np.ceil(v), 0, 2)


def stem_of(name: str) -> str:
    """A file name without its ending."""
    return str(PurePosixPath(name).with_suffix(""))


def safe_name(name: str) -> str:
    """A file name of an untrusted source as a path that stays below a folder. Raises `UserError`
    for a name that no file can have."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        parts = []
    if not parts or "\0" in name:
        raise UserError(f"file_name {name!r} names no file")
    return "/".join(parts)
