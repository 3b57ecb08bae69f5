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
    They replace the detector."""
    detector: str | None = None
    """Detector of people: multipose (the default), none (each image shows one person, who fills
    it), a folder of transformers' object detection, its name on the hub, or an .onnx of a one-stage
    pose network."""
    box_score: float | None = None
    """Smallest score of a box, 0 to 1; others are left out. By default 0.5, and 0.15 of multipose,
    whose scores are lower."""
    joint_score: float = 0.3
    """Smallest score of a joint, 0 to 1; others are neither drawn nor labelled."""
    flip: bool = True
    """Average the heatmaps with those of the mirrored crop; takes twice the time."""
    rotations: int = 1
    """Quarter turns at which each crop is estimated, 1 or 4; the likeliest pose is kept. 4 takes
    four times as long, and helps with people who are not upright."""
    agreement: float | None = None
    """Label only what the network is sure of: joints that mirroring a crop and turning it by 20
    degrees move by at most this share of its side, 0 to 1 (0.06, for example), of people with 9
    such joints below the head and all of the trunk. The others score 0. people.json then holds
    pseudo-labels to train on. Takes three times as long."""
    frame_step: int = 1
    """Take one of so many frames of a video."""
    timeout: float = ESTIMATE_SECONDS
    """Most seconds that an .onnx may take for a picture, 0.01 to 86400."""
    write: tuple[Literal["drawn", "people", "images", "cvat", "label-studio"], ...] = ("drawn",)
    """Written beside results.json: drawn (images, MP4), people (a COCO set), images (of that set:
    frames of videos too), cvat, label-studio."""

    def check(self) -> None:
        """Raise `UserError` for scores out of range, and two sources of boxes."""
        if self.box_score is not None:
            check_between("--box-score", self.box_score, 0, 1)
        check_between("--joint-score", self.joint_score, 0, 1)
        check_rotations(self.rotations)
        if self.agreement is not None:
            check_between("--agreement", self.agreement, 0, 1)
            if self.joint_score == 0:
                raise UserError("--agreement scores what it refuses 0: give --joint-score above 0")
        check_between("--frame-step", self.frame_step, 1, 10**6)
        check_between("--timeout", self.timeout, 0.01, 86400)
        if self.boxes and self.detector:
            raise UserError("--boxes and --detector both say where people are; give one of them")


def check_rotations(rotations: int) -> None:
    """Raise `UserError` for a number of quarter turns that is neither 1 nor 4."""
    if rotations not in (1, 4):
        raise UserError(f"--rotations {rotations} must be 1 or 4")
