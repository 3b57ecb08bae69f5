"""What one process does: make a range of images and write them."""

import os
import signal
import socket
import threading
from functools import lru_cache
from multiprocessing import parent_process
from multiprocessing.connection import wait
from typing import Any

import cv2

from repogen.bodies import load_body
from repogen.datasets.folder import DatasetFolder, Record
from repogen.datasets.reading import read_run
from repogen.environment.backgrounds import parse_backgrounds
from repogen.errors import UserError
from repogen.generation.config import GenerateConfig
from repogen.generation.output import record_of
from repogen.generation.record import refuse_other_run, run_record
from repogen.rendering.renderer import Renderer
from repogen.scenes.sample.scene import sample_scene


class Maker:
    """Makes images of one run; keeps the body model and the renderer between them."""

    def __init__(self, config: GenerateConfig) -> None:
        self.config = config
        self.body = load_body(config.body, config.device, config.body_path)
        self.renderer = Renderer(self.body, config.device)

    def record(self, index: int) -> Record:
        """Image `index` of the run with all that belongs to it."""
        config = self.config
        scene = sample_scene(config, config.seed, index, self.body)
        rendering = self.renderer.render(scene)
        return record_of(rendering, config.hidden, config.keypoints, config.write)


@lru_cache(maxsize=4)
def maker(config: GenerateConfig) -> Maker:
    """This process's maker for these options, kept for the next call: training may take images of
    several in turn."""
    return Maker(config)


def write_chunk(folder: DatasetFolder, config: GenerateConfig, chunk: int) -> int:
    """Make and write the images of a chunk of the run; returns how many, none where the run is
    stopping.

    Raises `UserError` where the disk or the memory does not suffice.
    """
    first = chunk * folder.chunk
    indices = range(first, min(first + folder.chunk, config.images))
    if _stopping is not None and _stopping.value:
        return 0
    try:
        folder.write_chunk(chunk, map(maker(config).record, indices))
    except Exception as error:
        # Warp and OpenCV have errors of their own for it.
        if not (isinstance(error, MemoryError) or "Failed to allocate" in str(error)):
            raise
        raise UserError(
            "out of memory; run the same command again to go on, with fewer --workers or more "
            "memory"
        ) from error
    return len(indices)


def write_chunk_elsewhere(folder: DatasetFolder, config: GenerateConfig, chunk: int) -> int:
    """`write_chunk` on one core of a machine that may not be the one where the run began.

    Raises `UserError`, naming it, where it does not see the run's folder, or other files and asset
    packs than the run began with: its pictures would be others.
    """
    cv2.setNumThreads(1)
    _check_here(folder, config)
    return write_chunk(folder, config, chunk)


@lru_cache(maxsize=1)
def _check_here(folder: DatasetFolder, config: GenerateConfig) -> None:
    try:
        _, found = parse_backgrounds(config.backgrounds)
        refuse_other_run(folder.root, read_run(folder), run_record(config, found))
    except UserError as error:
        raise UserError(f"on {socket.gethostname()}: {error}") from error


_stopping: Any = None
"""Whose `value` says whether the run is; of a worker process."""


def start(stopping: Any) -> None:
    """Initialise a worker process, which ends when its parent does and begins nothing more once
    the `value` of `stopping` is true."""
    global _stopping
    _stopping = stopping
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
