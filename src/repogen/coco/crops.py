"""Person crops: from a bounding box to the network's input, with the joints.

Boxes become crops as in ViTPose's training (mmpose's top-down pipeline) with unbiased data
processing: the box's centre maps to the centre of the crop's pixel grid (Huang et al., CVPR 2020).
"""

import math
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

FACTORS = (1, 2, 4, 8)
"""The factors by which pictures are downsampled; JPEG files are decoded at these."""

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
    right, bottom = crop[0] - 1, crop[1] - 1
    angle = math.radians(window.rotation_deg)
    x, y = window.center
    rows = []
    # In plain numbers: on so few, each call of NumPy would cost as much as all of this.
    for side, last, along, across in (
        (window.size[0], right, math.cos(angle), -math.sin(angle)),
        (window.size[1], bottom, math.sin(angle), math.cos(angle)),
    ):
        scale = last / side
        rows.append([scale * along, scale * across, last / 2 - scale * (along * x + across * y)])
    if window.flip:
        rows[0] = [-rows[0][0], -rows[0][1], right - rows[0][2]]
    return np.array(rows)


def downsample_factor(window: Window, crop: tuple[int, int] = CROP_SIZE) -> int:
    """The one of `FACTORS` by which to downsample the picture before its crop is warped.

    Downsampling first is faster and avoids aliasing.
    """
    fit = window.size[1] / crop[1]
    return max((factor for factor in FACTORS if factor <= fit), default=1)


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
    # Of four channels the same pixels in two thirds of the time, with the copy.
    x, y, part = _seen(picture, window, factor)
    matrix[:, 2] += matrix[:, :2] @ (x, y)
    part = cv2.cvtColor(part, cv2.COLOR_BGR2BGRA)
    warped = cv2.warpAffine(part, matrix, crop, flags=cv2.INTER_LINEAR)
    return cv2.cvtColor(warped, cv2.COLOR_BGRA2BGR)


def _seen(
    picture: UInt8[np.ndarray, "h w 3"], window: Window, factor: float
) -> tuple[int, int, UInt8[np.ndarray, "p q 3"]]:
    """The part of a picture that a window shows, with a margin, and where its upper left corner
    is."""
    angle = math.radians(window.rotation_deg)
    cos, sin = abs(math.cos(angle)), abs(math.sin(angle))
    width, height = window.size
    ranges = []
    for center, reach, side in (
        (window.center[0], cos * width + sin * height, picture.shape[1]),
        (window.center[1], sin * width + cos * height, picture.shape[0]),
    ):
        low, high = (center - reach / 2) / factor - 3, (center + reach / 2) / factor + 3
        first = min(max(int(low), 0), side - 1)
        ranges.append((first, max(min(int(high), side), first + 1)))
    (left, right), (top, bottom) = ranges
    return left, top, picture[top:bottom, left:right]


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
    x, y, v = out[:, 0], out[:, 1], out[:, 2]
    inside = (x >= -0.5) & (x <= crop[0] - 0.5) & (y >= -0.5) & (y <= crop[1] - 0.5)
    out[~inside | (v == 0)] = 0.0
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
