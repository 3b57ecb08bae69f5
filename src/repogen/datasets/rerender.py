"""Rendering single images of a dataset again, from their scenes alone."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from repogen.bodies import load_body
from repogen.config import checked
from repogen.datasets.config import OutputConfig
from repogen.datasets.folder import DatasetFolder, Sample
from repogen.datasets.reading import open_dataset, read_run_info, read_scenes
from repogen.datasets.samples import rendering_to_sample
from repogen.errors import UserError
from repogen.files import sha256_of_bytes, write_atomic
from repogen.labels.annotation import CATEGORY
from repogen.rendering.renderer import Renderer


@checked
def rerender(dataset: Path | str, ids: tuple[int, ...], out: Path | str) -> list[Path]:
    """Render images `ids` of a dataset again, with their maps and labels, into the folder `out`.

    Returns the images' paths. The COCO file in `out` lists only these images, with the ids they
    have in the dataset; annotations are numbered from 1; `checksums.sha256` has the SHA-256 of what
    was written. Raises `UserError` for an id that the
    dataset does not have and for an `out` that holds a dataset.

    >>> repogen.rerender("people", ids=(2, 3), out="again")
    [PosixPath('again/images/00000002.jpg'), PosixPath('again/images/00000003.jpg')]
    """
    folder, target = open_dataset(dataset), DatasetFolder(Path(out))
    if target.run.exists():
        raise UserError(f"--out {out} is a dataset itself; choose another folder")
    coco: dict[str, Any] = {"images": [], "annotations": [], "categories": [CATEGORY]}
    written, digests = [], []
    for sample in render_again(folder, ids):
        for path, data in target.files(sample).items():
            write_atomic(path, data)
            digests.append((sha256_of_bytes(data), target.name(path)))
        for annotation in sample.annotations:
            numbers = {"id": len(coco["annotations"]) + 1, "image_id": sample.image["id"]}
            coco["annotations"].append(numbers | annotation)
        coco["images"].append(sample.image)
        written.append(target.image(sample.image["id"]))
    write_atomic(target.annotations, (json.dumps(coco) + "\n").encode())
    target.write_checksums(digests, {target.annotations: target.annotations})
    return written


def render_again(folder: DatasetFolder, ids: Collection[int]) -> Iterator[Sample]:
    """The samples of images `ids` in image order, rendered from the scenes of the dataset.

    Raises `UserError` for an id that the dataset does not have.
    """
    scenes = list(read_scenes(folder, ids))
    missing = set(ids) - {scene.index + 1 for scene in scenes}
    if missing:
        raise UserError(f"{folder.root} has no image {min(missing)}")
    config = read_run_info(folder)["config"]
    body, path = config["people"]["body"], config["people"].get("body_path")
    output = OutputConfig(**config["output"])
    renderer = Renderer(load_body(body, path=Path(path) if path else None))
    for scene in scenes:
        rendering = renderer.render(scene)
        yield rendering_to_sample(rendering, output)
