"""A blanket, draped over whoever lies below it."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from repogen.arrays import Float, Float32

OVERHANG = 0.3
"""Metres of a blanket that hang down at each side of the mattress and at its foot."""

ROWS, COLUMNS = 84, 72
"""Squares along a blanket and across it."""

_SLOPE = 4.0
"""Metres that what hangs down falls for each metre that it is away from the mattress."""

_SMOOTHINGS = 48
"""How often the heights are averaged with their neighbours; so the cloth gets its stiffness."""

_NEAR = 2
"""Squares around a point within which the cloth is as high at least: as far apart as the points of
limbs are, which would be ribs below it."""


_HEM = 0.04
"""Metres that the hem is below the cloth next to it, at most."""

_CREASES = 7
"""Creases that run across a blanket, each between two random points."""

_CREASE_HEIGHT, _CREASE_WIDTH = 0.03, 0.035
"""Metres of the highest crease, and standard deviation of its cross-section."""


def drape(
    size: tuple[float, float, float], points: Float[np.ndarray, "n 3"]
) -> Float32[np.ndarray, "v 3"]:
    """A blanket's vertices over points that it rests on: rows from its upper hem to the foot.

    All in the blanket's own frame, metres: x across, y along it towards the head, and z = 0 on the
    mattress. `size` is its width, length and thickness.
    """
    width, length, thickness = size
    x = np.linspace(-width / 2, width / 2, COLUMNS + 1)
    y = np.linspace(length / 2, -length / 2, ROWS + 1)
    support = _heights(points, size)
    # It hangs down at both sides and at the foot, from the first vertices beyond the mattress: the
    # mattress's edges are below the cloth.
    across, along = width / COLUMNS, length / ROWS
    beside = np.maximum(np.abs(x) - (width / 2 - OVERHANG + across), 0.0)[None]
    below = np.maximum(OVERHANG - along - length / 2 - y, 0.0)[:, None]
    hanging = -_SLOPE * np.minimum(np.maximum(beside, below), OVERHANG / 2)
    support = np.maximum(support, hanging)
    cloth = support
    for _ in range(_SMOOTHINGS):
        cloth = np.maximum(support, _averaged(cloth))
    cloth += thickness
    # The hem lies on what is below it, or nearly.
    cloth[0] = np.maximum(support[0] + 0.2 * thickness, cloth[1] - _HEM)
    grid_y, grid_x = np.meshgrid(y, x, indexing="ij")
    cloth += _creases(grid_x, grid_y, size)
    return np.stack([grid_x, grid_y, cloth], axis=-1).reshape(-1, 3).astype(np.float32)


def _heights(
    points: Float[np.ndarray, "n 3"], size: tuple[float, float, float]
) -> Float[np.ndarray, "rows columns"]:
    """The height of the highest point near each vertex of a blanket, at least the mattress's."""
    width, length, _ = size
    column = np.rint((points[:, 0] / width + 0.5) * COLUMNS).astype(int)
    row = np.rint((0.5 - points[:, 1] / length) * ROWS).astype(int)
    inside = (row >= 0) & (row <= ROWS) & (column >= 0) & (column <= COLUMNS)
    out = np.full((ROWS + 1, COLUMNS + 1), -np.inf)
    np.maximum.at(out, (row[inside], column[inside]), points[inside, 2])
    for axis in (0, 1):
        ends = [(_NEAR, _NEAR) if axis == i else (0, 0) for i in range(2)]
        padded = np.pad(out, ends, constant_values=-np.inf)
        out = np.max(sliding_window_view(padded, 2 * _NEAR + 1, axis), axis=-1)
    x = np.linspace(-width / 2, width / 2, COLUMNS + 1)
    y = np.linspace(length / 2, -length / 2, ROWS + 1)
    beside = np.abs(x) <= width / 2 - OVERHANG + width / COLUMNS
    along = y >= OVERHANG - length / ROWS - length / 2
    mattress = np.where(along[:, None] & beside[None], 0.0, -np.inf)
    return np.maximum(out, mattress)


def _creases(
    x: Float[np.ndarray, "rows columns"],
    y: Float[np.ndarray, "rows columns"],
    size: tuple[float, float, float],
) -> Float[np.ndarray, "rows columns"]:
    """Heights of creases, metres; where they are follows from the blanket's size."""
    rng = np.random.default_rng([round(1e6 * side) for side in size])
    half = np.array(size[:2]) / 2
    out = np.zeros_like(x)
    for _ in range(_CREASES):
        start, heading = rng.uniform(-half, half), rng.uniform(0, np.pi)
        length, bend, height = rng.uniform((0.25, -0.4, 0.3), (0.7, 0.4, 1.0))
        along = (x - start[0]) * np.cos(heading) + (y - start[1]) * np.sin(heading)
        aside = (y - start[1]) * np.cos(heading) - (x - start[0]) * np.sin(heading)
        aside += bend * along * along
        far = (along / length) ** 2 + (aside / _CREASE_WIDTH) ** 2
        out += _CREASE_HEIGHT * height * np.exp(-far / 2)
    return out


def _averaged(heights: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, "rows columns"]:
    """The mean of each height and its neighbours, with weights 1 2 1 along both axes."""
    for _ in range(2):
        padded = np.concatenate([heights[:1], heights, heights[-1:]])
        heights = ((padded[:-2] + 2 * heights + padded[2:]) / 4).T
    return heights
