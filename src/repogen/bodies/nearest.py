"""Nearest neighbours among points."""

import cv2
import numpy as np

from repogen.arrays import Float, Int

_KD_TREE = 4
"""FLANN's exact k-d tree (`FLANN_INDEX_KDTREE_SINGLE`); it computes in single precision."""

_CANDIDATES = 4
"""Nearest points in single precision, of which the nearest in double precision is chosen."""


class NearestPoint:
    """Finds the nearest of `points` (any unit)."""

    def __init__(self, points: Float[np.ndarray, "n 3"]) -> None:
        self._points = points.astype(np.float64)
        # The tree refers to these numbers.
        self._single = np.ascontiguousarray(points, dtype=np.float32)
        self._tree = cv2.flann.Index(self._single, {"algorithm": _KD_TREE})

    def query(
        self, queries: Float[np.ndarray, "m 3"]
    ) -> tuple[Float[np.ndarray, " m"], Int[np.ndarray, " m"]]:
        """The distance to the point nearest to each query, and the point's index: the lowest of
        equally near ones."""
        if not len(queries):
            return np.zeros(0), np.zeros(0, dtype=np.int64)
        single = np.ascontiguousarray(queries, dtype=np.float32)
        count = min(_CANDIDATES, len(self._points))
        found = np.sort(self._tree.knnSearch(single, count, params={})[0], axis=1)
        away = self._points[found] - queries.astype(np.float64)[:, None]
        distances = np.linalg.norm(away, axis=2)
        best = distances.argmin(axis=1)[:, None]
        return (
            np.take_along_axis(distances, best, axis=1)[:, 0],
            np.take_along_axis(found, best, axis=1)[:, 0],
        )
