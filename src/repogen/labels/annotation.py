"""From a rendering to its COCO records."""

from dataclasses import asdict
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8
from pycocotools import mask as rle

from repogen.appearance.sensor import switched_on
from repogen.bodies.skeleton import COCO_KEYPOINTS, COCO_SKELETON
from repogen.errors import choose
from repogen.labels.convention import annotators_keypoints
from repogen.labels.maps import person_masks
from repogen.rendering.kernels.raster import NEAR
from repogen.rendering.renderer import Rendering
from repogen.scenes.scene import Scene
from repogen.views.camera import view_of

CATEGORY: dict[str, Any] = {
    "id": 1,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(COCO_KEYPOINTS),
    "skeleton": [[a + 1, b + 1] for a, b in COCO_SKELETON],
}
"""COCO's person category."""

HIDDEN = ("keep", "drop")
"""What becomes of occluded keypoints: `keep` writes them with v = 1, as COCO does; `drop`
writes (0, 0, 0), as the paper does."""


def label(rendering: Rendering, hidden: str = "keep") -> list[dict[str, Any]]:
    """A COCO annotation, without ids, for every person that at least one pixel shows.

    Keypoints are pixels from the image's upper left corner (pixel centres at +0.5), v = 0
    outside the image, 1 occluded, 2 visible; `keypoints_3d` are metres in the camera's frame,
    all 17 of them. Box, area and RLE segmentation are of the visible part; `amodal_bbox` and
    `amodal_segmentation` are the person's without whatever hides it, the box reaching beyond the
    image where the person does. `view` is where the camera stands, seen from this person.
    """
    if hidden not in HIDDEN:
        raise choose("--hidden", hidden, HIDDEN)
    annotations = []
    seen = seen_keypoints(rendering)
    masks = person_masks(rendering)
    for place, (mask, whole, body) in enumerate(
        zip(masks, rendering.alone or masks, rendering.posed, strict=True)
    ):
        if not mask.any():
            continue
        points = rendering.scene.camera.to_camera(annotators_keypoints(body))
        flags = keypoint_flags(rendering.scene, points, seen[place])
        if hidden == "drop":
            flags = np.where(flags == 1, 0, flags)
        annotations.append(
            {
                "category_id": 1,
                "iscrowd": 0,
                "keypoints": _flat_keypoints(rendering.scene, points, flags),
                "num_keypoints": int((flags > 0).sum()),
                "bbox": _box(mask),
                "area": float(mask.sum()),
                "segmentation": _encoded(mask),
                "amodal_bbox": _amodal_box(rendering, place),
                "amodal_segmentation": _encoded(whole),
                "keypoints_3d": np.round(points, 6).tolist(),
                "view": _view_record(rendering.scene, place),
            }
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
        },
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
    encoded = rle.encode(cv2.transpose(mask).T)
    return {
        "size": [int(v) for v in encoded["size"]],
        "counts": encoded["counts"].decode("ascii"),
    }


def _amodal_box(rendering: Rendering, place: int) -> list[float]:
    """The box around all of a person that could be seen, not cut to the image."""
    mesh, camera = rendering.mesh, rendering.scene.camera
    faces = mesh.faces[rendering.shown & (mesh.people == place)]
    used = np.zeros(len(rendering.vertices), dtype=bool)
    used[faces.ravel()] = True
    points = rendering.vertices[used].astype(np.float64)
    pixels = camera.to_pixels(points[camera.in_view(points) & (camera.depth_of(points) > NEAR)])
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    return [round(float(v), 2) for v in (*low, *(high - low))]


def seen_keypoints(rendering: Rendering) -> list[int]:
    """Per person, bit k set where some of keypoint k's neighbourhood is seen."""
    seen = rendering.gbuffer.seen_faces
    person, bits = rendering.mesh.people[seen], rendering.mesh.keypoints[seen]
    return [
        int(np.bitwise_or.reduce(bits[person == place], initial=0))
        for place in range(len(rendering.posed))
    ]


def keypoint_flags(
    scene: Scene, points: Float[np.ndarray, "k 3"], seen: int
) -> Int[np.ndarray, " k"]:
    """COCO's v of camera-frame keypoints: 0 not in the image, 1 occluded, 2 visible."""
    camera = scene.camera
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = camera.to_pixels(points)
    inside = (
        camera.in_view(points)
        & (pixels >= 0).all(axis=1)
        & (pixels < [camera.width, camera.height]).all(axis=1)
    )
    visible = (seen >> np.arange(len(points))) & 1
    return np.where(inside, 1 + visible, 0)


def _flat_keypoints(
    scene: Scene, points: Float[np.ndarray, "k 3"], flags: Int[np.ndarray, " k"]
) -> list[float]:
    pixels = scene.camera.to_pixels(np.where(flags[:, None] > 0, points, 1.0))
    pixels = np.where(flags[:, None] > 0, np.round(pixels, 3), 0.0)
    return [
        value
        for (x, y), flag in zip(pixels.tolist(), flags.tolist(), strict=True)
        for value in (x, y, flag)
    ]


def _box(mask: UInt8[np.ndarray, "h w"]) -> list[float]:
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    left, top = int(columns[0]), int(rows[0])
    return [float(left), float(top), float(columns[-1] + 1 - left), float(rows[-1] + 1 - top)]
