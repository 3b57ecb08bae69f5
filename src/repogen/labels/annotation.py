"""COCO records of a rendered scene."""

from dataclasses import asdict
from typing import Any

import numpy as np
from pycocotools import mask as rle

from repogen.arrays import Bool, Float
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.cameras.camera import Camera, direction_to_angles, view_of
from repogen.cameras.viewpoints import FIXED_VIEW
from repogen.coco.rle import encode_rle, rle_to_json
from repogen.environment.sensor import active_effects
from repogen.errors import unknown_choice
from repogen.labels.convention import labelled_keypoints
from repogen.labels.maps import person_masks
from repogen.labels.points import OCCLUDED, any_bits, flat_points, point_flags
from repogen.labels.wholebody import wholebody_fields
from repogen.people.person import Person, world_rotation
from repogen.rendering.renderer import RenderResult
from repogen.scenes.scene import Scene


def annotate(
    result: RenderResult,
    occluded: str = "keep",
    keypoints: str = "coco",
    convention: str = "annotators",
) -> list[dict[str, Any]]:
    """A COCO annotation, without ids, of each person with at least one visible pixel.

    - `keypoints`: x, y, v of COCO's 17 keypoints. Pixels from the image's upper left corner, so
      pixel centres are at +0.5; v = 0 outside the image, 1 occluded, 2 visible.
    - `keypoints_3d`: all 17, metres in the camera's frame.
    - `bbox`, `area`, `segmentation` (RLE): of the visible part.
    - `amodal_bbox`, `amodal_segmentation`: of the whole person, as if nothing occluded it. The box
      may reach beyond the image; for a lens other than pinhole it ends where the image's corners
      see.
    - `view`, `subject_view`: see `view_records`.
    - `person`: before mounted cameras, the same number from 1 in all images of a group.

    `occluded` is one of `OCCLUDED`, `convention` one of `CONVENTIONS`, `keypoints` one of
    `KEYPOINT_SETS`; "feet" and "wholebody" add the fields of `wholebody_fields`. Raises `UserError`
    for any other value, and for keypoints that the body does not have.
    """
    if occluded not in OCCLUDED:
        raise unknown_choice("--occluded", occluded, OCCLUDED)
    annotations = []
    is_fixed = result.scene.view_name.startswith(FIXED_VIEW)
    visible = visible_keypoints(result)
    for person_index, (mask, posed) in enumerate(
        zip(person_masks(result), result.people, strict=True)
    ):
        visible_rle = encode_rle(mask)
        if not rle.area(visible_rle):
            continue
        patch = result.amodal_patches.get(person_index)
        amodal_rle = encode_rle(patch.over(mask)) if patch else visible_rle
        points = result.scene.camera.to_camera(labelled_keypoints(posed.body, convention))
        flags = point_flags(result.scene, points, visible[person_index], occluded)
        annotations.append(
            {
                "category_id": 1,
                "iscrowd": 0,
                "keypoints": flat_points(result.scene, points, flags),
                "num_keypoints": int((flags > 0).sum()),
                "bbox": rle.toBbox(visible_rle).tolist(),
                "area": float(rle.area(visible_rle)),
                "segmentation": rle_to_json(visible_rle),
                "amodal_bbox": _box_to_xywh(result.amodal_boxes[person_index]),
                "amodal_segmentation": rle_to_json(amodal_rle),
                "keypoints_3d": np.round(points, 6).tolist(),
            }
            | view_records(result.scene.camera, result.scene.people[person_index])
            | ({"person": person_index + 1} if is_fixed else {})
            | wholebody_fields(result, person_index, keypoints, occluded)
        )
    return annotations


def image_record(scene: Scene, file_name: str) -> dict[str, Any]:
    """COCO's image entry, with the group of images of the same people (from 1), the camera, the
    views of the first person (`view_records`), and the effects of the camera that are on (fields of
    `Sensor`)."""
    camera, records = scene.camera, view_records(scene.camera, scene.people[0])
    return {
        "id": scene.index + 1,
        "file_name": file_name,
        "width": camera.width,
        "height": camera.height,
        "group": scene.group + 1,
        "camera": {
            "model": camera.model,
            "K": camera.matrix.tolist(),
            "distortion": list(camera.distortion),
            "R": [list(row) for row in camera.rotation],
            "t": list(camera.translation),
        }
        | ({} if camera.circle_deg is None else {"circle_deg": camera.circle_deg}),
        "view": {"name": scene.view_name} | records["view"],
        "subject_view": records["subject_view"],
        "effects": active_effects(scene.sensor),
    }


def view_records(camera: Camera, person: Person) -> dict[str, dict[str, float]]:
    """The camera's direction from a person: by the world's vertical and the person's heading, with
    roll and distance (`view`, a `View`), and by the axes of the person's own hips (`subject_view`).
    """
    view = asdict(view_of(camera, person.position, person.yaw_deg))
    towards = (camera.position() - np.array(person.position)) @ world_rotation(person)
    azimuth, elevation = direction_to_angles(towards)
    subject = {"azimuth_deg": azimuth, "elevation_deg": elevation}
    return {
        key: {name: round(value, 6) for name, value in record.items()}
        for key, record in (("view", view), ("subject_view", subject))
    }


def _box_to_xywh(box: Float[np.ndarray, "4"]) -> list[float]:
    return [round(float(v), 2) for v in (*box[:2], *(box[2:] - box[:2]))]


def visible_keypoints(result: RenderResult) -> list[Bool[np.ndarray, " 17"]]:
    """Per person, the keypoints with some of their neighbourhood on the visible skin."""
    seen = result.gbuffer.seen_faces
    person, bits = result.mesh.people[seen], result.mesh.keypoints[seen]
    return [
        any_bits(bits[person == index, None], len(COCO_KEYPOINTS))
        for index in range(len(result.people))
    ]
