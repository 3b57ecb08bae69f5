"""The packaged detector of people: MoveNet multipose at several scales and quarter turns."""

import cv2
import numpy as np

from repogen.arrays import Float, UInt8
from repogen.coco.oks import oks_nms
from repogen.inference.boxes import PersonDetector, ScoredBoxes
from repogen.inference.frames import Frame
from repogen.inference.movenet import Network
from repogen.models.movenet_decoding import decode_people

SIDES = (256, 512)
"""Longer side of the image, in pixels, at each scale: large people, then small ones."""

_PEOPLE = 30
"""People found at each scale and turn."""

_SAME = 0.5
"""OKS above which two detections show the same person."""

_SAME_BOX = 0.7
"""Overlap of boxes above which two detections show the same person."""

_MULTIPLE = 32
"""Sides of the network's input are multiples of it."""


def multipose_detector(network: Network, min_score: float) -> PersonDetector:
    """A detector of persons that score at least `min_score`.

    The image is searched at each of `SIDES` and at four quarter turns; of detections with similar
    joints or boxes only the best is kept.
    """

    def detect(frame: Frame) -> ScoredBoxes:
        image = frame.image[..., ::-1]
        longer = max(image.shape[:2])
        rows, joints = [np.empty((0, 5))], [np.empty((0, 17, 2))]
        for side in SIDES:
            if side != SIDES[0] and longer < side / 2:
                continue  # enlarged that much, it shows nothing new
            scale = side / longer
            size = [max(1, round(length * scale)) for length in image.shape[1::-1]]
            way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            small = cv2.resize(image, size, interpolation=way)
            for turns in range(4):
                heads = network(_padded(small, turns))
                corners, scores, found = decode_people(heads, _PEOPLE, min_score)
                kept = scores >= min_score
                ends = corners[kept].reshape(-1, 2, 2)
                points = np.concatenate([ends, found[kept, :, :2]], axis=1)
                points = _turned_back(points, turns, small.shape[:2])
                points *= np.divide(image.shape[1::-1], size)
                low, high = points[:, :2].min(axis=1), points[:, :2].max(axis=1)
                rows.append(np.column_stack([low, high - low, scores[kept]]))
                joints.append(points[:, 2:])
        boxes, places = np.concatenate(rows), np.concatenate(joints)
        boxes = boxes[oks_nms(places, boxes[:, 4], boxes[:, 2:4].prod(axis=1), _SAME)]
        # Joints of a person who is not upright may differ from turn to turn.
        apart = cv2.dnn.NMSBoxes(boxes[:, :4].tolist(), boxes[:, 4].tolist(), 0.0, _SAME_BOX)
        return boxes[np.array(apart, dtype=int)]

    return detect


def _padded(image: UInt8[np.ndarray, "h w 3"], turns: int) -> UInt8[np.ndarray, "1 p q 3"]:
    """An image after counterclockwise quarter turns, black on the right and below."""
    turned = np.rot90(image, turns)
    missing = [-length % _MULTIPLE for length in turned.shape[:2]]
    return np.pad(turned, [(0, missing[0]), (0, missing[1]), (0, 0)])[None]


def _turned_back(
    points: Float[np.ndarray, "n k 2"], turns: int, shape: tuple[int, ...]
) -> Float[np.ndarray, "n k 2"]:
    """Points x, y of an image of this height and width from those after counterclockwise quarter
    turns; (0, 0) is the corner."""
    height, width = shape
    x, y = points[..., 0], points[..., 1]
    return np.stack(
        [(x, y), (width - y, x), (width - x, height - y), (y, height - x)][turns], axis=-1
    )
