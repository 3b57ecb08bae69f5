"""Garments as people wear them: shortened, rolled up, with their tops loose or tucked in."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from repogen.arrays import Float
from repogen.bodies.anny import AnnyBody
from repogen.people.alterations import altered
from repogen.people.cutting import cut, mix, roll, uncut
from repogen.people.garments import FittedGarment, fitted_garment
from repogen.people.opening import with_opening
from repogen.people.outfit import OFF_BODY, Style, WornGarment
from repogen.people.tops import with_top

_THICK = 0.007
"""Metres that a rolled hem stands off the cloth under it."""

_OPEN, _SEEN = 0.005, 0.06
"""Metres before a hem up to which skin is covered, and hidden: one looks into a sleeve's end."""


def tailored_garment(body: AnnyBody, worn: WornGarment) -> FittedGarment:
    """The garment on a body model, in its style. Raises `UserError` as `fitted_garment` does."""
    style = worn.style
    top = Style(waist=style.waist, loose=style.loose, drop=style.drop)
    garment = fitted_garment(body, worn.pack, worn.kind, worn.name)
    if top != Style():
        garment = _with_top(body, garment, top)
    if style.opening:
        garment = _with_opening(body, garment, style.opening)
    ends, at = Style(), garment.surface.canonical
    if np.abs(at[:, 0]).max() > style.sleeve:
        ends = replace(ends, sleeve=style.sleeve, sleeve_cuff=style.sleeve_cuff)
    if at[:, 2].min() < style.leg:
        ends = replace(ends, leg=style.leg, leg_cuff=style.leg_cuff)
    return garment if ends == Style() else _shortened(body, garment, ends)


_with_top = lru_cache(maxsize=64)(with_top)
_with_opening = lru_cache(maxsize=32)(with_opening)


@lru_cache(maxsize=96)
def _shortened(body: AnnyBody, original: FittedGarment, style: Style) -> FittedGarment:
    """The garment with shorter sleeves and legs."""
    surface = original.surface
    at, count = surface.canonical.astype(np.float64), len(surface.canonical)
    beyond = _beyond(style, at)
    cloth = cut(uncut(surface.faces, count), np.maximum(*beyond))
    if not len(cloth.faces) or cloth.count == count:
        return original
    widths = np.array([[style.sleeve_cuff], [style.leg_cuff]])
    if widths.any():
        new = _beyond(style, mix(at, *cloth.added(surface.faces, count)))
        beyond = np.concatenate([beyond, new], axis=1)
        before = np.where(widths > 0, beyond + widths, -OFF_BODY)
        cloth = roll(cloth, np.maximum(*beyond), np.maximum(*before))
    skin = np.maximum(*_beyond(style, body.surface.canonical))
    return replace(
        altered(original, cloth, _THICK),
        hidden=original.hidden & (skin < -_SEEN),
        covered=original.covered & (skin < -_OPEN),
    )


def _beyond(style: Style, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "2 n"]:
    """Metres of points on the T-pose past the ends of sleeves, and of legs."""
    return np.stack([np.abs(points[:, 0]) - style.sleeve, style.leg - points[:, 2]])
