"""What one process does: make a range of images and write them."""

import os
import signal
import threading
from functools import lru_cache
from multiprocessing import parent_process
from multiprocessing.connection import wait

import cv2

from repogen.bodies import load_body
from repogen.datasets.folder import DatasetFolder, Record
from repogen.errors import UserError
from repogen.generation.config import GenerateConfig
from repogen.generation.output import record_of
from repogen.rendering.renderer import Renderer
from repogen.scenes.sample import sample_scene


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


@lru_cache(maxsize=1)
def maker(config: GenerateConfig) -> Maker:
    """This process's maker for these options."""
    return Maker(config)


def write_chunk(folder: DatasetFolder, config: GenerateConfig, chunk: int) -> int:
    """Make and write the images of a chunk of the run; returns how many.

    Raises `UserError` where the disk or the memory does not suffice.
    """
    first = chunk * folder.chunk
    indices = range(first, min(first + folder.chunk, config.images))
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


def start() -> None:
    """Initialise a worker process, which ends when its parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
