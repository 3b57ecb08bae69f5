"""Recipes: the options of published trainings, and of a short one, by name."""

from typing import Any

from repogen.config import merged
from repogen.errors import unknown_choice

Table = dict[str, Any]
"""Options in the groups of `TrainConfig`."""

_COMMON: Table = {
    "optimizer": {"weight_decay": 0.1, "layer_decay": 0.8, "grad_clip": 1.0},
    "augmentation": {"half_body": 0.3},
}

_SHORT = merged(
    _COMMON,
    {
        "optimizer": {
            "epochs": 20, "batch_size": 128, "lr": None, "warmup": 300, "milestones": (0.7, 0.9),
        },
        "augmentation": {"rotation": 120.0, "color_jitter": 0.2, "degrade": True},
    },
)  # fmt: skip

_SHORT_MOVENET: Table = {
    "network": {"ema": 0.99, "blend": 0.5, "freeze": 4},
    "optimizer": {
        "epochs": 5, "batch_size": 16, "warmup": 20, "weight_decay": 0.0, "layer_decay": 1.0,
    },
    "augmentation": {"rotation": 180.0, "rotated": 0.8, "half_body": 0.0, "scale": 0.25},
}  # fmt: skip
"""About 300 steps on 1,000 persons. Without half bodies: the centre is the mean of all joints."""

_PUBLISHED = merged(_COMMON, {"augmentation": {"color_jitter": 0.0, "degrade": False}})
"""Neither ViTPose nor RePoGen changes the colours or the quality of a crop."""

_REPOGEN = merged(
    _PUBLISHED,
    {
        "optimizer": {
            "epochs": 1000, "batch_size": 128, "lr": 5e-5, "warmup": 300,
            "milestones": (350 / 1000, 900 / 1000),
        },
        "augmentation": {"rotation": 120.0},
    },
)  # fmt: skip

_REPOGEN_HUGE: Table = {
    "network": {"drop_path": 0.55},
    "optimizer": {
        "epochs": 100, "batch_size": 16, "lr": 1e-5, "layer_decay": 0.85, "warmup": 100,
        "milestones": (70 / 100, 95 / 100),
    },
}  # fmt: skip

RECIPES: dict[str, dict[str, Table]] = {
    "short": {
        "all": _SHORT, "movenet-lightning": _SHORT_MOVENET, "movenet-thunder": _SHORT_MOVENET,
    },
    # ViTPose's files configs/body/2d_kpt_sview_rgb_img/topdown_heatmap/coco/ViTPose_*_256x192.py
    # (github.com/ViTAE-Transformer/ViTPose), on eight GPUs with 64 crops each. Decay and drop-path
    # of the small model are those of mmpose 1.x and of ViTPose's file for the "simple" small one.
    # The large model's file counts 16 of its 24 layers, which raises the rate of the upper ones;
    # that is not repeated here.
    "vitpose": {
        "all": merged(
            _PUBLISHED,
            {
                "optimizer": {
                    "epochs": 210, "batch_size": 512, "lr": 5e-4, "warmup": 500,
                    "milestones": (170 / 210, 200 / 210),
                },
                "augmentation": {"rotation": 40.0},
            },
        ),
        "vitpose-s": {"network": {"drop_path": 0.1}, "optimizer": {"layer_decay": 0.8}},
        "vitpose-b": {"network": {"drop_path": 0.3}, "optimizer": {"layer_decay": 0.75}},
        "vitpose-l": {"network": {"drop_path": 0.5}, "optimizer": {"layer_decay": 0.8}},
        "vitpose-h": {"network": {"drop_path": 0.55}, "optimizer": {"layer_decay": 0.85}},
    },
    # The authors' public configurations (docs/method.md#training-and-evaluation).
    "repogen": {"all": _REPOGEN, "vitpose-h": _REPOGEN_HUGE},
    "repogen-500": {
        "all": merged(
            _REPOGEN, {"optimizer": {"epochs": 500, "milestones": (400 / 500, 480 / 500)}}
        ),
        "vitpose-h": _REPOGEN_HUGE,
    },
}  # fmt: skip
"""Options by recipe and model. "all" is for every model; what stands under a model wins. An `lr` of
None, and a `drop_path` that is not given, are the model's own."""


def recipe(name: str, model: str = "vitpose-s") -> Table:
    """The options of a recipe for a model, in the groups of `TrainConfig`.

    short: 20 epochs (MoveNet: 5 of small batches) with augmentation against the gap between
    renderings and photographs.
    vitpose: ViTPose's own training on COCO. repogen, repogen-500: the paper's fine-tuning on COCO
    and synthetic people, 1,000 or 500 epochs (vitpose-h: 100). Raises `UserError` for another name.

    >>> repogen.recipe("repogen", "vitpose-h")["optimizer"]["batch_size"]
    16
    """
    if name not in RECIPES:
        raise unknown_choice("recipe", name, RECIPES)
    by_model = RECIPES[name]
    own = by_model.get(model.removesuffix("-simple"), {})
    return merged(by_model["all"], own, {"network": {"model": model}})
