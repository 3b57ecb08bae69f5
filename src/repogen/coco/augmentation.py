"""Random augmentation of training crops: geometry, colour and image quality."""

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from repogen.arrays import Float, UInt8
from repogen.coco.crops import CROP_SIZE, PADDING, Window, box_to_window

_UPPER_BODY = np.arange(17) < 11

_NOISE_DEVIATION = 32
"""Standard deviation of `_noise`; bytes hold four of it."""

_NOISE_MARGIN = 256
"""Rows and columns that `_noise` has beyond those of a crop: 66,000 places to take noise from."""


@dataclass(frozen=True)
class Augmentation:
    """The size of training crops, and the ranges of their random changes.

    The geometry is that of mmpose 0.x: half body, scale, rotation, flip. ViTPose and RePoGen change
    no colours; the recipes of `repogen train` set `rotation`, `jitter` and `degrade`.
    """

    flip: float = 0.5
    half_body: float = 0.3
    """Share of persons with more than 8 labelled joints whose crop shows half of the body."""
    scale: float = 0.5
    """Standard deviation of the relative size of the window, and its largest change."""
    rotation: float = 120.0
    """Standard deviation of the angle in degrees; angles are clipped at twice this."""
    rotated: float = 0.6
    """Share of crops that are rotated."""
    jitter: float = 0.2
    """Relative range of brightness, contrast and colour."""
    degrade: bool = True
    """Whether crops of rendered images get the blur, noise and JPEG artefacts of photographs."""
    crop: tuple[int, int] = CROP_SIZE
    """Width and height of the network's input."""
    padding: float = PADDING
    """Size of a window relative to its box, once the box has the crop's aspect ratio."""


def augment(
    rng: np.random.Generator,
    window: Window,
    keypoints: Float[np.ndarray, "17 3"],
    how: Augmentation,
) -> Window:
    """A random variation of a window: half body, scale, rotation and flip."""
    labelled = keypoints[:, 2] > 0
    if labelled.sum() > 8 and rng.random() < how.half_body:
        window = _half_body(rng, window, keypoints, labelled, how.crop)
    zoom = min(max(1 + how.scale * rng.normal(), 1 - how.scale), 1 + how.scale)
    angle = 0.0
    if rng.random() < how.rotated:
        limit = 2 * how.rotation
        angle = min(max(how.rotation * rng.normal(), -limit), limit)
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
    crop: tuple[int, int],
) -> Window:
    """A window around the labelled joints above or below the waist, if it has three of them.

    The upper half comes first with the probability that a standard normal lies below a half, 69 %:
    mmpose 0.x draws so, and with it ViTPose and RePoGen.
    """
    halves = [labelled & _UPPER_BODY, labelled & ~_UPPER_BODY]
    if rng.normal() >= 0.5:
        halves.reverse()
    for half in halves:
        if half.sum() > 2:
            points = keypoints[half, :2]
            low, high = points.min(axis=0), points.max(axis=0)
            box = np.concatenate([low, np.maximum(high - low, 1.0)])
            around = box_to_window(box, 1.5, crop)
            x, y = points.mean(axis=0)
            return replace(around, center=(float(x), float(y)))
    return window


def color_jitter(
    rng: np.random.Generator, crop: UInt8[np.ndarray, "h w 3"], strength: float
) -> UInt8[np.ndarray, "h w 3"]:
    """The crop with random brightness, contrast and colour, in one pass: gain times its difference
    from 128, plus 128 and lift, rounded."""
    if strength == 0:
        return crop
    gain = (1 + strength * rng.uniform(-1, 1)) * (1 + 0.5 * strength * rng.uniform(-1, 1, 3))
    lift = 255 * 0.5 * strength * rng.uniform(-1, 1)
    return cv2.transform(crop, np.column_stack([np.diag(gain), 128 - 128 * gain + lift]))


def degrade(
    rng: np.random.Generator, crop: UInt8[np.ndarray, "h w 3"]
) -> UInt8[np.ndarray, "h w 3"]:
    """The crop with random loss of resolution, blur, noise and JPEG artefacts.

    Real photographs have these; renderings do not.
    """
    if rng.random() < 0.5:
        crop = _coarsen(crop, rng.uniform(1, 4))
    if rng.random() < 0.4:
        crop = cv2.GaussianBlur(crop, (0, 0), float(rng.uniform(0.3, 1.6)))
    if rng.random() < 0.3:
        crop = _add_noise(rng, crop, rng.uniform(2, 10))
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))]
        _, data = cv2.imencode(".jpg", crop, quality)
        crop = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    return crop


def _coarsen(crop: UInt8[np.ndarray, "h w 3"], ratio: float) -> UInt8[np.ndarray, "h w 3"]:
    """The crop at a `ratio` times lower resolution, from 1 to 4, enlarged again.

    As crops of pictures are made: halved by means where that suffices, then interpolated.
    """
    width, height = crop.shape[1::-1]
    coarse = crop
    if ratio >= 2:
        coarse = cv2.resize(crop, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    size = int(width / ratio), int(height / ratio)
    coarse = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)


def _add_noise(
    rng: np.random.Generator, crop: UInt8[np.ndarray, "h w 3"], strength: float
) -> UInt8[np.ndarray, "h w 3"]:
    """The crop with normal noise of a standard deviation in grey levels, a random part of
    `_noise`."""
    height, width = crop.shape[:2]
    noise = _noise(height + _NOISE_MARGIN, width + _NOISE_MARGIN)
    y, x = rng.integers(_NOISE_MARGIN + 1, size=2).tolist()
    part = noise[y : y + height, x : x + width]
    scale = strength / _NOISE_DEVIATION
    return cv2.addWeighted(crop, 1.0, part, scale, -128 * scale)


@lru_cache(maxsize=4)
def _noise(height: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """Normal noise around 128, always the same."""
    drawn = np.random.default_rng(0).standard_normal((height, width, 3), dtype=np.float32)
    return np.clip(np.rint(128 + _NOISE_DEVIATION * drawn), 0, 255).astype(np.uint8)
