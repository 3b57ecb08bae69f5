"""Rotations, against SciPy's."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from repogen.bodies.rotations import (
    matrices_to_vectors,
    quaternions_to_matrices,
    vectors_to_matrices,
)


@pytest.fixture
def vectors():
    out = np.random.default_rng(0).normal(0, 1, (20000, 3))
    out[:1000] *= 1e-4
    out[0] = 0
    out[1] = [np.pi, 0, 0]
    return out


def test_matrices_are_those_of_scipy(vectors):
    assert np.abs(
        vectors_to_matrices(vectors) - Rotation.from_rotvec(vectors).as_matrix()
    ).max() < (1e-15)


def test_vectors_are_those_of_scipy(vectors):
    matrices = Rotation.from_rotvec(vectors).as_matrix()
    assert np.abs(
        matrices_to_vectors(matrices) - Rotation.from_matrix(matrices).as_rotvec()
    ).max() < (1e-14)


def test_quaternions_of_any_length_are_rotations(vectors):
    quaternions = 3 * Rotation.from_rotvec(vectors).as_quat()
    expected = Rotation.from_quat(quaternions).as_matrix()
    assert np.abs(quaternions_to_matrices(quaternions) - expected).max() < 1e-14


def test_a_quaternion_of_length_zero_is_refused():
    with pytest.raises(ValueError, match="length 0"):
        quaternions_to_matrices(np.zeros((1, 4)))
