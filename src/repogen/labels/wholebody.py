"""Feet, face and hands of a person, as COCO-WholeBody's annotations have them."""

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool

from repogen.bodies.wholebody import GROUPS, KEYPOINT_SETS, MORE_KEYPOINTS, more_keypoints
from repogen.errors import UserError, unknown_choice
from repogen.labels.points import any_bits, flat_points, point_flags

if TYPE_CHECKING:
    from repogen.rendering.renderer import Rendering


def check_keypoints(keypoints: str, body: str) -> None:
    """Raises `UserError` for an unknown set of keypoints, or one that the body does not have."""
    if keypoints not in KEYPOINT_SETS:
        raise unknown_choice("--keypoints", keypoints, KEYPOINT_SETS)
    if KEYPOINT_SETS[keypoints] and body != "anny":
        raise UserError(
            f"--keypoints {keypoints} needs the body anny; on {body} only coco's 17 are known"
        )


def more_records(
    rendering: "Rendering", place: int, keypoints: str, occluded: str = "keep"
) -> dict[str, Any]:
    """What an annotation has beside COCO's 17 keypoints, for the person at `place`.

    For each group of the set `keypoints` (`KEYPOINT_SETS`), by its name: `<group>_kpts`, x, y, v
    of each point as in `keypoints`; `<group>_valid`, whether any is labelled; `<group>_3d`,
    metres in the camera's frame; and but for feet `<group>_box`, x, y, width and height around
    the labelled points (zeros for none). Nothing for "coco". Raises `UserError` as
    `check_keypoints`.
    """
    check_keypoints(keypoints, rendering.scene.people[place].body)
    if not KEYPOINT_SETS[keypoints]:
        return {}
    scene = rendering.scene
    points = scene.camera.to_camera(more_keypoints(rendering.posed[place]))
    flags = point_flags(scene, points, _seen(rendering, place), occluded)
    out: dict[str, Any] = {}
    for group in KEYPOINT_SETS[keypoints]:
        rows = [MORE_KEYPOINTS.index(name) for name in GROUPS[group]]
        flat = flat_points(scene, points[rows], flags[rows])
        out[f"{group}_kpts"] = flat
        out[f"{group}_valid"] = bool(flags[rows].any())
        out[f"{group}_3d"] = np.round(points[rows], 6).tolist()
        if group != "foot":
            out[f"{group}_box"] = _box(flat)
    return out


def _seen(rendering: "Rendering", place: int) -> Bool[np.ndarray, " 116"]:
    seen = rendering.gbuffer.seen_faces
    own = seen[rendering.mesh.people[seen] == place]
    return any_bits(rendering.mesh.more[own], len(MORE_KEYPOINTS))


def _box(flat: list[float]) -> list[float]:
    triples = np.array(flat).reshape(-1, 3)
    labelled = triples[triples[:, 2] > 0, :2]
    if not len(labelled):
        return [0.0, 0.0, 0.0, 0.0]
    low, high = labelled.min(axis=0), labelled.max(axis=0)
    return [round(float(v), 3) for v in (*low, *(high - low))]
