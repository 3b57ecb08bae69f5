"""Fitted garments of parts of others."""

from dataclasses import replace

import numpy as np

from repogen.arrays import Float, Int
from repogen.people.cutting import Cloth
from repogen.people.garments import Alteration, FittedGarment, mixed_bones
from repogen.people.hanging import Hanging


def altered(original: FittedGarment, cloth: Cloth, thickness: float = 0.0) -> FittedGarment:
    """The garment with the mesh `cloth`, made of its own; rolled hems are lifted by `thickness`
    metres."""
    surface, sources = original.surface, cloth.sources
    count = len(surface.canonical)
    used = np.zeros(cloth.count, dtype=bool)
    used[cloth.faces] = True
    number = np.cumsum(used) - 1
    refs, weights = cloth.added(surface.faces, count)
    alteration = Alteration(
        original=original,
        kept=np.where(used, number, -1)[:count],
        own=np.flatnonzero(used[:count]),
        refs=refs[used[count:]],
        weights=weights[used[count:]].astype(np.float32),
        outer=number[cloth.outer],
        thickness=thickness,
    )
    bones, shares = _mix_bones(alteration)
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
        bones=bones,
        weights=shares,
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
    alteration: Alteration,
) -> tuple[Int[np.ndarray, "v k"], Float[np.ndarray, "v k"]]:
    """Bones and weights of the vertices; weights descend."""
    original = alteration.original
    bones, weights = original.bones, original.weights
    new_bones, new_weights = mixed_bones(bones, weights, alteration.refs, alteration.weights)
    return (
        np.concatenate([bones[alteration.own], new_bones]),
        np.concatenate([weights[alteration.own], new_weights]),
    )
