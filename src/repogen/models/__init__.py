"""Pose estimators: networks from image crops to 17 heatmaps, and their weights in files."""

from collections.abc import Callable
from functools import partial

from torch import nn

from repogen.errors import unknown_choice
from repogen.models.tiny import Tiny
from repogen.models.vitpose import SIZES, ViTPose, vitpose

MODELS: dict[str, Callable[[], nn.Module]] = {
    **{f"vitpose-{size}": partial(vitpose, size) for size in SIZES},
    **{f"vitpose-{size}-simple": partial(vitpose, size, simple=True) for size in SIZES},
    "tiny": Tiny,
}
"""Models by name. All take RGB crops (n, 3, 256, 192) from `pixels.normalize` and return heatmaps
(n, 17, 64, 48)."""


def build_model(name: str) -> nn.Module:
    """A model with random weights. Raises `UserError` for a name that is not in `MODELS`."""
    if name not in MODELS:
        raise unknown_choice("model", name, MODELS)
    return MODELS[name]()


__all__ = ["MODELS", "ViTPose", "build_model"]
