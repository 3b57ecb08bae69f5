"""What each sample of an image sees: which triangle, how far, where on it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8, UInt64

from repogen.rendering.kernels.raster import DEPTH_UNITS, EMPTY


@dataclass(frozen=True)
class GBuffer:
    """The z-buffer of one image: `samples` squared samples in every pixel.

    `keys` is (samples * height, samples * width): depth in 1/2**24 m above 32 bits of face
    index, all ones where a sample sees nobody. Faces count on from person to person.
    """

    keys: UInt64[np.ndarray, "sh sw"]
    samples: int
    faces_per_person: int

    @property
    def covered(self) -> Bool[np.ndarray, "sh sw"]:
        """Samples that see somebody."""
        return self.keys != np.uint64(EMPTY)

    @property
    def faces(self) -> Int[np.ndarray, "sh sw"]:
        """Index of the face seen, over all people; -1 where there is nobody."""
        low = (self.keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
        return np.where(self.covered, low, -1)

    @property
    def depth(self) -> Float[np.ndarray, "sh sw"]:
        """Metres along the camera's z axis, 0 where there is nobody."""
        metres = (self.keys >> np.uint64(32)).astype(np.float64) / DEPTH_UNITS
        return np.where(self.covered, metres, 0.0)

    def seen_faces(self) -> Int[np.ndarray, " n"]:
        """The distinct faces that at least one sample sees."""
        return np.unique(self.keys[self.covered] & np.uint64(0xFFFFFFFF)).astype(np.int64)

    def per_pixel(self, samples: np.ndarray) -> UInt8[np.ndarray, "h w n"]:
        """Samples gathered by pixel: the last axis runs over the samples of one."""
        n = self.samples
        h, w = samples.shape[0] // n, samples.shape[1] // n
        return samples.reshape(h, n, w, n).swapaxes(1, 2).reshape(h, w, n * n)
