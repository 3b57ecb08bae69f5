"""Input images and video frames, from files and folders."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from repogen.arrays import UInt8
from repogen.environment.backgrounds import IMAGE_SUFFIXES
from repogen.errors import UserError
from repogen.files import cannot_read, path_for_library
from repogen.limits import MAX_VIDEO
from repogen.messages import warn
from repogen.pictures import picture_problem, read_picture

_MAX_FRAME_RATE = 1000.0
"""Frames per second; a file that claims more has a wrong rate."""

VIDEO_SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v")


@dataclass(frozen=True)
class MediaFile:
    """An input image or video."""

    path: Path
    """The absolute path."""
    name: str
    """The path below the folder that holds all input files, with forward slashes."""

    @property
    def folder(self) -> Path:
        """The folder that holds all input files."""
        return self.path.parents[len(PurePosixPath(self.name).parts) - 1]

    @property
    def is_video(self) -> bool:
        """Whether the suffix is one of `VIDEO_SUFFIXES`."""
        return self.path.suffix.lower() in VIDEO_SUFFIXES


@dataclass(frozen=True)
class Frame:
    """An image file, or a frame of a video."""

    source: MediaFile
    number: int
    """The frame number in a video, from 0; -1 for an image."""
    rate: float
    """Frames per second of the video; 0 for an image."""
    image: UInt8[np.ndarray, "h w 3"]
    """BGR, after EXIF orientation unless a file of boxes is in the pixels as stored."""


def list_media(inputs: tuple[Path, ...], out: Path) -> tuple[Path, list[MediaFile]]:
    """The folder that holds all inputs, and the image and video files that they name.

    Folders are searched to any depth, except for the folder `out`. Raises `UserError` for a path
    that does not exist and for a folder without images or videos.
    """
    files: dict[Path, None] = {}
    folders = []
    own = Path(os.path.abspath(out))
    for path in (Path(os.path.abspath(path)) for path in inputs):
        if path.is_dir():
            known = (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES)
            inside = sorted(
                p
                for p in path.rglob("*")
                if p.suffix.lower() in known and not p.is_relative_to(own) and p.is_file()
            )
            if not inside:
                but = f" outside --out {own}" if own.is_relative_to(path) or own == path else ""
                raise UserError(f"{path} holds no images or videos{but}")
            files |= dict.fromkeys(inside)
            folders.append(path)
        elif path.is_file():
            files[path] = None
            folders.append(path.parent)
        else:
            raise UserError(f"no file or folder {path}")
    if not files:
        raise UserError("no inputs; name images, folders or videos")
    root = Path(os.path.commonpath(folders))
    return root, [MediaFile(path, path.relative_to(root).as_posix()) for path in files]


def read_frames(
    sources: list[MediaFile],
    broken: list[MediaFile],
    sizes: Mapping[MediaFile, tuple[int, int]] = {},
    as_stored: bool = False,
    step: int = 1,
) -> Iterator[Frame]:
    """The frames of all files in order, and of a video one in `step`; files that cannot be
    read are appended to `broken`.

    `sizes` holds the width and height of images that boxes were measured in; with `as_stored`
    EXIF orientation is not applied. Raises `UserError`
    where an image has another size, and where the only file cannot be read. A video that ends
    early is reported on stderr.
    """
    for source in sources:
        count = 0
        for frame in (
            _read_video(source, step)
            if source.is_video
            else _read_image(source, sizes.get(source), as_stored)
        ):
            count += 1
            yield frame
        if count == 0:
            if len(sources) == 1:
                kind = "a video" if source.is_video else "an image"
                problem = "" if source.is_video else picture_problem(source.path)
                why = f": it {problem}" if problem else ""
                raise UserError(f"{source.path} cannot be read as {kind}{why}")
            broken.append(source)


def _read_image(
    source: MediaFile, size: tuple[int, int] | None, as_stored: bool
) -> Iterator[Frame]:
    path = str(source.path)
    if picture_problem(source.path):
        return
    orientation = cv2.IMREAD_IGNORE_ORIENTATION if as_stored else 0
    image = read_picture(path, cv2.IMREAD_COLOR | orientation)
    if image is None:
        return
    if size is not None and image.shape[1::-1] != size:
        raise UserError(f"{path} is not {size[0]} x {size[1]} pixels, as the file of boxes says")
    yield Frame(source, -1, 0.0, image)


def _read_video(source: MediaFile, step: int) -> Iterator[Frame]:
    try:
        with path_for_library(source.path, MAX_VIDEO) as own:
            video = cv2.VideoCapture(own)
    except OSError as error:
        raise cannot_read(source.path, error) from error
    try:
        declared = video.get(cv2.CAP_PROP_FRAME_COUNT)
        rate = video.get(cv2.CAP_PROP_FPS)
        # Some files hold no rate or a wrong one.
        rate = rate if 0 < rate < _MAX_FRAME_RATE else 25.0
        number = 0
        while video.grab():
            if number % step == 0:
                read, image = video.retrieve()
                if not read:
                    break
                yield Frame(source, number, rate / step, image)
            number += 1
    finally:
        video.release()
    if 0 < number < 0.99 * declared:
        warn(f"{source.path} ends after {number} of {declared:.0f} frames")
