"""Joints to heatmaps and back, without bias: UDP grids, Gaussians of sigma 2, DARK decoding."""

from typing import TYPE_CHECKING

import cv2
import numpy as np

from repogen.arrays import Float
from repogen.coco.crops import CROP_SIZE, HEATMAP_SIZE

if TYPE_CHECKING:
    from torch import Tensor

SIGMA = 2.0
"""Standard deviation of a joint's Gaussian, in heatmap pixels."""

STRIDE = np.array([(c - 1) / (h - 1) for c, h in zip(CROP_SIZE, HEATMAP_SIZE, strict=True)])
"""Crop pixels per heatmap pixel, x and y; the corner pixels of the two grids coincide (UDP,
Huang et al., CVPR 2020)."""

_BLUR = 11
"""Kernel size of the blur before DARK, as in mmpose's ViTPose configurations; its sigma is 2."""


def joints_to_heatmaps(joints: "Float[Tensor, 'n k 2']") -> "Float[Tensor, 'n k h w']":
    """Heatmaps with a Gaussian of height 1 around each joint; joints are in crop pixels."""
    import torch  # only training needs it

    at = joints / torch.from_numpy(STRIDE).to(joints)
    x, y = (
        torch.exp(-((torch.arange(size).to(at) - at[..., axis, None]) ** 2) / (2 * SIGMA**2))
        for axis, size in enumerate(HEATMAP_SIZE)
    )
    return y[..., :, None] * x[..., None, :]


def gaussians(joints: Float[np.ndarray, "n k 2"]) -> Float[np.ndarray, "n k h w"]:
    """`joints_to_heatmaps` without torch."""
    at = joints / STRIDE
    x, y = (
        np.exp(-((np.arange(size) - at[..., axis, None]) ** 2) / (2 * SIGMA**2))
        for axis, size in enumerate(HEATMAP_SIZE)
    )
    return y[..., :, None] * x[..., None, :]


def heatmaps_to_joints(
    heatmaps: Float[np.ndarray, "n k h w"],
) -> tuple[Float[np.ndarray, "n k 2"], Float[np.ndarray, "n k"]]:
    """Joints in crop pixels, and their scores: the heatmap's maximum. See `heatmaps_to_peaks`."""
    peaks, scores = heatmaps_to_peaks(heatmaps)
    return peaks * STRIDE, scores


def heatmaps_to_peaks(
    heatmaps: Float[np.ndarray, "n k h w"],
) -> tuple[Float[np.ndarray, "n k 2"], Float[np.ndarray, "n k"]]:
    """Peaks x, y in heatmap pixels, and their heights.

    The sub-pixel position comes from the gradient and Hessian of the blurred heatmap's logarithm
    (DARK, Zhang et al., CVPR 2020).
    """
    n, k, height, width = heatmaps.shape
    flat = heatmaps.reshape(n * k, height, width)
    highest = flat.reshape(n * k, -1).argmax(axis=1)
    scores = flat.reshape(n * k, -1)[np.arange(n * k), highest]
    row, column = np.divmod(highest, width)

    # DARK needs only the 3 x 3 pixels of the blurred map around each peak.
    reach = _BLUR // 2 + 1
    padded = np.pad(flat, ((0, 0), (reach, reach), (reach, reach)), mode="reflect")
    patches = _patches(padded, row, column, 2 * reach + 1)
    weights = cv2.getGaussianKernel(_BLUR, 0).ravel()
    blurred = _blur(_blur(patches, weights, 1), weights, 2)
    log = np.log(np.clip(blurred, 1e-3, 50.0))

    dx = (log[:, 1, 2] - log[:, 1, 0]) / 2
    dy = (log[:, 2, 1] - log[:, 0, 1]) / 2
    dxx = log[:, 1, 2] - 2 * log[:, 1, 1] + log[:, 1, 0]
    dyy = log[:, 2, 1] - 2 * log[:, 1, 1] + log[:, 0, 1]
    dxy = (log[:, 2, 2] - log[:, 2, 0] - log[:, 0, 2] + log[:, 0, 0]) / 4
    determinant = dxx * dyy - dxy**2
    curved = (determinant > 1e-9) & (dxx < 0)
    safe = np.where(curved, determinant, 1.0)
    step = np.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], axis=1) / safe[:, None]
    step = np.clip(np.where(curved[:, None], step, 0.0), -1.0, 1.0)
    found = np.stack([column, row], axis=1) + step
    return found.reshape(n, k, 2), scores.reshape(n, k)


def _patches(
    maps: Float[np.ndarray, "m h w"], row: np.ndarray, column: np.ndarray, size: int
) -> Float[np.ndarray, "m s s"]:
    steps = np.arange(size)
    return maps[
        np.arange(len(maps))[:, None, None],
        row[:, None, None] + steps[None, :, None],
        column[:, None, None] + steps[None, None, :],
    ]


def _blur(patches: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
    """A convolution along one axis, without padding."""
    windows = np.lib.stride_tricks.sliding_window_view(patches, len(weights), axis=axis)
    return windows @ weights
