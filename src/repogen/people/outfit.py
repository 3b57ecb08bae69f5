"""Random outfits: skin, hair and clothes as plain numbers that the renderer paints.

Positions on the body are metres on the average adult in T-pose (`Surface.canonical`) with the
mid-hip at the origin: sleeves end at a |x| (shoulder 0.17, elbow 0.46, wrist 0.73), trouser legs
at a z (knee -0.45, ankle -0.87).
"""

import colorsys
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from repogen.assets.packs import Kind
from repogen.assets.sources import Source
from repogen.colors import from_hex, to_hex
from repogen.errors import unknown_choice
from repogen.people.skin import sample_hair, sample_skin
from repogen.records import Between, Color, FileName, Length

PATTERNS = ("plain", "stripes", "pinstripes", "checks", "noise", "print", "dots", "plaid")
HAIR_STYLES = ("bald", "short", "long", "none", "shaved")
"""`none` is bald and without eyebrows; `shaved` is the colour of hair on the scalp, also under hair
and hats of asset packs."""

REGIONS = 4
"""Most regions of a garment that have a fabric of their own: its largest connected pieces."""

OFF_BODY = 9.0
"""A `waist` or `hem` above the body, metres: no clothes are painted there."""


@dataclass(frozen=True)
class Fabric:
    """A fabric: two sRGB hex colours and a pattern that repeats every `scale` metres.

    `wrinkles`, 0 to 1, is the strength of its folds. Raises `UserError` for a pattern that is not
    in `PATTERNS`.
    """

    color: Color
    accent: Color
    pattern: str
    scale: Annotated[float, Between(1e-4, 1e3)]
    wrinkles: Annotated[float, Between(0, 100)]

    def __post_init__(self) -> None:
        if self.pattern not in PATTERNS:
            raise unknown_choice("pattern", self.pattern, PATTERNS)


_Length = Annotated[float, Between(-100, 100)]
"""Metres on the body; see the module's docstring."""


_Waist = Annotated[float, Between(-0.1, 0.2)]


@dataclass(frozen=True)
class Style:
    """How a person wears a garment of an asset pack; without arguments as it was made.

    Lengths are metres on the body (see the module's docstring).
    """

    sleeve: Annotated[float, Between(0.2, OFF_BODY)] = OFF_BODY
    """|x| at which sleeves end that would be longer."""
    sleeve_cuff: Annotated[float, Between(0, 0.2)] = 0.0
    """Width of the rolled-up hem of sleeves that are shortened; 0 is a plain hem."""
    leg: Annotated[float, Between(-OFF_BODY, -0.1)] = -OFF_BODY
    """z at which trouser legs end that would be longer."""
    leg_cuff: Annotated[float, Between(0, 0.2)] = 0.0
    """The same for trouser legs."""
    waist: tuple[_Waist, _Waist] | None = None
    """z at the front and at the back at which trousers or skirt end and tops are tucked into them;
    None is as it was made."""
    loose: Annotated[float, Between(0, 0.1)] = 0.0
    """Metres by which the hem of a top stands off the hips; 0 is as it was made."""
    drop: Annotated[float, Between(0, 0.2)] = 0.0
    """Metres by which that hem is lower."""
    opening: Annotated[float, Between(0, 0.15)] = 0.0
    """Half the width, metres at the hem, by which a top is open at the front, like a jacket; 0 is
    closed."""


@dataclass(frozen=True)
class WornGarment:
    """A garment of an asset pack, as one person wears it.

    `fabrics` dye its regions (`FittedGarment.regions`); a region with None keeps its own colours.
    """

    pack: FileName
    kind: Kind
    name: FileName
    fabrics: Annotated[tuple[Fabric | None, ...], Length(0, REGIONS + 1)]
    style: Style = Style()


@dataclass(frozen=True)
class Outfit:
    """Skin, hair and clothes of one person: painted clothes, and garments of asset packs.

    Colours are sRGB hex; `sleeve` is a |x|, `waist` and `hem` are a z and `neckline` an offset, in
    metres (see the module's docstring). Raises `UserError` for an unknown hair style, top, bottom
    or shoes.
    """

    skin: Color
    eyes: Color
    hair: str
    hair_color: Color
    hairline: _Length
    """Shift of the hairline down the head, metres; negative recedes."""
    top: str
    top_fabric: Fabric
    sleeve: _Length
    waist: _Length
    neckline: _Length
    bottom: str
    bottom_fabric: Fabric
    hem: _Length
    shoes: str
    shoe_color: Color
    sole_color: Color
    worn: Annotated[tuple[WornGarment, ...], Length(0, 10)] = ()
    picture: Source | None = None
    """A picture mapped to the skin by the body's texture coordinates."""

    def __post_init__(self) -> None:
        for kind, name, known in (
            ("hair style", self.hair, HAIR_STYLES),
            ("top", self.top, SLEEVES),
            ("bottom", self.bottom, HEMS),
            ("shoes", self.shoes, SHOE_TOPS),
        ):
            if name not in known:
                raise unknown_choice(kind, name, known)


SLEEVES = {"t-shirt": (0.24, 0.46), "shirt": (0.60, 0.72), "tank": (0.165, 0.19), "bare": (0, 0)}
"""Range of `Outfit.sleeve` by the painted top."""

