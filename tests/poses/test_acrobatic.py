"""Acrobatic poses: folded bodies with joints that move together, seldom beyond the human range."""

import numpy as np
import pytest

from repogen import UserError
from repogen.generation.config import GenerateConfig
from repogen.poses.acrobatic import _table, families, sample_acrobatic_pose
from repogen.poses.bounds import default_bounds
from repogen.poses.distributions import DISTRIBUTIONS
from repogen.poses.plausibility import range_excess
from repogen.poses.sampling import sample_body_pose
from repogen.scenes.sample.scene import sample_scene


def acrobatic(count):
    return [sample_acrobatic_pose(np.random.default_rng(seed)) for seed in range(count)]


def independent(count):
    """The paper's poses."""
    bounds, pair = default_bounds(), DISTRIBUTIONS["pair_of_gaussians"]
    return [
        sample_body_pose(np.random.default_rng(seed), bounds, pair, 1.0) for seed in range(count)
    ]


def bend_of_trunk(poses):
    return np.array([sum(pose[f"spine{k}"][0] for k in (1, 2, 3)) for pose in poses])


def test_shares_sum_to_1_and_arms_point_somewhere_known():
    assert sum(one.share for one in families().values()) == pytest.approx(1)
    for one in families().values():
        assert sum(one.arms.values()) == pytest.approx(1)
        assert set(one.arms) <= set(_table()["arms"])
        assert 0 <= one.symmetric <= 1


def test_bodies_fold_as_independent_angles_do_not():
    both = acrobatic(400), independent(400)
    folded = [
        np.mean([min(p["left_hip"][0], p["right_hip"][0]) < -90 for p in poses]) for poses in both
    ]
    assert folded[0] > 0.3 > 0.15 > folded[1]
    assert bend_of_trunk(both[0]).std() > 3 * bend_of_trunk(both[1]).std()


def test_legs_are_often_alike():
    hips = np.array([[p["left_hip"][0], p["right_hip"][0]] for p in acrobatic(400)])
    assert np.corrcoef(hips.T)[0, 1] > 0.6


def test_joints_leave_the_human_range_less_than_independent_ones():
    beyond = [
        np.mean([sum(range_excess(pose).values()) for pose in poses])
        for poses in (acrobatic(400), independent(400))
    ]
    assert beyond[0] < 0.5 * beyond[1]


def test_the_option_draws_them_and_refuses_bounds(body, tmp_path):
    config = GenerateConfig(pose_distribution="acrobatic")
    people = [sample_scene(config, 0, index, body).people[0] for index in range(8)]
    bends = [sum(person.angles[f"spine{k}"][0] for k in (1, 2, 3)) for person in people]
    assert max(bends) - min(bends) > 40
    for own in ({"pose_variance": 0.5}, {"bounds": tmp_path / "b.toml"}):
        with pytest.raises(UserError, match="acrobatic has bounds of its own"):
            GenerateConfig(pose_distribution="acrobatic", **own)
