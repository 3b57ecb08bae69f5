"""Rendering single images of a dataset again, from their scenes alone."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from repogen.coco.names import CATEGORY
from repogen.config import checked, config_from_keywords
from repogen.datasets.checksums import checksum_line
from repogen.datasets.config import OutputConfig
from repogen.datasets.folder import DatasetFolder, Sample, map_kinds
from repogen.datasets.reading import open_dataset, read_run_info, read_scenes
from repogen.datasets.samples import rendering_to_sample
from repogen.datasets.sources import SourcesConfig, find_body, find_sources
from repogen.errors import UserError
from repogen.files import sha256_of_bytes
from repogen.outputs import OutputFolder
from repogen.rendering.renderer import Renderer


@checked
def rerender(
    dataset: Path | str,
    ids: tuple[int, ...],
    out: Path | str,
    config: SourcesConfig | None = None,
    **options: object,
) -> list[Path]:
    """Render images `ids` of a dataset again, with their maps and labels, into the folder `out`.

    Files that the images show are in the dataset, or in the folders that a `SourcesConfig` or its
    keywords name: `rerender("people", ids=2, out="again", backgrounds="photos")`.

    Returns the images' paths. The COCO file in `out` lists only these images, with the ids they
    have in the dataset; annotations are numbered from 1; `checksums.sha256` has the SHA-256 of what
    was written. Raises `UserError` for an id that the dataset does not have, for a file that is
    missing, for an `out` that holds a dataset, and where a file in `out` is not of an earlier call.

    >>> repogen.rerender("people", ids=(2, 3), out="again")
    [PosixPath('again/images/00000002.jpg'), PosixPath('again/images/00000003.jpg')]
    """
    folder, target = open_dataset(dataset), DatasetFolder(Path(out))
    if target.run.exists():
        raise UserError(f"--out {out} is a dataset itself; choose another folder")
    kinds = map_kinds(read_run_info(folder)["config"]["output"]["write"])
    out_files = OutputFolder(target.root, "rerender")
    out_files.check(target.annotations, target.checksums)
    for image_id in ids:
        maps = (target.map(kind, image_id) for kind in kinds)
        out_files.check(target.image(image_id), *maps)
    coco: dict[str, Any] = {"images": [], "annotations": [], "categories": [CATEGORY]}
    written, checksums = [], []
    for sample in render_again(folder, ids, config_from_keywords(SourcesConfig, config, options)):
        for path, data in target.files(sample).items():
            out_files.write(path, data)
            checksums.append(checksum_line(sha256_of_bytes(data), target.name(path)))
        for annotation in sample.annotations:
            numbers = {"id": len(coco["annotations"]) + 1, "image_id": sample.image["id"]}
            coco["annotations"].append(numbers | annotation)
        coco["images"].append(sample.image)
        written.append(target.image(sample.image["id"]))
    data = (json.dumps(coco) + "\n").encode()
    out_files.write(target.annotations, data)
    checksums.append(checksum_line(sha256_of_bytes(data), target.name(target.annotations)))
    out_files.write(target.checksums, "".join(checksums).encode())
    return written


def render_again(
    folder: DatasetFolder, ids: Collection[int], given: SourcesConfig
) -> Iterator[Sample]:
    """The samples of images `ids` in image order, rendered from the scenes of the dataset.

    Raises `UserError` for an id that the dataset does not have, and as `find_sources`.
    """
    scenes = list(read_scenes(folder, ids))
    missing = set(ids) - {scene.index + 1 for scene in scenes}
    if missing or len(scenes) != len(set(ids)):
        raise UserError(f"{folder.root} has no image {min(missing or ids)}")
    run = read_run_info(folder)
    find_sources(folder, scenes, given, run["config"])
    output = OutputConfig(**run["config"]["output"])
    renderer = Renderer(find_body(folder, run, given.body_path))
    for scene in scenes:
        rendering = renderer.render(scene)
        yield rendering_to_sample(rendering, output)
