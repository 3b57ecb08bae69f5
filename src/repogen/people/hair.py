"""Long hair that falls with gravity where the head is tilted or upside down.

Skinned like cloth, hair sticks to the back whatever the pose. Here each of its points below the
nape is the end of a strand, which leaves the head downwards and turns towards the ground.
"""

from functools import lru_cache

import numpy as np

from repogen.arrays import Float, Float32, Int
from repogen.bodies.protocol import Surface

_TILTED = (0.85, 0.5)
"""Cosines of the head's tilt from which hair begins to fall, and falls freely."""

_ON_BACK = (0.55, 0.85)
"""Cosines between the way down and the back of the head, from which hair begins to stay as it is,
and stays: it lies between the body and what is below."""

_NAPE = 0.8
"""Heights of the skull, half its depth, from the crown down to where strands leave it twice."""

_TURN = 0.10
"""Metres of a strand within which it turns towards the ground; shorter hair stays as it is."""

_THICK = 0.04
"""Half the thickness of a lock that turns, metres, at most."""

_BELOW = 0.12
"""Metres by which hair hangs below everything else, at most: it lies on a floor, or is shorter."""


_WIDER = 0.22
"""Share of its width by which a strip of hair grows to either side, so that few gaps are seen."""


def widen_strips(
    surface: Surface, vertices: Float32[np.ndarray, "v 3"]
) -> Float32[np.ndarray, "v 3"]:
    """A body's vertices with broader strips of its long hair."""
    ends = _widths(surface)
    out = vertices.copy()
    out[ends[:, 0]] += np.float32(_WIDER) * (vertices[ends[:, 0]] - vertices[ends[:, 1]])
    return out


@lru_cache(maxsize=4)
def _widths(surface: Surface) -> Int[np.ndarray, "n 2"]:
    """A vertex of a strip of hair and the one across, in both orders. Strips are one square
    wide: of the edges inside a strip, the shortest one at a vertex runs across."""
    faces = surface.faces[surface.faces_of("hair")]
    edges = np.sort(np.concatenate([faces[:, :2], faces[:, 1:], faces[:, ::2]]), axis=1)
    edges, times = np.unique(edges, axis=0, return_counts=True)
    inner = edges[times == 2]
    both = np.concatenate([inner, inner[:, ::-1]])
    at = surface.canonical
    length = np.linalg.norm(at[both[:, 0]] - at[both[:, 1]], axis=1)
    both = both[np.lexsort((length, both[:, 0]))]
    return both[np.unique(both[:, 0], return_index=True)[1]]


def hang(
    rest: Float[np.ndarray, "v 3"],
    skinned: Float[np.ndarray, "v 3"],
    rotation: Float[np.ndarray, "3 3"],
    offset: Float[np.ndarray, "3"],
    lowest: float,
) -> Float[np.ndarray, "v 3"]:
    """The hair's vertices in the world, metres.

    `rest` is before posing, upright and facing -y; `skinned` is as bones of head, neck and trunk
    move it; `rotation` and `offset` take `rest` to the world with the head. `lowest` is the height
    of the body's lowest point.
    """
    down = -rotation[2]
    free = _step(-down[2], *_TILTED) * (1 - _step(down[1], *_ON_BACK))
    crown = float(rest[:, 2].max())
    scalp = rest[rest[:, 2] > crown - 0.12]
    middle = (scalp.max(axis=0) + scalp.min(axis=0)) / 2
    radii = (scalp.max(axis=0) - scalp.min(axis=0))[:2] / 2
    nape = crown - 2 * _NAPE * float(radii[1])
    length = np.maximum(nape - rest[:, 2], 0)
    if free == 0 or length.max() <= _TURN:
        return skinned
    turn = _step(length, 0, _TURN)[:, None]
    # Between up and down it goes backwards, where it comes from.
    along = (1 - turn) * [0, 0, -1] + turn * down + turn * (1 - turn) * [0, 0.5, 0]
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    roots = np.column_stack([rest[:, :2], np.maximum(rest[:, 2], nape)])
    # A lock keeps its thickness: what is farther back turns with it.
    back = np.clip(rest[:, 1] - np.median(rest[length > _TURN, 1]), -_THICK, _THICK)
    turned = (along[:, 1] / np.maximum(1 - along[:, 2], 0.2))[:, None] * (along - [0, 0, 1])
    thick = -(turn * back[:, None]) * turned
    fallen = _around_head(roots + length[:, None] * along + thick, middle[:2], radii)
    fallen[length == 0] = rest[length == 0]
    world = fallen @ rotation.T + offset
    deep = np.maximum(lowest - world[:, 2], 0)
    world[:, 2] += deep - _BELOW * (1 - np.exp(-deep / _BELOW))
    share = free * _step(length, 0, 0.02)[:, None]
    return (skinned + share * (world - skinned)).astype(np.float32)


def _around_head(
    points: Float[np.ndarray, "v 3"], middle: Float[np.ndarray, "2"], radii: Float[np.ndarray, "2"]
) -> Float[np.ndarray, "v 3"]:
    """The points, those inside the upright cylinder of head and neck moved to its surface."""
    out = points.copy()
    away = (points[:, :2] - middle) / radii
    distance = np.linalg.norm(away, axis=1, keepdims=True)
    inside = (distance < 1)[:, 0]
    out[inside, :2] = middle + radii * (away / np.maximum(distance, 1e-6))[inside]
    return out


def _step(
    value: float | Float[np.ndarray, " n"], low: float, high: float
) -> Float[np.ndarray, "..."]:
    """0 up to `low`, 1 from `high` on, smooth between; `low` may be the larger of both."""
    t = np.clip((np.asarray(value, dtype=np.float64) - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
