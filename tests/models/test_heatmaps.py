"""Heatmaps: encoding and decoding returns the joints, also between pixels."""

import numpy as np
import pytest
import torch

from repogen.coco.crops import (
    CROP_SIZE,
    FLIP,
    HEATMAP_SIZE,
    Window,
    box_to_window,
    joints_to_picture,
)
from repogen.inference.estimate import estimate_boxes, person_scores
from repogen.models.heatmaps import STRIDE, heatmaps_to_joints, joints_to_heatmaps


def heatmaps(joints):
    return joints_to_heatmaps(torch.tensor(joints)).numpy()


def inner(rng, n):
    """Random joints at least three sigma from the border."""
    margin = 6 * STRIDE
    return rng.uniform(margin, np.array(CROP_SIZE) - 1 - margin, (n, 17, 2))


def test_sub_pixel_joints_are_decoded_exactly():
    joints = inner(np.random.default_rng(0), 40)
    found, scores = heatmaps_to_joints(heatmaps(joints))
    assert np.abs(found - joints).max() < 0.01
    assert (scores > 0.93).all()


def test_a_joint_at_the_border_is_decoded_to_a_pixel():
    joints = np.array([[[0.0, 0.0], [191.0, 255.0], [0.0, 128.0], [96.0, 255.0]]])
    found, _ = heatmaps_to_joints(heatmaps(joints))
    assert np.abs(found - joints).max() < 4.1


def test_noise_moves_a_decoded_joint_little():
    rng = np.random.default_rng(1)
    joints = inner(rng, 20)
    maps = heatmaps(joints) + rng.normal(0, 0.02, (20, 17, 64, 48)).astype(np.float32)
    found, _ = heatmaps_to_joints(maps)
    assert np.linalg.norm(found - joints, axis=2).mean() < 1.0


def test_empty_maps_give_finite_joints():
    found, scores = heatmaps_to_joints(np.zeros((2, 17, 64, 48), np.float32))
    assert np.isfinite(found).all()
    assert (scores == 0).all()


def test_the_corners_of_crop_and_heatmap_coincide():
    assert np.allclose((np.array(HEATMAP_SIZE) - 1) * STRIDE, np.array(CROP_SIZE) - 1)
    maps = heatmaps(np.array([[[0.0, 0.0], [191.0, 255.0]]]))
    assert maps[0, 0, 0, 0] == 1
    assert maps[0, 1, -1, -1] == 1


def test_the_flip_test_of_a_perfect_estimator_changes_nothing():
    """The estimator returns the true joints of the crops and of the mirrored crops."""
    joints = inner(np.random.default_rng(2), 5)
    mirrored = joints[:, FLIP] * [-1, 1] + [CROP_SIZE[0] - 1, 0]
    crops = np.zeros((5, 256, 192, 3), np.uint8)
    crops[:, 0, 0] = 1  # the left upper corner tells which way round a crop is

    def estimator(pixels):
        return heatmaps(joints if pixels[0, 0, 0, 0] == 1 else mirrored)

    def cut(i, _window, _crop):
        return crops[i]

    box = np.array([20.0, 30.0, 90.0, 120.0])
    (found,) = estimate_boxes(estimator, [box] * 5, cut, flip=True, batch=8)
    (plain,) = estimate_boxes(estimator, [box] * 5, cut, flip=False, batch=8)
    truth = joints_to_picture(joints, [box_to_window(box)] * 5)
    assert found[:, :, :2] == pytest.approx(truth, abs=0.02)
    assert plain[:, :, :2] == pytest.approx(truth, abs=0.02)
    windows = [Window((95.5, 127.5), (191.0, 255.0))] * 5
    assert joints_to_picture(joints, windows) == pytest.approx(joints)


def test_the_person_score_is_the_mean_of_its_confident_joints():
    scores = np.full((3, 17), 0.1)
    scores[0, :4] = [0.9, 0.7, 0.5, 0.3]
    scores[1] = 0.6
    assert person_scores(scores) == pytest.approx([0.6, 0.6, 0.0])
