"""Cameras and joints in space, of labels that have them: datasets of repogen."""

import numpy as np

from repogen.arrays import Float
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.cameras.camera import Camera
from repogen.coco.records import numbers
from repogen.errors import UserError
from repogen.formats.labelled import LabelledImage, LabelledPerson
from repogen.labels.convention import SHIFTED, TRUNK_SHIFT
from repogen.records import decode

_TOP = (-0.083, 1.204)
_SKULL_BASE = (-0.057, -0.237)
"""Points of the head, as shares of the vector from the middle of the ears to the nose, and of the
equally long one upwards. Fitted to people of all ages (tests/formats/test_geometry.py)."""

_NECK = (0.35, 0.05)
"""The second of MakeHuman's three neck bones, from the middle of the shoulders where annotators
click them: as shares of the vectors to the skull's base, and from the middle of the hips."""

(_NOSE, _LEFT_EAR, _RIGHT_EAR, _LEFT_SHOULDER, _RIGHT_SHOULDER, _LEFT_HIP, _RIGHT_HIP) = (
    COCO_KEYPOINTS.index(name)
    for name in ("nose", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_hip",
                 "right_hip")
)  # fmt: skip

HEAD = tuple(range(5))
SHOULDERS, HIPS = (_LEFT_SHOULDER, _RIGHT_SHOULDER), (_LEFT_HIP, _RIGHT_HIP)
"""Indices of COCO's joints that further joints follow from."""


def image_camera(image: LabelledImage) -> Camera:
    """The image's camera. Raises `UserError` where its labels have none."""
    if "camera" not in image.record:
        raise UserError(
            f"the labels of {image.name} have no camera; give the folder of a dataset of repogen"
        )
    where = f"camera of {image.name}"
    try:
        record = image.record["camera"]
        (fx, _, cx), (_, fy, cy), _ = record["K"]
        table = {
            "width": image.width, "height": image.height, "fx": fx, "fy": fy, "cx": cx, "cy": cy,
            "rotation": record["R"], "translation": record["t"], "model": record["model"],
            "distortion": record["distortion"], "circle_deg": record.get("circle_deg"),
        }  # fmt: skip
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{where}: it lacks an entry or cannot be read: {error}") from error
    return decode(table, Camera, where)


def joints_in_space(
    person: LabelledPerson, image: LabelledImage
) -> Float[np.ndarray, "17 3"] | None:
    """A person's 17 joints in the camera's frame, metres, by the labels' convention; None where the
    labels have none. Raises `UserError` for anything else than 17 points."""
    given = person.record.get("keypoints_3d")
    if given is None or "camera" not in image.record:
        return None
    try:
        points = numbers(given, "keypoints_3d")
    except ValueError as error:
        raise UserError(f"{image.name}: {error}") from error
    if len(points) != 3 * len(COCO_KEYPOINTS) or not np.isfinite(points).all():
        raise UserError(f"{image.name}: keypoints_3d should be {len(COCO_KEYPOINTS)} points")
    return points.reshape(-1, 3)


def joint_centres(points: Float[np.ndarray, "17 3"]) -> Float[np.ndarray, "17 3"]:
    """Joints where anatomy has them, from where COCO's annotators click them."""
    out = points.copy()
    out[SHIFTED] -= TRUNK_SHIFT * (middle(points, SHOULDERS) - middle(points, HIPS))
    return out


def middle(points: Float[np.ndarray, "17 d"], pair: tuple[int, int]) -> Float[np.ndarray, " d"]:
    """The point half-way between two joints."""
    return points[list(pair)].mean(axis=0)


def head_top(points: Float[np.ndarray, "17 3"]) -> Float[np.ndarray, "3"]:
    """The top of the skin of a head, about 1 cm exact."""
    return _in_head(points, _TOP)


def skull_base(points: Float[np.ndarray, "17 3"]) -> Float[np.ndarray, "3"]:
    """Where the neck carries the head, about half a centimetre exact."""
    return _in_head(points, _SKULL_BASE)


def neck(points: Float[np.ndarray, "17 3"]) -> Float[np.ndarray, "3"]:
    """The neck's middle, above the line between the shoulders; about 2 cm exact."""
    shoulders, hips = middle(points, SHOULDERS), middle(points, HIPS)
    return shoulders + _NECK[0] * (skull_base(points) - shoulders) + _NECK[1] * (shoulders - hips)


def _in_head(
    points: Float[np.ndarray, "17 3"], shares: tuple[float, float]
) -> Float[np.ndarray, "3"]:
    ears = middle(points, (_LEFT_EAR, _RIGHT_EAR))
    left, front = points[_LEFT_EAR] - points[_RIGHT_EAR], points[_NOSE] - ears
    # In the camera's frame as in the world's, which both are right-handed.
    up = np.cross(front, left) / max(float(np.linalg.norm(left)), 1e-9)
    return ears + shares[0] * front + shares[1] * up
