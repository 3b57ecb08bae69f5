"""The work of one process: generate the images of a chunk and write them."""

import socket
from collections.abc import Iterable, Iterator
from ctypes import c_byte
from functools import lru_cache
from typing import Any

import cv2

from repogen.bodies import load_body
from repogen.datasets.folder import DatasetFolder, Sample
from repogen.datasets.reading import OWN_SCENES, read_run_info
from repogen.datasets.samples import rendering_to_sample
from repogen.datasets.sources import embed_sources
from repogen.errors import UserError, exhausted
from repogen.garbage import collect_seldom
from repogen.generation.config import GenerateConfig
from repogen.generation.own_scenes import ChunkOfScenes, scenes_to_render
from repogen.generation.run_info import check_same_run, run_info
from repogen.processes import exit_with_parent
from repogen.rendering.renderer import Renderer
from repogen.scenes.sample.scene import sample_posed_scene
from repogen.scenes.scene import Scene


class SampleMaker:
    """Generates the samples of one run; keeps the body model and the renderer between them."""

    def __init__(self, config: GenerateConfig) -> None:
        self.config = config
        self.body = load_body(config.people.body, config.device, config.people.body_path)
        self.renderer = Renderer(self.body, config.device)

    def make(self, index: int) -> Sample:
        """Sample `index` of the run, from 0."""
        config = self.config
        sampled = sample_posed_scene(config, config.seed, index, self.body)
        rendering = self.renderer.render(sampled.scene, sampled.people)
        return rendering_to_sample(rendering, config.output)

    def render(self, scene: Scene) -> Sample:
        """The sample of a scene of the user's own. Raises `UserError`, naming the scene."""
        try:
            return rendering_to_sample(self.renderer.render(scene), self.config.output)
        except UserError as error:
            raise UserError(f"scene {scene.index + 1}: {error}") from error


@lru_cache(maxsize=4)
def sample_maker(config: GenerateConfig) -> SampleMaker:
    """This process's `SampleMaker` for these options, cached with all that it has read:
    training may alternate between several."""
    return SampleMaker(config)


def write_chunk(
    folder: DatasetFolder, maker: SampleMaker, chunk: int, own: ChunkOfScenes | None = None
) -> int:
    """Generate and write the images of a chunk, of the user's own scenes if given; returns how
    many, 0 where the run is stopping.

    Raises `UserError` where the disk or the memory is full.
    """
    first = chunk * folder.chunk
    indices = range(first, min(first + folder.chunk, maker.config.images))
    if _stop_flag is not None and _stop_flag.value:
        return 0
    samples: Iterator[Sample] = map(maker.make, indices)
    if own is not None:
        samples = map(maker.render, scenes_to_render(own))
    if maker.config.output.embed_sources:
        samples = _with_sources(folder, samples)
    try:
        folder.write_chunk(chunk, samples)
    except Exception as error:
        why = exhausted(error)
        if why is None or isinstance(error, UserError):
            raise
        raise UserError(why) from error
    return len(indices)


def _with_sources(folder: DatasetFolder, samples: Iterable[Sample]) -> Iterator[Sample]:
    """The samples; the files that each one shows are copied into the dataset before it."""
    for sample in samples:
        embed_sources(folder, Scene.from_json(sample.scene))
        yield sample


def write_chunk_in_worker(
    folder: DatasetFolder, config: GenerateConfig, chunk: int, own: ChunkOfScenes | None = None
) -> int:
    """`write_chunk` in a process that makes images of one run only."""
    return write_chunk(folder, sample_maker(config), chunk, own)


def write_chunk_on_node(
    folder: DatasetFolder, config: GenerateConfig, chunk: int, own: ChunkOfScenes | None = None
) -> int:
    """`write_chunk_in_worker` on one core of a node of the Ray cluster.

    Raises `UserError`, naming the node, where it does not see the run's folder, or sees other
    files or asset packs than the run was started with: its images would differ.
    """
    cv2.setNumThreads(1)
    _check_same_inputs(folder, config)
    return write_chunk_in_worker(folder, config, chunk, own)


@lru_cache(maxsize=1)
def _check_same_inputs(folder: DatasetFolder, config: GenerateConfig) -> None:
    """Raises `UserError` where this machine has other files or packs than the run began with."""
    try:
        before = read_run_info(folder)
        own = before.get(OWN_SCENES)
        found = before["backgrounds_found"] if own else config.backdrop[1]
        check_same_run(folder.root, before, run_info(config, found, own))
    except UserError as error:
        raise UserError(f"on {socket.gethostname()}: {error}") from error


_stop_flag: Any = None
"""In a worker process: a shared number; its `value` is 1 once the run is stopping."""


def start_worker(stop_flag: c_byte) -> None:
    """Initialise a worker process: it exits with its parent and starts no chunk once the flag is
    set."""
    global _stop_flag
    _stop_flag = stop_flag
    collect_seldom()
    exit_with_parent()
    cv2.setNumThreads(1)
