"""Skirts and loose hems that fall with gravity where a person is tilted or upside down.

Skinned, they stick to the body whatever the pose. Here the side that is below leaves the body, the
side that is above lies on it, and upside down the hem opens and slides towards the head. Cloth is
only moved outwards, along and against its own distance from the body, so never through it.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from repogen.arrays import Float, Int
from repogen.bodies.skeleton import Angles
from repogen.people.regions import connected, count_edges

HIPS = -0.08
"""Height on the T-pose below which a skirt hangs free, metres."""

_BOTH_SIDES = 0.04
"""The opening of a skirt goes further than these metres to the left and to the right."""

_REACH, _LIFT = 0.09, 0.06
"""Metres by which a skirt's hem leaves the body, and slides towards the head, at most."""

_OPENS = 0.6
"""Share of that reach when a person is upside down."""


_SPREADS = 40
"""How often a skirt's weights are averaged with those of their neighbours."""

_BETWEEN = (0.03, 0.09)
"""|x| up to which they are averaged, and from which they stay: cloth on a leg moves with it, so
that the leg does not pierce it. Metres."""


_SPLIT, _FOLDED = 80.0, 110.0
"""Degrees between the thighs, and of a knee's bend, from which a skirt would ride up or tear: who
moves like that wears none."""


def parts_skirts(angles: Angles) -> bool:
    """Whether the legs of a pose (rotation vectors by joint, degrees from the T-pose) are spread or
    folded too far for a skirt."""
    left, right = (
        cv2.Rodrigues(np.radians(angles.get(f"{side}_hip", (0.0, 0.0, 0.0))))[0][:, 1]
        for side in ("left", "right")
    )
    bend = max(angles.get(f"{side}_knee", (0.0, 0.0, 0.0))[0] for side in ("left", "right"))
    return bool(left @ right < np.cos(np.radians(_SPLIT)) or bend > _FOLDED)


@dataclass(frozen=True)
class Hanging:
    """How far each vertex of a garment may move, metres; 0 where it is on the body."""

    outward: Float[np.ndarray, "v 3"]
    """Away from the body, on the body before posing."""
    reach: Float[np.ndarray, " v"]
    """Outwards."""
    lift: Float[np.ndarray, " v"]
    """Towards the head."""
    gap: Float[np.ndarray, " v"]
    """Inwards."""


def find_skirt(
    faces: Int[np.ndarray, "f 3"], canonical: Float[np.ndarray, "v 3"]
) -> Hanging | None:
    """What hangs below the hips of a piece that has one opening for both legs."""
    edges = np.sort(np.concatenate([faces[:, :2], faces[:, 1:], faces[:, ::2]]), axis=1)
    number, times = count_edges(edges)
    ends = edges[times[number] == 1]
    ends = ends[(canonical[ends, 2] < HIPS).all(axis=1)]
    if not len(ends):
        return None
    loop = connected(np.column_stack([ends, ends[:, 1]]), len(canonical))
    piece = connected(faces, len(canonical))
    skirts = np.zeros(piece.max() + 1, dtype=bool)
    for number in np.unique(loop[ends]):
        at = canonical[loop == number, 0]
        if at.min() < -_BOTH_SIDES and at.max() > _BOTH_SIDES:
            skirts[piece[np.flatnonzero(loop == number)[0]]] = True
    free = np.flatnonzero(skirts[piece] & (canonical[:, 2] < HIPS))
    if not len(free):
        return None
    share = np.zeros(len(canonical))
    share[free] = (HIPS - canonical[free, 2]) / (HIPS - canonical[free, 2].min())
    return Hanging(outwards(canonical), _REACH * share, _LIFT * share, np.zeros(len(canonical)))


def spread_weights(
    hanging: Hanging,
    faces: Int[np.ndarray, "f 3"],
    canonical: Float[np.ndarray, "v 3"],
    bones: Int[np.ndarray, "v k"],
    weights: Float[np.ndarray, "v k"],
) -> tuple[Int[np.ndarray, "v k"], Float[np.ndarray, "v k"]]:
    """Bones and weights of a garment, those of its skirt between the legs averaged along the cloth.

    As they were found, half of a skirt follows each leg, which tears it where the legs are spread.
    """
    used, own = np.unique(bones, return_inverse=True)
    dense = np.zeros((len(bones), len(used)))
    np.add.at(dense, (np.arange(len(bones))[:, None], own.reshape(bones.shape)), weights)
    free = hanging.reach > 0
    ends = np.sort(np.concatenate([faces[:, :2], faces[:, 1:], faces[:, ::2]]), axis=1)
    ends = np.unique(ends, axis=0)
    ends = np.concatenate([ends, ends[:, ::-1]])
    ends = ends[free[ends[:, 0]]]
    ends = ends[np.argsort(ends[:, 0], kind="stable")]
    moved, starts, counts = np.unique(ends[:, 0], return_index=True, return_counts=True)
    middle, side = _BETWEEN
    share = np.clip((side - np.abs(canonical[moved, 0])) / (side - middle), 0, 1)[:, None]
    for _ in range(_SPREADS):
        near = np.add.reduceat(dense[ends[:, 1]], starts, axis=0) / counts[:, None]
        dense[moved] += share / 2 * (near - dense[moved])
    largest = np.argsort(-dense, axis=1, kind="stable")[:, : bones.shape[1]]
    found = np.take_along_axis(dense, largest, axis=1)
    found /= found.sum(axis=1, keepdims=True)
    return used[largest].astype(bones.dtype), found.astype(weights.dtype)


def outwards(canonical: Float[np.ndarray, "v 3"]) -> Float[np.ndarray, "v 3"]:
    """Unit vectors away from the axis of the trunk."""
    away = canonical * [1.0, 1.0, 0.0]
    return away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)


def hang(
    vertices: Float[np.ndarray, "v 3"],
    hanging: Hanging,
    bones: Int[np.ndarray, "v k"],
    weights: Float[np.ndarray, "v k"],
    rotations: Float[np.ndarray, "b 3 3"],
    lowest: float,
) -> Float[np.ndarray, "v 3"]:
    """The garment's vertices in the world as they hang, metres.

    `rotations` take the body before posing to the world with each bone. `lowest` is the height of
    the body's lowest point, below which nothing is moved: there may be a floor.
    """
    free = np.flatnonzero((hanging.reach > 0) | (hanging.lift > 0))
    turned = np.einsum("vk,vkij->vij", weights[free], rotations[bones[free]])
    down = -turned[:, 2]
    outward = hanging.outward[free]
    side = (down * outward).sum(axis=1)
    inverted = np.clip(down[:, 2], 0, 1)
    out = hanging.reach[free] * np.clip(np.maximum(side, 0) + _OPENS * inverted, 0, 1)
    out -= hanging.gap[free] * np.clip(-side, 0, 1)
    way = out[:, None] * outward + (hanging.lift[free] * inverted)[:, None] * [0.0, 0.0, 1.0]
    moved = vertices[free] + np.einsum("vij,vj->vi", turned, way)
    moved[:, 2] = np.maximum(moved[:, 2], np.minimum(vertices[free, 2], lowest))
    hung = vertices.copy()
    hung[free] = moved
    return hung
