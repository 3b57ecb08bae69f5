"""Random styles: garments of asset packs, worn otherwise than they were made."""

from dataclasses import replace

import numpy as np

from repogen.assets.packs import CORE
from repogen.bodies.anny import AnnyBody
from repogen.people.garments import fitted_garment
from repogen.people.outfit import Outfit, Style, WornGarment

_SHORT_SLEEVES, _SHORT_LEGS = 0.4, 0.35
"""Shares of the people who wear them, where a garment's are long."""

_SLEEVES, _SHORTS, _ROLLED = (0.32, 0.4, 0.52, 0.58), (-0.28, -0.36, -0.44), (-0.56, -0.66, -0.76)
"""Where sleeves end, and the legs of shorts and of rolled-up trousers; see `Style`. They are few,
since each is cut when it is first worn."""

_SLEEVE_CUFF, _LEG_CUFF = 0.035, 0.05
"""Widths of rolled-up hems, metres."""


_TUCKED, _LOOSE = 0.3, 0.4
"""Shares of the suits that can be whose tops are tucked in; and of the others, loose."""

_HEMS = ((0.015, 0.02), (0.03, 0.08))
"""`Style.loose` and `Style.drop`."""

_WAIST = (0.0, -0.035)
_TUCKABLE = frozenset((CORE, f"male_casualsuit0{number}") for number in (2, 3, 4, 6))
"""Pack and name of suits whose trousers have an edge that can be seen, at `_WAIST`."""


def restyle(rng: np.random.Generator, outfit: Outfit, body: AnnyBody) -> Outfit:
    """The outfit with its suits in random styles."""
    worn = tuple(_restyled(rng, item, body) for item in outfit.worn)
    return replace(outfit, worn=worn)


def _restyled(rng: np.random.Generator, worn: WornGarment, body: AnnyBody) -> WornGarment:
    tags = {tag.lower() for tag in _tags(worn, body)}
    if worn.kind != "clothes" or tags & {"shoes", "hats"}:
        return worn
    tuckable = (worn.pack, worn.name) in _TUCKABLE
    return replace(worn, style=sample_style(rng, "elegant" in tags, tuckable))


def _tags(worn: WornGarment, body: AnnyBody) -> tuple[str, ...]:
    return fitted_garment(body, worn.pack, worn.kind, worn.name).garment.tags


def sample_style(rng: np.random.Generator, elegant: bool, tuckable: bool) -> Style:
    """A random style; the legs of `elegant` suits stay as long as they are, and only tops of
    `tuckable` suits are tucked in."""
    style = Style()
    short, rolled = rng.random(2) < [_SHORT_SLEEVES, 0.7]
    sleeve = float(rng.choice(_SLEEVES))
    if short:
        style = replace(style, sleeve=sleeve, sleeve_cuff=_SLEEVE_CUFF if rolled else 0.0)
    short, shorts = rng.random(2) < [_SHORT_LEGS, 0.5]
    leg = float(rng.choice(_SHORTS if shorts else _ROLLED))
    rolled = rng.random() < (0.25 if shorts else 0.8)
    if short and not elegant:
        style = replace(style, leg=leg, leg_cuff=_LEG_CUFF if rolled else 0.0)
    tucked, loose = rng.random(2) < [_TUCKED, _LOOSE]
    hang, drop = _HEMS[int(rng.integers(len(_HEMS)))]
    if tuckable and tucked:
        return replace(style, waist=_WAIST)
    return replace(style, loose=hang, drop=drop) if loose else style
