"""From MoveNet's heads to joints and boxes, in NumPy."""

from collections.abc import Mapping

import numpy as np

from repogen.arrays import Float

STRIDE = 4
"""Input pixels per cell of the heads."""

CLOSENESS = 1.8
"""Cells added to a distance before a score is divided by it: how much a distance matters."""

_NEIGHBOURHOOD = 0.3
"""Square cells at which a score falls to 1/e, as a multiple of the grid's shorter side."""

_PEAK = 5
"""Cells on a side in which a person's centre is the highest."""

_MIN_JOINT_SCORE = 0.127
"""Joints of multipose that score less do not count for a person's score."""

Heads = Mapping[str, Float[np.ndarray, "n c h w"]]
"""Outputs of `movenet.MoveNet`."""


def decode_pose(heads: Heads) -> Float[np.ndarray, "n 17 3"]:
    """Each joint's x and y in pixels of the input (0 at its corner), and its score.

    The person is the one whose centre has the highest score, divided by its distance to the
    middle + 1.8 cells; each joint is the cell with the highest score, divided by the distance to
    the regressed point + 1.8 cells, plus its offset. A score is the sigmoid of `center` or
    `heatmap`.
    """
    center = _sigmoid(heads["center"][:, 0])
    n, rows, columns = center.shape
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    middle = np.hypot(y - rows / 2, x - columns / 2) + CLOSENESS
    best = (center / middle).reshape(n, -1).argmax(axis=1)
    guess = np.stack(np.divmod(best, columns), axis=1)[:, None] + _at(heads["regress"], best)
    away = np.hypot(y - guess[:, :, 0, None, None], x - guess[:, :, 1, None, None])
    scores = _sigmoid(heads["heatmap"])
    cell = (scores / (away + CLOSENESS)).reshape(n, 17, -1).argmax(axis=2)
    score = np.take_along_axis(scores.reshape(n, 17, -1), cell[..., None], axis=2)
    return np.concatenate([_place(cell, heads["offset"]), score], axis=2)


def decode_people(
    heads: Heads, count: int = 6, min_score: float = 0.0
) -> tuple[Float[np.ndarray, "m 4"], Float[np.ndarray, " m"], Float[np.ndarray, "m 17 3"]]:
    """Boxes (x1, y1, x2, y2), scores and joints of the `count` people with the highest centres in
    one input, in its pixels (0 at its corner); of those whose centre scores at least `min_score`.

    A centre is the highest of 5 x 5 cells. Each joint is the cell of the highest sigmoid(heatmap)
    times a Gaussian around the regressed point, inside the box, and scores the highest of these
    products over all people there; a person's score is that of the centre times the mean of the
    joints that score more than 0.127.
    """
    center = _sigmoid(heads["center"][0, 0])
    rows, columns = center.shape
    padded = np.pad(center, _PEAK // 2)
    around = np.lib.stride_tricks.sliding_window_view(padded, (_PEAK, _PEAK)).max(axis=(2, 3))
    peaks = np.where(center >= around, center, 0.0)
    best = np.argsort(-peaks, axis=None, kind="stable")[:count]
    best = best[peaks.ravel()[best] >= min_score]
    if not len(best):
        return np.empty((0, 4)), np.empty(0), np.empty((0, 17, 3))
    row_column = np.stack(np.divmod(best, columns), axis=1)
    repeated = {k: np.broadcast_to(v, (len(best), *v.shape[1:])) for k, v in heads.items()}
    size = np.maximum(_at(repeated["box_scale"], best)[:, 0], 0)
    middle = row_column + _at(repeated["box_offset"], best)[:, 0]
    low, high = (np.clip(middle + sign * size / 2, 0, (rows, columns)) for sign in (-1, 1))

    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    guess = row_column[:, None] + _at(repeated["regress"], best)
    square = (y - guess[:, :, 0, None, None]) ** 2 + (x - guess[:, :, 1, None, None]) ** 2
    near = np.exp(-square / (_NEIGHBOURHOOD * min(rows, columns)))
    inside = (y >= low[:, 0, None, None]) & (y < high[:, 0, None, None])
    inside &= (x >= low[:, 1, None, None]) & (x < high[:, 1, None, None])
    likely = (_sigmoid(heads["heatmap"]) * near * inside[:, None]).reshape(len(best), 17, -1)
    cell = likely.argmax(axis=2)
    score = np.take_along_axis(likely.max(axis=0)[None], cell[..., None], axis=2)
    joints = np.concatenate([_place(cell, repeated["offset"]), score], axis=2)
    counted = score > _MIN_JOINT_SCORE
    quality = (score * counted).sum(axis=(1, 2)) / np.maximum(counted.sum(axis=(1, 2)), 1)
    corners = np.concatenate([low[:, ::-1], high[:, ::-1]], axis=1) * STRIDE
    return corners, center.ravel()[best] * quality, joints


def _sigmoid(logits: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    return 0.5 + 0.5 * np.tanh(logits / 2)  # its exponential would overflow


def _at(values: Float[np.ndarray, "n c h w"], cells: np.ndarray) -> Float[np.ndarray, "n k 2"]:
    """The pairs y, x of a head at one cell of each picture."""
    flat = values.reshape(*values.shape[:2], -1)
    return flat[np.arange(len(cells)), :, cells].reshape(len(cells), -1, 2)


def _place(cell: np.ndarray, offset: Float[np.ndarray, "n 34 h w"]) -> Float[np.ndarray, "n 17 2"]:
    """x and y in pixels of each joint's cell and its offset in it."""
    n, _, _, columns = offset.shape
    pairs = offset.reshape(n, 17, 2, -1)
    inside = np.take_along_axis(pairs, cell[:, :, None, None], axis=3)[..., 0]
    return (np.stack([cell % columns, cell // columns], axis=2) + inside[..., ::-1]) * STRIDE
