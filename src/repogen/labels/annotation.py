"""From a rendering to its COCO records."""

from dataclasses import asdict
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from pycocotools import mask as rle

from repogen.bodies.skeleton import COCO_KEYPOINTS, COCO_SKELETON
from repogen.cameras.camera import view_of
from repogen.environment.sensor import switched_on
from repogen.errors import unknown_choice
from repogen.labels.convention import labelled_keypoints
from repogen.labels.maps import person_masks
from repogen.labels.points import OCCLUDED, any_bits, flat_points, point_flags
from repogen.labels.wholebody import more_records
from repogen.rendering.renderer import Rendering
from repogen.scenes.scene import Scene

CATEGORY: dict[str, Any] = {
    "id": 1,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(COCO_KEYPOINTS),
    "skeleton": [[a + 1, b + 1] for a, b in COCO_SKELETON],
}
"""COCO's person category."""


def label(
    rendering: Rendering,
    occluded: str = "keep",
    keypoints: str = "coco",
    convention: str = "annotators",
) -> list[dict[str, Any]]:
    """A COCO annotation, without ids, for every person that at least one pixel shows.

    Keypoints are pixels from the image's upper left corner (pixel centres at +0.5), v = 0
    outside the image, 1 occluded, 2 visible; `keypoints_3d` are metres in the camera's frame,
    all 17 of them. Box, area and RLE segmentation are of the visible part; `amodal_bbox` and
    `amodal_segmentation` are the person's without whatever hides it, the box reaching beyond the
    image where the person does (with distortion and fisheyes up to where the image's corners
    see). `view` is where the camera stands, seen from this person.
    `occluded`, `keypoints` and `convention` (`label_convention`) are the options of `OutputConfig`.
    With `keypoints` feet or wholebody COCO-WholeBody's entries follow (`more_records`).
    """
    if occluded not in OCCLUDED:
        raise unknown_choice("--occluded", occluded, OCCLUDED)
    annotations = []
    seen = seen_keypoints(rendering)
    for place, (mask, body) in enumerate(
        zip(person_masks(rendering), rendering.posed, strict=True)
    ):
        whole = _encoded(mask)
        if not rle.area(whole):
            continue
        alone = rendering.alone.get(place)
        points = rendering.scene.camera.to_camera(labelled_keypoints(body, convention))
        flags = point_flags(rendering.scene, points, seen[place], occluded)
        annotations.append(
            {
                "category_id": 1,
                "iscrowd": 0,
                "keypoints": flat_points(rendering.scene, points, flags),
                "num_keypoints": int((flags > 0).sum()),
                "bbox": rle.toBbox(whole).tolist(),
                "area": float(rle.area(whole)),
                "segmentation": _record(whole),
                "amodal_bbox": _corner_and_size(rendering.boxes[place]),
                "amodal_segmentation": _record(_encoded(alone.over(mask)) if alone else whole),
                "keypoints_3d": np.round(points, 6).tolist(),
                "view": _view_record(rendering.scene, place),
            }
            | more_records(rendering, place, keypoints, occluded)
        )
    return annotations


def image_record(scene: Scene, file_name: str) -> dict[str, Any]:
    """COCO's image entry, with the camera, the view of the first person and the effects of the
    camera that are not off (fields of `Sensor`)."""
    camera = scene.camera
    return {
        "id": scene.index + 1,
        "file_name": file_name,
        "width": camera.width,
        "height": camera.height,
        "camera": {
            "model": camera.model,
            "K": camera.matrix.tolist(),
            "distortion": list(camera.distortion),
            "R": [list(row) for row in camera.rotation],
            "t": list(camera.translation),
        }
        | ({} if camera.circle_deg is None else {"circle_deg": camera.circle_deg}),
        "view": {"name": scene.view_name} | _view_record(scene, 0),
        "effects": switched_on(scene.sensor),
    }


def _view_record(scene: Scene, place: int) -> dict[str, float]:
    """The camera's place relative to a person."""
    person = scene.people[place]
    view = view_of(scene.camera, person.position, person.yaw_deg)
    return {name: round(value, 6) for name, value in asdict(view).items()}


def _encoded(mask: UInt8[np.ndarray, "h w"]) -> dict[str, Any]:
    """COCO's run-length encoding."""
    return rle.encode(cv2.transpose(mask).T)


def _record(encoded: dict[str, Any]) -> dict[str, Any]:
    """The encoding as JSON takes it."""
    return {
        "size": [int(v) for v in encoded["size"]],
        "counts": encoded["counts"].decode("ascii"),
    }


def _corner_and_size(box: Float[np.ndarray, "4"]) -> list[float]:
    return [round(float(v), 2) for v in (*box[:2], *(box[2:] - box[:2]))]


def seen_keypoints(rendering: Rendering) -> list[Bool[np.ndarray, " 17"]]:
    """Per person, which keypoints have some of their neighbourhood seen."""
    seen = rendering.gbuffer.seen_faces
    person, bits = rendering.mesh.people[seen], rendering.mesh.keypoints[seen]
    return [
        any_bits(bits[person == place, None], len(COCO_KEYPOINTS))
        for place in range(len(rendering.posed))
    ]
