"""What one process does: make a range of images and write them."""

import os
import signal
import threading
from functools import lru_cache
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
    image_name,
)
from repogen.generation.config import GenerateConfig
from repogen.labels.annotation import image_record, label
from repogen.labels.maps import depth_map, normal_map, part_map, person_masks
from repogen.labels.stick import stick_figure
from repogen.rendering.renderer import Renderer, Rendering
from repogen.scenes.sample import sample_scene
from repogen.scenes.scene import scene_to_json


class Maker:
    """Makes images of one run; keeps the body model and the renderer between them."""

    def __init__(self, config: GenerateConfig) -> None:
        self.config = config
        self.body = load_body(config.body, config.device, config.body_path)
        self.renderer = Renderer(self.body, config.device)

    def record(self, index: int) -> Record:
        """Image `index` of the run with all that belongs to it."""
        scene = sample_scene(self.config, self.config.seed, index, self.body)
        rendering = self.renderer.render(scene)
        annotations = label(rendering, self.config.hidden, self.config.keypoints)
        picture = encode_jpeg(rendering.image, scene.sensor.jpeg_quality)
        maps = encoded_maps(rendering, annotations, self.config.write)
        image = image_record(scene, image_name(index + 1))
        return Record(image, annotations, scene_to_json(scene), {PICTURE: picture} | maps)


@lru_cache(maxsize=1)
def maker(config: GenerateConfig) -> Maker:
    """This process's maker for these options."""
    return Maker(config)


def write_chunk(folder: DatasetFolder, config: GenerateConfig, chunk: int) -> int:
    """Make and write the images of a chunk of the run; returns how many."""
    first = chunk * folder.chunk
    indices = range(first, min(first + folder.chunk, config.images))
    folder.write_chunk(chunk, map(maker(config).record, indices))
    return len(indices)


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
