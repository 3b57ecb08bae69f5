"""The picture behind the people."""

from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from repogen.cameras.camera import Camera
from repogen.colors import from_hex
from repogen.environment.backgrounds import Photo, Plain, Room, photo_pixels
from repogen.environment.panoramas import EnvironmentMap, panorama_backdrop, panorama_light
from repogen.rendering.buffers import array, color_tables, launch
from repogen.rendering.kernels import room, shade
from repogen.rendering.kernels.lens import Lens
from repogen.rendering.kernels.panorama import draw_panorama
from repogen.rendering.paints import environment_map_to_struct, room_to_struct
from repogen.rendering.surroundings import ambient_light
from repogen.scenes.scene import Scene
from repogen.warp_setup import wp

_WIDEST = 640
"""Pixels across that a background is drawn at: a panorama has about as many in a half-turn."""

_MOST_TEXELS = 20 * 2**20
"""Of all panoramas that are kept, 240 MiB: 40 of packs, or 10 of the largest."""


class Backdrop:
    """Draws backgrounds on a device, where it keeps the last panoramas it has drawn."""

    def __init__(self, device: str, noise: wp.array) -> None:
        self._device = device
        self._noise = noise
        self._panoramas: dict[str, wp.array] = {}

    def draw(self, scene: Scene, light: shade.Lighting, lens: Lens) -> UInt8[np.ndarray, "h w 3"]:
        """The background, BGR, through the camera's lens; it gives the lighting its light from
        all around."""
        if isinstance(scene.background, EnvironmentMap):
            around = panorama_light(scene.background)
            light.around = array(around, wp.vec3, self._device)
            return self._pixels(scene, light, lens)
        pixels = self._pixels(scene, light, lens)
        light.around = array(ambient_light(scene, pixels), wp.vec3, self._device)
        return pixels

    def _pixels(
        self, scene: Scene, light: shade.Lighting, lens: Lens
    ) -> UInt8[np.ndarray, "h w 3"]:
        width, height = scene.camera.width, scene.camera.height
        match scene.background:
            case Photo() as photo:
                return photo_pixels(photo, width, height)
            case Plain(color):
                bgr = np.rint(255 * from_hex(color)[::-1]).astype(np.uint8)
                return np.tile(bgr, (height, width, 1))
            case Room() as built_in:
                own = room_to_struct(built_in, scene.camera)
                return self._drawn(scene.camera, light, lens, room.draw_room, own)
            case EnvironmentMap() as panorama:
                pixels = self._panorama(panorama.path)
                struct = environment_map_to_struct(panorama, scene.camera, pixels)
                return self._drawn(scene.camera, light, lens, draw_panorama, struct)

    def _panorama(self, path: str) -> wp.array:
        kept = self._panoramas
        found = kept.pop(path, None)
        if found is None:
            found = array(panorama_backdrop(path), wp.vec3, self._device)
        kept[path] = found
        while len(kept) > 1 and sum(texels.size for texels in kept.values()) > _MOST_TEXELS:
            del kept[next(iter(kept))]
        return found

    def _drawn(
        self, camera: Camera, light: shade.Lighting, lens: Lens, kernel: Any, what: Any
    ) -> UInt8[np.ndarray, "h w 3"]:
        """A background drawn at half size, large ones smaller: it is out of focus, and the eye is
        on the person."""
        shrink = max(2, -(-camera.width // _WIDEST))
        columns, rows = -(-camera.width // shrink), -(-camera.height // shrink)
        out = wp.empty((rows, 3 * columns), dtype=wp.uint8, device=self._device)
        _, to_srgb = color_tables(self._device)
        launch(
            self._device, kernel, (rows, -(-columns // room.STRIP)),
            what, lens, light, self._noise, to_srgb, columns, shrink, out,
        )  # fmt: skip
        small = out.numpy().reshape(rows, columns, 3)
        return cv2.resize(small, (camera.width, camera.height), interpolation=cv2.INTER_LINEAR)
