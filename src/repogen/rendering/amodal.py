"""Amodal boxes and masks: people as if nothing stood in front of them."""

from dataclasses import dataclass

import numpy as np

from repogen.arrays import Float, UInt8
from repogen.cameras.camera import Camera
from repogen.rendering.buffers import Buffers, array, launch
from repogen.rendering.gbuffer import half_covered
from repogen.rendering.kernels import geometry
from repogen.rendering.kernels.codes import CULL_ALL
from repogen.rendering.kernels.owners import STRIP, find_person
from repogen.rendering.kernels.raster import EMPTY, SAMPLES
from repogen.rendering.kernels.scene_mesh import SceneMesh
from repogen.rendering.kernels.shade import Viewport
from repogen.rendering.zbuffer import empty_keys, rasterize_window, zbuffer_viewport
from repogen.warp_setup import wp


@dataclass(frozen=True)
class AmodalPatch:
    """A window of a person's amodal mask; its upper left pixel is (left, top) in the picture."""

    left: int
    top: int
    mask: UInt8[np.ndarray, "h w"]

    def over(self, mask: UInt8[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
        """A copy of the picture's mask with this window replaced."""
        out, (height, width) = mask.copy(), self.mask.shape
        out[self.top : self.top + height, self.left : self.left + width] = self.mask
        return out


def amodal_boxes(buffers: Buffers, people: int) -> Float[np.ndarray, "n 4"]:
    """Amodal 2D boxes of each person, and one of all occluders as the last row.

    Left, top, right and bottom in pixels of all visible faces, not clipped to the picture; empty
    (left > right) without any. Points that a lens cannot image are on its rim.
    """
    device = buffers.faces.device
    empty = np.tile(np.array([np.inf, np.inf, -np.inf, -np.inf], np.float32), (people + 1, 1))
    boxes = array(empty, wp.float32, device)
    launch(
        device, geometry.extend_boxes, -(-len(buffers.faces) // geometry.BOX_FACES),
        buffers.faces, buffers.face_culling, buffers.face_people, buffers.screen_vertices, boxes,
    )  # fmt: skip
    return boxes.numpy().astype(np.float64)


def overlap_boxes(boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, "n 4"]:
    """For each box, the box around its overlaps with the others, all grown by two pixels; empty
    (left > right) without any."""
    grown = boxes + np.array([-2.0, -2.0, 2.0, 2.0])
    low = np.maximum(grown[:, None, :2], grown[None, :, :2])
    high = np.minimum(grown[:, None, 2:], grown[None, :, 2:])
    meets = (low <= high).all(axis=2, keepdims=True)
    meets[np.arange(len(boxes)), np.arange(len(boxes))] = False
    lows = np.where(meets, low, np.inf).min(axis=1, initial=np.inf)
    highs = np.where(meets, high, -np.inf).max(axis=1, initial=-np.inf)
    return np.concatenate([lows, highs], axis=1)


def amodal_patches(
    camera: Camera,
    buffers: Buffers,
    scene_mesh: SceneMesh,
    boxes: Float[np.ndarray, "n 4"],
    seen_viewport: Viewport,
    seen_keys: wp.array,
) -> dict[int, AmodalPatch]:
    """Amodal masks of people whose box overlaps another, in that part of the picture.

    `boxes` are those of `amodal_boxes`, `seen_keys` the depth-face keys of all that `seen_viewport`
    shows; keys of the result are indices into `Scene.people`.
    """
    out: dict[int, AmodalPatch] = {}
    if (boxes[:, 0] <= boxes[:, 2]).sum() < 2:  # nobody overlaps anything
        return out
    culling, device = buffers.face_culling.numpy(), buffers.faces.device
    for person, overlap in enumerate(overlap_boxes(boxes)[:-1]):
        if overlap[0] > overlap[2]:
            continue
        own = np.where(buffers.mesh.people == person, culling, CULL_ALL)
        viewport = zbuffer_viewport(camera, seen_viewport.lens, overlap)
        keys = empty_keys(viewport, device)
        # What is seen of a person need not be drawn again.
        launch(
            device, find_person, (keys.shape[0], -(-keys.shape[1] // STRIP)),
            seen_keys, buffers.face_people, person,
            SAMPLES * (viewport.left - seen_viewport.left),
            SAMPLES * (viewport.top - seen_viewport.top), keys,
        )  # fmt: skip
        rasterize_window(buffers, scene_mesh, viewport, array(own, wp.uint8, device), keys)
        mask = half_covered(keys.numpy() != np.uint64(EMPTY), SAMPLES)
        out[person] = AmodalPatch(viewport.left, viewport.top, mask)
    return out
