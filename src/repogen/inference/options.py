"""How to predict, and what to write."""

from dataclasses import dataclass
from pathlib import Path

from repogen.errors import UserError, check_between, unknown_choice

WRITABLE = ("drawn", "people", "cvat", "label-studio")
"""What can be written beside results.json."""


@dataclass(frozen=True)
class PredictConfig:
    """Where people are, which joints count, what is written."""

    boxes: Path | None = None
    """People's boxes: a COCO file, or a list of bbox and file_name (and frame of a video). Without
    them and a detector every picture is one person's."""
    detector: str | None = None
    """What finds people: a folder of transformers' object detection, or its name on the hub."""
    box_score: float = 0.5
    """Boxes that score less are left out."""
    joint_score: float = 0.3
    """Joints that score less are neither drawn nor labelled."""
    flip: bool = True
    """Average with the mirrored crop's heatmaps; half as fast."""
    write: tuple[str, ...] = ("drawn",)
    """Beside results.json: drawn (pictures, MP4), people (a COCO set), cvat, label-studio."""

    def __post_init__(self) -> None:
        for kind in self.write:
            if kind not in WRITABLE:
                raise unknown_choice("--write", kind, WRITABLE)
        for flag, score in (("--box-score", self.box_score), ("--joint-score", self.joint_score)):
            check_between(flag, score, 0, 1)
        if self.boxes and self.detector:
            raise UserError("--boxes and --detector both say where people are; give one of them")
