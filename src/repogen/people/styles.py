"""Random styles: garments of asset packs, worn otherwise than they were made."""

from dataclasses import replace

import numpy as np

from repogen.assets.packs import CORE
from repogen.bodies.anny import AnnyBody
from repogen.people.garments import fitted_garment
from repogen.people.outfit import Outfit, Style, WornGarment

_SHORT_SLEEVES, _SHORT_LEGS = 0.4, 0.35
"""Shares of the people who wear them, where a garment's are long."""

_SLEEVES = ((0.34, 0.0), (0.42, 0.035), (0.56, 0.035))
"""Where short sleeves end, and the width of their rolled-up hem, metres. They are few, since each
is cut when it is first worn."""

_LEGS = ((-0.3, 0.0), (-0.4, 0.0), (-0.58, 0.05), (-0.74, 0.05))
"""The same for shorts and rolled-up trousers."""

_TUCKED, _LOOSE = 0.3, 0.4
"""Shares of the suits that can be whose tops are tucked in; and of the others, loose."""

_HEMS = ((0.015, 0.02), (0.03, 0.08))
"""`Style.loose` and `Style.drop`."""

_WAIST = (0.0, -0.035)
_TUCKABLE = frozenset((CORE, f"male_casualsuit0{number}") for number in (2, 3, 4, 6))
"""Pack and name of suits whose trousers have an edge that can be seen, at `_WAIST`."""

_OPEN, _OPENINGS = 0.4, (0.04, 0.08)
"""Share of the jackets and shirts that are open at the front, and `Style.opening`."""

_OPENABLE = frozenset(
    (CORE, name)
    for name in ("female_elegantsuit01", "male_casualsuit03", "male_casualsuit05",
                 "male_elegantsuit01")
)  # fmt: skip


def restyle(rng: np.random.Generator, outfit: Outfit, body: AnnyBody) -> Outfit:
    """The outfit with its suits in random styles."""
    worn = tuple(_restyled(rng, item, body) for item in outfit.worn)
    return replace(outfit, worn=worn)


def _restyled(rng: np.random.Generator, worn: WornGarment, body: AnnyBody) -> WornGarment:
    if worn.kind != "clothes":
        return worn
    fitted = fitted_garment(body, worn.pack, worn.kind, worn.name)
    tags = {tag.lower() for tag in fitted.garment.tags}
    if tags & {"shoes", "hats"}:
        return worn
    tuckable = (worn.pack, worn.name) in _TUCKABLE
    style = sample_style(rng, "elegant" in tags, tuckable)
    if (worn.pack, worn.name) in _OPENABLE and style.waist is None and rng.random() < _OPEN:
        loose, drop = _HEMS[0]
        opening = _OPENINGS[int(rng.integers(len(_OPENINGS)))]
        style = replace(style, loose=loose, drop=drop, opening=opening)
    return replace(worn, style=style)


def sample_style(rng: np.random.Generator, elegant: bool, tuckable: bool) -> Style:
    """A random style; the legs of `elegant` suits stay as long as they are, and only tops of
    `tuckable` suits are tucked in."""
    style = Style()
    short = rng.random(2) < [_SHORT_SLEEVES, _SHORT_LEGS]
    sleeve, leg = int(rng.integers(len(_SLEEVES))), int(rng.integers(len(_LEGS)))
    if short[0]:
        style = replace(style, sleeve=_SLEEVES[sleeve][0], sleeve_cuff=_SLEEVES[sleeve][1])
    if short[1] and not elegant:
        style = replace(style, leg=_LEGS[leg][0], leg_cuff=_LEGS[leg][1])
    tucked, loose = rng.random(2) < [_TUCKED, _LOOSE]
    hang, drop = _HEMS[int(rng.integers(len(_HEMS)))]
    if tuckable and tucked:
        return replace(style, waist=_WAIST)
    return replace(style, loose=hang, drop=drop) if loose else style
