"""Validation of one image's pictures: present, complete, and consistent with the masks."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from repogen.bodies.protocol import PARTS
from repogen.coco.images import is_intact_image
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.reading import Entry
from repogen.datasets.validate.annotations import camera_of, mask_of
from repogen.pictures import has_picture_header, read_picture

_KINDS = {"depth": (np.uint16, 2), "masks": (np.uint8, 2), "parts": (np.uint8, 2)}
"""Data type and number of dimensions of the maps that are not 8-bit colour pictures."""

_DEPTH_MARGIN = 0.5
"""Metres by which a person's median depth may lie outside the depths of the 17 keypoints: the
largest of 1,700 people, close to every lens, was 0.2."""


def check_pictures(
    folder: DatasetFolder, image: Entry, people: list[Entry], config: Entry
) -> Iterator[str]:
    """Problems of the picture and the maps of an image that shows these people.

    Raises `KeyError`, `TypeError` or `ValueError` for records that cannot be read.
    """
    shape = (image["height"], image["width"])
    masks = [mask_of(person, "segmentation", shape) for person in people]
    visible = [mask for mask in masks if mask is not None]
    paths = {"image": folder.image(image["id"])}
    for kind in config["output"]["write"]:
        for name in ("stick/all", "stick/visible") if kind == "stick" else (kind,):
            paths[name] = folder.map(name, image["id"])
    for kind, path in paths.items():
        picture = _read(path)
        name = path.relative_to(folder.root)
        dtype, dimensions = _KINDS.get(kind, (np.uint8, 3))
        if picture is None:
            cut = has_picture_header(path)
            yield f"{name}: {'is truncated' if cut else 'is missing or not a picture'}"
        elif picture.shape[:2] != shape:
            yield f"{name}: is {picture.shape[:2]}, its record says {shape} (height, width)"
        elif not is_intact_image(path, list(shape[::-1])):
            yield f"{name}: is truncated"
        elif picture.dtype != dtype or picture.ndim != dimensions:
            yield f"{name}: is not of the type {np.dtype(dtype)} that {kind} needs"
        elif len(visible) == len(people):
            yield from (f"{name}: {text}" for text in _check_map(kind, picture, visible))
            if kind == "depth":
                yield from (
                    f"{name}: {text}" for text in _check_depth(picture, visible, people, image)
                )


def _read(path: Path) -> np.ndarray | None:
    return read_picture(str(path), cv2.IMREAD_UNCHANGED)


def _check_map(
    kind: str, picture: np.ndarray, masks: list[UInt8[np.ndarray, "h w"]]
) -> Iterator[str]:
    """Differences between a map and the masks of the people in the image."""
    if kind == "masks":
        numbered = np.zeros(picture.shape, dtype=int)
        for number, mask in enumerate(masks, start=1):
            numbered[mask > 0] = number
        if (picture != numbered).any():
            yield "its numbers are not the annotations' masks"
    elif kind in ("depth", "parts", "normals"):
        empty = picture == 0 if picture.ndim == 2 else (picture == 0).all(axis=2)
        if any((empty & (mask > 0)).any() for mask in masks):
            yield "is empty inside a mask"
        if kind == "parts" and picture.max() >= len(PARTS):
            yield f"has the unknown part {picture.max()}"


def _check_depth(
    picture: np.ndarray, masks: list[UInt8[np.ndarray, "h w"]], people: list[Entry], image: Entry
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
