"""Drawings of poses: OpenPose-style stick figures, and COCO skeletons on a picture."""

from typing import Any

import cv2
import numpy as np

from repogen.arrays import UInt8
from repogen.bodies.skeleton import COCO_KEYPOINTS, COCO_SKELETON

_NECK = 17
_LIMBS = (
    (_NECK, 6), (_NECK, 5), (6, 8), (8, 10), (5, 7), (7, 9), (_NECK, 12), (12, 14), (14, 16),
    (_NECK, 11), (11, 13), (13, 15), (_NECK, 0), (0, 2), (2, 4), (0, 1), (1, 3),
)  # fmt: skip
"""OpenPose's 17 limbs over COCO's keypoints and a neck midway between the shoulders."""


def _rainbow(count: int) -> list[tuple[int, int, int]]:
    hues = np.arange(count, dtype=np.float32) * (300 / count)
    hsv = np.stack([hues, np.ones(count), np.ones(count)], axis=1).astype(np.float32)
    bgr = cv2.cvtColor(hsv[None], cv2.COLOR_HSV2BGR)[0]
    return [(int(255 * b), int(255 * g), int(255 * r)) for b, g, r in bgr]


_COLORS = _rainbow(18)


def stick_figure(
    width: int, height: int, annotations: list[dict[str, Any]], visible_only: bool
) -> UInt8[np.ndarray, "h w 3"]:
    """Stick figures of all people on black, BGR, from COCO annotations.

    Joints outside the image are not drawn; with `visible_only` occluded ones are not either.
    """
    picture = np.zeros((height, width, 3), np.uint8)
    for annotation in annotations:
        points = np.array(annotation["keypoints"], dtype=float).reshape(-1, 3)
        shoulders = points[5:7]
        neck = [*shoulders[:, :2].mean(axis=0), shoulders[:, 2].min()]
        points = np.vstack([points, neck])
        drawn = points[:, 2] > (1 if visible_only else 0)
        thickness = max(2, round(0.008 * max(width, height)))
        for (a, b), color in zip(_LIMBS, _COLORS, strict=False):
            if drawn[a] and drawn[b]:
                _line(picture, points[a], points[b], color, thickness)
        for index in np.flatnonzero(drawn):
            _dot(picture, points[index], _COLORS[index], thickness)
    return picture


SIDE_COLORS = {"left": (0, 255, 0), "right": (0, 128, 255), "middle": (255, 153, 51)}
"""BGR of the subject's left (green), right (orange) and middle (blue), as in mmpose and in the
paper's figures."""


def draw_skeleton(
    picture: UInt8[np.ndarray, "h w 3"], keypoints: list[float], thickness: int
) -> None:
    """Draw a COCO skeleton onto a BGR picture, in place.

    Sides have the colours of `SIDE_COLORS`; occluded joints are hollow. Limbs are `thickness`
    pixels wide.
    """
    points = np.array(keypoints, dtype=float).reshape(-1, 3)
    sides = [
        name.split("_")[0] if name.startswith(("left_", "right_")) else "middle"
        for name in COCO_KEYPOINTS
    ]
    for a, b in COCO_SKELETON:
        if points[a, 2] > 0 and points[b, 2] > 0:
            side = sides[a] if sides[a] == sides[b] else "middle"
            _line(picture, points[a], points[b], SIDE_COLORS[side], thickness)
    for point, side in zip(points, sides, strict=True):
        if point[2] > 0:
            radius = 2 * thickness
            _dot(picture, point, SIDE_COLORS[side], radius)
            if point[2] == 1:
                _dot(picture, point, (255, 255, 255), radius - max(1, thickness // 2))


_SUBPIXEL = 4


def _fixed(point: np.ndarray) -> tuple[int, int]:
    # OpenCV's pixel centres are at whole numbers, ours at +0.5.
    x, y = np.clip((point[:2] - 0.5) * 2**_SUBPIXEL, -(2**20), 2**20)
    return round(x), round(y)


def _line(picture: np.ndarray, a: np.ndarray, b: np.ndarray, color: Any, thickness: int) -> None:
    cv2.line(picture, _fixed(a), _fixed(b), color, thickness, cv2.LINE_AA, _SUBPIXEL)


def _dot(picture: np.ndarray, at: np.ndarray, color: Any, radius: int) -> None:
    cv2.circle(picture, _fixed(at), radius << _SUBPIXEL, color, -1, cv2.LINE_AA, _SUBPIXEL)
