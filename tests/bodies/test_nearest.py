"""Nearest points, against all distances."""

import numpy as np
import pytest

from repogen.bodies.nearest import NearestPoint


@pytest.mark.parametrize("count", [1, 3, 500])
def test_the_nearest_point_is_that_of_least_distance(count):
    rng = np.random.default_rng(count)
    points, queries = rng.normal(0, 1, (count, 3)), rng.normal(0, 1, (200, 3))
    distances = np.linalg.norm(points - queries[:, None], axis=2)
    found, index = NearestPoint(points).query(queries)
    assert (index == distances.argmin(axis=1)).all()
    assert np.allclose(found, distances.min(axis=1), rtol=1e-15)


def test_the_first_of_equally_near_points_is_found():
    points = np.array([[1.0, 0, 0], [0, 1, 0], [-1, 0, 0]])
    assert NearestPoint(points).query(np.zeros((1, 3)))[1] == [0]
