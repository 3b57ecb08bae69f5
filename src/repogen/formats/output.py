"""The folder that a conversion writes: whole files only, and the same command again resumes."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from repogen.datasets.chunks import compact_json
from repogen.datasets.folder import DatasetFolder, foreign_files, locked, remove_chunks
from repogen.errors import UserError
from repogen.files import atomic_path, cannot_read, open_regular, write_atomic
from repogen.formats.labelled import LabelledImage
from repogen.formats.options import Images
from repogen.json_files import read_json
from repogen.limits import MAX_PICTURE
from repogen.messages import say

MARK = ".repogen-convert.json"
"""The file in a converted folder that says what it was made from, and whether it is finished."""

_FINISHED = "finished"


class Output:
    """The folder of a conversion. Nothing is left half-written in it."""

    def __init__(self, root: Path, images: Images, shard_images: int) -> None:
        self.root = root
        self.shard_images = shard_images
        self._images = images

    def write(self, name: str, data: bytes) -> None:
        """Write a file of this name below the folder."""
        write_atomic(self.root / name, data)

    @contextmanager
    def text(self, name: str) -> Iterator[TextIO]:
        """A file of this name, open to be written; it appears when the block succeeds."""
        with (
            atomic_path(self.root / name) as partial,
            partial.open("w", encoding="utf-8", newline="\n") as out,
        ):
            yield out

    def place(self, image: LabelledImage, name: str) -> None:
        """Link or copy an image's picture to this name, unless an earlier run has.

        Raises `UserError` where the picture does not exist.
        """
        if self._images == "none":
            return
        path, picture = self.root / name, image.picture
        if isinstance(picture, bytes):
            if not _has_size(path, len(picture)):
                write_atomic(path, picture)
            return
        target = Path(os.path.abspath(picture))
        try:
            with open_regular(target, MAX_PICTURE) as file:
                if self._images == "copy":
                    _copy(file, path)
                elif not (path.is_symlink() and os.readlink(path) == str(target)):
                    with atomic_path(path) as partial:
                        partial.symlink_to(target)
        except OSError as error:
            raise cannot_read(picture, error) from error


def _copy(file: BinaryIO, path: Path) -> None:
    if not _has_size(path, os.fstat(file.fileno()).st_size):
        with atomic_path(path) as partial, partial.open("wb") as out:
            shutil.copyfileobj(file, out)


def _has_size(path: Path, size: int) -> bool:
    """Whether a file, no link, has this size; files are written whole."""
    return path.is_file() and not path.is_symlink() and path.stat().st_size == size


@contextmanager
def opened_output(
    root: Path, images: Images, shard_images: int, made_from: dict[str, Any]
) -> Iterator[Output | None]:
    """The folder to write a conversion of `made_from` into, or None where it is finished already.

    It counts as finished when the block succeeds. Raises `UserError` for a folder of another
    conversion, for one with other files, and where another process writes into it.
    """
    if _is_finished(root, made_from):
        say(f"{root} is already finished")
        yield None
        return
    folder = DatasetFolder(root)
    with locked(folder, lambda: _check(folder, made_from)):
        _write_mark(root, made_from | {_FINISHED: False})
        yield Output(root, images, shard_images)
        _write_mark(root, made_from | {_FINISHED: True})
    remove_chunks(folder)


def _is_finished(root: Path, made_from: dict[str, Any]) -> bool:
    return (root / MARK).exists() and read_json(root / MARK) == made_from | {_FINISHED: True}


def _write_mark(root: Path, content: dict[str, Any]) -> None:
    write_atomic(root / MARK, (compact_json(content) + "\n").encode())


def _check(folder: DatasetFolder, made_from: dict[str, Any]) -> None:
    mark = folder.root / MARK
    if mark.exists():
        if read_json(mark) != made_from | {_FINISHED: False}:
            raise UserError(f"{folder.root} holds another conversion; choose another folder")
    elif foreign_files(folder):
        raise UserError(f"{folder.root} holds other files; choose another folder")
