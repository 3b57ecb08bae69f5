"""The options of a run, and presets of them."""

from dataclasses import dataclass
from typing import Any

from repogen.datasets.folder import MAPS, MAX_IMAGES
from repogen.datasets.shards import SHARD_IMAGES, check_shard_images
from repogen.errors import UserError, unknown_choice
from repogen.labels.points import OCCLUDED
from repogen.labels.wholebody import check_keypoints
from repogen.poses.distributions import DISTRIBUTIONS
from repogen.scenes.config import SceneConfig

ENGINES = ("local", "ray")

FORMATS = ("coco", "webdataset")


@dataclass(frozen=True)
class GenerateConfig(SceneConfig):
    """What to generate, and how."""

    images: int = 100
    """How many pictures."""
    seed: int = 0
    """The same seed and options give the same dataset, byte for byte."""
    workers: int = 0
    """Processes; 0 = one for each processor."""
    engine: str = "local"
    """local: processes of this machine. ray: tasks of a Ray cluster whose nodes all see the
    dataset's folder."""
    ray_address: str | None = None
    """auto, or the address of a Ray cluster; without one it is started here."""
    hidden: str = "keep"
    """Occluded keypoints: keep (v = 1, as COCO) or drop (0, 0, 0, as the paper)."""
    keypoints: str = "coco"
    """Keypoints: coco (17), feet (and 6 of the feet) or wholebody (the 133 of COCO-WholeBody)."""
    write: tuple[str, ...] = ()
    """More pictures beside each image: depth masks parts normals stick."""
    format: str = "coco"
    """coco: a folder of images with one COCO file. webdataset: tar files of images with their
    labels, and a manifest."""
    shard_images: int = SHARD_IMAGES
    """Images in a tar file, with --format webdataset; whoever writes or reads one holds it in
    memory."""
    device: str = "cpu"
    """Where to render: cpu or cuda."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.images <= MAX_IMAGES:
            raise UserError(f"--images {self.images} must lie between 1 and {MAX_IMAGES:,}")
        if not 0 <= self.seed < 2**63:
            raise UserError(f"--seed {self.seed} must lie between 0 and 2**63 - 1")
        if not 0 <= self.workers <= 1024:
            raise UserError(f"--workers {self.workers} must lie between 0 and 1024")
        if self.engine not in ENGINES:
            raise unknown_choice("--engine", self.engine, ENGINES)
        if self.ray_address is not None and self.engine != "ray":
            raise UserError(f"--ray-address {self.ray_address} needs --engine ray")
        if self.hidden not in OCCLUDED:
            raise unknown_choice("--hidden", self.hidden, OCCLUDED)
        if self.format not in FORMATS:
            raise unknown_choice("--format", self.format, FORMATS)
        check_shard_images(self.shard_images)
        check_keypoints(self.keypoints, self.body)
        for kind in self.write:
            if kind not in MAPS:
                raise unknown_choice("--write", kind, MAPS)


_PAPER: dict[str, Any] = {
    "framing": "paper",
    "crop": 1.25,
    "image_size": 1024,
    "distance": (2.0, 2.0),
    "hidden": "drop",
    "images": 3000,
}

_ABLATION = _PAPER | {"views": ("bottom",), "images": 1000}

PRESETS: dict[str, dict[str, Any]] = (
    {  # Table 2
        "paper-top": _PAPER | {"views": ("top",)},
        "paper-bottom": _PAPER | {"views": ("bottom",)},
        "paper-topbottom": _PAPER | {"views": ("top=0.5", "bottom=0.5")},
        "paper-perimeter": _PAPER | {"views": ("perimeter",)},
    }
    | {  # Table 4
        f"paper-{name.replace('_', '-')}": _ABLATION | {"pose_distribution": name}
        for name in DISTRIBUTIONS
    }
    | {  # Figure 5
        f"paper-variance-{variance}": _ABLATION | {"pose_variance": variance}
        for variance in (0.2, 0.33, 0.67, 1.0, 1.25, 2.0)
    }
    | {  # Table 5
        "paper-no-background": _ABLATION | {"backgrounds": "plain"},
        "paper-no-texture": _ABLATION | {"patterns": False, "wardrobe": "painted"},
    }
    | {
        "rare-views": {
            "views": ("top=0.35", "bottom=0.35", "sphere=0.3"),
            "truncate": 0.15,
            "effects": ("all",),
        }
    }
    | {
        # Overhead and wide, several people under it, as PoseFES and WEPDTOF-Pose are taken.
        "ceiling-fisheye": {
            "image_size": 1680,
            "framing": "paper",
            "lens": "kannala-brandt",
            "fov": (170.0, 190.0),
            "circle": (180.0, 185.0),
            "elevation": (83.0, 90.0),
            "roll": (-180.0, 180.0),
            "distance": (1.4, 2.8),
            "aim": "group",
            "people": (2, 6),
            "ground": "floor",
            "spread": 3.0,
            "pose_variance": 0.5,
            "occluders": (0, 1),
        },
        "drone": {
            "image_size": 1024,
            "framing": "paper",
            "fov": (40.0, 70.0),
            "elevation": (35.0, 90.0),
            "roll": (-5.0, 5.0),
            "distance": (5.0, 20.0),
            "aim": "group",
            "people": (1, 6),
            "ground": "floor",
            "spread": 4.0,
        },
        "sports-low": {
            "elevation": (-50.0, 5.0),
            "roll": (-15.0, 15.0),
            "distance": (2.0, 8.0),
            "people": (1, 3),
            "spread": 2.0,
            "truncate": 0.2,
            "pose_variance": 1.2,
        },
        "surveillance": {
            "image_size": 1024,
            "framing": "paper",
            "lens": "opencv",
            "fov": (60.0, 95.0),
            "elevation": (20.0, 60.0),
            "roll": (-3.0, 3.0),
            "distance": (3.0, 9.0),
            "aim": "group",
            "people": (1, 5),
            "ground": "floor",
            "spread": 2.5,
            "pose_variance": 0.5,
            "occluders": (0, 2),
        },
        "pole-vault": {
            "elevation": (-60.0, 20.0),
            "roll": (-10.0, 10.0),
            "distance": (3.0, 10.0),
            "pose_variance": 1.3,
            "occluders": (0, 1),
        },
    }
)
"""Options by name: the paper's experiments (Table 3 is --images) and settings of our own."""
