"""Files that a dataset's scenes show: found by their content, and kept in the dataset on demand.

A dataset may be a stranger's, so no path in it is followed. A scene names a file by its SHA-256;
the file lies in the dataset's folder `sources/`, or the user names its folder on the command line.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repogen.assets.sources import Source, digest_of, find, path_of, provide
from repogen.bodies import Body, load_body
from repogen.bodies.smpl_files import FAMILIES, find_model_files
from repogen.config import Config
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.shards import read_bytes
from repogen.environment.backgrounds import Photo, background_root
from repogen.environment.panoramas import Panorama
from repogen.errors import UserError
from repogen.files import read_regular, sha256_of_bytes, write_atomic
from repogen.limits import MAX_PICTURE
from repogen.scenes.scene import Scene

_GROUPS = {"backgrounds": "environment", "cutouts": "environment", "textures": "people"}
"""The options that name files which scenes show, with their groups."""


@dataclass(frozen=True, init=False)
class SourcesConfig(Config):
    """Folders with the files that a dataset's scenes show, as for `repogen generate`. Each file is
    compared by its SHA-256."""

    backgrounds: str | None = None
    """The folder of photographs or panoramas, or coco:ANNOTATIONS.json:IMAGES_DIR."""
    textures: Path | None = None
    """The folder of skin textures."""
    cutouts: Path | None = None
    """The folder of cut-outs."""
    body_path: Path | None = None
    """The folder of the SMPL body model's files."""


class MissingSourceError(UserError):
    """A dataset needs a file that is neither in it nor in a folder that the user named."""


def sources_of(scene: Scene) -> Iterator[tuple[str, Source]]:
    """The files that a scene shows, each with the option that names its folder."""
    if isinstance(scene.background, Photo | Panorama):
        yield "backgrounds", scene.background.file
    for person in scene.people:
        if person.outfit.picture is not None:
            yield "textures", person.outfit.picture
    for occluder in scene.occluders:
        if occluder.picture is not None:
            yield "cutouts", occluder.picture


def find_sources(
    folder: DatasetFolder, scenes: Iterable[Scene], given: SourcesConfig, config: dict[str, Any]
) -> None:
    """Find the files that the scenes of a dataset show; `config` is that of its run.json.

    Raises `UserError`, for a file that is missing `MissingSourceError`, and for other content.
    """
    for scene in scenes:
        for option, source in sources_of(scene):
            if find(source) is None and not _embedded(folder, source):
                where = f"image {scene.index + 1} of {folder.root} shows {source.name!r}"
                _find_given(option, source, given, where, config)


def _embedded(folder: DatasetFolder, source: Source) -> bool:
    path = folder.inside(source_path(folder, source))
    if not path.is_file():
        return False
    provide(source, path)
    return True


def _find_given(
    option: str, source: Source, given: SourcesConfig, where: str, config: dict[str, Any]
) -> None:
    value = getattr(given, option)
    if value is None:
        recorded = config[_GROUPS[option]][option]
        raise MissingSourceError(
            f"{where}, which is not in the dataset; give --{option} with the folder that holds it "
            f"(the run's was {recorded!r})"
        )
    provide_from(option, source, value, where)


def provide_from(option: str, source: Source, value: str | Path, where: str) -> None:
    """Find a source below the folder, or in the COCO set, that is the option's value; `where`
    begins errors.

    Raises `UserError` where it is not there (`MissingSourceError`) or has another content.
    """
    root = background_root(str(value)) if option == "backgrounds" else Path(value)
    path = Path(source.name)
    if path.is_absolute() or ".." in path.parts:
        raise UserError(f"{where}, which is no name inside of --{option} {value}")
    if not os.path.isfile(root / path):  # Path.is_file raises for long names
        raise MissingSourceError(f"{where}, which is not in --{option} {value}")
    try:
        provide(source, root / path)
    except UserError as error:
        raise UserError(f"{where}, but of --{option} {error}") from error


def find_body(folder: DatasetFolder, run: dict[str, Any], path: Path | None) -> Body:
    """The body model of a dataset with this run.json; SMPL's files lie in the folder `path`.

    Raises `UserError` where they are missing, or are others than the dataset was made with.
    """
    name = run["config"]["people"]["body"]
    if name not in FAMILIES:
        return load_body(name, path=path)
    if path is None:
        raise MissingSourceError(
            f"{folder.root} shows the body {name}; give --body-path, the folder with its files"
        )
    files = {file.name: file for file in find_model_files(path, FAMILIES[name]).values()}
    for file_name, digest in run["body_files"].items():
        if file_name not in files or digest_of(files[file_name]) != digest:
            raise UserError(
                f"--body-path {path}: {folder.root} was made with another {file_name!r} (SHA-256 "
                f"{digest[:12]}…)"
            )
    return load_body(name, path=path)


def source_path(folder: DatasetFolder, source: Source) -> Path:
    """Where a dataset keeps a file that its scenes show (--embed-sources)."""
    return folder.root / "sources" / f"{source.sha256}{source.suffix}"


def copy_sources(source: str, target: DatasetFolder, scene: Scene) -> None:
    """Copy the files that a scene shows from the dataset at `source`, a folder or a URL, which
    keeps them. Raises `UserError` where one is missing, or has another content."""
    for _, one in sources_of(scene):
        path = source_path(target, one)
        if path.exists():
            continue
        name = path.relative_to(target.root).as_posix()
        if Path(source).exists():
            DatasetFolder(Path(source)).inside(Path(source, name))
        data = read_bytes(f"{source}/{name}")
        if sha256_of_bytes(data) != one.sha256:
            raise UserError(f"{source}/{name} has another SHA-256 than its name says")
        write_atomic(path, data)


def embed_sources(folder: DatasetFolder, scene: Scene) -> None:
    """Copy the files that a scene shows into the dataset, unless they are there.

    Raises `UserError` where they cannot be read or written.
    """
    for _, source in sources_of(scene):
        path = source_path(folder, source)
        if not path.exists():
            write_atomic(path, read_regular(path_of(source), MAX_PICTURE))
