"""The regressor: what it must ignore, what it must mirror, and how near it comes."""

import numpy as np
import pytest
import torch

from repogen.viewpoint_estimation.mixture import mode
from repogen.viewpoint_estimation.regressor import estimate_views, features, train_regressor
from repogen.viewpoint_estimation.sampling import FACE, FLIP, sample_labels, with_lost_joints
from repogen.viewpoint_estimation.sphere import between_deg, by_band, counted, spread_over
from repogen.viewpoint_estimation.trained import held_out_errors


@pytest.fixture(scope="module")
def labels(strangers):
    rng = np.random.default_rng(3)
    keypoints, towards = sample_labels(rng, strangers, 400)
    return with_lost_joints(rng, keypoints), towards


def directions(network, keypoints):
    return mode(estimate_views(network, keypoints)).numpy().astype(np.float64)


def test_roll_place_and_scale_change_nothing(trained, labels):
    keypoints, _ = labels
    turn = np.radians(np.linspace(-180, 180, len(keypoints)))
    moved = keypoints.copy()
    x, y = keypoints[:, :, 0], keypoints[:, :, 1]
    cosine, sine = np.cos(turn)[:, None], np.sin(turn)[:, None]
    moved[:, :, 0] = 300 * (cosine * x - sine * y) + 1234
    moved[:, :, 1] = 300 * (sine * x + cosine * y) - 77
    moved[moved[:, :, 2] == 0] = 0
    assert features(moved) == pytest.approx(features(keypoints), abs=1e-4)
    before, after = (estimate_views(trained.network, k) for k in (keypoints, moved))
    assert torch.allclose(before.means, after.means, atol=1e-2)


def test_what_an_unlabelled_joint_holds_does_not_matter(trained, labels):
    keypoints, _ = labels
    scribbled = keypoints.copy()
    scribbled[:, :, :2][keypoints[:, :, 2] == 0] = 1e4
    assert (features(scribbled) == features(keypoints)).all()


def test_a_mirrored_picture_has_the_mirrored_answer(trained, labels):
    keypoints, _ = labels
    plain = directions(trained.network, keypoints)
    mirrored = directions(trained.network, keypoints[:, FLIP] * [-1.0, 1.0, 1.0])
    assert between_deg(plain * [-1.0, 1.0, 1.0], mirrored).max() < 0.1


def test_joints_all_in_one_place_and_none_at_all_are_no_trouble(trained):
    keypoints = np.zeros((2, 17, 3))
    keypoints[0] = [5, 5, 2]
    assert np.isfinite(directions(trained.network, keypoints)).all()


def test_it_finds_the_camera(trained, labels):
    """Chance is 90 degrees; this small one must do far better on people it never saw."""
    keypoints, towards = labels
    errors = between_deg(directions(trained.network, keypoints), towards)
    assert np.median(errors) < 30
    (everywhere,) = (
        row for row in trained.held_out
        if row["joints"] == "all joints" and row["elevation_deg"] == [-90, 90]
    )  # fmt: skip
    assert everywhere["median"] < 20
    assert everywhere["lower_quartile"] < everywhere["median"] < everywhere["upper_quartile"]


def test_it_knows_how_far_off_it_is(trained):
    """Expected and true mean errors agree roughly, of every choice of joints; so briefly trained
    it is too modest."""
    rows = [row for row in trained.held_out if row["elevation_deg"] == [-90, 90]]
    assert rows
    for row in rows:
        assert row["expected"] == pytest.approx(row["mean"], rel=0.4)


def test_faces_help(trained):
    mean = {r["joints"]: r["mean"] for r in trained.held_out if r["elevation_deg"] == [-90, 90]}
    assert mean["all joints"] < mean["no face joints"]


def test_untrained_is_no_better_than_chance(points, strangers):
    raw = train_regressor(np.random.default_rng(0), points, steps=2, batch=4, width=32)
    rows = held_out_errors(np.random.default_rng(1), raw, strangers, count=300)
    assert 60 < rows[0]["median"] < 120


@pytest.mark.parametrize("sign", [1, -1], ids=["above", "below"])
def test_the_chart_of_a_lopsided_set_is_lopsided_as_much(trained, strangers, sign):
    """Trained on the even sphere, it still charts people seen only from one side of it."""
    keypoints, towards = sample_labels(np.random.default_rng(8), strangers, 4000)
    chosen = sign * towards[:, 2] > 0.4
    keypoints, towards = keypoints[chosen], towards[chosen]
    keypoints[::3, FACE] = 0
    mixture = estimate_views(trained.network, keypoints)
    cells = spread_over(mixture, mode(mixture).numpy().astype(np.float64)).cells
    difference = by_band(cells).sum(axis=1) - by_band(counted(towards)).sum(axis=1)
    assert np.abs(difference).sum() / 2 < 0.2  # a fifth of the people in another band, at most


def test_the_same_seed_trains_the_same_network(points):
    one, other = (
        train_regressor(np.random.default_rng(4), points, steps=5, batch=16, width=16)
        for _ in range(2)
    )
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    different = train_regressor(np.random.default_rng(5), points, steps=5, batch=16, width=16)
    assert not torch.equal(one.first.weight, different.first.weight)
