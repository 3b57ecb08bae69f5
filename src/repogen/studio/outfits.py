"""One person's outfit, changed by hand: garments, hair, colours."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from statistics import fmean

import numpy as np

from repogen.assets.packs import CORE
from repogen.bodies import Body
from repogen.bodies.anny import AnnyBody
from repogen.people.covering import ensure_covered
from repogen.people.garments import fitted_garment
from repogen.people.outfit import HEMS, OFF_BODY, REGIONS, SLEEVES, Fabric, Outfit, WornGarment
from repogen.people.wardrobe import PackItem, items_of

USES = {"suits": "Clothes", "shoes": "Shoes", "hats": "Hat", "hair": "Hair"}
"""What can be chosen, by the use of a pack's items, with its label."""

BARE, NO_HAT = "none", "none"
_PAINTED = {f"{top}, {bottom}": (top, bottom) for top, bottom in product(SLEEVES, HEMS)}
_SHOES = {"barefoot": "bare", "painted shoes": "shoes", "painted boots": "boots"}
_HAIR = {"bald": "bald", "shaved": "shaved", "painted, short": "short", "painted, long": "long"}
_NAMES = {"suits": (BARE, *_PAINTED), "shoes": _SHOES, "hats": (NO_HAT,), "hair": _HAIR}
"""Choices that need no pack."""

SKIN, HAIR = "Skin", "Hair colour"

_WRINKLES = 0.2
_SCALE = 0.05
"""`Fabric.wrinkles` and `Fabric.scale` of a plain fabric."""


def choices(use: str, packs: Sequence[str], body: Body) -> tuple[str, ...]:
    """The names that can be chosen of a use; garments of packs fit only anny."""
    items = items_of(packs)[use] if isinstance(body, AnnyBody) else ()
    names = [name for name in _NAMES[use] if "skirt" not in name or _has_skirts(body)]
    return (*names, *(_label(item.pack, item.name) for item in items))


def _has_skirts(body: Body) -> bool:
    return bool(body.surface.faces_of("skirt").any())


def _label(pack: str, name: str) -> str:
    """An item's name, and its pack's where that does not come with repogen."""
    return name if pack == CORE else f"{name} ({pack})"


def chosen(outfit: Outfit, use: str, packs: Sequence[str]) -> str:
    """The name of what a person wears of a use."""
    item = _worn_of(outfit, use, packs)
    if item is not None:
        return _label(item.pack, item.name)
    if use == "shoes":
        return next(name for name, kind in _SHOES.items() if kind == outfit.shoes)
    if use == "hair":
        return next((name for name, kind in _HAIR.items() if kind == outfit.hair), "bald")
    if use == "suits" and outfit.hem < OFF_BODY:
        return f"{outfit.top}, {outfit.bottom}"
    return BARE


def _worn_of(outfit: Outfit, use: str, packs: Sequence[str]) -> WornGarment | None:
    """What is worn of a use; clothes that packs do not list are suits."""
    uses = {
        (one.pack, one.kind, one.name): name for name, of in items_of(packs).items() for one in of
    }
    for item in outfit.worn:
        default = "suits" if item.kind == "clothes" else item.kind
        if uses.get((item.pack, item.kind, item.name), default) == use:
            return item
    return None


def with_choice(outfit: Outfit, use: str, name: str, packs: Sequence[str], body: Body) -> Outfit:
    """The outfit with another choice of a use, by its name; new garments have their own colours."""
    before = _worn_of(outfit, use, packs)
    worn = tuple(item for item in outfit.worn if item is not before)
    item = next((one for one in items_of(packs)[use] if _label(one.pack, one.name) == name), None)
    if use == "suits":
        return _dressed(replace(outfit, worn=worn), item, name, body)
    if use == "shoes":
        outfit = replace(outfit, shoes=_SHOES.get(name, "bare"))
    if use == "hair":
        outfit = replace(outfit, hair=_HAIR.get(name, "shaved"))
    if item is not None:
        color = outfit.hair_color if use == "hair" else None
        worn = (*worn, _worn(item, color))
    return replace(outfit, worn=worn)


def _dressed(outfit: Outfit, item: PackItem | None, name: str, body: Body) -> Outfit:
    """The outfit with a suit of a pack, or with painted clothes; `outfit` has no suit."""
    bare = replace(outfit, top="bare", sleeve=0.0, waist=OFF_BODY, bottom="shorts", hem=OFF_BODY)
    if item is not None:
        assert isinstance(body, AnnyBody)
        dressed = replace(bare, worn=(_worn(item, None), *outfit.worn))
        return ensure_covered(body, dressed, _painted(bare, "t-shirt", "trousers"))
    return bare if name == BARE else _painted(bare, *_PAINTED[name])


def _painted(outfit: Outfit, top: str, bottom: str) -> Outfit:
    """The outfit with painted clothes of average lengths."""
    return replace(
        outfit, top=top, sleeve=fmean(SLEEVES[top]), waist=OFF_BODY if top == "bare" else -0.03,
        neckline=-0.02, bottom=bottom, hem=fmean(HEMS[bottom]),
    )  # fmt: skip


def _worn(item: PackItem, color: str | None) -> WornGarment:
    dye = None if color is None else _plain(color)
    return WornGarment(item.pack, item.kind, item.name, (dye,) * (REGIONS + (color is not None)))


def _plain(color: str) -> Fabric:
    return Fabric(color, color, "plain", _SCALE, _WRINKLES)


def colors(outfit: Outfit, packs: Sequence[str], body: Body) -> dict[str, str | None]:
    """The colours of an outfit, by their label; None where a garment has colours of its own.

    Garments have as many as they have parts that can be dyed.
    """
    out: dict[str, str | None] = {SKIN: outfit.skin, HAIR: outfit.hair_color}
    suit = _worn_of(outfit, "suits", packs)
    if suit is not None:
        for region in range(_parts(suit, body)):
            fabric = suit.fabrics[region] if region < len(suit.fabrics) else None
            out[f"Clothes {region + 1}"] = None if fabric is None else fabric.color
    elif outfit.hem < OFF_BODY:
        out |= {"Clothes 1": outfit.top_fabric.color, "Clothes 2": outfit.bottom_fabric.color}
    return out


def _parts(suit: WornGarment, body: Body) -> int:
    assert isinstance(body, AnnyBody)
    regions = fitted_garment(body, suit.pack, suit.kind, suit.name).regions
    return len(np.unique(regions[regions < REGIONS]))


def with_color(outfit: Outfit, label: str, color: str, packs: Sequence[str]) -> Outfit:
    """The outfit with another colour, by a label of `colors`."""
    if label == SKIN:
        return replace(outfit, skin=color, picture=None)
    if label == HAIR:
        hair = tuple(
            replace(item, fabrics=(_plain(color),) * (REGIONS + 1))
            if item.kind in ("hair", "eyebrows")
            else item
            for item in outfit.worn
        )
        return replace(outfit, hair_color=color, worn=hair)
    region, suit = int(label.split()[-1]) - 1, _worn_of(outfit, "suits", packs)
    if suit is None:
        field = ("top_fabric", "bottom_fabric")[region]
        return replace(outfit, **{field: replace(getattr(outfit, field), color=color)})
    fabrics = [*suit.fabrics, *[None] * REGIONS][: max(REGIONS, len(suit.fabrics))]
    before = fabrics[region]
    fabrics[region] = _plain(color) if before is None else replace(before, color=color)
    worn = tuple(
        replace(item, fabrics=tuple(fabrics)) if item is suit else item for item in outfit.worn
    )
    return replace(outfit, worn=worn)
