"""How hard a person is: by the labels, and by whether an estimator agrees with itself."""

import numpy as np
import pytest

from repogen.coco.crops import FLIP
from repogen.inference.estimate import JointEstimator
from repogen.mining.difficulty import LOOKS, WEIGHTS, Difficulty, ask, finds, joint_oks, judge
from repogen.training.config import LabelConfig

SIDE = 200.0
AREA = SIDE**2 / 4
EVERY = np.ones(17, dtype=bool)


@pytest.fixture
def truth():
    return np.random.default_rng(0).uniform(0, SIDE, (17, 2))


def looks_of(pose):
    return np.repeat(pose[None], len(LOOKS), axis=0)


def test_right_answers_are_easy(truth):
    assert judge(looks_of(truth), truth, EVERY, AREA, SIDE) == Difficulty(0.0, 0.0, 0.0)


def test_left_and_right_exchanged_are_swaps_on_which_all_looks_agree(truth):
    found = judge(looks_of(truth[FLIP]), truth, EVERY, AREA, SIDE)
    assert found.swaps == 1.0
    assert found.loss > 0.8
    assert found.disagreement == 0.0


def test_joints_that_cannot_be_seen_do_not_count(truth):
    seen = np.arange(17) != 9
    wrong = truth.copy()
    wrong[9] += 1000
    assert judge(looks_of(wrong), truth, seen, AREA, SIDE) == Difficulty(0.0, 0.0, 0.0)
    assert judge(looks_of(wrong), truth, EVERY, AREA, SIDE).loss == pytest.approx(1 / 17)


def test_a_joint_is_found_within_a_share_of_the_root_of_the_area(truth):
    found = truth.copy()
    near = LabelConfig().tolerance * np.sqrt(AREA)
    found[3, 0] += near - 0.01
    found[4, 1] -= near + 0.01
    assert finds(found, truth, AREA).tolist() == [k != 4 for k in range(17)]


def test_the_loss_is_the_mean_over_the_joints_that_can_be_seen(truth):
    seen = np.arange(17) % 3 > 0
    found = truth + np.random.default_rng(1).normal(0, 12, (len(LOOKS), 17, 2))
    oks = joint_oks(found, truth, seen, AREA)
    assert np.array_equal(np.isfinite(oks), seen)
    assert 1 - np.nanmean(oks) == pytest.approx(judge(found, truth, seen, AREA, SIDE).loss)
    far = found.copy()
    far[:, 4] += 1000
    assert joint_oks(far, truth, seen, AREA)[4] == pytest.approx(0, abs=1e-6)


def test_disagreement_needs_no_truth(truth):
    found = looks_of(truth)
    found[1] += 500
    nowhere = np.zeros((17, 2))
    there, elsewhere = (judge(found, at, EVERY, AREA, SIDE) for at in (truth, nowhere))
    pairs = len(LOOKS) * (len(LOOKS) - 1) / 2
    assert there.disagreement == elsewhere.disagreement == pytest.approx((len(LOOKS) - 1) / pairs)
    assert there.loss == pytest.approx(1 / len(LOOKS))


@pytest.mark.parametrize(("by", "total"), [("all", 0.37), ("labels", 0.32), ("agreement", 0.5)])
def test_the_total_is_the_weighted_sum_of_what_is_asked_for(by, total):
    assert Difficulty(0.2, 0.6, 0.5).total(by) == pytest.approx(total)


def test_weights_sum_to_one():
    assert [sum(weights) for weights in WEIGHTS.values()] == pytest.approx([1.0] * len(WEIGHTS))


def test_every_look_finds_a_dot_where_it_is_in_the_picture():
    picture = np.zeros((300, 400, 3), np.uint8)
    picture[120:125, 210:215] = 255  # its middle is at 212.5, 122.5

    def brightest(crops, flip):
        assert not flip
        out = np.ones((len(crops), 17, 3))
        for pose, crop in zip(out, crops, strict=True):
            weights = crop[..., 0].astype(float)
            rows, columns = np.indices(weights.shape)
            pose[:, 0] = (weights * columns).sum() / weights.sum()
            pose[:, 1] = (weights * rows).sum() / weights.sum()
        return out

    boxes = [np.array([150.0, 50, 120, 160]), np.array([190.0, 100, 60, 60])]
    found = ask(JointEstimator((192, 192), 1.25, brightest), [picture, picture], boxes)
    assert found.shape == (2, len(LOOKS), 17, 2)
    assert np.abs(found - [212.5, 122.5]).max() < 0.15
