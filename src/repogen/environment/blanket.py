"""A blanket, draped over whoever lies below it."""

import numpy as np

from repogen.arrays import Float, Float32

OVERHANG = 0.3
"""Metres of a blanket that hang down at each side of the mattress and at its foot."""

ROWS, COLUMNS = 84, 72
"""Squares along a blanket and across it."""

_SLOPE = 4.0
"""Metres that what hangs down falls for each metre that it is away from the mattress."""

_SMOOTHINGS = 24
"""How often the heights are averaged with their neighbours; so the cloth gets its stiffness."""


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
    cloth[0] = support[0] + 0.2 * thickness  # the hem lies on what is below it
    grid_y, grid_x = np.meshgrid(y, x, indexing="ij")
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
    padded = np.pad(out, 1, constant_values=-np.inf)
    neighbours = [padded[i : i + ROWS + 1, j : j + COLUMNS + 1] for i in range(3) for j in range(3)]
    x = np.linspace(-width / 2, width / 2, COLUMNS + 1)
    y = np.linspace(length / 2, -length / 2, ROWS + 1)
    beside = np.abs(x) <= width / 2 - OVERHANG + width / COLUMNS
    along = y >= OVERHANG - length / ROWS - length / 2
    mattress = np.where(along[:, None] & beside[None], 0.0, -np.inf)
    return np.maximum(np.max(neighbours, axis=0), mattress)


def _averaged(heights: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, "rows columns"]:
    """The mean of each height and its neighbours, with weights 1 2 1 along both axes."""
    for axis in (0, 1):
        ends = [(1, 1) if axis == i else (0, 0) for i in range(2)]
        padded = np.pad(heights, ends, mode="edge")
        before, after = np.delete(padded, (-1, -2), axis), np.delete(padded, (0, 1), axis)
        heights = (before + 2 * heights + after) / 4
    return heights
