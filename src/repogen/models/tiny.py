"""A small network that learns poses on a laptop in minutes, where a transformer cannot."""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

_WIDTHS = (24, 48, 96, 144)
"""Channels at 1/4, 1/8, 1/16 and 1/32 of the crop."""


class Tiny(nn.Module):
    """Down to 1/32 of the crop and up to 1/4 again, what was seen on the way down added on the
    way up (as in U-Net, Ronneberger et al., MICCAI 2015); just under a million parameters,
    most of them where the whole person is seen at once."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(3, 8, 3, 2), _conv(8, _WIDTHS[0], 3, 2))
        steps = list(pairwise(_WIDTHS))
        self.down = nn.ModuleList(
            nn.Sequential(_conv(wide, deep, 3, 2), _conv(deep, deep, 3)) for wide, deep in steps
        )
        self.whole = nn.Sequential(*(_conv(_WIDTHS[-1], _WIDTHS[-1], 3) for _ in range(2)))
        self.narrow = nn.ModuleList(_conv(deep, wide, 1) for wide, deep in reversed(steps))
        self.mix = nn.ModuleList(_conv(wide, wide, 3) for wide, _ in reversed(steps))
        self.head = nn.Conv2d(_WIDTHS[0], 17, 1)
        nn.init.normal_(self.head.weight, std=0.001)
        nn.init.zeros_(self.head.bias)

    def forward(self, pixel_values: Float[Tensor, "n 3 256 192"]) -> Float[Tensor, "n 17 64 48"]:
        """Heatmaps of a batch of normalised crops."""
        x = self.stem(pixel_values)
        seen = []
        for down in self.down:
            seen.append(x)
            x = down(x)
        x = x + self.whole(x)
        for narrow, mix, before in zip(self.narrow, self.mix, reversed(seen), strict=True):
            x = nn.functional.interpolate(narrow(x), scale_factor=2.0, mode="nearest")
            x = mix(x + before)
        return self.head(x)


def _conv(before: int, after: int, size: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )
