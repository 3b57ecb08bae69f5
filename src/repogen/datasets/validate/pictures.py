"""Validation of one image's pictures: complete, and consistent with the labels."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from repogen.arrays import UInt8
from repogen.bodies.protocol import PARTS
from repogen.datasets.folder import PICTURE, DatasetFolder
from repogen.datasets.reading import Entry
from repogen.datasets.validate.annotations import camera_of
from repogen.pictures import decode_picture

_KINDS = {"depth": (np.uint16, 2), "masks": (np.uint8, 2), "parts": (np.uint8, 2)}
"""Data type and number of dimensions of the maps that are not 8-bit colour pictures."""

_DEPTH_MARGIN = 0.5
"""Metres by which a person's median depth may lie outside the depths of the 17 keypoints: the
largest of 1,700 people, close to every lens, was 0.2."""

_JPEG = "JPEG", b"\xff\xd8\xff", b"\xff\xd9"
_PNG = "PNG", b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"
"""A format's name, and how its files begin and end."""

_FOLDER = DatasetFolder(Path())

Mask = UInt8[np.ndarray, "h w"]


def check_pictures(
    image: Entry, people: Sequence[Entry], masks: Sequence[Mask], files: Mapping[str, bytes]
) -> Iterator[str]:
    """Problems of the picture and the maps of an image that shows these people.

    `files` are their bytes by kind, `masks` those of the people. Raises `KeyError`, `TypeError` or
    `ValueError` for records that cannot be read.
    """
    for kind, data in files.items():
        name = _FOLDER.file(kind, image["id"])
        problems = _check_picture(kind, data, image, people, masks)
        yield from (f"{name.as_posix()}: {problem}" for problem in problems)


def _check_picture(
    kind: str, data: bytes, image: Entry, people: Sequence[Entry], masks: Sequence[Mask]
) -> Iterator[str]:
    shape = (image["height"], image["width"])
    dtype, dimensions = _KINDS.get(kind, (np.uint8, 3))
    name, begin, end = _JPEG if kind == PICTURE else _PNG
    picture = decode_picture(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None or not data.startswith(begin):
        yield f"is not a whole {name} picture"
    elif picture.shape[:2] != shape:
        yield f"is {picture.shape[:2]}, its record says {shape} (height, width)"
    elif not data.endswith(end):
        yield "is truncated, or other data follows the picture"
    elif picture.dtype != dtype or picture.ndim != dimensions:
        yield f"is not of the type {np.dtype(dtype)} that {kind} needs"
    elif len(masks) == len(people) and kind in ("masks", "depth", "parts", "normals"):
        numbered = np.zeros(shape, dtype=np.uint8)
        for number, mask in enumerate(masks, start=1):
            numbered[mask > 0] = number
        yield from _check_map(kind, picture, numbered)
        if kind == "depth":
            yield from _check_depth(picture, masks, people, image)


def _check_map(kind: str, picture: np.ndarray, numbered: UInt8[np.ndarray, "h w"]) -> Iterator[str]:
    """Differences between a map and the masks of the people, numbered from 1."""
    if kind == "masks":
        if (picture != numbered).any():
            yield "its numbers are not the annotations' masks"
        return
    inside = picture[numbered > 0]
    if not (inside if inside.ndim == 1 else inside.any(axis=1)).all():
        yield "is empty inside a mask"
    if kind == "parts" and picture.max() >= len(PARTS):
        yield f"has the unknown part {picture.max()}"


def _check_depth(
    picture: np.ndarray, masks: Sequence[Mask], people: Sequence[Entry], image: Entry
) -> Iterator[str]:
    camera = camera_of(image)
    for person, mask in zip(people, masks, strict=True):
        if not mask.any():
            continue
        metres = float(np.median(picture[mask > 0])) / 1000
        joints = camera.depth_of(np.array(person["keypoints_3d"], dtype=float))
        if not joints.min() - _DEPTH_MARGIN < metres < joints.max() + _DEPTH_MARGIN:
            yield (
                f"annotation {person['id']} is {metres:.2f} m away, its keypoints "
                f"{joints.min():.2f} to {joints.max():.2f} m"
            )
