"""Random colours of skin and hair in their natural ranges."""

import numpy as np

from repogen.colors import to_hex

_MONK = (
    "f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a",
    "292420",
)  # fmt: skip
"""Monk Skin Tone scale (Monk 2019), ten sRGB swatches from light to dark."""

_HAIR_COLORS = (
    ("1a1513", 0.42),
    ("2e211a", 0.22),
    ("4a3222", 0.13),
    ("7a5434", 0.08),
    ("b08a55", 0.06),
    ("7d3a20", 0.03),
    ("9a9996", 0.06),
)
"""sRGB colours with their probabilities, our choice."""


def sample_skin(rng: np.random.Generator) -> str:
    """A random skin albedo as an sRGB hex colour, uniform along the Monk scale.

    The swatches show skin in bright light; the albedo is a little darker and redder.
    """
    swatches = np.array([[int(s[i : i + 2], 16) for i in (0, 2, 4)] for s in _MONK]) / 255
    position = rng.uniform(0, len(swatches) - 1)
    low = int(position)
    tone = swatches[low] + (position - low) * (swatches[min(low + 1, 9)] - swatches[low])
    tone = tone * [0.93, 0.83, 0.76] + rng.normal(0, [0.012, 0.01, 0.01])
    return to_hex(tone)


def sample_hair(rng: np.random.Generator, feminine: float) -> tuple[str, str, float]:
    """Random hair: style (bald, short or long), sRGB hex colour, and `Outfit.hairline` in metres.

    `feminine`, 0 to 1, raises the probability of long hair.
    """
    long = 0.12 + 0.6 * feminine
    bald = 0.14 * (1 - feminine)
    style = str(rng.choice(["bald", "long", "short"], p=[bald, long, 1 - bald - long]))
    colors, probabilities = zip(*_HAIR_COLORS, strict=True)
    color = colors[int(rng.choice(len(colors), p=probabilities))]
    rgb = np.array([int(color[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    return style, to_hex(rgb * rng.uniform(0.8, 1.2)), float(rng.normal(0.0, 0.008))
