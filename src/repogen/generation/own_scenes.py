"""Scenes of the user's own: read once, checked, and handed to the workers in chunks."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from reprlib import repr as shortened
from tempfile import TemporaryFile
from typing import IO

from repogen.assets.packs import Pack, pack_folders
from repogen.assets.sources import Source, find, path_of, provide
from repogen.config import Config
from repogen.datasets.folder import MAX_IMAGES
from repogen.datasets.sources import provide_from, sources_of
from repogen.environment.backgrounds import names_files
from repogen.errors import UserError, exhausted, first_line
from repogen.files import read_lines
from repogen.generation.config import GenerateConfig
from repogen.limits import MAX_LINES
from repogen.scenes.packs import packs_of
from repogen.scenes.scene import Scene, parse_scene

Scenes = Iterable[Scene | str] | Path | str
"""Scenes or lines of JSON as in scenes.jsonl, or the path of a file of such lines."""

_USED = {
    "camera": (),
    "pose": (),
    "people": ("body", "body_path", "textures"),
    "environment": ("backgrounds", "cutouts"),
    "sensor": (),
}
"""Options of the groups that scenes are drawn from which also concern scenes that are given."""


@dataclass(frozen=True, eq=False)
class OwnScenes:
    """All scenes of a run, as lines of JSON in a temporary file."""

    count: int
    sha256: str
    """SHA-256 of all lines: that of the dataset's scenes.jsonl."""
    file: IO[bytes]
    chunk_starts: list[int]
    """Offsets in the file, in bytes: the start of each chunk, then the end of the last one."""


@dataclass(frozen=True)
class ChunkOfScenes:
    """The scenes of a chunk as a worker gets them: lines of JSON, and where the files lie that they
    show."""

    lines: tuple[str, ...]
    files: tuple[tuple[Source, Path], ...]


def read_own_scenes(scenes: Scenes, config: GenerateConfig, chunk: int) -> OwnScenes:
    """Read all scenes and check them; `chunk` is the number of scenes in a chunk.

    The i-th scene, from 0, gets the index i. Raises `UserError`, one line that names the scene by
    its number from 1 or its line of the file, for what is no scene, has nobody in it, or shows a
    body, a garment or a file that the options do not name; for options that draw scenes; and for a
    full disk.
    """
    is_line = isinstance(scenes, str) and scenes.lstrip().startswith("{")
    if is_line or not isinstance(scenes, Iterable | Path):
        raise UserError(f"scenes = {shortened(scenes)} should be several scenes, or a file of them")
    _check_options(config)
    packs = packs_of(config)
    digest, starts, count = hashlib.sha256(), [0], 0
    file = TemporaryFile()  # noqa: SIM115  it lives as long as the run
    try:
        for where, item in _items(scenes):
            if count == MAX_IMAGES:
                raise UserError(f"there are more than {MAX_IMAGES:,} scenes")
            line = _line(item, where, count, config, packs)
            digest.update(line)
            file.write(line)
            count += 1
            if count % chunk == 0:
                starts.append(file.tell())
    except OSError as error:
        raise UserError(exhausted(error) or f"cannot keep the scenes: {error}") from error
    if not count:
        raise UserError("there are no scenes; give at least one")
    if config.images not in (count, GenerateConfig.images):
        raise UserError(
            f"--images {config.images}, but there are {count} scenes, and each gives an image; "
            "leave --images out"
        )
    if count % chunk:
        starts.append(file.tell())
    return OwnScenes(count, digest.hexdigest(), file, starts)


def scenes_of_chunk(own: OwnScenes | None, chunk: int) -> ChunkOfScenes | None:
    """The scenes of a chunk, by its number from 0; None where there are no scenes of one's own."""
    if own is None:
        return None
    start, end = own.chunk_starts[chunk : chunk + 2]
    own.file.seek(start)
    lines = own.file.read(end - start).decode().splitlines()
    shown = {source for line in lines for _, source in sources_of(Scene.from_json(line))}
    return ChunkOfScenes(tuple(lines), tuple((source, path_of(source)) for source in shown))


