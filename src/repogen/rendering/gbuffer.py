"""What each sample of an image sees: which face, and at what depth."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from repogen.arrays import Bool, Float, Int, UInt8, UInt64
from repogen.rendering.buffers import array, launch
from repogen.rendering.kernels.owners import STRIP, find_owners
from repogen.rendering.kernels.raster import EMPTY, KEY_FACE_BITS, KEY_FAR, KEY_SCALE
from repogen.warp_setup import wp


def key_depth(keys: UInt64[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Depths in metres (`Camera.depth_of`) of depth-face keys; meaningless where a key is EMPTY."""
    nearness = KEY_FAR - (keys >> np.uint64(KEY_FACE_BITS)).astype(np.float64)
    return KEY_SCALE / np.maximum(nearness, 1.0)


@dataclass(frozen=True)
class GBuffer:
    """The z-buffer of one image: `samples` x `samples` samples in every pixel of a window.

    The window's upper left pixel is (left, top); no face is seen outside it. The image has
    `width` x `height` pixels. Faces are those of `RenderResult.mesh`.
    """

    depth_face_keys: UInt64[np.ndarray, "sh sw"]
    """Per sample: the depth above the face index (`kernels.raster`), or EMPTY (all ones)."""
    counts: UInt8[np.ndarray, "h w"]
    """How many samples of each pixel of the window see a face."""
    seen_faces: Int[np.ndarray, " n"]
    """Sorted indices of the faces that at least one sample sees."""
    samples: int
    left: int
    top: int
    width: int
    height: int

    @cached_property
    def covered(self) -> Bool[np.ndarray, "sh sw"]:
        """Samples of the window that see a face."""
        return self.depth_face_keys != np.uint64(EMPTY)

    @property
    def faces(self) -> Int[np.ndarray, "sh sw"]:
        """Index of the face that each sample of the window sees; -1 for none."""
        low = (self.depth_face_keys & np.uint64(2**KEY_FACE_BITS - 1)).astype(np.int64)
        return np.where(self.covered, low, -1)

    @property
    def depth(self) -> Float[np.ndarray, "sh sw"]:
        """Depth in metres (`Camera.depth_of`) of each sample of the window; 0 without a face."""
        return np.where(self.covered, key_depth(self.depth_face_keys), 0.0)

    @cached_property
    def nearest_keys(self) -> UInt64[np.ndarray, "h w"]:
        """The key of the nearest sample of each pixel of the window."""
        n = self.samples
        out = self.depth_face_keys[::n, ::n]
        for row in range(n):
            for column in range(n):
                out = np.minimum(out, self.depth_face_keys[row::n, column::n])
        return out

    def half_covered(self, samples: Bool[np.ndarray, "sh sw"]) -> UInt8[np.ndarray, "h w"]:
        """1 for the pixels of the window where at least half of the samples are set."""
        return half_covered(samples, self.samples)

    def by_pixel(self, samples: np.ndarray) -> np.ndarray:
        """Samples of the window grouped by pixel, (h, w, samples squared)."""
        n = self.samples
        h, w = samples.shape[0] // n, samples.shape[1] // n
        return samples.reshape(h, n, w, n).swapaxes(1, 2).reshape(h, w, n * n)

    def to_image(self, window: np.ndarray) -> np.ndarray:
        """An array over the window's pixels, (h, w, ...), padded with zeros to the image."""
        out = np.zeros((self.height, self.width, *window.shape[2:]), dtype=window.dtype)
        h, w = window.shape[:2]
        out[self.top : self.top + h, self.left : self.left + w] = window
        return out


def half_covered(samples: Bool[np.ndarray, "sh sw"], n: int) -> UInt8[np.ndarray, "h w"]:
    """1 for the pixels of which at least half of the n x n samples are set."""
    flags = samples.view(np.uint8)
    rows = sum(flags[row::n] for row in range(1, n)) + flags[::n]
    counts = sum(rows[:, column::n] for column in range(1, n)) + rows[:, ::n]
    return (2 * counts >= n * n).astype(np.uint8)


def pixel_owners(gbuffer: GBuffer, face_people: Int[np.ndarray, " f"]) -> Int[np.ndarray, "h w"]:
    """The person whom at least half of the samples of each pixel of the window see, -1 for nobody;
    of two such people the nearer one. `face_people` are the mesh's (`Mesh.people`)."""
    height, width = gbuffer.counts.shape
    owners = np.empty((height, width), dtype=np.int16)
    launch(
        "cpu", find_owners, (height, -(-width // STRIP)),
        array(gbuffer.depth_face_keys, wp.uint64, "cpu"), array(gbuffer.counts, wp.uint8, "cpu"),
        array(face_people, wp.int16, "cpu"), array(owners, wp.int16, "cpu"),
    )  # fmt: skip
    return owners
