"""What training asks of the network for each joint: the label, a teacher's answer, or the answer
where it is right and the label elsewhere."""

from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors.torch import save

from repogen._version import __version__
from repogen.arrays import Float, UInt8
from repogen.cache import cache_dir, read_cached, write_cached
from repogen.coco.crops import box_to_window
from repogen.coco.images import CropReader, Relabel
from repogen.errors import UserError
from repogen.files import sha256_of_bytes
from repogen.inference.estimate import JointEstimator, as_joint_estimator, estimate_boxes
from repogen.inference.network import load_estimator, torch_estimator
from repogen.models.packaged import packaged
from repogen.models.weights import load_model
from repogen.training.config import LabelConfig

_REMEMBERED = 50_000
"""Persons whose answers a process keeps, about 20 MB."""


def relabel(config: LabelConfig) -> Relabel | None:
    """The function that makes a person's labels those of `--targets`; None for exact ones."""
    return None if config.targets == "exact" else _Teacher(config)


class _Teacher:
    """Answers of the teacher on the upright, unchanged crop of a person, mirrored crops averaged
    in. They depend on the picture alone: equal crops are answered once, and the answers are kept in
    the cache folder for other runs."""

    def __init__(self, config: LabelConfig) -> None:
        self._config = config
        self._answers: dict[str, Float[np.ndarray, "17 2"]] = {}

    def __call__(
        self,
        keypoints: Float[np.ndarray, "17 3"],
        box: Float[np.ndarray, "4"],
        area: float,
        read: CropReader,
    ) -> Float[np.ndarray, "17 4"]:
        answer = self._answer(box, read)
        labelled = keypoints[:, 2] > 0
        distance = np.linalg.norm(answer - keypoints[:, :2], axis=1)
        right = distance <= self._config.tolerance * np.sqrt(area)
        corrected = labelled & ~right & (self._config.targets == "corrected")
        out = np.column_stack([keypoints, corrected])
        taken = labelled & ~corrected
        out[taken, :2] = answer[taken]
        return out

    def _answer(self, box: Float[np.ndarray, "4"], read: CropReader) -> Float[np.ndarray, "17 2"]:
        """x, y in image pixels."""
        teacher, digest = _load_teacher(self._config.teacher)
        window = box_to_window(box, teacher.padding, teacher.crop)
        crop = np.ascontiguousarray(read(window, teacher.crop)[..., ::-1])
        key = sha256_of_bytes(digest.encode() + crop.tobytes() + box.tobytes())
        if key not in self._answers:
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            self._answers[key] = _cached_answer(key, teacher, box, crop)
        return self._answers[key]


def _cached_answer(
    key: str, teacher: JointEstimator, box: Float[np.ndarray, "4"], crop: UInt8[np.ndarray, "h w 3"]
) -> Float[np.ndarray, "17 2"]:
    path = cache_dir() / "answers" / key[:2] / f"{key[2:]}.cache"
    data = read_cached(path)
    if data is None:
        (found,) = estimate_boxes(teacher, [box], lambda *_: crop)
        data = found[0, :, :2].astype(np.float64).tobytes()
        with suppress(UserError):  # a folder that cannot be written costs time only
            write_cached(path, data)
    return np.frombuffer(data).reshape(17, 2)


class _Loaded(NamedTuple):
    estimator: JointEstimator
    digest: str
    """SHA-256 of the weights and of our version."""


@cache
def _load_teacher(weights: Path) -> _Loaded:
    """The teacher on the CPU: crops are prepared there. Packaged weights are run by onnxruntime,
    which is faster than torch for one crop at a time."""
    model, name = load_model(weights)
    digest = sha256_of_bytes(save(model.state_dict(), {"model": name, "repogen": __version__}))
    if packaged(str(weights)):
        estimator = load_estimator(weights, "cpu", threads=1)
    else:
        estimator = torch_estimator(model, "cpu")
    return _Loaded(as_joint_estimator(estimator), digest)


def joint_weights(
    joints: Float[np.ndarray, "17 4"], config: LabelConfig
) -> Float[np.ndarray, "17 4"]:
    """Joints with their weight in the loss in place of v: 0 without a label, by visibility and by
    whether the teacher's answer was corrected with one."""
    weight = np.where(joints[:, 2] == 1, config.occluded_weight, 1.0)
    weight *= np.where(joints[:, 3] > 0, config.corrected_weight, 1.0)
    out = joints.copy()
    out[:, 2] = weight * (joints[:, 2] > 0)
    return out
