"""The options of a prediction."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from repogen.config import Config
from repogen.errors import UserError, check_between
from repogen.limits import ESTIMATE_SECONDS


@dataclass(frozen=True, init=False)
class PredictConfig(Config):
    """Options of `repogen.predict`."""

    boxes: Path | None = None
    """Boxes of people: a COCO file, or a list of bbox and file_name (and frame, in a video).
    Without boxes and a detector, each image is taken to show one person who fills it."""
    detector: str | None = None
    """Detector of people: a folder of transformers' object detection, its name on the hub, or an
    .onnx of a one-stage pose network."""
    box_score: float = 0.5
    """Smallest score of a box, 0 to 1; others are left out."""
    joint_score: float = 0.3
    """Smallest score of a joint, 0 to 1; others are neither drawn nor labelled."""
    flip: bool = True
    """Average the heatmaps with those of the mirrored crop; takes twice the time."""
    timeout: float = ESTIMATE_SECONDS
    """Most seconds that an .onnx may take for a picture, 0.01 to 86400."""
    write: tuple[Literal["drawn", "people", "cvat", "label-studio"], ...] = ("drawn",)
    """Written beside results.json: drawn (images, MP4), people (a COCO set), cvat, label-studio."""

    def check(self) -> None:
        """Raise `UserError` for scores out of range, and two sources of boxes."""
        check_between("--box-score", self.box_score, 0, 1)
        check_between("--joint-score", self.joint_score, 0, 1)
        check_between("--timeout", self.timeout, 0.01, 86400)
        if self.boxes and self.detector:
            raise UserError("--boxes and --detector both say where people are; give one of them")
