"""The options of a run, and presets of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from repogen.config import flat_options, merged
from repogen.datasets.config import DatasetConfig
from repogen.errors import UserError, unknown_choice
from repogen.poses.acrobatic import ACROBATIC
from repogen.poses.distributions import DISTRIBUTIONS
from repogen.processors import default_workers


@dataclass(frozen=True, init=False, kw_only=True)
class GenerateConfig(DatasetConfig):
    """Options of `repogen.generate`, in groups.

    `GenerateConfig(images=48, views="top", write="depth")` sets options of the groups, too.
    """

    workers: int = 0
    """Worker processes, at most 1024; 0 is one for each processor that the process or its container
    may use, or as many as fit into the free memory at 600 MB each."""
    engine: Literal["local", "ray"] = "local"
    """local: processes of this machine. ray: tasks of a Ray cluster; all of its nodes must see the
    dataset's folder."""
    ray_address: str | None = None
    """Address of a Ray cluster, or auto; without it a cluster is started on this machine."""

    @property
    def worker_count(self) -> int:
        """The number of worker processes."""
        return self.workers or default_workers()

    def check(self) -> None:
        """Raise `UserError` for numbers out of range, and options that contradict each other."""
        super().check()
        if not 0 <= self.workers <= 1024:
            raise UserError(f"--workers {self.workers} must lie between 0 and 1024")
        if self.ray_address is not None and self.engine != "ray":
            raise UserError(f"--ray-address {self.ray_address} needs --engine ray")


# What these set must not depend on installed asset packs.
_PAPER: dict[str, Any] = {
    "images": 3000,
    "camera": {
        "framing": "paper",
        "crop": 1.25,
        "image_size": 1024,
        "distance": (2.0, 2.0),
        "min_keypoints": 0,
    },
    "people": {"wardrobe": "painted"},
    "environment": {
        "backgrounds": "builtin",
        "light_model": "equal",
        "lights": 5,
        "shadows": 0,
    },
    "output": {"occluded": "drop"},
}

_ABLATION = merged(_PAPER, {"images": 1000, "camera": {"views": ("bottom",)}})


def _paper(*views: str) -> dict[str, Any]:
    return merged(_PAPER, {"camera": {"views": views}})


