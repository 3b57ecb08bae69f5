"""Random styles: garments of asset packs, worn otherwise than they were made."""

from dataclasses import replace

import numpy as np

from repogen.bodies.anny import AnnyBody
from repogen.people.garments import fitted_garment
from repogen.people.outfit import Outfit, Style, WornGarment

_SHORT_SLEEVES, _SHORT_LEGS = 0.4, 0.35
"""Shares of the people who wear them, where a garment's are long."""

_STEP = 0.02
"""Metres between the lengths that are drawn: the same ones are cut once."""

_SLEEVES, _SHORTS, _ROLLED = (0.31, 0.6), (-0.46, -0.26), (-0.8, -0.52)
"""Where sleeves end, and the legs of shorts and of rolled-up trousers; see `Style`."""


def restyle(rng: np.random.Generator, outfit: Outfit, body: AnnyBody) -> Outfit:
    """The outfit with its suits in random styles."""
    worn = tuple(_restyled(rng, item, body) for item in outfit.worn)
    return replace(outfit, worn=worn)


def _restyled(rng: np.random.Generator, worn: WornGarment, body: AnnyBody) -> WornGarment:
    tags = {tag.lower() for tag in _tags(worn, body)}
    if worn.kind != "clothes" or tags & {"shoes", "hats"}:
        return worn
    return replace(worn, style=sample_style(rng, "elegant" in tags))


def _tags(worn: WornGarment, body: AnnyBody) -> tuple[str, ...]:
    return fitted_garment(body, worn.pack, worn.kind, worn.name).garment.tags


def sample_style(rng: np.random.Generator, elegant: bool) -> Style:
    """A random style; the legs of `elegant` suits stay as long as they are."""
    style = Style()
    short, rolled = rng.random(2) < [_SHORT_SLEEVES, 0.7]
    if short:
        cuff = float(rng.choice([0.025, 0.035, 0.045])) if rolled else 0.0
        style = replace(style, sleeve=_drawn(rng, _SLEEVES), sleeve_cuff=cuff)
    short, shorts = rng.random(2) < [_SHORT_LEGS, 0.5]
    rolled = rng.random() < (0.25 if shorts else 0.8)
    if short and not elegant:
        cuff = float(rng.choice([0.035, 0.05, 0.065])) if rolled else 0.0
        leg = _drawn(rng, _SHORTS if shorts else _ROLLED)
        style = replace(style, leg=leg, leg_cuff=cuff)
    return style


def _drawn(rng: np.random.Generator, ends: tuple[float, float]) -> float:
    return round(_STEP * round(float(rng.uniform(*ends)) / _STEP), 3)
