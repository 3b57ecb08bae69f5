"""Garments as people wear them: shortened and rolled up."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from repogen.arrays import Float, Int
from repogen.assets.packs import Kind
from repogen.bodies.anny import AnnyBody
from repogen.people.cutting import Cloth, Mix, cut, roll
from repogen.people.garments import Alteration, FittedGarment, fitted_garment
from repogen.people.outfit import Style, WornGarment
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


@lru_cache(maxsize=256)
def _tailored(body: AnnyBody, pack: str, kind: Kind, name: str, style: Style) -> FittedGarment:
    original = fitted_garment(body, pack, kind, name)
    garment, canonical = original.garment, original.surface.canonical.astype(np.float64)
    count = len(garment.faces)
    cloth = Cloth(garment.faces, garment.face_uv, np.arange(count), len(garment.refs))
    for number, width in enumerate((style.sleeve_cuff, style.leg_cuff)):
        before = cloth.count
        cloth = cut(cloth, _beyond(style, cloth.extend(canonical))[number])
        if width and cloth.count > before:
            beyond = _beyond(style, cloth.extend(canonical))[number]
            cloth = roll(cloth, beyond, width, _THICK)
    if not cloth.mixes or not len(cloth.faces):
        return original
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
    used = np.zeros(cloth.count, dtype=bool)
    used[cloth.faces] = True
    kept, number = np.flatnonzero(used), np.cumsum(used) - 1
    surface, sources = original.surface, cloth.sources
    more = surface.face_extra_keypoints
    bones, weights = original.bones.numpy(), original.weights.numpy()
    for mix in cloth.mixes:
        bones, weights = _mix_bones(mix, bones, weights)
    return replace(
        original,
        surface=replace(
            surface,
            faces=number[cloth.faces],
            face_layers=surface.face_layers[sources],
            face_parts=surface.face_parts[sources],
            face_keypoints=surface.face_keypoints[sources],
            canonical=cloth.lift(cloth.extend(surface.canonical))[kept],
            occlusion=cloth.extend(surface.occlusion)[kept],
            lips=cloth.extend(surface.lips)[kept],
            uv=cloth.uv.reshape(-1, 2),
            face_uv=np.arange(3 * len(sources)).reshape(-1, 3),
            face_extra_keypoints=None if more is None else more[sources],
        ),
        bones=wp.array(bones[kept], dtype=wp.int32, device="cpu"),
        weights=wp.array(weights[kept], dtype=wp.float32, device="cpu"),
        regions=original.regions[sources],
        alteration=Alteration(original, cloth, kept),
    )


def _mix_bones(
    mix: Mix, bones: Int[np.ndarray, "v k"], weights: Float[np.ndarray, "v k"]
) -> tuple[Int[np.ndarray, "w k"], Float[np.ndarray, "w k"]]:
    """Bones and weights of all vertices, the new ones' mixed; weights descend."""
    share = mix.share[:, None]
    first, second = bones[mix.first], bones[mix.second]
    own, other = (1 - share) * weights[mix.first], share * weights[mix.second]
    same = first[:, :, None] == second[:, None, :]
    own = own + (same * other[:, None, :]).sum(axis=2)
    other = np.where(same.any(axis=1), 0, other)
    both, shares = np.concatenate([first, second], axis=1), np.concatenate([own, other], axis=1)
    largest = np.argsort(-shares, axis=1, kind="stable")[:, : bones.shape[1]]
    shares = np.take_along_axis(shares, largest, axis=1)
    shares /= shares.sum(axis=1, keepdims=True)
    new = np.take_along_axis(both, largest, axis=1)
    return np.concatenate([bones, new]), np.concatenate([weights, shares.astype(weights.dtype)])
