"""The picture of a scene with its labels drawn on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from repogen.arrays import Float, UInt8
from repogen.labels import Rendering
from repogen.labels.stick import draw_skeleton
from repogen.rendering.renderer import Renderer
from repogen.scenes.sample.scene import SampledScene

_BOX, _AMODAL = (0, 220, 255), (200, 160, 0)
"""BGR of the box of the visible part, and of the whole person."""

_FOUND = (60, 60, 235)
"""BGR of what a model found: red, as on the pages of `repogen probe`."""

_MASKS = ((255, 170, 60), (60, 190, 255), (120, 220, 90), (220, 110, 220))


@dataclass(frozen=True)
class Layers:
    """What is drawn on the picture."""

    skeleton: bool = True
    occluded: bool = True
    """Occluded joints, hollow."""
    boxes: bool = False
    masks: bool = False
    predictions: bool = True


def render_sampled(renderer: Renderer, sampled: SampledScene, side: int | None) -> Rendering:
    """The rendering of a scene; with `side` at most as many pixels wide and high."""
    scene, camera = sampled.scene, sampled.scene.camera
    scale = 1.0 if side is None else side / max(camera.width, camera.height)
    if scale < 1:
        width, height = (max(1, round(scale * one)) for one in (camera.width, camera.height))
        scene = replace(scene, camera=camera.windowed(0, 0, width, height, scale))
    return Rendering(renderer.render(scene, people=sampled.people))


def draw_layers(
    rendering: Rendering,
    layers: Layers,
    found: Sequence[Float[np.ndarray, "17 3"]] = (),
    side: int = 0,
) -> UInt8[np.ndarray, "h w 3"]:
    """The picture, RGB, with the layers. `found` are poses of a model in its pixels. A picture that
    is less than `side` pixels wide and high is enlarged to that first."""
    picture = rendering.result.image.copy()
    scale = max(1.0, side / max(picture.shape))
    if scale > 1:
        method = cv2.INTER_LINEAR
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=method)
    height, width = picture.shape[:2]
    thickness = max(1, round(max(picture.shape) / 200))
    if layers.masks:
        for number, mask in enumerate(rendering.masks):
            whole = (
                cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
                > 0
            )
            color = np.array(_MASKS[number % len(_MASKS)])
            picture[whole] = (0.5 * picture[whole] + 0.5 * color).astype(np.uint8)
    for annotation in rendering.annotations:
        if layers.boxes:
            _rectangle(picture, scale * np.array(annotation["amodal_bbox"]), _AMODAL, thickness)
            _rectangle(picture, scale * np.array(annotation["bbox"]), _BOX, thickness)
        if layers.skeleton:
            points = np.array(annotation["keypoints"]).reshape(-1, 3) * (scale, scale, 1)
            if not layers.occluded:
                points[points[:, 2] == 1] = 0
            draw_skeleton(picture, points.ravel().tolist(), thickness)
    if layers.predictions:
        for pose in found:
            _draw_found(picture, pose * (scale, scale, 1), thickness)
    return np.ascontiguousarray(picture[..., ::-1])


def _draw_found(
    picture: UInt8[np.ndarray, "h w 3"], pose: Float[np.ndarray, "17 3"], thickness: int
) -> None:
    """Draw a pose in one colour, thinner than labels are."""
    drawn = np.zeros_like(picture)
    visible = np.concatenate([pose[:, :2], np.full((17, 1), 2.0)], axis=1)
    draw_skeleton(drawn, visible.ravel().tolist(), max(1, round(0.7 * thickness)))
    picture[drawn.any(axis=2)] = _FOUND


def _rectangle(
    picture: UInt8[np.ndarray, "h w 3"],
    box: Float[np.ndarray, "4"],
    color: tuple[int, int, int],
    thickness: int,
) -> None:
    x, y, width, height = np.clip(box, -(2**15), 2**15)
    corners = (round(x), round(y)), (round(x + width) - 1, round(y + height) - 1)
    cv2.rectangle(picture, *corners, color, max(1, thickness // 2), cv2.LINE_AA)
