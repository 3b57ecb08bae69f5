"""Person crops: from an annotated box to the network's input, and joints along with it.

Boxes become crops as in ViTPose's training (mmpose's top-down pipeline) with unbiased data
processing: the box's middle lands on the middle of the crop's pixel grid (Huang et al., CVPR 2020).
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from scipy.special import ndtri

from repogen.bodies.skeleton import COCO_KEYPOINTS

CROP_SIZE = (192, 256)
"""Width and height of the network's input."""

HEATMAP_SIZE = (48, 64)

PADDING = 1.25
"""How much larger than the box, brought to the crop's aspect, a window is."""

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
"""Which joint each becomes in a mirrored picture."""

UPPER_BODY = np.arange(17) < 11

_NORMAL = ndtri((np.arange(256) + 0.5) / 256).astype(np.float32)
"""Quantiles of the normal distribution: quicker to look up than to draw from it."""


@dataclass(frozen=True)
class Window:
    """The part of a picture that a crop shows: pixels, degrees clockwise."""

    center: tuple[float, float]
    size: tuple[float, float]
    rotation_deg: float = 0.0
    flip: bool = False


def window_of(box: Float[np.ndarray, "4"], padding: float = PADDING) -> Window:
    """The window around a box x, y, w, h, at the crop's aspect."""
    x, y, w, h = (float(v) for v in box)
    aspect = CROP_SIZE[0] / CROP_SIZE[1]
    w, h = max(w, h * aspect), max(h, w / aspect)
    return Window((x + float(box[2]) / 2, y + float(box[3]) / 2), (w * padding, h * padding))


