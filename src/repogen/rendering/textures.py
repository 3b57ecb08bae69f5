"""Textures on the renderer's device: decoded once, each with its mipmaps."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from repogen.arrays import Float, UInt8, UInt32
from repogen.assets import check_pack_file
from repogen.colors import to_linear, to_srgb
from repogen.picture_checks import read_rgba
from repogen.warp_setup import wp

_LONGEST = 1024
_MOST_TEXELS = 64 * 2**20
"""256 MiB on the device. When there are more, all are dropped. The pack `makehuman` needs a quarter
of it."""

_RESERVED = 16 * 2**20
"""Texels for which there is room from the start: memory that is not written to takes only
addresses, and to enlarge it would need it twice."""

_LINEAR = to_linear(np.arange(256) / 255)
_LINEAR_SINGLE = _LINEAR.astype(np.float32)
_STEPS = 65535
_BYTE_OF_LINEAR = np.rint(255 * to_srgb(np.arange(_STEPS + 1) / _STEPS)).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Texture:
    """A texture's mipmaps on the device.

    The first texel is at index `offset` of `owner.pixels`; `levels` mipmaps follow each other, the
    first of `width` x `height` texels, RGBA in sRGB. It is valid until `owner` drops its textures.
    """

    owner: "Textures"

    offset: int
    width: int
    height: int
    levels: int

    @property
    def pixels(self) -> UInt8[np.ndarray, "h w 4"]:
        """The first mipmap."""
        texels = self.owner.pixels[self.offset : self.offset + self.width * self.height]
        return texels.numpy().view(np.uint8).reshape(self.height, self.width, 4)

    def color(self, uv: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "3"]:
        """Mean linear RGB at these texture coordinates."""
        x = (uv[:, 0] % 1 * self.width).astype(int).clip(0, self.width - 1)
        y = (uv[:, 1] % 1 * self.height).astype(int).clip(0, self.height - 1)
        return _LINEAR[self.pixels[y, x, :3]].mean(axis=0)


class Textures:
    """All textures that a renderer has loaded, in one array on its device."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._known: dict[Path, Texture] = {}
        self._used = 0
        self.pixels = wp.empty(_RESERVED, dtype=wp.uint32, device=device)

    def clear_if_full(self) -> None:
        """Drop all textures if there are too many; to be called between scenes."""
        if self._used > _MOST_TEXELS:
            self._known.clear()
            self._used = 0
            self.pixels = wp.empty(_RESERVED, dtype=wp.uint32, device=self._device)

    def load(self, path: Path) -> Texture:
        """The texture of a picture file (grey, RGB or RGBA, sRGB).

        Raises `UserError` as `read_rgba` does.
        """
        if path not in self._known:
            pixels = _read(path)
            levels = [pixels, *_mipmaps(pixels)]
            flat = np.concatenate([_pack(level) for level in levels])
            self._known[path] = Texture(
                self, self._used, pixels.shape[1], pixels.shape[0], len(levels)
            )
            self._append(flat)
        return self._known[path]

    def _append(self, flat: UInt32[np.ndarray, " n"]) -> None:
        end = self._used + len(flat)
        if end > len(self.pixels):
            larger = wp.empty(max(end, 2 * len(self.pixels)), dtype=wp.uint32, device=self._device)
            if self._used:
                wp.copy(larger, self.pixels, count=self._used)
            self.pixels = larger
        new = wp.array(flat, dtype=wp.uint32, device=self._device, copy=False)
        wp.copy(self.pixels, new, dest_offset=self._used)
        self._used = end


def _read(path: Path) -> UInt8[np.ndarray, "h w 4"]:
    """A picture file as RGBA, resized to sides that are powers of two."""
    check_pack_file(path)
    picture = read_rgba(path)
    height, width = (min(2 ** round(np.log2(side)), _LONGEST) for side in picture.shape[:2])
    if picture.shape[:2] != (height, width):
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return picture


def _mipmaps(pixels: UInt8[np.ndarray, "h w 4"]) -> list[UInt8[np.ndarray, "h w 4"]]:
    """The smaller mipmaps, each half the one before: averaged in linear light and weighted by
    alpha, so that transparent texels do not bleed into opaque ones."""
    *channels, opacity = cv2.split(pixels)
    alpha = opacity.astype(np.float32) / 255
    weight = alpha + 1e-4
    planes = np.stack([*(_LINEAR_SINGLE[one] * weight for one in channels), weight, alpha])
    out = []
    while max(planes.shape[1:]) > 1:
        planes = _halve(planes)
        light = np.minimum(planes[:3] / planes[3], 1)
        srgb = _BYTE_OF_LINEAR[np.rint(_STEPS * light).astype(np.uint16)]
        out.append(cv2.merge([*srgb, np.rint(255 * planes[4]).astype(np.uint8)]))
    return out


def _halve(planes: Float[np.ndarray, "c h w"]) -> Float[np.ndarray, "c h w"]:
    """The mean of 2 x 2 texels, or of two where a side is 1. Much faster than a mean over axes."""
    if planes.shape[1] > 1:
        planes = (planes[:, ::2] + planes[:, 1::2]) * 0.5
    if planes.shape[2] > 1:
        planes = (planes[:, :, ::2] + planes[:, :, 1::2]) * 0.5
    return planes


def _pack(pixels: UInt8[np.ndarray, "h w 4"]) -> UInt32[np.ndarray, " n"]:
    return np.ascontiguousarray(pixels).view(np.uint32).ravel()
