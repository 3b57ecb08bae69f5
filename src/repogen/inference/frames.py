"""What to look at: image files, folders of them, and the frames of videos."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from repogen.coco.images import read_labelled_image
from repogen.environment.backgrounds import IMAGE_SUFFIXES
from repogen.errors import UserError
from repogen.messages import warn
from repogen.pictures import read_picture

_FASTEST = 1000.0
"""Frames a second; what claims more is no rate."""

VIDEO_SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v")


@dataclass(frozen=True)
class Source:
    """A file to look at."""

    path: Path
    """Absolute."""
    name: str
    """Its path below the folder that holds all files, with forward slashes."""

    @property
    def video(self) -> bool:
        return self.path.suffix.lower() in VIDEO_SUFFIXES


@dataclass(frozen=True)
class Frame:
    """A picture: an image file, or one of a video."""

    source: Source
    number: int
    """Of a video's frame, from 0; -1 for an image."""
    rate: float
    """Frames a second; 0 for an image."""
    picture: UInt8[np.ndarray, "h w 3"]
    """BGR, turned upright where the file says how (EXIF), or as its boxes' file measures it."""


def list_sources(inputs: tuple[Path, ...], out: Path) -> tuple[Path, list[Source]]:
    """The files that files and folders name, and the folder that holds them all.

    Folders are searched for images and videos to any depth, but not within `out`. Raises
    `UserError` for what is not there and for a folder without any.
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
        raise UserError("nothing to look at; name images, folders or videos")
    root = Path(os.path.commonpath(folders))
    return root, [Source(path, path.relative_to(root).as_posix()) for path in files]


def read_frames(
    sources: list[Source], broken: list[Source], sizes: Mapping[Source, tuple[int, int]] = {}
) -> Iterator[Frame]:
    """The pictures in the files' order; what cannot be read is added to `broken`.

    `sizes` says width and height of images that boxes were measured in. Raises `UserError` where
    that is no size of the image, and for a single file that cannot be read. A video that breaks
    off is told of on stderr.
    """
    for source in sources:
        count = 0
        for frame in _video(source) if source.video else _image(source, sizes.get(source)):
            count += 1
            yield frame
        if count == 0:
            if len(sources) == 1:
                kind = "a video" if source.video else "an image"
                raise UserError(f"{source.path} cannot be read as {kind}")
            broken.append(source)


def _image(source: Source, size: tuple[int, int] | None) -> Iterator[Frame]:
    picture = read_picture(str(source.path))
    if picture is not None and size is not None and picture.shape[1::-1] != size:
        picture = read_labelled_image(str(source.path), *size)
    if picture is not None:
        yield Frame(source, -1, 0.0, picture)


def _video(source: Source) -> Iterator[Frame]:
    video = cv2.VideoCapture(str(source.path))
    try:
        promised = video.get(cv2.CAP_PROP_FRAME_COUNT)
        rate = video.get(cv2.CAP_PROP_FPS)
        rate = rate if 0 < rate < _FASTEST else 25.0  # not every file says one, or one that is
        number = 0
        while (read := video.read())[0]:
            yield Frame(source, number, rate, read[1])
            number += 1
    finally:
        video.release()
    if 0 < number < 0.99 * promised:
        warn(f"{source.path} ends after {number} of {promised:.0f} frames")
