"""Cutting the mesh of a garment along a line, and rolling up the hem.

Lines are where a number that each vertex has, `beyond`, is 0: metres past the line.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from repogen.arrays import Float, Int
from repogen.bodies.surface import vertex_normals


class Mix(NamedTuple):
    """New vertices between two others each, `share` of the way from `first` to `second`."""

    first: Int[np.ndarray, " n"]
    second: Int[np.ndarray, " n"]
    share: Float[np.ndarray, " n"]

    def append_to(self, values: np.ndarray) -> np.ndarray:
        """The attribute of all vertices, that of the new ones at the end."""
        share = self.share.reshape(-1, *[1] * (values.ndim - 1))
        new = (1 - share) * values[self.first] + share * values[self.second]
        return np.concatenate([values, new.astype(values.dtype)])


@dataclass(frozen=True, eq=False)
class Cloth:
    """A garment's mesh while it is cut. It has its original vertices, then `mixes`."""

    faces: Int[np.ndarray, "f 3"]
    uv: Float[np.ndarray, "f 3 2"]
    sources: Int[np.ndarray, " f"]
    """The face of the whole garment that each face is a part of."""
    count: int
    """Vertices."""
    mixes: tuple[Mix, ...] = ()
    lifted: tuple[tuple[Int[np.ndarray, "f 3"], float], ...] = ()
    """Faces whose vertices lie the given metres above where `mixes` has them, along their normals:
    the outsides of rolled hems."""

    def extend(self, values: np.ndarray) -> np.ndarray:
        """The attribute of all vertices, from that of its original vertices."""
        for mix in self.mixes:
            values = mix.append_to(values)
        return values

    def lift(self, points: Float[np.ndarray, "v 3"]) -> Float[np.ndarray, "v 3"]:
        """The points (metres) of all vertices with rolled hems lifted."""
        out = points
        for faces, thickness in self.lifted:
            used, own = np.unique(faces, return_inverse=True)
            normals = vertex_normals(points[used], own.reshape(-1, 3))
            out = out.copy() if out is points else out
            out[used] += (thickness * normals).astype(out.dtype)
        return out


def cut(cloth: Cloth, beyond: Float[np.ndarray, " v"]) -> Cloth:
    """The cloth up to the line `beyond` = 0; faces across it are cut, so that the edge is smooth.

    The new vertices lie on the line.
    """
    inside = beyond[cloth.faces] <= 0
    kept = inside.sum(axis=1)
    if (kept == 3).all():
        return cloth
    across = np.flatnonzero((kept == 1) | (kept == 2))
    one = kept[across] == 1
    # The first corner is the one that is alone on its side.
    alone = np.where(one[:, None], inside[across], ~inside[across]).argmax(axis=1)
    order = (alone[:, None] + np.arange(3)) % 3
    faces = np.take_along_axis(cloth.faces[across], order, axis=1)
    uv = np.take_along_axis(cloth.uv[across], order[..., None], axis=1)
    ends = np.sort(np.stack([faces[:, [0, 1]], faces[:, [0, 2]]], axis=1), axis=2)
    edges, number, _ = _unique_edges(ends.reshape(-1, 2))
    before, after = beyond[edges].T
    mix = Mix(edges[:, 0], edges[:, 1], before / (before - after))
    new = cloth.count + number.reshape(-1, 2)
    near, far = beyond[faces[:, :1]], beyond[faces[:, 1:]]
    share = (near / (near - far))[..., None]
    new_uv = (1 - share) * uv[:, :1] + share * uv[:, 1:]
    # One corner inside leaves a triangle, two leave a quadrangle.
    triangle = np.column_stack([faces[:, 0], new])
    first = np.column_stack([new[:, 0], faces[:, 1:]])
    second = np.column_stack([new[:, 0], faces[:, 2], new[:, 1]])
    whole, sources = kept == 3, cloth.sources[across]
    return replace(
        cloth,
        faces=np.concatenate([cloth.faces[whole], triangle[one], first[~one], second[~one]]),
        uv=np.concatenate([
            cloth.uv[whole],
            np.concatenate([uv[:, :1], new_uv], axis=1)[one],
            np.concatenate([new_uv[:, :1], uv[:, 1:]], axis=1)[~one],
            np.stack([new_uv[:, 0], uv[:, 2], new_uv[:, 1]], axis=1)[~one],
        ]),
        sources=np.concatenate([cloth.sources[whole], sources[one], *[sources[~one]] * 2]),
        count=cloth.count + len(edges),
        mixes=(*cloth.mixes, mix),
    )  # fmt: skip


def roll(cloth: Cloth, beyond: Float[np.ndarray, " v"], width: float, thickness: float) -> Cloth:
    """The cloth with the last `width` metres before the line `beyond` = 0, where it was cut, rolled
    up: a second layer `thickness` metres over the first, closed at both ends."""
    near = (beyond[cloth.faces] > -width).any(axis=1)
    last = replace(cloth, faces=cloth.faces[near], uv=cloth.uv[near], sources=cloth.sources[near])
    strip = cut(last, -(beyond + width))
    beyond = Mix.append_to(strip.mixes[-1], beyond) if strip.count > cloth.count else beyond
    used, own = np.unique(strip.faces, return_inverse=True)
    outer = strip.count + own.reshape(-1, 3)
    at_line = (np.abs(beyond) < 1e-6) | (np.abs(beyond + width) < 1e-6)
    walls, corners = _walls(strip.faces, at_line)
    to_outer = np.zeros(strip.count, dtype=np.int64)
    to_outer[used] = strip.count + np.arange(len(used))
    (a, b), face = walls.T, corners // 3
    uv = strip.uv.reshape(-1, 2)
    uv_a, uv_b = uv[corners], uv[3 * face + (corners + 1) % 3]
    return replace(
        strip,
        faces=np.concatenate([
            cloth.faces, outer,
            np.column_stack([to_outer[b], to_outer[a], a]), np.column_stack([to_outer[b], a, b]),
        ]),
        uv=np.concatenate([
            cloth.uv, strip.uv,
            np.stack([uv_b, uv_a, uv_a], axis=1), np.stack([uv_b, uv_a, uv_b], axis=1),
        ]),
        sources=np.concatenate([cloth.sources, strip.sources, *[strip.sources[face]] * 2]),
        count=strip.count + len(used),
        mixes=(*strip.mixes, Mix(used, used, np.zeros(len(used)))),
        lifted=(*cloth.lifted, (outer, thickness)),
    )  # fmt: skip


def _walls(
    faces: Int[np.ndarray, "f 3"], at_line: np.ndarray
) -> tuple[Int[np.ndarray, "n 2"], Int[np.ndarray, " n"]]:
    """Edges of one face only between vertices of `at_line`, in that face's order, and the number of
    each edge's first corner among all corners."""
    edges = np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2)
    _, number, times = _unique_edges(np.sort(edges, axis=1))
    corners = np.flatnonzero((times[number] == 1) & at_line[edges].all(axis=1))
    return edges[corners], corners


def _unique_edges(
    edges: Int[np.ndarray, "e 2"],
) -> tuple[Int[np.ndarray, "u 2"], Int[np.ndarray, " e"], Int[np.ndarray, " u"]]:
    """The different edges, which of them each is, and how often each is there."""
    keys = edges[:, 0].astype(np.int64) << 32 | edges[:, 1]
    unique, number, times = np.unique(keys, return_inverse=True, return_counts=True)
    return np.column_stack([unique >> 32, unique & 0xFFFFFFFF]), number, times
