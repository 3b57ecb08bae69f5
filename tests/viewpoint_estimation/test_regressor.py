"""The regressor: its invariances, its mirror symmetry and its accuracy."""

import numpy as np
import pytest
import torch

from repogen.viewpoint_estimation.mixture import mode
from repogen.viewpoint_estimation.regressor import (
    estimate_views,
    keypoints_to_features,
    train_regressor,
)
from repogen.viewpoint_estimation.sphere import (
    angles_between_deg,
    cell_shares,
    distribution_over_cells,
    sum_by_band,
)
from repogen.viewpoint_estimation.trained import held_out_errors
from repogen.viewpoint_estimation.training_data import FACE_JOINTS, FLIP, drop_joints, sample_labels


@pytest.fixture(scope="module")
def labels(strangers):
    rng = np.random.default_rng(3)
    keypoints, towards = sample_labels(rng, strangers, 400)
    return drop_joints(rng, keypoints), towards


def directions(network, keypoints):
    return mode(estimate_views(network, keypoints)).numpy().astype(np.float64)


def test_roll_position_and_scale_do_not_change_the_estimate(trained, labels):
    keypoints, _ = labels
    turn = np.radians(np.linspace(-180, 180, len(keypoints)))
    moved = keypoints.copy()
    x, y = keypoints[:, :, 0], keypoints[:, :, 1]
    cosine, sine = np.cos(turn)[:, None], np.sin(turn)[:, None]
    moved[:, :, 0] = 300 * (cosine * x - sine * y) + 1234
    moved[:, :, 1] = 300 * (sine * x + cosine * y) - 77
    moved[moved[:, :, 2] == 0] = 0
    assert keypoints_to_features(moved) == pytest.approx(keypoints_to_features(keypoints), abs=1e-4)
    before, after = (estimate_views(trained.network, k) for k in (keypoints, moved))
    assert torch.allclose(before.means, after.means, atol=1e-2)


def test_coordinates_of_unlabelled_joints_are_ignored(trained, labels):
    keypoints, _ = labels
    scribbled = keypoints.copy()
    scribbled[:, :, :2][keypoints[:, :, 2] == 0] = 1e4
    assert (keypoints_to_features(scribbled) == keypoints_to_features(keypoints)).all()


def test_mirrored_keypoints_give_the_mirrored_estimate(trained, labels):
    keypoints, _ = labels
    plain = directions(trained.network, keypoints)
    mirrored = directions(trained.network, keypoints[:, FLIP] * [-1.0, 1.0, 1.0])
    assert angles_between_deg(plain * [-1.0, 1.0, 1.0], mirrored).max() < 0.1


def test_coincident_and_missing_joints_give_finite_estimates(trained):
    keypoints = np.zeros((2, 17, 3))
    keypoints[0] = [5, 5, 2]
    assert np.isfinite(directions(trained.network, keypoints)).all()


def test_the_median_error_is_far_below_chance(trained, labels):
    """Chance is 90 degrees; the people are held out."""
    keypoints, towards = labels
    errors = angles_between_deg(directions(trained.network, keypoints), towards)
    assert np.median(errors) < 30
    (everywhere,) = (
        row for row in trained.held_out
        if row["joints"] == "all joints" and row["elevation_deg"] == [-90, 90]
    )  # fmt: skip
    assert everywhere["median"] < 20
    assert everywhere["lower_quartile"] < everywhere["median"] < everywhere["upper_quartile"]


def test_the_expected_error_is_close_to_the_true_error(trained):
    """Roughly, for each choice of joints; after so short a training it expects too much."""
    rows = [row for row in trained.held_out if row["elevation_deg"] == [-90, 90]]
    assert rows
    for row in rows:
        assert row["expected"] == pytest.approx(row["mean"], rel=0.4)


def test_face_joints_reduce_the_error(trained):
    mean = {r["joints"]: r["mean"] for r in trained.held_out if r["elevation_deg"] == [-90, 90]}
    assert mean["all joints"] < mean["no face joints"]


def test_an_untrained_network_is_no_better_than_chance(points, strangers):
    raw = train_regressor(np.random.default_rng(0), points, steps=2, batch=4, width=32)
    rows = held_out_errors(np.random.default_rng(1), raw, strangers, count=300)
    assert 60 < rows[0]["median"] < 120


@pytest.mark.parametrize("sign", [1, -1], ids=["above", "below"])
def test_the_chart_of_people_seen_from_one_side_shows_that_side(trained, strangers, sign):
    """The regressor is trained on uniform directions, the people are seen from one side only."""
    keypoints, towards = sample_labels(np.random.default_rng(8), strangers, 4000)
    chosen = sign * towards[:, 2] > 0.4
    keypoints, towards = keypoints[chosen], towards[chosen]
    keypoints[::3, FACE_JOINTS] = 0
    mixture = estimate_views(trained.network, keypoints)
    cells = distribution_over_cells(mixture, mode(mixture).numpy().astype(np.float64)).cells
    difference = sum_by_band(cells).sum(axis=1) - sum_by_band(cell_shares(towards)).sum(axis=1)
    assert np.abs(difference).sum() / 2 < 0.2  # a fifth of the people in another band, at most


def test_the_same_seed_trains_the_same_network(points):
    one, other = (
        train_regressor(np.random.default_rng(4), points, steps=5, batch=16, width=16)
        for _ in range(2)
    )
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    different = train_regressor(np.random.default_rng(5), points, steps=5, batch=16, width=16)
    assert not torch.equal(one.first.weight, different.first.weight)
