"""What an estimator finds on the live picture, and how near it is to the labels."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from repogen.arrays import Float, UInt8
from repogen.coco.crops import Window, downsample_factor, warp_crop
from repogen.coco.oks import similarity
from repogen.inference.estimate import Estimator, estimate_boxes
from repogen.inference.network import load_estimator
from repogen.labels import Rendering
from repogen.pictures import downsample


class Model:
    """An estimator that is asked for the pose in the box of every labelled person."""

    def __init__(self, weights: Path) -> None:
        """Raises `UserError` as `load_estimator` does."""
        self.name, self._weights = weights.name, weights
        self._estimator: Estimator = load_estimator(weights, threads=1)

    def copy(self) -> "Model":
        """The same model with a network of its own, for another thread."""
        return Model(self._weights)

    def find(self, rendering: Rendering) -> tuple[list[Float[np.ndarray, "17 3"]], list[float]]:
        """`find_in` the picture of a rendering."""
        return self.find_in(rendering.image, rendering.annotations)

    def find_in(
        self, picture: UInt8[np.ndarray, "h w 3"], annotations: Sequence[Mapping[str, Any]]
    ) -> tuple[list[Float[np.ndarray, "17 3"]], list[float]]:
        """The pose found in each labelled person's box of an RGB picture, pixels with centres at
        +0.5, and its OKS with the label: as `repogen evaluate` without mirrored crops. Raises
        `UserError` where the estimator fails."""
        labels = [one for one in annotations if one["bbox"][2] > 1 < one["bbox"][3]]
        if not labels:
            return [], []

        def cut(_: int, window: Window, crop: tuple[int, int]) -> UInt8[np.ndarray, "h w 3"]:
            factor = downsample_factor(window, crop)
            return warp_crop(downsample(picture, factor), window, factor, crop)

        boxes = np.array([one["bbox"] for one in labels])
        found = [*estimate_boxes(self._estimator, boxes, cut, flip=False)]
        poses = np.concatenate(found)
        poses[:, :, :2] += 0.5
        truth = np.array([one["keypoints"] for one in labels]).reshape(-1, 17, 3)
        areas = np.array([one["area"] for one in labels])
        return [*poses], similarity(truth, boxes, areas, poses[:, :, :2]).tolist()
