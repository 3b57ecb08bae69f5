"""The options of a training run."""

from dataclasses import dataclass
from pathlib import Path

from repogen.datasets.sets import check_unique_names
from repogen.errors import UserError, check_between


@dataclass(frozen=True)
class TrainConfig:
    """What to train on, and how; the defaults are ViTPose's recipe with RePoGen's rotation."""

    train: tuple[str, ...]
    """Sets: NAME=DATASET, NAME=ANNOTATIONS.json:IMAGES_DIR, NAME=URL of shards, or
    NAME=live:OPTIONS.toml for images made while training; then :CAP persons, :xWEIGHT."""
    out: Path
    """The run's folder; a half-made one of the same options is finished."""
    val: tuple[str, ...] = ()
    """Sets to validate on after every epoch; the first picks the best."""
    model: str = "vitpose-s"
    """vitpose-s, vitpose-b, vitpose-l, vitpose-h or tiny."""
    init: Path | None = None
    """Weights to begin with: a run, a folder, .safetensors or .pth."""
    epochs: int = 20
    """Times through the training sets."""
    batch: int = 128
    """Crops a step, over all devices."""
    lr: float | None = None
    """Learning rate; by default 5e-5 for vitpose, 2e-3 for tiny."""
    weight_decay: float = 0.1
    """AdamW's, on matrices and kernels alone."""
    layer_decay: float = 0.8
    """Each layer of a transformer learns this much slower than the one above."""
    clip: float = 1.0
    """Longest gradient."""
    warmup: int = 300
    """Steps in which the learning rate rises to its full height."""
    milestones: tuple[float, ...] = (0.7, 0.9)
    """Shares of the run after which the learning rate falls to a tenth."""
    ema: float = 0.0
    """Keep an average of the weights with this decay (0.9998, say) and validate that."""
    rotation: float = 120.0
    """Degrees f: crops turn by f N(0, 1), at most 2 f. 40 is usual, the paper says 180."""
    degrade: bool = True
    """Blur, noise and JPEG artefacts on images of ours, which have none of their own."""
    blend: float | None = None
    """Write also blend.safetensors: (1 - ALPHA) of --init and ALPHA of the best weights."""
    seed: int = 0
    """The same seed, options and machine give the same losses."""
    workers: int = -1
    """Processes that prepare crops; -1 = one for each processor but one."""
    shard_cache: Path | None = None
    """A folder for shards at a URL: each is fetched once, not by every process in every epoch."""

    def __post_init__(self) -> None:
        check_unique_names(self.train)
        check_unique_names(self.val)
        for name in ("epochs", "batch"):
            if getattr(self, name) < 1:
                raise UserError(f"--{name} {getattr(self, name)} must be at least 1")
        for name, low, high in (
            ("rotation", 0, 180), ("weight_decay", 0, 1), ("layer_decay", 0.01, 1),
            ("clip", 1e-6, 1e6), ("warmup", 0, 10**7), ("ema", 0, 0.999999),
            ("seed", 0, 2**32),
        ):  # fmt: skip
            check_between(f"--{name.replace('_', '-')}", getattr(self, name), low, high)
        if self.lr is not None and not 0 < self.lr < 1:
            raise UserError(f"--lr {self.lr:g} must lie between 0 and 1")
        if self.blend is not None:
            check_between("--blend", self.blend, 0, 1)
            if self.init is None:
                raise UserError("--blend needs the weights to blend with: give --init")
        if list(self.milestones) != sorted(self.milestones) or not all(
            0 < share < 1 for share in self.milestones
        ):
            raise UserError(
                f"--milestones {' '.join(map(str, self.milestones))} must rise and lie between 0 "
                "and 1: they are shares of the run"
            )

    @property
    def learning_rate(self) -> float:
        """`lr`, or the model's own."""
        return self.lr or (2e-3 if self.model == "tiny" else 5e-5)
