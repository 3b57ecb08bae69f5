"""The networks by name."""

from collections.abc import Callable
from functools import partial

from torch import nn

from repogen.errors import unknown_choice
from repogen.models.movenet import VARIANTS, movenet
from repogen.models.tiny import Tiny
from repogen.models.vitpose import SIZES, vitpose

MODELS: dict[str, Callable[[], nn.Module]] = {
    **{f"vitpose-{size}": partial(vitpose, size) for size in SIZES},
    **{f"vitpose-{size}-simple": partial(vitpose, size, simple=True) for size in SIZES},
    "tiny": Tiny,
}
"""Networks of heatmaps by name. All take RGB crops (n, 3, 256, 192) from `pixels.normalize` and
return heatmaps (n, 17, 64, 48)."""

_OTHERS: dict[str, Callable[[], nn.Module]] = {name: partial(movenet, name) for name in VARIANTS}
"""Networks with other inputs and outputs."""


def build_model(name: str) -> nn.Module:
    """A model with random weights. Raises `UserError` for an unknown name."""
    known = MODELS | _OTHERS
    if name not in known:
        raise unknown_choice("model", name, known)
    return known[name]()
