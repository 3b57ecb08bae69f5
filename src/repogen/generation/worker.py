"""What one process does: make a range of images and leave their records in a part file."""

import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait

import cv2
import numpy as np

from repogen.bodies import load_body
from repogen.datasets.folder import (
    PICTURE,
    DatasetFolder,
    Record,
    encode_jpeg,
    encode_png,
)
from repogen.generation.config import GenerateConfig
from repogen.labels.annotation import image_record, label
from repogen.labels.maps import depth_map, normal_map, part_map, person_masks
from repogen.labels.stick import stick_figure
from repogen.rendering.renderer import Renderer, Rendering
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
        """Make and write the images of a chunk; returns how many."""
        first = chunk * self.folder.chunk
        indices = range(first, min(first + self.folder.chunk, self.config.images))
        self.folder.write_chunk(chunk, map(self._record, indices))
        return len(indices)

    def _record(self, index: int) -> Record:
        scene = sample_scene(self.config, self.config.seed, index, self.body)
        rendering = self.renderer.render(scene)
        annotations = label(rendering, self.config.hidden, self.config.keypoints)
        picture = encode_jpeg(rendering.image, scene.sensor.jpeg_quality)
        maps = encoded_maps(rendering, annotations, self.config.write)
        return Record(
            image_record(scene, self.folder.image(index + 1).name),
            annotations,
            scene_to_json(scene),
            {PICTURE: picture} | maps,
        )


def encoded_maps(
    rendering: Rendering, annotations: list[dict], kinds: tuple[str, ...]
) -> dict[str, bytes]:
    """The optional pictures of these kinds as PNG, by the folder they go to."""
    camera = rendering.scene.camera
    out = {}
    for kind in kinds:
        if kind == "depth":
            out["depth"] = encode_png(depth_map(rendering))
        elif kind == "masks":
            masks = person_masks(rendering)
            numbered = np.stack([(place + 1) * mask for place, mask in enumerate(masks)])
            out["masks"] = encode_png(numbered.max(axis=0))
        elif kind == "parts":
            out["parts"] = encode_png(part_map(rendering))
        elif kind == "normals":
            out["normals"] = encode_png(normal_map(rendering)[..., ::-1])
        elif kind == "stick":
            for name, visible_only in (("all", False), ("visible", True)):
                figure = stick_figure(camera.width, camera.height, annotations, visible_only)
                out[f"stick/{name}"] = encode_png(figure)
    return out


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
