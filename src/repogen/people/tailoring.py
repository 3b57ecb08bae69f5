"""Garments as people wear them: shortened and rolled up."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from repogen.arrays import Float, Int
from repogen.assets.packs import Kind
from repogen.bodies.anny import AnnyBody
from repogen.people.cutting import Cloth, cut, roll, uncut
from repogen.people.garments import Alteration, FittedGarment, fitted_garment, mixed_bones
from repogen.people.outfit import OFF_BODY, Style, WornGarment
from repogen.warp_setup import wp

_THICK = 0.007
"""Metres that a rolled hem stands off the cloth under it."""

_OPEN, _SEEN = 0.005, 0.06
"""Metres before a hem up to which skin is covered, and hidden: one looks into a sleeve's end."""


def tailored_garment(body: AnnyBody, worn: WornGarment) -> FittedGarment:
    """The garment on a body model, in its style. Raises `UserError` as `fitted_garment` does."""
    if worn.style == Style():
        return fitted_garment(body, worn.pack, worn.kind, worn.name)
    return _tailored(body, worn.pack, worn.kind, worn.name, worn.style)


@lru_cache(maxsize=64)
def _tailored(body: AnnyBody, pack: str, kind: Kind, name: str, style: Style) -> FittedGarment:
    original = fitted_garment(body, pack, kind, name)
    surface = original.surface
    corners = surface.canonical[surface.faces].astype(np.float64)
    beyond = _beyond(style, surface.canonical.astype(np.float64))
    cloth = cut(uncut(surface.faces, len(surface.canonical)), beyond.max(axis=0))
    if not len(cloth.faces) or cloth.count == len(surface.canonical):
        return original
    widths = np.array([[style.sleeve_cuff], [style.leg_cuff]])
    if widths.any():
        points = cloth.at_vertices(cloth.interpolate(corners))
        beyond = _beyond(style, points)
        before = np.where(widths > 0, beyond + widths, -OFF_BODY)
        cloth = roll(cloth, beyond.max(axis=0), before.max(axis=0))
    skin = _beyond(style, body.surface.canonical).max(axis=0)
    return replace(
        _altered(original, cloth),
        hidden=original.hidden & (skin < -_SEEN),
        covered=original.covered & (skin < -_OPEN),
    )


def _beyond(style: Style, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "2 n"]:
    """Metres of points on the T-pose past the ends of sleeves, and of legs."""
    return np.stack([np.abs(points[:, 0]) - style.sleeve, style.leg - points[:, 2]])


def _altered(original: FittedGarment, cloth: Cloth) -> FittedGarment:
    """The garment with the mesh `cloth`, made of its own."""
    surface, sources = original.surface, cloth.sources
    used = np.zeros(cloth.count, dtype=bool)
    used[cloth.faces] = True
    number = np.cumsum(used) - 1
    refs = np.zeros((cloth.count, 3), dtype=np.int64)
    refs[cloth.faces] = surface.faces[sources][:, None]
    refs, weights = refs[used], cloth.at_vertices(cloth.weights)[used]
    alteration = Alteration(
        original=original,
        kept=np.where(used, number, -1)[: len(surface.canonical)],
        refs=refs,
        weights=weights.astype(np.float32),
        outer=number[cloth.outer],
        thickness=_THICK,
    )
    bones, shares = _mix_bones(original, refs, weights)
    more = surface.face_extra_keypoints
    return replace(
        original,
        surface=replace(
            surface,
            faces=number[cloth.faces],
            face_layers=surface.face_layers[sources],
            face_parts=surface.face_parts[sources],
            face_keypoints=surface.face_keypoints[sources],
            canonical=alteration.apply(surface.canonical),
            occlusion=alteration.mix(surface.occlusion),
            lips=alteration.mix(surface.lips),
            uv=cloth.interpolate(surface.uv[surface.face_uv]).reshape(-1, 2),
            face_uv=np.arange(3 * len(sources)).reshape(-1, 3),
            face_extra_keypoints=None if more is None else more[sources],
        ),
        bones=wp.array(bones, dtype=wp.int32, device="cpu"),
        weights=wp.array(shares, dtype=wp.float32, device="cpu"),
        regions=original.regions[sources],
        alteration=alteration,
    )


def _mix_bones(
    original: FittedGarment, refs: Int[np.ndarray, "v 3"], weights: Float[np.ndarray, "v 3"]
) -> tuple[Int[np.ndarray, "v k"], Float[np.ndarray, "v k"]]:
    """Bones and weights of vertices that are mixed of three each; weights descend."""
    own_bones, own_shares = original.bones.numpy(), original.weights.numpy()
    single = refs[np.arange(len(refs)), weights.argmax(axis=1)]
    bones, shares = own_bones[single], own_shares[single]
    new = np.flatnonzero(weights.max(axis=1) < 1)
    mixed = mixed_bones(own_bones, own_shares, refs[new], weights[new].astype(shares.dtype))
    bones[new], shares[new] = 0, 0
    width = mixed[0].shape[1]
    bones[new, :width], shares[new, :width] = mixed
    return bones, shares
