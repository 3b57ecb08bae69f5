"""The options of a training run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from repogen.config import Config
from repogen.datasets.sets import check_unique_names, parse_set, split_numbers
from repogen.errors import UserError, check_between, plain_number

_LEARNING_RATES = {"vitpose": 5e-5, "movenet": 7e-4, "tiny": 2e-3}
"""By the family of the model."""


@dataclass(frozen=True, init=False)
class DataConfig(Config):
    """Sets of people to train on and to validate on."""

    train: tuple[str, ...] = ()
    """Training sets: NAME=DATASET, NAME=ANNOTATIONS.json:IMAGES_DIR, NAME=URL of shards, or
    NAME=live:OPTIONS.toml:SAMPLER.toml (images made during training; one of the two files is
    enough). A set may end in :CAP (at most so many persons) and :xWEIGHT (how often each comes in
    an epoch)."""
    unlabeled: tuple[str, ...] = ()
    """Folders of photographs and videos without labels; each may end in :CAP and :xWEIGHT, too. The
    people found there are labelled by --teacher where it agrees with itself; OUT/unlabeled shows
    them."""
    frame_step: int = 25
    """Take one of so many frames of a video of --unlabeled."""
    val: tuple[str, ...] = ()
    """Validation sets, scored after every epoch; the first one selects the best weights."""
    shard_cache: Path | None = None
    """Folder for shards at a URL: each is fetched once, instead of by every process in every
    epoch."""
    picture_cache: float = 4.0
    """Gigabytes of disk, 0 to 1000, for decoded pictures, which are then not decoded again in every
    epoch (a picture of 512 x 512 pixels takes 0.8 MB): of sets that are files, in the cache folder,
    at most half of what is free there, and given back at the end. Crops are the same without."""
    workers: int = -1
    """Processes that prepare crops, for each process that trains; -1 is its share, but one, of the
    processors that may be used, or of as many as the free memory suffices for at 600 MB each."""

    def check(self) -> None:
        """Raise `UserError` for two sets of one name, and numbers out of range."""
        check_unique_names(self.train)
        check_unique_names(self.val)
        check_between("--frame-step", self.frame_step, 1, 10**6)
        check_between("--picture-cache", self.picture_cache, 0, 1000)


@dataclass(frozen=True, init=False)
class NetworkConfig(Config):
    """The network, and the weights it starts from."""

    model: Literal[
        "vitpose-s", "vitpose-b", "vitpose-l", "vitpose-h",
        "vitpose-s-simple", "vitpose-b-simple", "vitpose-l-simple", "vitpose-h-simple",
        "movenet-lightning", "movenet-thunder", "tiny",
    ] = "vitpose-s"  # fmt: skip
    """Network to train: a ViTPose, one of the packaged MoveNets, or a tiny one for tests."""
    init: Path | None = None
    """Weights to start from: a run, a folder, .safetensors, .pth or a Hugging Face name; without,
    MoveNet starts from the packaged ones and others at random."""
    freeze: int = 0
    """First layers that keep their weights, and the embeddings or stem before them: transformer
    layers of a ViTPose, blocks of MoveNet (17); 0 trains all."""
    ema: float = 0.0
    """Decay per step of a moving average of the weights (0.9998, for example), which is then
    validated and saved; 0 keeps no average."""
    blend: float | None = None
    """Also write blend.safetensors: 1 - BLEND times the weights of --init plus BLEND times the best
    ones, 0 to 1."""
    drop_path: float | None = None
    """Share of the samples, 0 to 0.9, for which training skips a branch of the last transformer
    layer (stochastic depth), falling to 0 at the first; by default the model's own: 0.1, 0.3, 0.5,
    0.55 for vitpose-s, -b, -l, -h."""

    def check(self) -> None:
        """Raise `UserError` for numbers out of range, and a blend without weights to blend with."""
        check_between("--ema", self.ema, 0, 0.999999)
        check_between("--freeze", self.freeze, 0, 1000)
        if self.drop_path is not None:
            check_between("--drop-path", self.drop_path, 0, 0.9)
            if not self.model.startswith("vitpose"):
                raise UserError(
                    f"--drop-path {self.drop_path:g} is for the layers of a ViTPose; {self.model} "
                    "has none"
                )
        if self.blend is not None:
            check_between("--blend", self.blend, 0, 1)
            if self.initial is None:
                raise UserError("--blend needs the weights to blend with: give --init")

    @property
    def initial(self) -> Path | None:
        """`init`, or the packaged weights of a MoveNet; None for random weights."""
        if self.init is None and self.model.startswith("movenet-"):
            return Path(self.model.removeprefix("movenet-"))
        return self.init


@dataclass(frozen=True, init=False)
class OptimizerConfig(Config):
    """AdamW and its schedule."""

    epochs: int = 20
    """Times through the training sets, at least 1."""
    batch_size: int = 128
    """Crops in a step, over all devices, at least 1."""
    lr: float | None = None
    """Learning rate, above 0 and below 1; by default 5e-5 for vitpose, 2e-3 for tiny, and 7e-4
    for MoveNet, whose steps are relative to the size of the weights."""
    weight_decay: float = 0.1
    """Weight decay, 0 to 1, of matrices and convolution kernels only."""
    layer_decay: float = 0.8
    """Factor on the learning rate of each transformer layer, or block of MoveNet, relative to the
    one above it, 0.01 to 1."""
    grad_clip: float = 1.0
    """Largest norm of the gradient; a longer one is scaled down to it."""
    warmup: int = 300
    """Steps in which the learning rate rises to its full value."""
    milestones: tuple[float, ...] = (0.7, 0.9)
    """Shares of the run, rising between 0 and 1, after which the learning rate falls to a tenth."""

    def check(self) -> None:
        """Raise `UserError` for numbers out of range."""
        for flag, count in (("--epochs", self.epochs), ("--batch-size", self.batch_size)):
            if count < 1:
                raise UserError(f"{flag} {count} must be at least 1")
        if self.lr is not None and not 0 < self.lr < 1:
            raise UserError(f"--lr {plain_number(self.lr)} must lie between 0 and 1")
        check_between("--weight-decay", self.weight_decay, 0, 1)
        check_between("--layer-decay", self.layer_decay, 0.01, 1)
        check_between("--grad-clip", self.grad_clip, 1e-6, 1e6)
        check_between("--warmup", self.warmup, 0, 10**7)
        if list(self.milestones) != sorted(self.milestones) or not all(
            0 < share < 1 for share in self.milestones
        ):
            raise UserError(
                f"--milestones {' '.join(map(str, self.milestones))} must rise and lie between 0 "
                "and 1: they are shares of the run (epoch 170 of 210 is 0.8095)"
            )


@dataclass(frozen=True, init=False)
class AugmentationConfig(Config):
    """Random changes of the crops."""

    rotation: float = 120.0
    """Standard deviation of the rotation of crops in degrees, 0 to 180; angles are clipped at twice
    this. Usual is 40; the RePoGen paper says 180, the configurations of its authors 120."""
    rotated: float = 0.6
    """Share, 0 to 1, of the crops that are rotated; 0.6 in mmpose."""
    half_body: float = 0.3
    """Share, 0 to 1, of the persons with more than 8 labelled joints whose crop shows one half of
    the body: the upper one in 69 % of these, the lower one in 31 %, as in mmpose 0.x."""
    scale: float = 0.5
    """Standard deviation, 0 to 0.9, of the relative size of a crop's window, and its largest
    change."""
    color_jitter: float = 0.2
    """Strength S of random colours, 0 (none) to 1: contrast changes by at most S, that of each
    channel by S / 2 more, brightness by S / 2 of white."""
    degrade: bool = True
    """Blur, noise and JPEG artefacts on images of repogen, which have none of their own."""

    def check(self) -> None:
        """Raise `UserError` for numbers out of range."""
        check_between("--rotation", self.rotation, 0, 180)
        check_between("--rotated", self.rotated, 0, 1)
        check_between("--half-body", self.half_body, 0, 1)
        check_between("--scale", self.scale, 0, 0.9)
        check_between("--color-jitter", self.color_jitter, 0, 1)


@dataclass(frozen=True, init=False)
class LabelConfig(Config):
    """What is asked of the network for each joint."""

    targets: Literal["exact", "teacher", "corrected"] = "exact"
    """Place of each labelled joint of generated people; others keep their labels. exact: the label.
    teacher: the answer of --teacher. corrected: that answer where it lies within --tolerance of the
    label, the label elsewhere."""
    teacher: Path = Path("thunder")
    """Weights that answer for the unturned crop and its mirror image: thunder, lightning, a run, a
    folder, .safetensors or .pth; the same weights as --init hold on to what the network knows."""
    tolerance: float = 0.12
    """Largest distance, 0 to 10, of a right answer from the label, as a share of the square root of
    the person's area."""
    occluded_weight: float = 1.0
    """Weight in the loss, 0 to 1, of joints that are labelled as occluded (v = 1)."""
    corrected_weight: float = 1.0
    """Weight in the loss, 0 to 1, of joints where the label replaces the teacher's answer; 0 leaves
    out what the teacher gets wrong."""

    def check(self) -> None:
        """Raise `UserError` for numbers out of range."""
        check_between("--tolerance", self.tolerance, 0, 10)
        check_between("--occluded-weight", self.occluded_weight, 0, 1)
        check_between("--corrected-weight", self.corrected_weight, 0, 1)