_TOP_PROBABILITIES = {"t-shirt": 0.45, "shirt": 0.30, "tank": 0.12, "bare": 0.13}
_PATTERN_PROBABILITIES = {
    "plain": 0.738, "stripes": 0.08, "pinstripes": 0.05, "checks": 0.03, "noise": 0.006,
    "print": 0.06, "dots": 0.006, "plaid": 0.03,
}  # fmt: skip
"""Our estimate of what people in photographs wear."""

HEMS = {"trousers": (-0.87, -0.76), "shorts": (-0.46, -0.22), "skirt": (-0.75, -0.30)}
"""Range of `Outfit.hem` by the painted bottom."""

SHOE_TOPS = {"shoes": -0.86, "boots": -0.74, "bare": -9.0}
"""Canonical z of the upper edge of painted shoes."""


def sample_outfit(
    rng: np.random.Generator, feminine: float, patterns: bool = True, skirts: bool = True
) -> Outfit:
    """A random outfit; `feminine`, 0 to 1, raises the probability of long hair and skirts.

    Without `patterns` the same clothes are plain; without `skirts` shorts replace them.
    """
    skin = sample_skin(rng)
    style, hair_color, hairline = sample_hair(rng, feminine, skin)
    top = str(rng.choice(list(_TOP_PROBABILITIES), p=list(_TOP_PROBABILITIES.values())))
    if top == "bare" and feminine > 0.2:  # men alone
        top = "tank"
    skirt = 0.25 * feminine
    bottom = str(
        rng.choice(["trousers", "shorts", "skirt"], p=[0.6 * (1 - skirt), 0.4 * (1 - skirt), skirt])
    )
    if bottom == "skirt" and not skirts:
        bottom = "shorts"
    shoes = str(rng.choice(["shoes", "boots", "bare"], p=[0.65, 0.1, 0.25]))
    return Outfit(
        skin=skin,
        eyes=str(rng.choice(["#4a2f1c", "#3a2412", "#6b7f4f", "#5b7c99", "#7a5c34"])),
        hair=style,
        hair_color=hair_color,
        hairline=hairline,
        top=top,
        top_fabric=sample_fabric(rng, patterns),
        sleeve=float(rng.uniform(*SLEEVES[top])),
        waist=float(rng.uniform(-0.07, 0.04)) if top != "bare" else OFF_BODY,
        neckline=float(rng.uniform(-0.05, 0.012)),
        bottom=bottom,
        bottom_fabric=sample_fabric(rng, patterns),
        hem=float(rng.uniform(*HEMS[bottom])),
        shoes=shoes,
        shoe_color=_sample_color(rng),
        sole_color=to_hex(np.full(3, rng.choice([0.08, 0.35, 0.85, 0.92]))),
    )


def shoe_top(outfit: Outfit) -> float:
    """Canonical z of the shoes' upper edge, metres; far below the feet without shoes."""
    return SHOE_TOPS[outfit.shoes]


_NEUTRAL_SHARE = 0.55
"""Share of colours from black to white."""

_HUES = ((-20, 0.0), (15, 0.30), (55, 0.53), (100, 0.61), (165, 0.66), (195, 0.69), (250, 0.93),
         (280, 0.96), (340, 1.0))  # fmt: skip
"""Hues of clothes in degrees (HSV), each with the share of those below it. Red, brown and blue are
frequent, green and violet are seldom: as on trunks and thighs of Leeds Sports Pose Extended (see
experiments/results/domain-gap.md)."""


def sample_fabric(rng: np.random.Generator, patterns: bool) -> Fabric:
    """A random fabric; plain without `patterns`."""
    pattern = str(rng.choice(list(_PATTERN_PROBABILITIES), p=list(_PATTERN_PROBABILITIES.values())))
    color = _sample_color(rng)
    return Fabric(
        color=color,
        accent=_sample_accent(rng, color),
        pattern=pattern if patterns else "plain",
        scale=float(np.exp(rng.uniform(np.log(0.02), np.log(0.12)))),
        wrinkles=float(rng.uniform(0.05, 0.45)),
    )


def _sample_color(rng: np.random.Generator) -> str:
    """A random colour of clothes, sRGB hex."""
    if rng.random() < _NEUTRAL_SHARE:
        return to_hex(np.full(3, rng.beta(0.5, 0.6)) * [1.0, 0.99, 0.97] * 0.95 + 0.02)
    hues, shares = np.transpose(_HUES)
    hue = float(np.interp(rng.random(), shares, hues)) / 360 % 1
    return to_hex(np.array(colorsys.hsv_to_rgb(hue, rng.beta(1.4, 1.2), rng.uniform(0.1, 0.95))))


def _sample_accent(rng: np.random.Generator, color: str) -> str:
    """The second colour of a fabric, sRGB hex: of three, one is white or black, one the first
    colour lighter or darker, one any."""
    kind = int(rng.integers(3))
    if kind == 0:
        return to_hex(np.full(3, rng.choice([0.06, 0.85])))
    if kind == 1:
        towards = rng.choice([0.05, 0.9])
        return to_hex(from_hex(color) + rng.uniform(0.2, 0.6) * (towards - from_hex(color)))
    return _sample_color(rng)