PRESETS: dict[str, dict[str, Any]] = (
    {  # Table 2
        "paper-top": _paper("top"),
        "paper-bottom": _paper("bottom"),
        "paper-topbottom": _paper("top=0.5", "bottom=0.5"),
        "paper-perimeter": _paper("perimeter"),
    }
    | {  # Table 4
        f"paper-{name.replace('_', '-')}": merged(_ABLATION, {"pose": {"pose_distribution": name}})
        for name in DISTRIBUTIONS
    }
    | {  # Figure 5
        f"paper-variance-{variance}": merged(_ABLATION, {"pose": {"pose_variance": variance}})
        for variance in (0.2, 0.33, 0.67, 1.0, 1.25, 2.0)
    }
    | {  # Table 5
        "paper-no-background": merged(_ABLATION, {"environment": {"backgrounds": "plain"}}),
        "paper-no-texture": merged(_ABLATION, {"people": {"patterns": False}}),
    }
    | {
        "rare-views": {
            "camera": {"views": ("top=0.35", "bottom=0.35", "sphere=0.3"), "truncate": 0.15},
            "sensor": {"effects": ("all",)},
        },
        # Overhead and wide, several people under it, like the images of PoseFES and WEPDTOF-Pose.
        "ceiling-fisheye": {
            "camera": {
                "image_size": 1680,
                "framing": "paper",
                "lens": "kannala-brandt",
                "fov": (170.0, 190.0),
                "circle": (180.0, 185.0),
                "elevation": (83.0, 90.0),
                "roll": (-180.0, 180.0),
                "distance": (1.4, 2.8),
                "aim": "group",
            },
            "people": {"people": (2, 6), "ground": "floor", "spread": 3.0},
            "pose": {"pose_variance": 0.5},
            "environment": {"occluders": (0, 1)},
        },
        "drone": {
            "camera": {
                "image_size": 1024,
                "framing": "paper",
                "fov": (40.0, 70.0),
                "elevation": (35.0, 90.0),
                "roll": (-5.0, 5.0),
                "distance": (5.0, 20.0),
                "aim": "group",
            },
            "people": {"people": (1, 6), "ground": "floor", "spread": 4.0},
            "environment": {"backgrounds": "outdoors"},
        },
        "sports-low": {
            "camera": {
                "elevation": (-50.0, 5.0),
                "roll": (-15.0, 15.0),
                "distance": (2.0, 8.0),
                "truncate": 0.2,
            },
            "people": {"people": (1, 3), "spread": 2.0},
            "pose": {"pose_variance": 1.2},
        },
        "surveillance": {
            "camera": {
                "image_size": 1024,
                "framing": "paper",
                "lens": "opencv",
                "fov": (60.0, 95.0),
                "elevation": (20.0, 60.0),
                "roll": (-3.0, 3.0),
                "distance": (3.0, 9.0),
                "aim": "group",
            },
            "people": {"people": (1, 5), "ground": "floor", "spread": 2.5},
            "pose": {"pose_variance": 0.5},
            "environment": {"occluders": (0, 2)},
        },
        "pole-vault": {
            "camera": {
                "elevation": (-60.0, 20.0),
                "roll": (-10.0, 10.0),
                "distance": (3.0, 10.0),
            },
            "pose": {"pose_variance": 1.3},
            "environment": {"occluders": (0, 1)},
        },
        "gymnastics": {
            "camera": {"elevation": (0.0, 60.0), "roll": (-15.0, 15.0), "distance": (2.0, 8.0)},
            "people": {"ground": "floor", "balance": True, "wardrobe": "sport"},
            "environment": {"backgrounds": "indoors"},
            "pose": {
                "orientation": ("upright=0.35", "inverted=0.35", "any=0.3"),
                "pose_variance": 1.2,
            },
        },
        "climbing": {
            "camera": {
                "azimuth": (105.0, 255.0),
                "elevation": (-60.0, 30.0),
                "roll": (-15.0, 15.0),
                "distance": (2.0, 8.0),
            },
            "people": {"ground": "wall"},
            "pose": {"orientation": ("upright=0.8", "any=0.2"), "pose_variance": 1.2},
        },
        "swimming": {
            "camera": {"elevation": (-60.0, 80.0), "roll": (-15.0, 15.0), "distance": (1.5, 6.0)},
            "pose": {"orientation": ("lying=0.5", "any=0.3", "upright=0.2")},
            "people": {"wardrobe": "swim"},
            "environment": {"water": True, "backgrounds": "builtin"},
        },
        "fall": {
            "camera": {
                "fov": (60.0, 95.0),
                "elevation": (15.0, 70.0),
                "roll": (-5.0, 5.0),
                "distance": (2.0, 6.0),
            },
            "people": {"ground": "floor", "balance": True, "ages": ("adults", "elders")},
            "pose": {"orientation": ("lying=0.7", "any=0.3"), "pose_variance": 0.7},
            "environment": {"occluders": (0, 1), "backgrounds": "indoors"},
        },
        "in-bed": {
            "camera": {"elevation": (50.0, 90.0), "roll": (-180.0, 180.0), "distance": (1.5, 3.0)},
            "people": {"ground": "bed", "balance": True, "ages": ("adults", "elders")},
            "pose": {"orientation": ("lying",), "pose_variance": 0.3},
            "environment": {"backgrounds": "builtin"},
        },
    }
)
"""Options by name, in the groups of `GenerateConfig`: the experiments of the RePoGen paper (Table 3
varies `images`), then mixes for other kinds of cameras. Those of the paper give the same images
whatever asset packs are installed; the others wear what there is."""


def options_of_preset(name: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a preset, none without a name, and the `given` ones, which win.

    The preset's factor on joint bounds is left out where poses have no bounds: acrobatic ones.
    Raises `UserError` for an unknown name.
    """
    if name is None:
        return dict(given)
    if name not in PRESETS:
        raise unknown_choice("preset", name, PRESETS)
    preset = PRESETS[name]
    if dict(flat_options(given)).get("pose_distribution") == ACROBATIC:
        pose = {**preset.get("pose", {})}
        pose.pop("pose_variance", None)
        preset = {**preset, "pose": pose}
    return merged(preset, given)
