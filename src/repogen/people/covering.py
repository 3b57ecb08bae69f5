"""What people wear under garments that do not cover them."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from repogen.arrays import Int
from repogen.bodies.anny import AnnyBody
from repogen.bodies.protocol import Surface
from repogen.bodies.surface import layer_vertices
from repogen.people.garments import fitted_garment
from repogen.people.outfit import Outfit

_BRIEFS = -0.1
"""`Outfit.hem` of briefs."""

_SLEEVE, _WAIST = 0.25, -0.1
"""`Outfit.sleeve` and `Outfit.waist` of a shirt under a top that is open."""

_TRUNK, _CHEST, _HIPS = 0.15, (0.15, 0.42), (-0.08, 0.04)
"""Metres in the T-pose: half the width of the trunk, and the heights of chest and hips."""


@lru_cache(maxsize=4)
def _chest_and_hips(surface: Surface) -> tuple[Int[np.ndarray, " c"], Int[np.ndarray, " h"]]:
    """Indices of the vertices of the skin there."""
    at, skin = surface.canonical, layer_vertices(surface, "skin")
    trunk = skin[np.abs(at[skin, 0]) < _TRUNK]
    height = at[trunk, 2]
    chest, hips = (trunk[(low < height) & (height < high)] for low, high in (_CHEST, _HIPS))
    return chest, hips


def wears_skirt(body: AnnyBody, outfit: Outfit) -> bool:
    """Whether a garment of the outfit has a skirt."""
    return any(
        fitted_garment(body, item.pack, item.kind, item.name).hanging for item in outfit.worn
    )


def ensure_covered(body: AnnyBody, dressed: Outfit, painted: Outfit) -> Outfit:
    """The outfit `dressed`, with the clothes of `painted` under garments that leave more than half
    of the chest or of the hips bare: not every garment of a pack is a whole suit. Under skirts are
    briefs, under open tops a shirt."""
    covered = np.zeros(len(body.surface.canonical), dtype=bool)
    worn = [fitted_garment(body, item.pack, item.kind, item.name) for item in dressed.worn]
    for fitted in worn:
        covered |= fitted.covered
    chest, hips = _chest_and_hips(body.surface)
    keep = []
    if covered[chest].mean() < 0.5:
        keep += ["top", "top_fabric", "sleeve", "waist", "neckline"]
    if covered[hips].mean() < 0.5:
        keep += ["bottom", "bottom_fabric", "hem"]
    elif any(fitted.hanging for fitted in worn):
        keep += ["bottom_fabric"]
        dressed = replace(dressed, bottom="shorts", hem=_BRIEFS)
    if any(item.style.opening for item in dressed.worn) and "top" not in keep:
        keep += ["top_fabric", "neckline"]
        dressed = replace(dressed, top="t-shirt", sleeve=_SLEEVE, waist=_WAIST)
    return replace(dressed, **{name: getattr(painted, name) for name in keep})
