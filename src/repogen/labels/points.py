"""Keypoints in the image: pixel coordinates and COCO's visibility flag v."""

from typing import Literal, get_args

import numpy as np

from repogen.arrays import Bool, Float, Int, UInt32
from repogen.scenes.scene import Scene

Occluded = Literal["keep", "drop"]
"""How occluded keypoints are labelled: `keep` writes them with v = 1, as COCO does; `drop` writes
(0, 0, 0), as the paper does."""

OCCLUDED: tuple[str, ...] = get_args(Occluded)


def point_flags(
    scene: Scene, points: Float[np.ndarray, "k 3"], seen: Bool[np.ndarray, " k"], occluded: str
) -> Int[np.ndarray, " k"]:
    """COCO's v of camera-frame points: 0 not in the image, 1 occluded, 2 visible.

    `seen` is true for points with some of their neighbourhood visible. With `occluded` = "drop"
    occluded points get 0 too.
    """
    inside = scene.camera.shows(points)
    return np.where(inside & (seen | (occluded == "keep")), 1 + seen, 0)


def flat_points(
    scene: Scene, points: Float[np.ndarray, "k 3"], flags: Int[np.ndarray, " k"]
) -> list[float]:
    """x, y, v of each point in one flat list, as COCO stores them; zeros where v is 0."""
    pixels = scene.camera.to_pixels(np.where(flags[:, None] > 0, points, 1.0))
    pixels = np.where(flags[:, None] > 0, np.round(pixels, 3), 0.0)
    return [
        value
        for (x, y), flag in zip(pixels.tolist(), flags.tolist(), strict=True)
        for value in (x, y, flag)
    ]


def any_bits(words: UInt32[np.ndarray, "n w"], count: int) -> Bool[np.ndarray, " k"]:
    """Whether any row has bit k set, for k below `count`. Bit k is bit k % 32 of word k // 32."""
    union = np.bitwise_or.reduce(words, axis=0, initial=np.uint32(0))
    k = np.arange(count)
    return (union[k // 32] >> (k % 32).astype(np.uint32)) & 1 > 0
