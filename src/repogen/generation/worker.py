"""What one process does: make a range of images and leave their records in a part file."""

import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait

import cv2

from repogen.bodies import load_body
from repogen.datasets.folder import CHUNK, DatasetFolder, record_line, write_whole
from repogen.generation.config import GenerateConfig
from repogen.generation.output import output_of
from repogen.rendering.renderer import Renderer
from repogen.scenes.sample import sample_scene
from repogen.scenes.scene import scene_to_json


class Worker:
    """Makes images of one run; keeps the body model and the renderer between them."""

    def __init__(self, folder: DatasetFolder, config: GenerateConfig) -> None:
        self.folder = folder
        self.config = config
        self.body = load_body(config.body, config.device, config.body_path)
        self.renderer = Renderer(self.body, config.device)

    def make_chunk(self, chunk: int) -> int:
        """Write the chunk's images, then its part file; returns how many images."""
        lines = []
        config, first = self.config, chunk * CHUNK
        for index in range(first, min(first + CHUNK, config.images)):
            scene = sample_scene(config, config.seed, index, self.body)
            rendering = self.renderer.render(scene)
            output = output_of(
                rendering, self.folder, config.hidden, config.keypoints, config.write
            )
            for path, data in output.files.items():
                write_whole(path, data)
            lines.append(record_line(output.image, output.annotations, scene_to_json(scene)))
        write_whole(self.folder.part(chunk), ("\n".join(lines) + "\n").encode())
        return len(lines)


_job: tuple[DatasetFolder, GenerateConfig] | None = None
_worker: Worker | None = None


def start(folder: DatasetFolder, config: GenerateConfig) -> None:
    """Initialise a worker process, which ends when its parent does."""
    global _job
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    _job = (folder, config)


def make_chunk(chunk: int) -> int:
    """`Worker.make_chunk` of this process, built at its first chunk."""
    global _worker
    assert _job is not None, "start() comes first"
    _worker = _worker or Worker(*_job)
    return _worker.make_chunk(chunk)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
