"""Person crops: from a bounding box to the network's input, with the joints.

Boxes become crops as in ViTPose's training (mmpose's top-down pipeline) with unbiased data
processing: the box's centre maps to the centre of the crop's pixel grid (Huang et al., CVPR 2020).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from repogen.arrays import Float, UInt8
from repogen.bodies.skeleton import COCO_KEYPOINTS

CROP_SIZE = (192, 256)
"""Width and height of the network's input."""

HEATMAP_SIZE = (48, 64)

PADDING = 1.25
"""Size of a window relative to its box, once the box has the crop's aspect ratio."""

FLIP = np.array(
    [
        COCO_KEYPOINTS.index(
            name.replace("left", "right")
            if name.startswith("left")
            else name.replace("right", "left")
        )
        for name in COCO_KEYPOINTS
    ]
)
"""Index of each joint's counterpart in a mirrored picture."""


@dataclass(frozen=True)
class Window:
    """The rectangle of a picture that a crop shows, in the picture's pixels."""

    center: tuple[float, float]
    size: tuple[float, float]
    rotation_deg: float = 0.0
    """Clockwise."""
    flip: bool = False


def box_to_window(
    box: Float[np.ndarray, "4"],
    padding: float = PADDING,
    crop: tuple[int, int] = CROP_SIZE,
    quarter_turns: int = 0,
) -> Window:
    """The window around a box x, y, w, h, with the aspect ratio of a crop of this width and height
    and turned clockwise."""
    x, y, w, h = (float(v) for v in box)
    center = x + w / 2, y + h / 2
    if quarter_turns % 2:
        w, h = h, w
    aspect = crop[0] / crop[1]
    w, h = max(w, h * aspect), max(h, w / aspect)
    return Window(center, (w * padding, h * padding), 90.0 * quarter_turns)


def window_to_crop(window: Window, crop: tuple[int, int] = CROP_SIZE) -> Float[np.ndarray, "2 3"]:
    """The affine map from the picture's pixels to those of a crop of this width and height."""
    width, height = crop
    angle = np.radians(window.rotation_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    scale = np.diag([(width - 1) / window.size[0], (height - 1) / window.size[1]])
    linear = scale @ turn
    middle = np.array([width - 1, height - 1]) / 2
    matrix = np.hstack([linear, (middle - linear @ window.center)[:, None]])
    if window.flip:
        matrix[0] = [0, 0, width - 1] - matrix[0]
    return matrix


def downsample_factor(window: Window, crop: tuple[int, int] = CROP_SIZE) -> int:
    """The factor by which to downsample the picture before its crop is warped: 1, 2, 4 or 8.

    Downsampling first is faster and avoids aliasing.
    """
    fit = window.size[1] / crop[1]
    return 2 ** int(np.clip(np.log2(fit), 0, 3))


def warp_crop(
    picture: UInt8[np.ndarray, "h w 3"],
    window: Window,
    factor: float = 1.0,
    crop: tuple[int, int] = CROP_SIZE,
) -> UInt8[np.ndarray, "p q 3"]:
    """The crop of a window; black outside the picture.

    `window` is in pixels of the original picture, which is `factor` times larger than `picture`.
    """
    matrix = window_to_crop(window, crop)
    if factor != 1.0:
        # OpenCV's pixel centres are integers, so the first centre of the small picture lies
        # between those of the original.
        shift = (factor - 1) / 2
        matrix = np.hstack([matrix[:, :2] * factor, matrix @ [[shift], [shift], [1.0]]])
    return cv2.warpAffine(picture, matrix, crop, flags=cv2.INTER_LINEAR)


def joints_to_crop(
    keypoints: Float[np.ndarray, "17 c"], window: Window, crop: tuple[int, int] = CROP_SIZE
) -> Float[np.ndarray, "17 c"]:
    """Joints x, y, v in the crop's pixels; left and right are exchanged in a mirrored window.

    Joints that are not labelled or lie outside the crop become zeros; columns after v are kept.
    """
    matrix = window_to_crop(window, crop)
    out = keypoints.copy()
    out[:, :2] = keypoints[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    if window.flip:
        out = out[FLIP]
    inside = (out[:, :2] >= -0.5).all(axis=1) & (out[:, :2] <= np.array(crop) - 0.5).all(axis=1)
    out[~inside | (out[:, 2] == 0)] = 0.0
    return out


def joints_to_picture(
    joints: Float[np.ndarray, "n 17 2"],
    windows: list[Window],
    crop: tuple[int, int] = CROP_SIZE,
) -> Float[np.ndarray, "n 17 2"]:
    """Joints in the picture's pixels from those in crops; windows must not be mirrored."""
    out = np.empty_like(joints)
    for i, window in enumerate(windows):
        matrix = cv2.invertAffineTransform(window_to_crop(window, crop))
        out[i] = joints[i] @ matrix[:, :2].T + matrix[:, 2]
    return out
