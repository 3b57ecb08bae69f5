"""What a dataset keeps of one rendering: pictures and COCO records."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from repogen.datasets.folder import DatasetFolder, encode_jpeg, encode_png
from repogen.labels.annotation import image_record, label
from repogen.labels.maps import depth_map, normal_map, part_map, person_masks
from repogen.labels.stick import stick_figure
from repogen.rendering.renderer import Rendering


@dataclass(frozen=True)
class Output:
    """One image of a dataset."""

    files: dict[Path, bytes]
    """The picture itself and its maps, by where they lie."""
    image: dict[str, Any]
    """COCO's image entry."""
    annotations: list[dict[str, Any]]
    """COCO's annotations, without ids."""


def output_of(
    rendering: Rendering, folder: DatasetFolder, hidden: str, keypoints: str, write: Collection[str]
) -> Output:
    """All that `folder` keeps of a rendering under these options of `GenerateConfig`; nothing is
    written."""
    scene = rendering.scene
    image_id = scene.index + 1
    path = folder.image(image_id)
    annotations = label(rendering, hidden, keypoints)
    files = {path: encode_jpeg(rendering.image, scene.sensor.jpeg_quality)}
    for name, data in encoded_maps(rendering, annotations, write).items():
        files[folder.map(name, image_id)] = data
    return Output(files, image_record(scene, path.name), annotations)


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
