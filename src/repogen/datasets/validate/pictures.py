"""Checking one image's pictures: there, whole, and what the masks say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from repogen.bodies.protocol import PARTS
from repogen.coco.samples import is_whole
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.validate.annotations import camera_of, mask_of
from repogen.pictures import read_picture

_KINDS = {"depth": (np.uint16, 2), "masks": (np.uint8, 2), "parts": (np.uint8, 2)}
"""Type and dimensions of the maps that are no colour pictures of bytes."""

_REACH = 0.5
"""Metres from the nearest and the farthest of the 17 keypoints within which the middle of what is
seen of a person lies: 0.2 is the most among 1,700 people close to all lenses."""

Record = dict[str, Any]


def check_pictures(
    folder: DatasetFolder, image: Record, people: list[Record], config: Record
) -> Iterator[str]:
    """What is wrong with the pictures of an image that shows these people.

    Raises `KeyError`, `TypeError` or `ValueError` for records that cannot be read.
    """
    shape = (image["height"], image["width"])
    masks = [mask_of(person, "segmentation", shape) for person in people]
    seen = [mask for mask in masks if mask is not None]
    paths = {"image": folder.image(image["id"])}
    for kind in config["output"]["write"]:
        for name in ("stick/all", "stick/visible") if kind == "stick" else (kind,):
            paths[name] = folder.map(name, image["id"])
    for kind, path in paths.items():
        picture = _read(path)
        name = path.relative_to(folder.root)
        dtype, dimensions = _KINDS.get(kind, (np.uint8, 3))
        if picture is None:
            yield f"{name}: missing or no picture"
        elif picture.shape[:2] != shape:
            yield f"{name}: is {picture.shape[:2]}, its record says {shape} (height, width)"
        elif not is_whole(path, list(shape[::-1])):
            yield f"{name}: its end is missing"
        elif picture.dtype != dtype or picture.ndim != dimensions:
            yield f"{name}: is no {kind} picture of {np.dtype(dtype)}"
        elif len(seen) == len(people):
            yield from (f"{name}: {text}" for text in _check_map(kind, picture, seen))
            if kind == "depth":
                yield from (
                    f"{name}: {text}" for text in _check_depth(picture, seen, people, image)
                )


def _read(path: Path) -> np.ndarray | None:
    return read_picture(str(path), cv2.IMREAD_UNCHANGED)


def _check_map(
    kind: str, picture: np.ndarray, masks: list[UInt8[np.ndarray, "h w"]]
) -> Iterator[str]:
    """A map against the masks of the people in the image."""
    if kind == "masks":
        numbered = np.zeros(picture.shape, dtype=int)
        for place, mask in enumerate(masks):
            numbered[mask > 0] = place + 1
        if (picture != numbered).any():
            yield "its numbers are not the annotations' masks"
    elif kind in ("depth", "parts", "normals"):
        empty = picture == 0 if picture.ndim == 2 else (picture == 0).all(axis=2)
        if any((empty & (mask > 0)).any() for mask in masks):
            yield "is empty where a mask is not"
        if kind == "parts" and picture.max() >= len(PARTS):
            yield f"names part {picture.max()}"


def _check_depth(
    picture: np.ndarray, masks: list[UInt8[np.ndarray, "h w"]], people: list[Record], image: Record
) -> Iterator[str]:
    camera = camera_of(image)
    for person, mask in zip(people, masks, strict=True):
        if not mask.any():
            continue
        metres = float(np.median(picture[mask > 0])) / 1000
        joints = camera.depth_of(np.array(person["keypoints_3d"], dtype=float))
        if not joints.min() - _REACH < metres < joints.max() + _REACH:
            yield (
                f"annotation {person['id']} is {metres:.2f} m away, its keypoints "
                f"{joints.min():.2f} to {joints.max():.2f} m"
            )
