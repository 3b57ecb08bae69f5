"""What a dataset keeps of one rendering: pictures and COCO records."""

from collections.abc import Collection
from typing import Any

import numpy as np

from repogen.datasets.folder import PICTURE, Record, encode_jpeg, encode_png, image_name
from repogen.generation.config import OutputConfig
from repogen.labels.annotation import image_record, label
from repogen.labels.maps import depth_map, normal_map, part_map, person_masks
from repogen.labels.stick import stick_figure
from repogen.rendering.renderer import Rendering
from repogen.scenes.scene import scene_to_json


def record_of(rendering: Rendering, output: OutputConfig) -> Record:
    """All that a dataset keeps of a rendering under these options."""
    scene = rendering.scene
    annotations = label(rendering, output.occluded, output.keypoints, output.label_convention)
    picture = encode_jpeg(rendering.image, scene.sensor.jpeg_quality)
    return Record(
        image_record(scene, image_name(scene.index + 1)),
        annotations,
        scene_to_json(scene),
        {PICTURE: picture} | encoded_maps(rendering, annotations, output.write),
    )


def encoded_maps(
    rendering: Rendering, annotations: list[dict[str, Any]], kinds: Collection[str]
) -> dict[str, bytes]:
    """The optional pictures of these kinds as PNG, by the folder they go to.

    In masks the n-th of the annotations is n, from 1.
    """
    camera = rendering.scene.camera
    out = {}
    for kind in kinds:
        if kind == "depth":
            out["depth"] = encode_png(depth_map(rendering))
        elif kind == "masks":
            seen = [mask for mask in person_masks(rendering) if mask.any()]
            numbered = np.zeros((camera.height, camera.width), dtype=np.uint8)
            for place, mask in enumerate(seen):
                numbered[mask > 0] = place + 1
            out["masks"] = encode_png(numbered)
        elif kind == "parts":
            out["parts"] = encode_png(part_map(rendering))
        elif kind == "normals":
            out["normals"] = encode_png(normal_map(rendering)[..., ::-1])
        elif kind == "stick":
            for name, visible_only in (("all", False), ("visible", True)):
                figure = stick_figure(camera.width, camera.height, annotations, visible_only)
                out[f"stick/{name}"] = encode_png(figure)
    return out
