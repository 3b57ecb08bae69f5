"""Reading a finished dataset folder back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from repogen.datasets.folder import DatasetFolder
from repogen.errors import UserError
from repogen.scenes.scene import Scene, scene_from_json

RUN_FORMAT = 1


def open_dataset(path: Path | str) -> DatasetFolder:
    """The finished dataset at `path`. Raises `UserError` where there is none."""
    folder = DatasetFolder(Path(path))
    read_run(folder)
    if not folder.complete:
        raise UserError(
            f"{folder.root} is not finished; run the command that began it again to go on"
        )
    return folder


def read_run(folder: DatasetFolder) -> dict[str, Any]:
    """The contents of run.json. Raises `UserError` where it is not one of ours."""
    try:
        run = json.loads(folder.run.read_text())
        if run["format"] != RUN_FORMAT or not {"config", "versions"} <= set(run):
            raise ValueError(f"format {run['format']}")
    except OSError as error:
        raise UserError(
            f"{folder.root} is no dataset of repogen: it has no readable run.json"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder.run} is not a run.json of this version ({error})") from error
    return run


def read_coco(folder: DatasetFolder) -> dict[str, Any]:
    """The annotation file. Raises `UserError` where it cannot be read."""
    try:
        return json.loads(folder.annotations.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {folder.annotations}: {error}") from error


def read_scenes(folder: DatasetFolder) -> Iterator[Scene]:
    """The scenes in image order. Raises `UserError` where one cannot be read."""
    try:
        with folder.scenes.open() as lines:
            for line in lines:
                yield scene_from_json(line)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {folder.scenes}: {error}") from error
