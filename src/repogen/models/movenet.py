"""MoveNet (Google, 2021) as an ordinary network: MobileNetV2, a feature pyramid, and CenterNet's
heads.

Sources: Sandler et al., *MobileNetV2*, CVPR 2018; Lin et al., *Feature Pyramid Networks*, CVPR
2017; Zhou et al., *Objects as Points*, 2019; Google's model cards of MoveNet. Batch norm is folded
into the convolutions, so every layer is a convolution with its bias.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from repogen.arrays import Float, UInt8
from repogen.models.movenet_decoding import CLOSENESS, STRIDE

_BLOCKS = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
)  # fmt: skip
"""MobileNetV2's table: expansion, channels, repetitions, stride of the first."""

_TAPS = (9, 5, 2)
"""Blocks whose outputs the pyramid adds, at 1/16, 1/8 and 1/4 of the input."""

_PYRAMID = (64, 32, 24, 24)
"""Channels of the pyramid at 1/32, 1/16, 1/8 and 1/4."""

_HEAD_CHANNELS = 96

_ONE_PERSON = {"center": 1, "heatmap": 17, "regress": 34, "offset": 34}
_SEVERAL = {**_ONE_PERSON, "box_scale": 2, "box_offset": 2}


@dataclass(frozen=True)
class Variant:
    """A size of MoveNet."""

    width: float
    """MobileNetV2's width multiplier."""
    size: int
    """Width and height of the input, in pixels."""
    heads: Mapping[str, int]
    """Channels of each head."""


VARIANTS = {
    "movenet-lightning": Variant(1.0, 192, _ONE_PERSON),
    "movenet-thunder": Variant(1.75, 256, _ONE_PERSON),
    "movenet-multipose": Variant(1.5, 256, _SEVERAL),
}


def _width(channels: int, variant: Variant) -> int:
    """Channels times the width multiplier, rounded to a multiple of 8."""
    return int(channels * variant.width + 4) // 8 * 8


STEMS = {name: _width(32, variant) for name, variant in VARIANTS.items()}
"""Channels of the first layer, by which weights are recognised."""


class MoveNet(nn.Module):
    """MobileNetV2, a feature pyramid to a quarter of the input, and heads.

    `center`: logits of a person's centre. `heatmap`: logits of each joint. `regress`: from a centre
    to each joint (y, x), in cells. `offset`: of each joint inside its cell (y, x). `box_scale` and
    `box_offset`, of multipose: height and width of the box, and its middle in the cell.
    """

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.variant = variant
        stem = _width(32, variant)
        self.stem = _Conv(3, stem, 3, 2)
        blocks = []
        wide = stem
        for expansion, channels, repetitions, stride in _BLOCKS:
            for i in range(repetitions):
                narrow = _width(channels, variant)
                blocks.append(_Block(wide, narrow, expansion, 1 if i else stride))
                wide = narrow
        self.blocks = nn.ModuleList(blocks)
        self.last = _Conv(wide, 1280, 1)
        self.top = _Conv(1280, _PYRAMID[0], 1)
        self.lateral = nn.ModuleList(
            _Conv(blocks[tap].project.out_channels, channels, 1)
            for tap, channels in zip(_TAPS, _PYRAMID, strict=False)
        )
        self.merge = nn.ModuleList(
            _Separable(channels, after) for channels, after in pairwise(_PYRAMID)
        )
        self.heads = nn.ModuleDict(
            {
                name: nn.Sequential(
                    _Separable(_PYRAMID[-1], _HEAD_CHANNELS),
                    nn.ReLU(),
                    _Conv(_HEAD_CHANNELS, channels, 1),
                )
                for name, channels in variant.heads.items()
            }
        )

    def forward(self, pixels: Float[Tensor, "n 3 h w"]) -> dict[str, Float[Tensor, "n c h/4 w/4"]]:
        """The heads' outputs for RGB pixels from `scale_pixels`; sides are multiples of 32."""
        x = functional.relu6(self.stem(pixels))
        taps = {}
        for i, block in enumerate(self.blocks):
            taps[i] = x = block(x)
        x = self.top(functional.relu6(self.last(x)))
        for tap, lateral, merge in zip(_TAPS, self.lateral, self.merge, strict=True):
            x = functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = functional.relu(merge(x + lateral(taps[tap])))
        return {name: head(x) for name, head in self.heads.items()}


def movenet(name: str) -> MoveNet:
    """A network of `VARIANTS`, with random weights."""
    return MoveNet(VARIANTS[name])


def scale_pixels(crops: UInt8[Tensor, "n h w 3"]) -> Float[Tensor, "n 3 h w"]:
    """RGB bytes as floats from -1 to 1, channels first."""
    return crops.permute(0, 3, 1, 2).float() / 127.5 - 1


def decode_pose(heads: Mapping[str, Float[Tensor, "n c h w"]]) -> Float[Tensor, "n 17 3"]:
    """Each joint's x and y in pixels of the input (0 at its corner), and its score, of the person
    nearest to the middle; as `movenet_decoding.decode_pose` does in NumPy."""
    center = heads["center"].sigmoid()
    n, _, rows, columns = center.shape
    y = torch.arange(rows, device=center.device)[:, None]
    x = torch.arange(columns, device=center.device)[None, :]
    middle = torch.sqrt((y - rows / 2) ** 2 + (x - columns / 2) ** 2) + CLOSENESS
    best = (center[:, 0] / middle).flatten(1).argmax(dim=1)
    row, column = best // columns, best % columns
    at = best[:, None, None].expand(-1, 34, -1)
    guess = heads["regress"].flatten(2).gather(2, at).view(n, 17, 2)
    guess = guess + torch.stack([row, column], dim=1)[:, None]
    away = torch.sqrt((y - guess[:, :, 0, None, None]) ** 2 + (x - guess[:, :, 1, None, None]) ** 2)
    scores = heads["heatmap"].sigmoid()
    cell = (scores / (away + CLOSENESS)).flatten(2).argmax(dim=2)
    offset = (
        heads["offset"].view(n, 17, 2, -1).gather(3, cell[:, :, None, None].expand(-1, -1, 2, -1))
    )
    found = torch.stack([cell % columns, cell // columns], dim=2) + offset[..., 0].flip(2)
    score = scores.flatten(2).gather(2, cell[:, :, None])
    return torch.cat([found * STRIDE, score], dim=2)


class _Conv(nn.Conv2d):
    """A convolution that pads as TensorFlow does: at stride 2 only on the right and below."""

    def __init__(
        self, inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1,
        bias: bool = True,
    ) -> None:  # fmt: skip
        padding = size // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, size, stride, padding, groups=groups, bias=bias)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d p q"]:
        return super().forward(functional.pad(x, (0, 1, 0, 1)) if self.stride == (2, 2) else x)


class _Block(nn.Module):
    """MobileNetV2's inverted residual block."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = _Conv(inputs, wide, 1) if expansion > 1 else None
        self.depthwise = _Conv(wide, wide, 3, stride, groups=wide)
        self.project = _Conv(wide, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d p q"]:
        wide = x if self.expand is None else functional.relu6(self.expand(x))
        out = self.project(functional.relu6(self.depthwise(wide)))
        return x + out if self.residual else out


class _Separable(nn.Sequential):
    """A depthwise convolution, then one of 1 x 1."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.depthwise = _Conv(inputs, inputs, 3, groups=inputs, bias=False)
        self.pointwise = _Conv(inputs, outputs, 1)
