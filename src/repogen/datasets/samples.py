"""From a rendering to a sample of a dataset: pictures, COCO entries and the scene."""

from collections.abc import Collection
from typing import Any

import numpy as np

from repogen.datasets.config import OutputConfig
from repogen.datasets.folder import PICTURE, Sample, image_name
from repogen.labels.annotation import annotate, image_record
from repogen.labels.maps import depth_map, normal_map, part_map, person_masks
from repogen.labels.stick import stick_figure
from repogen.pictures import encode_jpeg, encode_png
from repogen.rendering.renderer import RenderResult


def rendering_to_sample(rendering: RenderResult, output: OutputConfig) -> Sample:
    """The sample of a rendering, under these options."""
    scene = rendering.scene
    annotations = annotate(rendering, output.occluded, output.keypoints, output.label_convention)
    picture = encode_jpeg(rendering.image, scene.sensor.jpeg_quality)
    return Sample(
        image_record(scene, image_name(scene.index + 1)),
        annotations,
        scene.to_json(),
        {PICTURE: picture} | encode_maps(rendering, annotations, output.write),
    )


def encode_maps(
    rendering: RenderResult, annotations: list[dict[str, Any]], kinds: Collection[str]
) -> dict[str, bytes]:
    """The optional pictures of these kinds as PNG, by their folder in the dataset.

    In masks, n (from 1) is the n-th annotation and 0 the background.
    """
    camera = rendering.scene.camera
    out = {}
    for kind in kinds:
        if kind == "depth":
            out["depth"] = encode_png(depth_map(rendering))
        elif kind == "masks":
            visible = [mask for mask in person_masks(rendering) if mask.any()]
            numbered = np.zeros((camera.height, camera.width), dtype=np.uint8)
            for number, mask in enumerate(visible, start=1):
                numbered[mask > 0] = number
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
