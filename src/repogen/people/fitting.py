"""Garments of installed asset packs on a body model, and whether they cover it."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
from jaxtyping import Int

from repogen.assets import assets_dir, read_garment
from repogen.bodies.anny import AnnyBody
from repogen.bodies.protocol import Surface
from repogen.people.garments import FittedGarment, fit_garment
from repogen.people.outfit import Outfit

_TRUNK, _CHEST, _HIPS = 0.15, (0.15, 0.42), (-0.08, 0.04)
"""Metres in the T-pose: half the width of the trunk, and the heights of chest and hips."""


@lru_cache(maxsize=256)
def fitted_garment(body: AnnyBody, pack: str, kind: str, name: str) -> FittedGarment:
    """An installed garment on a body model. Raises `UserError` where it cannot be read."""
    path = assets_dir() / pack / kind / f"{name}.safetensors"
    return fit_garment(body, read_garment(path), path.with_suffix(".png"))


def ensure_covered(body: AnnyBody, dressed: Outfit, painted: Outfit) -> Outfit:
    """The outfit `dressed`, with the clothes of `painted` under garments that leave more than half
    of the chest or of the hips bare: not every garment of a pack is a whole suit."""
    at = body.surface.canonical
    skin = layer_vertices(body.surface, "skin")
    covered = np.zeros(len(at), dtype=bool)
    for item in dressed.worn:
        covered |= fitted_garment(body, item.pack, item.kind, item.name).covered
    trunk = skin[np.abs(at[skin, 0]) < _TRUNK]
    height = at[trunk, 2]
    chest, hips = (trunk[(low < height) & (height < high)] for low, high in (_CHEST, _HIPS))
    keep = []
    if covered[chest].mean() < 0.5:
        keep += ["top", "top_fabric", "sleeve", "waist", "neckline"]
    if covered[hips].mean() < 0.5:
        keep += ["bottom", "bottom_fabric", "hem"]
    return replace(dressed, **{name: getattr(painted, name) for name in keep})


@lru_cache(maxsize=16)
def layer_vertices(surface: Surface, layer: str) -> Int[np.ndarray, " n"]:
    """Indices of the vertices that the faces of a layer use."""
    return np.unique(surface.faces[surface.faces_of(layer)])
