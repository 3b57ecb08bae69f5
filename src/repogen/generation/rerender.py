"""Making single images of a dataset again, from their scenes alone."""

from pathlib import Path
from typing import Any

from repogen.bodies import load_body
from repogen.datasets.folder import DatasetFolder, encode_jpeg, write_whole
from repogen.datasets.reading import open_dataset, read_run, read_scenes
from repogen.datasets.validate import validate_files
from repogen.errors import UserError
from repogen.generation.worker import encoded_maps
from repogen.labels.annotation import label
from repogen.rendering.renderer import Renderer
from repogen.scenes.scene import Scene


def rerender(dataset: Path | str, ids: tuple[int, ...], out: Path | str) -> list[Path]:
    """Make images `ids` of a dataset again, with its optional maps, into the folder `out`.

    Returns the images' paths. Raises `UserError` for an id the dataset does not have.
    """
    folder, target = open_dataset(dataset), DatasetFolder(Path(out))
    if target.root.resolve() == folder.root.resolve():
        raise UserError(f"--out {out} is the dataset itself; choose another folder")
    config = read_run(folder)["config"]
    renderer = _renderer(config)
    written = []
    for scene in _scenes(folder, ids):
        rendering = renderer.render(scene)
        path = target.image(scene.index + 1)
        write_whole(path, encode_jpeg(rendering.image, scene.sensor.jpeg_quality))
        annotations = label(rendering, config["hidden"])
        for name, data in encoded_maps(rendering, annotations, tuple(config["write"])).items():
            write_whole(target.map(name, scene.index + 1), data)
        written.append(path)
    return written


def _renderer(config: dict[str, Any]) -> Renderer:
    path = config["body_path"]
    return Renderer(load_body(config["body"], path=Path(path) if path else None))


def _scenes(folder: DatasetFolder, ids: tuple[int, ...]) -> list[Scene]:
    wanted = set(ids)
    scenes = [scene for scene in read_scenes(folder) if scene.index + 1 in wanted]
    missing = wanted - {scene.index + 1 for scene in scenes}
    if missing:
        raise UserError(f"{folder.root} has no image {min(missing)}")
    return scenes


def validate(dataset: Path | str, rerender: int = 3) -> list[str]:
    """Every broken promise of a dataset, a line each; an empty list for a sound one.

    `rerender` images, evenly spread, are made again and compared byte for byte. Raises
    `UserError` where there is no finished dataset.
    """
    folder = open_dataset(dataset)
    problems = validate_files(folder)
    if problems or not rerender:
        return problems
    config = read_run(folder)["config"]
    count = config["images"]
    ids = sorted({1 + (count - 1) * i // max(rerender - 1, 1) for i in range(rerender)})
    renderer = _renderer(config)
    for scene in _scenes(folder, tuple(ids)):
        path = folder.image(scene.index + 1)
        image = renderer.render(scene).image
        if encode_jpeg(image, scene.sensor.jpeg_quality) != path.read_bytes():
            problems.append(
                f"{path.relative_to(folder.root)}: made again from its scene it differs (other "
                "versions of the libraries than in run.json?)"
            )
    return problems
