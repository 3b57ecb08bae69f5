"""Layouts of ONNX pose networks: how each wants its picture, and how its outputs become heatmaps.

To add a layout, add a row to `LAYOUTS`. All coordinates of networks are pixels of their input,
with the first pixel's centre at (0, 0).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from repogen.arrays import Float
from repogen.coco.crops import CROP_SIZE, HEATMAP_SIZE, PADDING
from repogen.coco.names import COCO_FIRST
from repogen.models.heatmaps import gaussians, heatmaps_to_peaks

Outputs = dict[str, Float[np.ndarray, "n ..."]]
"""The outputs of a network by name, in its order."""

_IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
"""Mean and deviation of mmpose's `data_preprocessor` (mmpose 1.x, configs/body_2d_keypoint)."""

_BYTES = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
_UNIT = ((0.0, 0.0, 0.0), (255.0, 255.0, 255.0))

_GREY = 114
"""Padding of Ultralytics' LetterBox and of RTMO's test pipeline."""


@dataclass(frozen=True)
class Placement:
    """Where a picture lies in the network's input: at its aspect ratio, in the middle."""

    size: tuple[int, int]
    """Width and height of the input."""
    scale: float
    shift: tuple[float, float]

    @staticmethod
    def of(picture: tuple[int, int], size: tuple[int, int]) -> "Placement":
        """The placement of a picture of a width and height in an input of a width and height."""
        scale = min((s - 1) / max(p - 1, 1) for p, s in zip(picture, size, strict=True))
        x, y = ((s - 1 - (p - 1) * scale) / 2 for p, s in zip(picture, size, strict=True))
        return Placement(size, scale, (x, y))

    def to_picture(self, points: Float[np.ndarray, "... 2"]) -> Float[np.ndarray, "... 2"]:
        """Points of the input in pixels of the picture."""
        return (points - self.shift) / self.scale


@dataclass(frozen=True)
class People:
    """n people that a one-stage network found in one input."""

    corners: Float[np.ndarray, "n 4"]
    """Boxes x1, y1, x2, y2."""
    scores: Float[np.ndarray, " n"]
    joints: Float[np.ndarray, "n 17 3"]
    """x, y and the joint's score."""


@dataclass(frozen=True)
class Layout:
    """One kind of pose network."""

    name: str
    matches: Callable[[dict[str, Sequence[Any]], bool], bool]
    """Whether outputs of these shapes (a number, or a name where it varies) are of this kind; the
    second argument is whether the input's channels come last."""
    read: Callable[[Outputs, Placement, bool], Float[np.ndarray, "n 17 64 48"]]
    """The heatmaps on the crop's grid from the outputs, the crop's placement, and whether the
    network's heatmaps are UDP's."""
    size: tuple[int, int]
    """Width and height of the input where the graph leaves them open."""
    scaling: tuple[tuple[float, ...], tuple[float, ...]] = _BYTES
    """Mean and deviation, red first, for inputs of floats; integer inputs take bytes."""
    padding: int = 0
    bgr: bool = False
    people: Callable[[Outputs, Placement, int], People] | None = None
    """The people that a one-stage network found in input i; such a network is a detector too."""


def _draw(
    joints: Float[np.ndarray, "n 17 2"], scores: Float[np.ndarray, "n 17"], placement: Placement
) -> Float[np.ndarray, "n 17 64 48"]:
    """Heatmaps of joints in the input's pixels, as high as the joints' scores."""
    maps = gaussians(placement.to_picture(joints.astype(np.float64)))
    return (maps * np.clip(scores, 0, 1)[..., None, None]).astype(np.float32)


def _is_heatmaps(shapes: dict[str, Sequence[Any]], _last: bool) -> bool:
    if len(shapes) != 1:
        return False
    (shape,) = shapes.values()
    return len(shape) == 4 and shape[1] in COCO_FIRST and shape[3] != 3


def _read_heatmaps(
    outputs: Outputs, placement: Placement, udp: bool
) -> Float[np.ndarray, "n 17 64 48"]:
    maps = next(iter(outputs.values()))[:, :17].astype(np.float32)
    grid = maps.shape[:1:-1]
    if udp and grid == HEATMAP_SIZE and placement.size == CROP_SIZE:
        return maps
    peaks, scores = heatmaps_to_peaks(maps)
    ends = 1 if udp else 0
    stride = [
        (side - ends) / (cells - ends) for side, cells in zip(placement.size, grid, strict=True)
    ]
    return _draw(peaks * stride, scores, placement)


def _is_simcc(shapes: dict[str, Sequence[Any]], _last: bool) -> bool:
    return len(shapes) == 2 and all(
        len(shape) == 3 and shape[1] in COCO_FIRST and shape[2] not in (2, 3)
        for shape in shapes.values()
    )


def _read_simcc(
    outputs: Outputs, placement: Placement, _udp: bool
) -> Float[np.ndarray, "n 17 64 48"]:
    """Each joint's column and row are the peaks of two lines, finer than pixels; its score is the
    lower peak, as in mmpose's get_simcc_maximum."""
    first, second = outputs
    names = (second, first) if "y" in first else (first, second)
    lines = [outputs[name][:, :17].astype(np.float32) for name in names]
    at = [
        line.argmax(axis=2) * side / line.shape[2]
        for line, side in zip(lines, placement.size, strict=True)
    ]
    scores = np.minimum(*(line.max(axis=2) for line in lines))
    return _draw(np.stack(at, axis=2), scores, placement)


