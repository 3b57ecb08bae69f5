"""Making single images of a dataset again, from their scenes alone."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from repogen.bodies import load_body
from repogen.datasets.folder import DatasetFolder, Record, write_whole
from repogen.datasets.reading import (
    Entry,
    open_dataset,
    read_annotated,
    read_files,
    read_run,
    read_scenes,
)
from repogen.datasets.validate.dataset import validate_files
from repogen.errors import UserError
from repogen.generation.config import OutputConfig
from repogen.generation.output import record_of
from repogen.labels.annotation import CATEGORY
from repogen.rendering.renderer import Renderer
from repogen.scenes.scene import Scene


def rerender(dataset: Path | str, ids: tuple[int, ...], out: Path | str) -> list[Path]:
    """Make images `ids` of a dataset again, with its maps and labels, into the folder `out`.

    Returns the images' paths. The COCO file beside them is of these images alone, which keep
    their ids; annotations are numbered anew. Raises `UserError` for an id the dataset does not
    have and for an `out` that holds a dataset.
    """
    folder, target = open_dataset(dataset), DatasetFolder(Path(out))
    if target.run.exists():
        raise UserError(f"--out {out} is a dataset itself; choose another folder")
    coco: dict[str, Any] = {"images": [], "annotations": [], "categories": [CATEGORY]}
    written = []
    for record in _made_again(folder, _scenes(folder, ids)):
        for path, data in target.files(record).items():
            write_whole(path, data)
        for annotation in record.annotations:
            numbers = {"id": len(coco["annotations"]) + 1, "image_id": record.image["id"]}
            coco["annotations"].append(numbers | annotation)
        coco["images"].append(record.image)
        written.append(target.image(record.image["id"]))
    write_whole(target.annotations, (json.dumps(coco) + "\n").encode())
    return written


def _made_again(folder: DatasetFolder, scenes: list[Scene]) -> Iterator[Record]:
    """What the dataset in `folder` holds of these scenes."""
    config = read_run(folder)["config"]
    body, path = config["people"]["body"], config["people"].get("body_path")
    output = OutputConfig(**config["output"])
    renderer = Renderer(load_body(body, path=Path(path) if path else None))
    for scene in scenes:
        rendering = renderer.render(scene)
        yield record_of(rendering, output)


def _scenes(folder: DatasetFolder, ids: Collection[int]) -> list[Scene]:
    scenes = list(read_scenes(folder, ids))
    missing = set(ids) - {scene.index + 1 for scene in scenes}
    if missing:
        raise UserError(f"{folder.root} has no image {min(missing)}")
    return scenes


def validate(dataset: Path | str, rerender: int = 3) -> list[str]:
    """Every broken promise of a dataset, a line each; an empty list for a sound one.

    `rerender` images, evenly spread, are made again: their pictures are compared byte for byte,
    their labels number for number. Raises `UserError` where there is no finished dataset.
    """
    folder = open_dataset(dataset)
    problems = validate_files(folder)
    if problems or not rerender:
        return problems
    count = read_run(folder)["config"]["images"]
    ids = {1 + (count - 1) * i // max(rerender - 1, 1) for i in range(rerender)}
    again = _made_again(folder, _scenes(folder, ids))
    for record, entry in zip(again, read_annotated(folder, ids), strict=True):
        problems += _differences(folder, *entry, record)
    return problems


def _differences(
    folder: DatasetFolder, image: Entry, annotations: list[Entry], record: Record
) -> Iterator[str]:
    """Where a dataset is not what its scene gives, a line each."""
    files = read_files(folder, image["id"], tuple(record.files))
    wrong = [kind for kind, data in record.files.items() if files[kind] != data]
    again = json.loads(json.dumps([record.image, *record.annotations]))
    kept = [
        {k: v for k, v in annotation.items() if k not in ("id", "image_id")}
        for annotation in annotations
    ]
    if [image, *kept] != again:
        wrong.append("record")
    for kind in wrong:
        yield (
            f"image {image['id']}: made again from its scene it has another {kind} (other versions "
            "of the libraries than in run.json?)"
        )
