"""COCO-WholeBody's fields for feet, face and hands."""

from typing import TYPE_CHECKING, Any

import numpy as np

from repogen.arrays import Bool
from repogen.bodies.wholebody import EXTRA_KEYPOINTS, GROUPS, KEYPOINT_SETS, extra_keypoints
from repogen.errors import UserError, unknown_choice
from repogen.labels.points import any_bits, flat_points, point_flags

if TYPE_CHECKING:
    from repogen.rendering.renderer import RenderResult


def check_keypoints(keypoints: str, body: str) -> None:
    """Raises `UserError` for an unknown keypoint set, or one that the body does not have."""
    if keypoints not in KEYPOINT_SETS:
        raise unknown_choice("--keypoints", keypoints, KEYPOINT_SETS)
    if KEYPOINT_SETS[keypoints] and body != "anny":
        raise UserError(
            f"--keypoints {keypoints} needs the body anny; {body} has only the 17 of coco"
        )


def wholebody_fields(
    result: "RenderResult", person_index: int, keypoints: str, occluded: str = "keep"
) -> dict[str, Any]:
    """The fields of a person's annotation beyond COCO's 17 keypoints; none for the set "coco".

    For each group of the set `keypoints` (`KEYPOINT_SETS`):

    - `<group>_kpts`: x, y, v of each point, as in `keypoints`
    - `<group>_valid`: whether any point is labelled
    - `<group>_3d`: metres in the camera's frame
    - `<group>_box`, but for feet: x, y, width, height around the labelled points, zeros for none

    Raises `UserError` as `check_keypoints`.
    """
    check_keypoints(keypoints, result.scene.people[person_index].body)
    if not KEYPOINT_SETS[keypoints]:
        return {}
    scene = result.scene
    points = scene.camera.to_camera(extra_keypoints(result.people[person_index].body))
    flags = point_flags(scene, points, _visible_points(result, person_index), occluded)
    out: dict[str, Any] = {}
    for group in KEYPOINT_SETS[keypoints]:
        rows = [EXTRA_KEYPOINTS.index(name) for name in GROUPS[group]]
        flat = flat_points(scene, points[rows], flags[rows])
        out[f"{group}_kpts"] = flat
        out[f"{group}_valid"] = bool(flags[rows].any())
        out[f"{group}_3d"] = np.round(points[rows], 6).tolist()
        if group != "foot":
            out[f"{group}_box"] = _box(flat)
    return out


def _visible_points(result: "RenderResult", person_index: int) -> Bool[np.ndarray, " 116"]:
    seen = result.gbuffer.seen_faces
    own = seen[result.mesh.people[seen] == person_index]
    return any_bits(result.mesh.wholebody[own], len(EXTRA_KEYPOINTS))


def _box(flat: list[float]) -> list[float]:
    triples = np.array(flat).reshape(-1, 3)
    labelled = triples[triples[:, 2] > 0, :2]
    if not len(labelled):
        return [0.0, 0.0, 0.0, 0.0]
    low, high = labelled.min(axis=0), labelled.max(axis=0)
    return [round(float(v), 3) for v in (*low, *(high - low))]
