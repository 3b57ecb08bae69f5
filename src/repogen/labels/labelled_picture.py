"""A scene's picture with its labels, as `repogen.render` returns it."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from repogen.arrays import Bool, Float32, UInt8
from repogen.bodies import Body, load_body
from repogen.config import checked
from repogen.errors import UserError
from repogen.labels.annotation import annotate
from repogen.labels.maps import depth_metres, person_masks
from repogen.labels.stick import draw_skeleton
from repogen.pictures import encode_png
from repogen.rendering.renderer import Renderer, RenderResult
from repogen.scenes.scene import Scene


@dataclass(frozen=True, eq=False, repr=False)
class Rendering:
    """The picture of a scene with its exact labels. Labels are computed when they are first used.

    A notebook shows the picture with its skeletons.
    """

    result: RenderResult
    """The renderer's own result, with the G-buffer and the mesh; its image is BGR."""

    @property
    def scene(self) -> Scene:
        """The scene that was rendered."""
        return self.result.scene

    @cached_property
    def image(self) -> UInt8[np.ndarray, "h w 3"]:
        """The picture, RGB."""
        return np.ascontiguousarray(self.result.image[..., ::-1])

    @cached_property
    def depth(self) -> Float32[np.ndarray, "h w"]:
        """Metres of depth of people and occluders, 0 for the background: z in the camera's frame,
        but for fisheyes the distance from the camera."""
        return depth_metres(self.result)

    @cached_property
    def masks(self) -> Bool[np.ndarray, "n h w"]:
        """The visible pixels of each of `scene.people`, in their order."""
        return np.array(person_masks(self.result), dtype=bool)

    @cached_property
    def annotations(self) -> list[dict[str, Any]]:
        """COCO annotations of the visible people: `label` with its defaults."""
        return label(self)

    def __repr__(self) -> str:
        scene, people = self.scene, len(self.scene.people)
        return (
            f"<Rendering of scene {scene.index} of seed {scene.seed}: {scene.camera.width} x "
            f"{scene.camera.height} pixels, {people} {'person' if people == 1 else 'people'}>"
        )

    def _repr_png_(self) -> bytes:
        picture = self.result.image.copy()
        thickness = max(1, round(max(picture.shape) / 170))
        for annotation in self.annotations:
            draw_skeleton(picture, annotation["keypoints"], thickness)
        return encode_png(picture)


@checked
def render(
    scene: Scene,
    device: str = "cpu",
    body: Body | None = None,
    body_path: Path | str | None = None,
) -> Rendering:
    """Render a scene with the body that its people have.

    `device` is "cpu" or "cuda". SMPL-X, SMPL-H and SMPL need `body_path`, the folder of your own
    files of that model, or `body`, the loaded model. The renderer is kept for the next call.
    Raises `UserError` for a scene without people, and for one of another body.

    >>> config = repogen.SceneConfig(views=("top",), image_size=96)
    >>> rendering = repogen.render(repogen.sample_scene(config, seed=7))
    >>> rendering
    <Rendering of scene 0 of seed 7: 96 x 96 pixels, 1 person>
    >>> rendering.image.shape, rendering.depth.shape, rendering.masks.shape
    ((96, 96, 3), (96, 96), (1, 96, 96))
    """
    if body is None:
        name = scene.people[0].body if scene.people else "anny"
        if name != "anny" and body_path is None:
            raise UserError(
                f"scene {scene.index} needs the body {name}: give body_path, the folder of its "
                "files, or body, the model from load_body"
            )
        body = load_body(name, device, None if body_path is None else Path(body_path))
    return Rendering(_renderer(body, device).render(scene))


@lru_cache(maxsize=2)
def _renderer(body: Body, device: str) -> Renderer:
    return Renderer(body, device)


@checked
def label(
    rendering: Rendering,
    occluded: str = "keep",
    keypoints: str = "coco",
    label_convention: str = "annotators",
) -> list[dict[str, Any]]:
    """COCO annotations, without ids, of the people of whom at least one pixel is visible.

    `occluded`: "keep" labels occluded keypoints with v = 1, "drop" with v = 0. `keypoints`: "coco"
    (17), "feet" (23) or "wholebody" (133, as COCO-WholeBody). `label_convention`: "annotators" puts
    shoulders and hips where COCO's annotators click, "anatomical" at the joints' centres.
    `repogen.labels.annotation.annotate` describes the fields. Raises `UserError` for any other
    value.

    >>> config = repogen.SceneConfig(views=("front",), image_size=96)
    >>> rendering = repogen.render(repogen.sample_scene(config, seed=7))
    >>> (annotation,) = repogen.label(rendering)
    >>> len(annotation["keypoints"]), annotation["num_keypoints"]
    (51, 17)
    """
    return annotate(rendering.result, occluded, keypoints, label_convention)
