"""Reading a finished dataset folder back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from repogen.datasets.folder import DatasetFolder, write_whole
from repogen.errors import UserError
from repogen.scenes.scene import Scene, scene_from_json

RUN_FORMAT = 1


def open_dataset(path: Path | str) -> DatasetFolder:
    """The finished dataset at `path`. Raises `UserError` where there is none."""
    folder = DatasetFolder(Path(path))
    run = read_run(folder)
    if run["config"].get("format") == "webdataset":
        raise UserError(
            f"{folder.root} holds shards; repogen convert {folder.root} FOLDER makes a folder of "
            "them that can be read"
        )
    if not folder.complete:
        raise UserError(
            f"{folder.root} is not finished; run the command that began it again to go on"
        )
    return folder


def read_run(folder: DatasetFolder) -> dict[str, Any]:
    """The contents of run.json. Raises `UserError` where it is not one of ours."""
    try:
        return run_of(folder.run.read_bytes(), str(folder.run))
    except OSError as error:
        raise UserError(
            f"{folder.root} is no dataset of repogen: it has no readable run.json"
        ) from error


def run_of(data: bytes, where: str) -> dict[str, Any]:
    """The contents of a run.json. Raises `UserError`, naming `where`, for another file's."""
    try:
        run = json.loads(data)
        if run["format"] != RUN_FORMAT or not {"config", "versions"} <= set(run):
            raise ValueError(f"format {run['format']}")
        if not isinstance(run["config"], dict):
            raise TypeError("its config is no table")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{where} is not a run.json of this version ({error})") from error
    return run


def write_run(folder: DatasetFolder, run: dict[str, Any]) -> None:
    """Write run.json."""
    write_whole(folder.run, (json.dumps(run, indent=1) + "\n").encode())


def read_header(folder: DatasetFolder) -> dict[str, Any]:
    """The COCO file's entries before its images. Raises `UserError` where it is not as we write
    it."""
    text = ""
    try:
        with folder.annotations.open() as lines:
            for line in lines:
                if line == _IMAGES:
                    return json.loads(text.rstrip().removesuffix(",") + "}")
                text += line
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"cannot read {folder.annotations}: {error}") from error
    raise UserError(f"{folder.annotations} was written by another program")


def read_coco(folder: DatasetFolder) -> dict[str, Any]:
    """The annotation file. Raises `UserError` where it cannot be read."""
    try:
        return json.loads(folder.annotations.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"cannot read {folder.annotations}: {error}") from error


def read_scenes(folder: DatasetFolder) -> Iterator[Scene]:
    """The scenes in image order. Raises `UserError` where one cannot be read."""
    try:
        with folder.scenes.open() as lines:
            for line in lines:
                yield scene_from_json(line)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {folder.scenes}: {error}") from error


def read_annotated(folder: DatasetFolder) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Every image's COCO entry and its annotations, in order, without holding them all.

    As we write it, the file has an entry a line; one that another program has written anew is
    read whole. Raises `UserError` where it cannot be read.
    """
    try:
        with folder.annotations.open() as images, folder.annotations.open() as annotations:
            if _reaches(images, _IMAGES) and _reaches(annotations, _ANNOTATIONS):
                yield from _by_image(_entries(images), _entries(annotations))
                return
        coco = read_coco(folder)
        yield from _by_image(iter(coco["images"]), iter(coco["annotations"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"cannot read {folder.annotations}: {error}") from error


_IMAGES, _ANNOTATIONS = '"images":[\n', '"annotations":[\n'


def _reaches(lines: TextIO, wanted: str) -> bool:
    return any(line == wanted for line in lines)


def _entries(lines: TextIO) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line.startswith("]"):
            return
        yield json.loads(line.rstrip().removesuffix(","))


def _by_image(
    images: Iterator[dict[str, Any]], annotations: Iterator[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    following = next(annotations, None)
    for image in images:
        own = []
        while following is not None and following["image_id"] == image["id"]:
            own.append(following)
            following = next(annotations, None)
        yield image, own
    if following is not None:
        raise ValueError(f"annotation {following['id']} is of no image, or not in their order")
