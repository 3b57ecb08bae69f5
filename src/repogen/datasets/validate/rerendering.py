"""Validation by making images again: scenes from the options, pictures and labels from scenes."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from repogen.assets.packs import INDEX, pack_folders
from repogen.datasets.chunks import compact_json
from repogen.datasets.config import OutputConfig
from repogen.datasets.folder import DatasetFolder, Sample
from repogen.datasets.reading import (
    OWN_SCENES,
    Entry,
    read_entries,
    read_files,
    read_run_info,
    read_scenes,
)
from repogen.datasets.samples import rendering_to_sample
from repogen.datasets.sources import SourcesConfig, find_body, find_sources
from repogen.environment.backgrounds import names_files
from repogen.files import sha256_of
from repogen.messages import warn
from repogen.people.posing import PosedPerson
from repogen.poses.motion import poses_of_pack
from repogen.processes import map_tasks
from repogen.rendering.renderer import Renderer
from repogen.scenes.config import SceneConfig
from repogen.scenes.sample.scene import sample_posed_scene
from repogen.scenes.scene import Scene

_BATCH = 8
"""Images in a task of a process."""

_GROUPS = ("camera", "pose", "people", "environment", "sensor")
"""The groups of options that scenes are drawn from."""


@dataclass(frozen=True)
class _Batch:
    folder: DatasetFolder
    run: Entry
    given: SourcesConfig
    config: SceneConfig | None
    """The options that give the scenes; None where scenes cannot be drawn again."""
    images: Sequence[tuple[Scene, Entry, list[Entry]]]
    """Scene, record and annotations of each image."""


def check_rerendered(
    folder: DatasetFolder, ids: Collection[int], given: SourcesConfig, workers: int = 1
) -> Iterator[str]:
    """The differences between images `ids` and what the options and their scenes give.

    `given` are the folders of files that the images show. Raises `MissingSourceError` where one is
    not there.
    """
    if not ids:
        return
    run = read_run_info(folder)
    config = _scene_config(folder, run)
    pairs = zip(read_scenes(folder, ids), read_entries(folder, ids), strict=True)
    images = ((scene, *entry) for scene, entry in pairs)
    batches = iter(lambda: list(islice(images, _BATCH)), [])
    tasks = (_Batch(folder, run, given, config, batch) for batch in batches)
    for found in map_tasks(_check_batch, tasks, workers):
        yield from found


def _scene_config(folder: DatasetFolder, run: Entry) -> SceneConfig | None:
    """The options that a run's scenes are drawn from. None where the user gave the scenes; None,
    with a warning, where they need files or packs that may not be the same here."""
    if OWN_SCENES in run:
        return None
    options = run["config"]
    why = _outside_files(options)
    if not why:
        missing = [pack for pack in run["assets"] if not _is_installed(pack)]
        if not missing:
            return SceneConfig(**{name: options[name] for name in (*_GROUPS, "packs")})
        why = "the asset pack {name} {version} of run.json".format(**missing[0])
    warn(f"the scenes of {folder.root} are not drawn again from its options: they need {why}")
    return None


def _outside_files(options: Entry) -> str:
    """An option that names files of the user; empty if there is none."""
    pose, people, environment = options["pose"], options["people"], options["environment"]
    named = [pose["bounds"], pose.get("sampler"), people["body_path"], people["textures"]]
    named.append(environment["cutouts"])
    named += options["camera"]["camera"]
    if pose["poses"] and poses_of_pack(Path(pose["poses"])) is None:
        named.append(pose["poses"])
    backgrounds = environment["backgrounds"]
    if names_files(backgrounds):
        named.append(backgrounds)
    return next((str(each) for each in named if each), "")


def _is_installed(pack: Entry) -> bool:
    """Whether a pack of run.json is installed here, with the same index."""
    indices = [folder / INDEX for folder in pack_folders() if folder.name == pack["name"]]
    return any(index.is_file() and sha256_of(index) == pack["sha256"] for index in indices)


@lru_cache(maxsize=1)
def _renderer(root: Path, body_path: Path | None) -> Renderer:
    folder = DatasetFolder(root)
    return Renderer(find_body(folder, read_run_info(folder), body_path))


def _check_batch(batch: _Batch) -> list[str]:
    scenes = [scene for scene, *_ in batch.images]
    find_sources(batch.folder, scenes, batch.given, batch.run["config"])
    renderer = _renderer(batch.folder.root, batch.given.body_path)
    return [problem for image in batch.images for problem in _check(batch, renderer, *image)]


def _check(
    batch: _Batch, renderer: Renderer, scene: Scene, image: Entry, annotations: list[Entry]
) -> Iterator[str]:
    posed: tuple[PosedPerson, ...] | None = None
    if batch.config is not None:
        seed = batch.run["config"]["seed"]
        drawn = sample_posed_scene(batch.config, seed, scene.index, renderer.body)
        if drawn.scene.to_json() == scene.to_json():
            posed = drawn.people
        else:
            yield f"scenes.jsonl line {scene.index + 1}: is not what the options in run.json give"
    output = OutputConfig(**batch.run["config"]["output"])
    sample = rendering_to_sample(renderer.render(scene, posed), output)
    yield from _differences(batch.folder, image, annotations, sample)


def _differences(
    folder: DatasetFolder, image: Entry, annotations: list[Entry], sample: Sample
) -> Iterator[str]:
    files = read_files(folder, image["id"], tuple(sample.files))
    wrong = [kind for kind, data in sample.files.items() if files[kind] != data]
    stored = [
        {k: v for k, v in annotation.items() if k not in ("id", "image_id")}
        for annotation in annotations
    ]
    if compact_json([image, *stored]) != compact_json([sample.image, *sample.annotations]):
        wrong.append("COCO record")
    for kind in wrong:
        yield (
            f"image {image['id']}: its {kind} differs when rendered again (library versions other "
            "than in run.json?)"
        )
