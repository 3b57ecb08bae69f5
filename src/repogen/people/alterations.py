"""Fitted garments of parts of others."""

from dataclasses import replace

import numpy as np

from repogen.arrays import Float, Int
from repogen.people.cutting import Cloth
from repogen.people.garments import Alteration, FittedGarment, mixed_bones
from repogen.people.hanging import Hanging
from repogen.warp_setup import wp


def altered(original: FittedGarment, cloth: Cloth, thickness: float = 0.0) -> FittedGarment:
    """The garment with the mesh `cloth`, made of its own; rolled hems are lifted by `thickness`
    metres."""
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
        thickness=thickness,
    )
    bones, shares = _mix_bones(original, refs, weights)
    more, hanging = surface.face_extra_keypoints, original.hanging
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
            uv=cloth.interpolate(surface.uv.reshape(-1, 3, 2)).reshape(-1, 2),
            face_uv=np.arange(3 * len(sources)).reshape(-1, 3),
            face_extra_keypoints=None if more is None else more[sources],
        ),
        bones=wp.array(bones, dtype=wp.int32, device="cpu"),
        weights=wp.array(shares, dtype=wp.float32, device="cpu"),
        regions=original.regions[sources],
        hanging=hanging
        and Hanging(
            alteration.mix(hanging.outward),
            alteration.mix(hanging.reach),
            alteration.mix(hanging.lift),
            alteration.mix(hanging.gap),
        ),
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
