"""The options of an evaluation."""

from dataclasses import dataclass
from pathlib import Path

from repogen.config import Config
from repogen.errors import UserError, check_between
from repogen.inference.config import check_rotations
from repogen.limits import ESTIMATE_SECONDS

BOOTSTRAP_SAMPLES = 1000


@dataclass(frozen=True, init=False)
class EvaluateConfig(Config):
    """Options of `repogen.evaluate`: weights to score, and sets of labelled people."""

    weights: tuple[str, ...]
    """thunder, lightning, runs, folders, files or Hugging Face names of weights, or NAME=PATH of
    one; the others are compared with the first."""
    data: tuple[str, ...]
    """Sets: NAME=DATASET or NAME=ANNOTATIONS.json:IMAGES_DIR; a set may end in :CAP (at most so
    many persons)."""
    out: Path | None = None
    """JSON file for all numbers; beside it come a .html, a .md and the poses as COCO results."""
    detections: tuple[str, ...] = ()
    """Boxes of a detector instead of the ground truth (COCO results JSON); SET=FILE if there are
    several sets."""
    blend: tuple[float, ...] = ()
    """For each of these alphas, 0 to 1, score 1 - alpha times the weights of --init plus alpha
    times those of --weights."""
    init: Path | None = None
    """Weights at alpha 0 of --blend."""
    flip: bool = True
    """Average the heatmaps with those of the mirrored crop."""
    rotations: int = 1
    """Quarter turns at which each crop is estimated, 1 or 4; the likeliest pose is kept."""
    timeout: float = ESTIMATE_SECONDS
    """Most seconds that an .onnx may take for a picture, 0.01 to 86400."""
    bootstrap_samples: int = BOOTSTRAP_SAMPLES
    """Bootstrap samples of the images for the intervals, 0 (no intervals) to 100000."""

    pictures: int = 3
    """Persons shown of each group on whom the last model is worst, and as many on whom it is best;
    0 to 100."""
    estimate_views: bool = True
    """Group persons of sets without views by views estimated from their labels. Needs torch; the
    first time on a machine it takes two minutes."""

    def check(self) -> None:
        """Raise `UserError` for options that contradict each other, and numbers out of range."""
        if not self.weights or not self.data:
            raise UserError("nothing to evaluate; give --weights RUN … and --data NAME=DATASET …")
        check_rotations(self.rotations)
        check_between("--timeout", self.timeout, 0.01, 86400)
        check_between("--bootstrap-samples", self.bootstrap_samples, 0, 100_000)
        check_between("--pictures", self.pictures, 0, 100)
        if self.out is not None and self.out.is_dir():
            raise UserError(f"--out {self.out} is a folder; give a file that ends in .json")
        if self.out is not None and self.out.suffix != ".json":
            raise UserError(f"--out {self.out} must end in .json")
        if bool(self.blend) != (self.init is not None):
            raise UserError("--blend and --init go together: alphas, and the weights at alpha 0")
        if self.blend and len(self.weights) > 1:
            raise UserError(f"--blend is of one model; --weights names {len(self.weights)}")
        for alpha in self.blend:
            check_between("--blend", alpha, 0, 1)
        if len(set(self.blend)) < len(self.blend):
            raise UserError("--blend names an alpha twice")
