"""What each sample of an image sees: which triangle, how far, where on it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8, UInt64

from repogen.rendering.kernels.raster import EMPTY, KEY_FAR, KEY_SCALE


def key_depth(keys: UInt64[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Metres along the camera's z axis of samples that see somebody; their keys' upper half."""
    return KEY_SCALE / np.maximum(KEY_FAR - (keys >> np.uint64(32)).astype(np.float64), 1.0)


@dataclass(frozen=True)
class GBuffer:
    """The z-buffer of one image: `samples` squared samples in every pixel of a window.

    Outside the window, whose corner is (left, top) in pixels, nobody is seen. `keys` holds the
    depth above 32 bits of face index, all ones where a sample sees nobody.
    """

    keys: UInt64[np.ndarray, "sh sw"]
    counts: UInt8[np.ndarray, "h w"]
    """How many samples of each pixel of the window see somebody."""
    seen_faces: Int[np.ndarray, " n"]
    """The distinct faces that at least one sample sees, in order."""
    samples: int
    left: int
    top: int
    width: int
    height: int

    @cached_property
    def covered(self) -> Bool[np.ndarray, "sh sw"]:
        """Samples of the window that see somebody."""
        return self.keys != np.uint64(EMPTY)

    @property
    def faces(self) -> Int[np.ndarray, "sh sw"]:
        """Index of the face each sample of the window sees, over all people; -1 for nobody."""
        low = (self.keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
        return np.where(self.covered, low, -1)

    @property
    def depth(self) -> Float[np.ndarray, "sh sw"]:
        """Metres along the camera's z axis of each sample of the window, 0 for nobody."""
        return np.where(self.covered, key_depth(self.keys), 0.0)

    @cached_property
    def nearest(self) -> UInt64[np.ndarray, "h w"]:
        """The key of the nearest sample of each pixel of the window."""
        n = self.samples
        out = self.keys[::n, ::n]
        for row in range(n):
            for column in range(n):
                out = np.minimum(out, self.keys[row::n, column::n])
        return out

    def keys_of(
        self, rows: Int[np.ndarray, " n"], columns: Int[np.ndarray, " n"]
    ) -> UInt64[np.ndarray, "s n"]:
        """The keys of all samples of some pixels of the window."""
        n = self.samples
        return np.stack(
            [self.keys[n * rows + y, n * columns + x] for y in range(n) for x in range(n)]
        )

    def half_covered(self, samples: Bool[np.ndarray, "sh sw"]) -> UInt8[np.ndarray, "h w"]:
        """1 for the pixels of the window where at least half of the samples are set."""
        return half_covered(samples, self.samples)

    def by_pixel(self, samples: np.ndarray) -> np.ndarray:
        """Samples of the window gathered by pixel, (h, w, samples squared)."""
        n = self.samples
        h, w = samples.shape[0] // n, samples.shape[1] // n
        return samples.reshape(h, n, w, n).swapaxes(1, 2).reshape(h, w, n * n)

    def whole(self, window: np.ndarray) -> np.ndarray:
        """A picture of the window put in its place in the whole image, zeros around it."""
        return in_place(window, self.left, self.top, self.width, self.height)


def half_covered(samples: Bool[np.ndarray, "sh sw"], n: int) -> UInt8[np.ndarray, "h w"]:
    """1 for the pixels of which at least half of the n x n samples are set."""
    flags = samples.view(np.uint8)
    rows = sum(flags[row::n] for row in range(1, n)) + flags[::n]
    counts = sum(rows[:, column::n] for column in range(1, n)) + rows[:, ::n]
    return (2 * counts >= n * n).astype(np.uint8)


def in_place(window: np.ndarray, left: int, top: int, width: int, height: int) -> np.ndarray:
    """A window whose corner is (left, top), in an image of zeros."""
    out = np.zeros((height, width, *window.shape[2:]), dtype=window.dtype)
    h, w = window.shape[:2]
    out[top : top + h, left : left + w] = window
    return out