def _is_movenet(shapes: dict[str, Sequence[Any]], _last: bool) -> bool:
    return len(shapes) == 1 and [*next(iter(shapes.values()))][1:] == [1, 17, 3]


def _read_movenet(
    outputs: Outputs, placement: Placement, _udp: bool
) -> Float[np.ndarray, "n 17 64 48"]:
    """y, x and score of each joint, as shares of the input."""
    found = next(iter(outputs.values()))[:, 0]
    return _draw(found[..., 1::-1] * placement.size, found[..., 2], placement)


def _read_people(find: Callable[[Outputs, Placement, int], People]) -> Callable[..., np.ndarray]:
    """Reads the heatmaps of a one-stage network: of the people in a crop, the one that the crop
    was cut for, by its score and the overlap with the middle of the crop."""

    def read(outputs: Outputs, placement: Placement, _udp: bool) -> Float[np.ndarray, "n 17 64 48"]:
        middle = np.array(CROP_SIZE) / 2 * placement.scale + placement.shift
        half = np.array(CROP_SIZE) / 2 / PADDING * placement.scale
        wanted = np.concatenate([middle - half, middle + half])
        out = []
        for i in range(len(next(iter(outputs.values())))):
            people = find(outputs, placement, i)
            best = np.zeros((17, 3))
            if len(people.scores):
                merit = people.scores * (_overlaps(people.corners, wanted) + 1e-3)
                best = people.joints[merit.argmax()]
            out.append(best)
        joints = np.stack(out)
        return _draw(joints[..., :2], joints[..., 2], placement)

    return read


def _overlaps(corners: Float[np.ndarray, "n 4"], box: Float[np.ndarray, "4"]) -> np.ndarray:
    """Intersection over union of boxes with one box."""
    low, high = np.maximum(corners[:, :2], box[:2]), np.minimum(corners[:, 2:], box[2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = np.clip(corners[:, 2:] - corners[:, :2], 0, None).prod(axis=1)
    return shared / np.maximum(areas + (box[2:] - box[:2]).prod() - shared, 1e-9)


def _is_ultralytics(shapes: dict[str, Sequence[Any]], last: bool) -> bool:
    if len(shapes) != 1 or last:
        return False
    (shape,) = shapes.values()
    return len(shape) == 3 and (shape[1] == 56 or shape[2] == 57)


def _ultralytics_people(outputs: Outputs, _placement: Placement, i: int) -> People:
    """Columns of x, y (middle), w, h, score, 17 x (x, y, score); or, with NMS in the graph, rows of
    two corners, score, class, 17 x (x, y, score)."""
    found = next(iter(outputs.values()))[i].astype(np.float64)
    if found.shape[1] == 57:
        found = found[found[:, 4] > 0]
        return People(found[:, :4], found[:, 4], found[:, 6:].reshape(-1, 17, 3))
    found = found.T
    middle, half = found[:, :2], found[:, 2:4] / 2
    corners = np.hstack([middle - half, middle + half])
    return People(corners, found[:, 4], found[:, 5:].reshape(-1, 17, 3))


def _is_rtmo(shapes: dict[str, Sequence[Any]], last: bool) -> bool:
    return (
        not last and set(shapes) == {"dets", "keypoints"} and [*shapes["keypoints"]][2:] == [17, 3]
    )


def _rtmo_people(outputs: Outputs, _placement: Placement, i: int) -> People:
    found = outputs["dets"][i].astype(np.float64)
    return People(found[:, :4], found[:, 4], outputs["keypoints"][i].astype(np.float64))


def _is_multipose(shapes: dict[str, Sequence[Any]], last: bool) -> bool:
    return last and len(shapes) == 1 and [*next(iter(shapes.values()))][1:] == [6, 56]


def _multipose_people(outputs: Outputs, placement: Placement, i: int) -> People:
    """17 x (y, x, score), then the box y1, x1, y2, x2 and its score, as shares of the input."""
    found = next(iter(outputs.values()))[i].astype(np.float64)
    joints = found[:, :51].reshape(-1, 17, 3)[..., [1, 0, 2]] * (*placement.size, 1)
    corners = found[:, [52, 51, 54, 53]] * (placement.size * 2)
    return People(corners, found[:, 55], joints)


LAYOUTS = (
    Layout(
        "heatmaps (n, 17, h, w) as of mmdeploy and repogen weights export",
        _is_heatmaps, _read_heatmaps, CROP_SIZE, _IMAGENET,
    ),
    Layout(
        "SimCC as of mmdeploy and rtmlib (simcc_x, simcc_y)",
        _is_simcc, _read_simcc, CROP_SIZE, _IMAGENET,
    ),
    Layout(
        "Ultralytics pose (n, 56, m) or (n, m, 57)",
        _is_ultralytics, _read_people(_ultralytics_people), (640, 640), _UNIT, _GREY,
        people=_ultralytics_people,
    ),
    Layout(
        "RTMO (dets, keypoints)",
        _is_rtmo, _read_people(_rtmo_people), (640, 640), _BYTES, _GREY, bgr=True,
        people=_rtmo_people,
    ),
    Layout("MoveNet (n, 1, 17, 3)", _is_movenet, _read_movenet, (192, 192)),
    Layout(
        "MoveNet multipose (n, 6, 56)",
        _is_multipose, _read_people(_multipose_people), (256, 256), people=_multipose_people,
    ),
)  # fmt: skip
"""Sources: mmdeploy's docs for mmpose and rtmlib's RTMPose and RTMO; Ultralytics' docs of export
and of LetterBox (floats from 0 to 1); Google's model cards of MoveNet (bytes, also as floats; a
square picture, padded)."""
