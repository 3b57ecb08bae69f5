"""Images, videos, and estimators whose joints are known."""

import cv2
import numpy as np
import pytest

from repogen.coco.crops import CROP_SIZE
from repogen.models.heatmaps import gaussians


@pytest.fixture(scope="session")
def middle():
    """An estimator with every joint at the centre of every crop; `batches` lists batch sizes."""

    def estimate(crops):
        estimate.batches.append(len(crops))
        joints = np.tile((np.array(CROP_SIZE) - 1) / 2, (len(crops), 17, 1))
        return gaussians(joints).astype(np.float32)

    estimate.batches = []
    return estimate


@pytest.fixture(scope="session")
def star():
    """An estimator with the joints on a circle around every crop's centre, and a weak nose."""

    def estimate(crops):
        angles = 2 * np.pi * np.arange(17) / 17
        around = np.stack([50 * np.cos(angles), 50 * np.sin(angles)], axis=1)
        joints = np.tile((np.array(CROP_SIZE) - 1) / 2 + around, (len(crops), 1, 1))
        maps = gaussians(joints).astype(np.float32)
        maps[:, 0] *= 0.01
        return maps

    return estimate


@pytest.fixture(scope="session")
def picture():
    return _picture


@pytest.fixture(scope="session")
def film():
    return _film


def _picture(path, width=32, height=24, level=90):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((height, width, 3), level, np.uint8))
    return path


def _film(path, levels, rate=12.0, size=(96, 64), grain=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate, size)
    for level in levels:
        picture = np.full((size[1], size[0], 3), level, np.uint8)
        if grain is not None:
            picture = grain.integers(0, 255, picture.shape, dtype=np.uint8)
        writer.write(picture)
    writer.release()
    return path
