"""A small network that learns poses on a laptop in minutes, where a transformer cannot."""

from itertools import pairwise

from torch import Tensor, nn

from repogen.arrays import Float

_WIDTHS = (24, 48, 96, 144)
"""Channels at 1/4, 1/8, 1/16 and 1/32 of the crop."""


class Tiny(nn.Module):
    """An encoder to 1/32 of the crop and a decoder to 1/4, with added skip connections (as in
    U-Net, Ronneberger et al., MICCAI 2015).

    Just under a million parameters, most of them at 1/32, where they see the whole person.
    """

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
        """The heatmaps of a batch of normalised crops."""
        x = self.stem(pixel_values)
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(x)
        x = x + self.whole(x)
        for narrow, mix, skip in zip(self.narrow, self.mix, reversed(skips), strict=True):
            x = nn.functional.interpolate(narrow(x), scale_factor=2.0, mode="nearest")
            x = mix(x + skip)
        return self.head(x)


def _conv(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )
