"""What to evaluate, on what, and how."""

from dataclasses import dataclass
from pathlib import Path

from repogen.errors import UserError, check_between

DRAWS = 1000


@dataclass(frozen=True)
class EvaluateConfig:
    """Weights to score and sets of labelled people to score them on."""

    weights: tuple[str, ...]
    """Runs, folders or files, or NAME=PATH of one; the others are compared with the first."""
    data: tuple[str, ...]
    """Sets: NAME=DATASET or NAME=ANNOTATIONS.json:IMAGES_DIR, then :CAP persons."""
    out: Path | None = None
    """A JSON file for all numbers; beside it come .html, .md and the poses as COCO results."""
    detections: tuple[str, ...] = ()
    """A detector's boxes instead of the true ones (COCO results JSON), SET=FILE of several sets."""
    blend: tuple[float, ...] = ()
    """Score (1 - ALPHA) of --init and ALPHA of --weights for each of these ALPHAs."""
    init: Path | None = None
    """The weights that a --blend begins with."""
    flip: bool = True
    """Average with the mirrored crop's heatmaps."""
    draws: int = DRAWS
    """Bootstrap draws of the images for the intervals."""

    def __post_init__(self) -> None:
        if not self.weights or not self.data:
            raise UserError("nothing to evaluate; give --weights RUN … and --data NAME=DATASET …")
        check_between("--draws", self.draws, 0, 100_000)
        if self.out is not None and (self.out.suffix != ".json" or self.out.is_dir()):
            raise UserError(f"--out {self.out} must be a file called .json")
        if bool(self.blend) != (self.init is not None):
            raise UserError("--blend and --init go together: alphas, and the weights at alpha 0")
        if self.blend and len(self.weights) > 1:
            raise UserError(f"--blend is of one model; --weights names {len(self.weights)}")
        for alpha in self.blend:
            check_between("--blend", alpha, 0, 1)
        if len(set(self.blend)) < len(self.blend):
            raise UserError("--blend names an alpha twice")