def scenes_to_render(chunk: ChunkOfScenes) -> Iterator[Scene]:
    """The scenes of a chunk, in a process that may not yet know the files that they show."""
    for source, path in chunk.files:
        provide(source, path)
    yield from map(Scene.from_json, chunk.lines)


def _items(scenes: Scenes) -> Iterator[tuple[str, object]]:
    """Each scene after its name in errors; blank lines of a file are left out."""
    if not isinstance(scenes, Path | str):
        yield from ((f"scene {number}", item) for number, item in enumerate(scenes, start=1))
        return
    try:
        for number, line in enumerate(read_lines(scenes, MAX_LINES), start=1):
            if line.strip():
                yield f"{scenes}:{number}", line
    except OSError as error:
        raise UserError(f"cannot read {scenes}: {first_line(error)}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{scenes} is not UTF-8: {error}") from error


def _line(
    item: object, where: str, index: int, config: GenerateConfig, packs: Mapping[str, Pack]
) -> bytes:
    """A scene as a line of scenes.jsonl, with its newline. Raises `UserError`."""
    if isinstance(item, Scene):
        try:
            item = item.to_json()
        except (TypeError, ValueError, AttributeError) as error:
            raise UserError(f"{where}: cannot be written as JSON: {first_line(error)}") from error
    if not isinstance(item, str):
        raise UserError(
            f"{where}: {shortened(item)} is neither a Scene nor a line of JSON as in scenes.jsonl"
        )
    # Whatever made the scene, its numbers are checked here.
    scene = replace(parse_scene(item, where), index=index)
    _check_people(scene, where, config, packs)
    for option, source in sources_of(scene):
        _check_source(option, source, where, config, packs)
    return (scene.to_json() + "\n").encode()


def _check_people(
    scene: Scene, where: str, config: GenerateConfig, packs: Mapping[str, Pack]
) -> None:
    if not scene.people:
        raise UserError(f"{where}: has no people; a picture needs at least one")
    body = config.people.body
    for person in scene.people:
        if person.body != body:
            raise UserError(f"{where}: shows the body {person.body}, not --body {body}")
        for garment in person.outfit.worn:
            _check_pack(garment.pack, f"{where}: shows a garment", packs)


def _check_pack(name: str, what: str, packs: Mapping[str, Pack]) -> None:
    if name not in packs:
        names = " ".join([*packs, name])
        raise UserError(f"{what} of the asset pack {name}; give --packs {names}")


def _check_source(
    option: str, source: Source, where: str, config: GenerateConfig, packs: Mapping[str, Pack]
) -> None:
    """Let this process find a file that a scene shows. Raises `UserError` where it is unknown."""
    if find(source) is None:
        folder = {
            "backgrounds": config.environment.backgrounds,
            "cutouts": config.environment.cutouts,
            "textures": config.people.textures,
        }[option]
        shows = f"{where}: shows {source.name!r}"
        if folder is None or (option == "backgrounds" and not names_files(str(folder))):
            raise UserError(
                f"{shows}, a file that nobody named; give --{option}, the folder that holds it"
            )
        provide_from(option, source, folder, shows)
    path = path_of(source)
    for folder in pack_folders():
        if path.is_relative_to(folder):
            _check_pack(folder.name, f"{where}: shows {source.name!r}", packs)


def _check_options(config: GenerateConfig) -> None:
    """Raises `UserError` for an option that only draws scenes, and is not its default."""
    options: list[tuple[Config, str]] = [
        (getattr(config, group), field.name)
        for group, used in _USED.items()
        for field in fields(getattr(config, group))
        if field.name not in used
    ]
    for group, name in [*options, (config, "seed")]:
        if getattr(group, name) != getattr(type(group), name):
            raise UserError(
                f"--{name.replace('_', '-')} is for scenes that repogen draws; leave it out with "
                "scenes of your own"
            )
