"""Random colours of skin and hair in their natural ranges."""

import numpy as np

from repogen.arrays import Float
from repogen.colors import LUMINANCE, from_hex, to_hex, to_linear, to_srgb

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


_FAIR = 50.0
"""CIE L* of the darkest skin with fair hair."""
_FAIR_HAIR = ("7a5434", "b08a55", "7d3a20")

_LIGHTNESS = (30.0, 71.0)
"""CIE L* of the darkest and of the lightest skin, as spectrophotometers measure it; our reading of
published ranges."""


_MOST_CHROMA = 21.0
"""CIE C*ab of the most colourful skin: a* of 9 to 13 with b* of 13 to 19, as spectrophotometers
measure it on skin of any lightness."""

_TO_XYZ = np.array([[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0178, 0.1095, 0.8727]])
"""Linear sRGB to CIE XYZ over that of white."""


def sample_skin(rng: np.random.Generator) -> str:
    """A random skin albedo as an sRGB hex colour, uniform along the Monk scale.

    The swatches show skin in bright light; the albedo is redder, and its lightness within
    `_LIGHTNESS`.
    """
    swatches = np.array([[int(s[i : i + 2], 16) for i in (0, 2, 4)] for s in _MONK]) / 255
    position = rng.uniform(0, len(swatches) - 1)
    low = int(position)
    tone = swatches[low] + (position - low) * (swatches[min(low + 1, 9)] - swatches[low])
    light = to_linear(tone * [0.93, 0.83, 0.76])
    least, most = (_lightness(to_linear(swatches[i] * [0.93, 0.83, 0.76])) for i in (-1, 0))
    share = (_lightness(light) - least) / (most - least)
    wanted = _LIGHTNESS[0] + share * (_LIGHTNESS[1] - _LIGHTNESS[0])
    light *= ((wanted + 16) / (_lightness(light) + 16)) ** 3
    grey = float(light @ LUMINANCE)
    tone = to_srgb(grey + min(1.0, _MOST_CHROMA / _chroma(light)) * (light - grey))
    return to_hex(tone + rng.normal(0, [0.012, 0.01, 0.01]))


def _chroma(light: Float[np.ndarray, "3"]) -> float:
    """CIE C*ab of linear sRGB."""
    x, y, z = np.cbrt(_TO_XYZ @ light)
    return float(np.hypot(500 * (x - y), 200 * (y - z)))


def _lightness(light: Float[np.ndarray, "3"]) -> float:
    """CIE L* of linear sRGB."""
    return 116 * float(light @ LUMINANCE) ** (1 / 3) - 16


def sample_hair(rng: np.random.Generator, feminine: float, skin: str) -> tuple[str, str, float]:
    """Random hair: style (bald, shaved, short, long), sRGB hex colour, `Outfit.hairline` (metres).

    `feminine`, 0 to 1, raises the probability of long hair; `skin` is the sRGB hex colour of
    `sample_skin`.
    """
    long = 0.12 + 0.6 * feminine
    bald, shaved = 0.02 * (1 - feminine), 0.08 * (1 - feminine)
    styles = {"bald": bald, "shaved": shaved, "long": long, "short": 1 - bald - shaved - long}
    style = str(rng.choice(list(styles), p=list(styles.values())))
    # Fair hair grows on fair skin only.
    dark = _lightness(to_linear(from_hex(skin))) < _FAIR
    known = [one for one in _HAIR_COLORS if not (dark and one[0] in _FAIR_HAIR)]
    shares = np.array([share for _, share in known])
    color, _ = known[int(rng.choice(len(known), p=shares / shares.sum()))]
    rgb = np.array([int(color[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    return style, to_hex(rgb * rng.uniform(0.8, 1.2)), float(rng.normal(0.0, 0.008))
