"""Cutting the mesh of a garment along a line, and rolling up the hem.

Lines are where a number that each vertex has is 0: metres past the line.
"""

from dataclasses import dataclass, replace

import numpy as np

from repogen.arrays import Bool, Float, Int
from repogen.people.regions import count_edges


@dataclass(frozen=True, eq=False)
class Cloth:
    """A garment's mesh while it is cut: parts of its original faces."""

    faces: Int[np.ndarray, "f 3"]
    count: int
    """Vertices, also those without a face."""
    sources: Int[np.ndarray, " f"]
    """The original face that each face is a part of."""
    weights: Float[np.ndarray, "f 3 3"]
    """Where each corner is: weights of the corners of the original face."""
    outer: Int[np.ndarray, "o 3"]
    """Faces on the outside of rolled hems, to be lifted along their normals."""

    def interpolate(self, corners: Float[np.ndarray, "g 3 d"]) -> Float[np.ndarray, "f 3 d"]:
        """Values at the corners of the faces, from values at the corners of the original ones."""
        out = corners[self.sources]
        parts = np.flatnonzero((np.diagonal(self.weights, axis1=1, axis2=2) != 1).any(axis=1))
        out[parts] = self.weights[parts] @ out[parts]
        return out

    def added(
        self, faces: Int[np.ndarray, "g 3"], count: int
    ) -> tuple[Int[np.ndarray, "n 3"], Float[np.ndarray, "n 3"]]:
        """Where the vertices after the first `count` are: three of these, the corners of one of the
        original `faces`, and their weights; zero for a vertex without a face."""
        refs = np.zeros((self.count - count, 3), dtype=np.int64)
        weights = np.zeros((self.count - count, 3))
        near = np.flatnonzero((self.faces >= count).any(axis=1))
        corners = self.faces[near]
        new = corners >= count
        refs[corners[new] - count] = np.repeat(faces[self.sources[near]], new.sum(axis=1), axis=0)
        weights[corners[new] - count] = self.weights[near][new]
        return refs, weights


def mix(
    values: Float[np.ndarray, "v ..."],
    refs: Int[np.ndarray, "n 3"],
    weights: Float[np.ndarray, "n 3"],
) -> Float[np.ndarray, "n ..."]:
    """Values between three of the given ones each."""
    shares = weights.reshape(*weights.shape, *[1] * (values.ndim - 1))
    first, second, third = (shares[:, k] * values[refs[:, k]] for k in range(3))
    return first + second + third


def uncut(faces: Int[np.ndarray, "f 3"], count: int) -> Cloth:
    """The whole cloth of these faces between `count` vertices."""
    weights = np.broadcast_to(np.eye(3), (len(faces), 3, 3))
    return Cloth(faces, count, np.arange(len(faces)), weights, faces[:0])


def cut(cloth: Cloth, beyond: Float[np.ndarray, " v"]) -> Cloth:
    """The cloth up to the line `beyond` = 0; faces across it are cut, so that the edge is smooth.

    The new vertices lie on the line and have the highest numbers.
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
    weights = np.take_along_axis(cloth.weights[across], order[..., None], axis=1)
    ends = np.sort(np.stack([faces[:, [0, 1]], faces[:, [0, 2]]], axis=1), axis=2)
    number, times = count_edges(ends.reshape(-1, 2))
    new = cloth.count + number.reshape(-1, 2)
    near, far = beyond[faces[:, :1]], beyond[faces[:, 1:]]
    share = (near / (near - far))[..., None]
    between = (1 - share) * weights[:, :1] + share * weights[:, 1:]
    # One corner inside leaves a triangle, two leave a quadrangle.
    own = np.concatenate([faces, new], axis=1)
    own_weights = np.concatenate([weights, between], axis=1)
    corners = np.array([[0, 3, 4], [3, 1, 2], [3, 2, 4]])
    parts = [(one, corners[0]), (~one, corners[1]), (~one, corners[2])]
    whole = kept == 3
    sources = [cloth.sources[across][chosen] for chosen, _ in parts]
    return replace(
        cloth,
        faces=np.concatenate([cloth.faces[whole], *(own[i][:, k] for i, k in parts)]),
        count=cloth.count + len(times),
        sources=np.concatenate([cloth.sources[whole], *sources]),
        weights=np.concatenate([cloth.weights[whole], *(own_weights[i][:, k] for i, k in parts)]),
    )


def roll(cloth: Cloth, beyond: Float[np.ndarray, " v"], before: Float[np.ndarray, " v"]) -> Cloth:
    """The cloth, cut at the line `beyond` = 0, with its end from the line `before` = 0 on rolled
    up: a second layer, to be lifted, that is closed at both ends."""
    near = (before[cloth.faces] > 0).any(axis=1)
    end = replace(
        cloth,
        faces=cloth.faces[near], sources=cloth.sources[near], weights=cloth.weights[near],
    )  # fmt: skip
    strip = cut(end, -before)
    added = strip.count - cloth.count
    at_line = np.concatenate([np.abs(beyond) < _SAME, np.ones(added, dtype=bool)])
    at_line[: cloth.count] |= np.abs(before) < _SAME
    walls, corners = _walls(strip.faces, at_line)
    used = np.zeros(strip.count, dtype=bool)
    used[strip.faces] = True
    to_outer = strip.count - 1 + np.cumsum(used)
    (a, b), face = walls.T, corners // 3
    weights = strip.weights.reshape(-1, 3)
    weights_a, weights_b = weights[corners], weights[3 * face + (corners + 1) % 3]
    outer = to_outer[strip.faces]
    return Cloth(
        faces=np.concatenate([
            cloth.faces, outer,
            np.column_stack([to_outer[b], to_outer[a], a]), np.column_stack([to_outer[b], a, b]),
        ]),
        count=strip.count + int(used.sum()),
        sources=np.concatenate([cloth.sources, strip.sources, *[strip.sources[face]] * 2]),
        weights=np.concatenate([
            cloth.weights, strip.weights,
            np.stack([weights_b, weights_a, weights_a], axis=1),
            np.stack([weights_b, weights_a, weights_b], axis=1),
        ]),
        outer=outer,
    )  # fmt: skip


_SAME = 1e-6
"""Metres from a line within which a vertex lies on it."""


def _walls(
    faces: Int[np.ndarray, "f 3"], at_line: Bool[np.ndarray, " v"]
) -> tuple[Int[np.ndarray, "n 2"], Int[np.ndarray, " n"]]:
    """Edges of one face only between vertices of `at_line`, in that face's order, and the number of
    each edge's first corner among all corners."""
    edges = np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2)
    number, times = count_edges(np.sort(edges, axis=1))
    corners = np.flatnonzero((times[number] == 1) & at_line[edges].all(axis=1))
    return edges[corners], corners