@dataclass(frozen=True, init=False, kw_only=True)
class TrainConfig(Config):
    """Options of `repogen.train`, in groups; the defaults are those of the recipe `short`.

    `TrainConfig(train="synth=dataset", epochs=5)` sets options of the groups, and
    `TrainConfig(train="synth=dataset", **repogen.recipe("vitpose"))` those of a recipe.
    """

    data: DataConfig
    """Sets of people to train on and to validate on."""
    network: NetworkConfig
    """The network, and the weights it starts from."""
    optimizer: OptimizerConfig
    """AdamW and its schedule."""
    augmentation: AugmentationConfig
    """Random changes of the crops."""
    labels: LabelConfig
    """What is asked of the network for each joint."""
    seed: int = 0
    """Seed, 0 to 2**32; the same seed, options and machine give the same losses."""

    def check(self) -> None:
        """Raise `UserError` for a seed out of range."""
        check_between("--seed", self.seed, 0, 2**32)

    def check_sets(self) -> None:
        """Raise `UserError` where there is no training set, or a set's folder is missing."""
        if not self.data.train and not self.data.unlabeled:
            raise UserError("no set to train on; give --train NAME=DATASET")
        for text in self.data.unlabeled:
            folder = Path(":".join(split_numbers(text)[0]))
            if not folder.is_dir():
                raise UserError(f"--unlabeled {text}: no folder {folder}")
        for spec in (*self.data.train, *self.data.val):
            parse_set(spec)

    @property
    def learning_rate(self) -> float:
        """`optimizer.lr`, or the default of the model."""
        return self.optimizer.lr or _LEARNING_RATES[self.network.model.partition("-")[0]]
