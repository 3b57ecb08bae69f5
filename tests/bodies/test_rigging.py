"""Rotations and kinematics, against their definitions."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from repogen.bodies.rigging import KinematicTree, nearest_rotations, shortest_rotation


def angle_between(a, b):
    return np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)


def is_rotation(matrix):
    return np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-9) and np.linalg.det(matrix) > 0


@pytest.mark.parametrize("seed", range(20))
def test_shortest_rotation_maps_one_direction_to_the_other_by_the_angle_between_them(seed):
    a, b = np.random.default_rng(seed).normal(size=(2, 3)) * [[1], [50]]
    turn = shortest_rotation(a, b)
    assert is_rotation(turn)
    assert turn @ a / np.linalg.norm(a) == pytest.approx(b / np.linalg.norm(b), abs=1e-9)
    assert Rotation.from_matrix(turn).magnitude() == pytest.approx(angle_between(a, b))


@pytest.mark.parametrize("offset", [0.0, 1e-12, 1e-8, 1e-4])
@pytest.mark.parametrize("axis", [*np.eye(3), np.array([1.0, -2.0, 0.5])])
@pytest.mark.parametrize("sign", [1, -1])
def test_shortest_rotation_of_nearly_parallel_directions(axis, offset, sign):
    target = sign * axis + offset * np.array([0.3, 0.5, -0.8])
    turn = shortest_rotation(axis, target)
    assert is_rotation(turn)
    expected = target / np.linalg.norm(target)
    assert turn @ axis / np.linalg.norm(axis) == pytest.approx(expected, abs=1e-7)


def test_nearest_rotation_of_a_scaled_rotation_is_the_rotation():
    turns = Rotation.random(10, rng=np.random.default_rng(0)).as_matrix()
    assert nearest_rotations(turns) == pytest.approx(turns)
    assert nearest_rotations(3.5 * turns) == pytest.approx(turns)


def test_no_random_rotation_is_nearer_than_nearest_rotation():
    rng = np.random.default_rng(1)
    matrices = rng.normal(size=(20, 3, 3))
    matrices[:10] *= np.sign(np.linalg.det(matrices[:10]))[:, None, None]
    matrices[10:] *= -np.sign(np.linalg.det(matrices[10:]))[:, None, None]  # reflections
    nearest = nearest_rotations(matrices)
    others = Rotation.random(2000, rng=rng).as_matrix()
    for matrix, best in zip(matrices, nearest, strict=True):
        assert is_rotation(best)
        others_error = np.linalg.norm(others - matrix, axis=(1, 2))
        assert np.linalg.norm(best - matrix) <= others_error.min()


PARENTS = np.array([-1, 0, 1, 1, 0, 4, 5])


def ancestors(joint):
    """The path from the root to the joint, itself included."""
    return ([] if joint == 0 else ancestors(PARENTS[joint])) + [joint]


def test_kinematic_tree_composes_and_accumulates_along_each_path():
    rng = np.random.default_rng(2)
    local = Rotation.random(len(PARENTS), rng=rng).as_matrix()
    offsets = rng.normal(size=(len(PARENTS), 3))
    chain = KinematicTree(PARENTS)
    turned, placed = chain.compose(local), chain.accumulate(offsets)
    for joint in range(len(PARENTS)):
        product = np.eye(3)
        for step in ancestors(joint):
            product = product @ local[step]
        assert turned[joint] == pytest.approx(product)
        assert placed[joint] == pytest.approx(offsets[ancestors(joint)].sum(axis=0))


@pytest.mark.parametrize("parents", [[-1, 2, 0], [-1, 1], [-1, -1]])
def test_kinematic_tree_needs_parents_first_and_one_root(parents):
    with pytest.raises(ValueError, match="after its parent"):
        KinematicTree(np.array(parents))