def window_to_crop(window: Window) -> Float[np.ndarray, "2 3"]:
    """The affine map from the picture's pixels to the crop's."""
    width, height = CROP_SIZE
    angle = np.radians(window.rotation_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    scale = np.diag([(width - 1) / window.size[0], (height - 1) / window.size[1]])
    linear = scale @ turn
    middle = np.array([width - 1, height - 1]) / 2
    matrix = np.hstack([linear, (middle - linear @ window.center)[:, None]])
    if window.flip:
        matrix[0] = [0, 0, width - 1] - matrix[0]
    return matrix


def shrinkage(window: Window) -> int:
    """How many times smaller the picture should be that a window's crop is cut from, a power of
    two up to 8: it is quicker and spares aliasing."""
    fit = window.size[1] / CROP_SIZE[1]
    return 2 ** int(np.clip(np.log2(fit), 0, 3))


def shrunk(picture: UInt8[np.ndarray, "h w 3"], times: int) -> UInt8[np.ndarray, "a b 3"]:
    """The picture made smaller; its right and lower edges are repeated to fill the last pixels."""
    height, width = (-(-side // times) for side in picture.shape[:2])
    below, right = height * times - picture.shape[0], width * times - picture.shape[1]
    even = cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)


def cut(
    picture: UInt8[np.ndarray, "h w 3"], window: Window, times: float = 1.0
) -> UInt8[np.ndarray, "256 192 3"]:
    """The crop of a window; black beyond the picture.

    `times` says how much smaller than what the window is measured in the picture is.
    """
    matrix = window_to_crop(window)
    if times != 1.0:
        # Pixel centres are whole numbers here: the first of the small picture lies between.
        shift = (times - 1) / 2
        matrix = np.hstack([matrix[:, :2] * times, matrix @ [[shift], [shift], [1.0]]])
    return cv2.warpAffine(picture, matrix, CROP_SIZE, flags=cv2.INTER_LINEAR)


def joints_to_crop(
    keypoints: Float[np.ndarray, "17 3"], window: Window
) -> Float[np.ndarray, "17 3"]:
    """Joints in the crop's pixels, left and right exchanged where it is mirrored; v = 0 for
    joints that are not labelled or lie outside the crop."""
    matrix = window_to_crop(window)
    out = keypoints.copy()
    out[:, :2] = keypoints[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    if window.flip:
        out = out[FLIP]
    inside = (out[:, :2] >= -0.5).all(axis=1) & (out[:, :2] <= np.array(CROP_SIZE) - 0.5).all(
        axis=1
    )
    out[~inside | (out[:, 2] == 0)] = 0.0
    return out


def joints_to_picture(
    joints: Float[np.ndarray, "n 17 2"], windows: list[Window]
) -> Float[np.ndarray, "n 17 2"]:
    """Crop pixels back to the picture's, for windows that are not mirrored."""
    out = np.empty_like(joints)
    for place, window in enumerate(windows):
        matrix = cv2.invertAffineTransform(window_to_crop(window))
        out[place] = joints[place] @ matrix[:, :2].T + matrix[:, 2]
    return out


@dataclass(frozen=True)
class Augmentation:
    """What training does to a window and its pixels; the defaults are ViTPose's but for the
    rotation, which is RePoGen's (docs/method.md#training-and-evaluation)."""

    flip: float = 0.5
    half_body: float = 0.3
    scale: float = 0.5
    rotation: float = 120.0
    """Degrees f: the angle is f N(0, 1), at most 2 f to either side."""
    rotated: float = 0.6
    """Share of crops that are turned at all."""
    jitter: float = 0.2
    """Brightness, contrast and colour vary by this share."""


def augmented(
    rng: np.random.Generator,
    window: Window,
    keypoints: Float[np.ndarray, "17 3"],
    how: Augmentation,
) -> Window:
    """A random variation of a window: half body, scale, rotation, flip."""
    labelled = keypoints[:, 2] > 0
    if labelled.sum() > 8 and rng.random() < how.half_body:
        window = _half_body(rng, window, keypoints, labelled)
    zoom = float(np.clip(1 + how.scale * rng.normal(), 1 - how.scale, 1 + how.scale))
    angle = 0.0
    if rng.random() < how.rotated:
        limit = 2 * how.rotation
        angle = float(np.clip(how.rotation * rng.normal(), -limit, limit))
    return replace(
        window,
        size=(window.size[0] * zoom, window.size[1] * zoom),
        rotation_deg=angle,
        flip=bool(rng.random() < how.flip),
    )


def _half_body(
    rng: np.random.Generator,
    window: Window,
    keypoints: Float[np.ndarray, "17 3"],
    labelled: np.ndarray,
) -> Window:
    """A window around the labelled joints above or below the waist, if there are three."""
    halves = [labelled & UPPER_BODY, labelled & ~UPPER_BODY]
    if rng.random() < 0.5:
        halves.reverse()
    for half in halves:
        if half.sum() > 2:
            points = keypoints[half, :2]
            low, high = points.min(axis=0), points.max(axis=0)
            around = window_of(np.concatenate([low, np.maximum(high - low, 1.0)]), 1.5)
            x, y = points.mean(axis=0)
            return replace(around, center=(float(x), float(y)))
    return window


def jittered(
    rng: np.random.Generator, crop: UInt8[np.ndarray, "h w 3"], strength: float
) -> UInt8[np.ndarray, "h w 3"]:
    """Gain and offset of each channel at random: brightness, contrast and colour in one table."""
    if strength == 0:
        return crop
    gain = (1 + strength * rng.uniform(-1, 1)) * (1 + 0.5 * strength * rng.uniform(-1, 1, 3))
    lift = 255 * 0.5 * strength * rng.uniform(-1, 1)
    table = np.clip((np.arange(256)[:, None] - 128) * gain + 128 + lift, 0, 255)
    return cv2.LUT(crop, table.astype(np.uint8).reshape(256, 1, 3))


def degraded(
    rng: np.random.Generator, crop: UInt8[np.ndarray, "h w 3"]
) -> UInt8[np.ndarray, "h w 3"]:
    """Loss of resolution, blur, noise or JPEG artefacts at random, as real photographs have and
    renderings have not."""
    if rng.random() < 0.5:
        size = (np.array(crop.shape[1::-1]) / rng.uniform(1, 4)).astype(int).tolist()
        coarse = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
        crop = cv2.resize(coarse, crop.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.4:
        crop = cv2.GaussianBlur(crop, (0, 0), float(rng.uniform(0.3, 1.6)))
    if rng.random() < 0.3:
        strength = np.float32(rng.uniform(2, 10))
        drawn = np.frombuffer(rng.bytes(crop.size), np.uint8).reshape(crop.shape)
        crop = cv2.add(crop, cv2.LUT(drawn, strength * _NORMAL), dtype=cv2.CV_8U)
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))]
        _, data = cv2.imencode(".jpg", crop, quality)
        crop = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    return crop
