"""The picture behind the people."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from repogen.arrays import UInt8
from repogen.assets.sources import path_of
from repogen.cameras.camera import Camera
from repogen.colors import from_hex
from repogen.environment.backgrounds import Photo, Plain, photo_pixels
from repogen.environment.ground import ground_texture
from repogen.environment.panoramas import (
    Panorama,
    panorama_backdrop,
    panorama_irradiance,
    panorama_pixels,
)
from repogen.environment.rooms import Room
from repogen.rendering.ambient import ambient_sh_irradiance
from repogen.rendering.buffers import array, color_tables, launch
from repogen.rendering.kernels import room, shade
from repogen.rendering.kernels.ground import Ground, ground_levels, ground_tile
from repogen.rendering.kernels.lens import Lens
from repogen.rendering.kernels.panorama import draw_panorama
from repogen.rendering.packed_light import pack_light
from repogen.rendering.paints import panorama_to_struct, room_to_struct
from repogen.scenes.scene import Scene
from repogen.warp_setup import wp

_WIDEST = 640
"""Largest width in pixels at which a background is drawn: a panorama has about as many in half a
turn."""

_EDGES = 0.6
"""Standard deviation of the blur that makes the edges between a room's walls, floor and ceiling
smooth, in pixels of the background as it is drawn."""

_MOST_TEXELS = 20 * 2**20
"""Texels of all panoramas that are kept: 80 MiB, 40 of packs or 10 of the largest."""


class Backdrop:
    """Draws backgrounds on a device, and keeps the panoramas drawn last there."""

    def __init__(self, device: str, noise: wp.array) -> None:
        self._device = device
        self._noise = noise
        self._ground_tile = array(ground_tile(), wp.vec2, device)
        self._ground_levels = array(ground_levels(), wp.vec2, device)
        self._panoramas: dict[Path, tuple[wp.array, wp.array, Ground]] = {}

    def draw(
        self, scene: Scene, lighting: shade.Lighting, lens: Lens
    ) -> UInt8[np.ndarray, "h w 3"]:
        """The background through the camera's lens, BGR. Sets `lighting.sh_irradiance`."""
        if isinstance(scene.background, Panorama):
            sh = panorama_irradiance(scene.background)
            lighting.sh_irradiance = array(sh, wp.vec3, self._device)
            return self._pixels(scene, lighting, lens)
        pixels = self._pixels(scene, lighting, lens)
        sh = ambient_sh_irradiance(scene, pixels)
        lighting.sh_irradiance = array(sh, wp.vec3, self._device)
        return pixels

    def _pixels(
        self, scene: Scene, lighting: shade.Lighting, lens: Lens
    ) -> UInt8[np.ndarray, "h w 3"]:
        width, height = scene.camera.width, scene.camera.height
        match scene.background:
            case Photo() as photo:
                return photo_pixels(photo, width, height)
            case Plain(color):
                bgr = np.rint(255 * from_hex(color)[::-1]).astype(np.uint8)
                return np.tile(bgr, (height, width, 1))
            case Room() as background:
                room_struct = room_to_struct(background, scene.camera)
                inputs = (room_struct, lens, lighting, self._noise)
                return self._draw(scene.camera, room.draw_room, *inputs)
            case Panorama() as panorama:
                struct = panorama_to_struct(
                    panorama, scene.camera, *self._panorama(path_of(panorama.file))
                )
                return self._draw(scene.camera, draw_panorama, struct, lens, lighting)

    def _panorama(self, path: Path) -> tuple[wp.array, wp.array, Ground]:
        kept = self._panoramas
        found = kept.pop(path, None)
        if found is None:
            found = self._read(path)
        kept[path] = found
        while len(kept) > 1 and sum(texels.size for texels, _, _ in kept.values()) > _MOST_TEXELS:
            del kept[next(iter(kept))]
        return found

    def _read(self, path: Path) -> tuple[wp.array, wp.array, Ground]:
        backdrop = panorama_backdrop(path)
        pixels = panorama_pixels(path)
        texture = ground_texture(pixels)
        ground = Ground()
        contrast = np.dstack([texture.contrast, texture.roughness])
        ground.contrast = array(contrast, wp.vec4, self._device)
        ground.wavelength = texture.wavelength
        ground.falloff, ground.log_falloff = texture.falloff, float(np.log2(texture.falloff))
        ground.texel = np.pi / min(len(pixels), len(backdrop))
        ground.tile, ground.to_tile = self._ground_tile, self._ground_levels
        packed, factors = pack_light(backdrop)
        return (
            array(packed, wp.uint32, self._device),
            array(factors, wp.float32, self._device),
            ground,
        )

    def _draw(self, camera: Camera, kernel: Any, *inputs: object) -> UInt8[np.ndarray, "h w 3"]:
        """A background, drawn at half size or less and enlarged: it need not be sharp. `inputs` are
        the kernel's first."""
        shrink = max(2, -(-camera.width // _WIDEST))
        columns, rows = -(-camera.width // shrink), -(-camera.height // shrink)
        out = wp.empty((rows, 3 * columns), dtype=wp.uint8, device=self._device)
        _, to_srgb = color_tables(self._device, kernel is draw_panorama)
        launch(
            self._device, kernel, (rows, -(-columns // room.STRIP)),
            *inputs, to_srgb, columns, shrink, out,
        )  # fmt: skip
        small = out.numpy().reshape(rows, columns, 3)
        if kernel is room.draw_room:
            small = cv2.GaussianBlur(small, (3, 3), _EDGES)
        return cv2.resize(small, (camera.width, camera.height), interpolation=cv2.INTER_LINEAR)
