"""Training data: the projection of the camera, the right direction, missing joints."""

import numpy as np
import pytest

from repogen.cameras.camera import View, look_at
from repogen.poses.bounds import default_bounds
from repogen.viewpoint_estimation.regressor import keypoints_to_features
from repogen.viewpoint_estimation.sphere import angles_to_directions
from repogen.viewpoint_estimation.training_data import (
    FACE_JOINTS,
    MIN_JOINTS,
    drop_joints,
    project_people,
    sample_labels,
    sample_people,
    sample_pose,
)


def labelled(flat):
    return np.concatenate([flat, np.full((*flat.shape[:2], 1), 2.0)], axis=2)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "roll"),
    [(0, 0, 0), (90, 20, 0), (-60, 75, 30), (180, -50, 170), (0, 90, 0), (10, -90, -45)],
)
def test_the_projection_equals_that_of_the_camera(strangers, azimuth, elevation, roll):
    """Up to roll, position and scale, which `keypoints_to_features` removes."""
    camera = look_at(View(azimuth, elevation, roll, 2.5), (0.0, 0.0, 0.0), 0.0, 640, 90.0)
    reference = camera.to_pixels(camera.to_camera(strangers[0]))
    towards = angles_to_directions(np.array([azimuth]), np.array([elevation]))
    ours = project_people(
        np.random.default_rng(0), strangers[:1], towards, np.array([2.5]), np.zeros(1)
    )
    expected = keypoints_to_features(labelled(reference[None]))
    assert keypoints_to_features(labelled(ours)) == pytest.approx(expected, abs=1e-5)


def test_the_camera_axis_passes_the_person_at_the_off_axis_angle(strangers):
    """The hips, at the origin, appear at that angle from the image centre."""
    many = np.repeat(strangers[:1], 50, axis=0)
    towards = angles_to_directions(np.linspace(-170, 170, 50), np.linspace(-80, 80, 50))
    angle = np.full(50, np.radians(20))
    many[:, 0] = 0.0
    flat = project_people(np.random.default_rng(0), many, towards, np.full(50, 3.0), angle)
    assert np.linalg.norm(flat[:, 0], axis=1) == pytest.approx(np.tan(angle), abs=1e-9)


def test_sampled_poses_hold_all_joints_and_stay_near_the_bounds():
    rng, bounds = np.random.default_rng(0), default_bounds()
    poses = [sample_pose(rng, bounds) for _ in range(500)]
    assert all(set(pose) == set(bounds) for pose in poses)
    knees = np.array([pose["left_knee"] for pose in poses])
    hips = np.array([[pose[f"{s}_hip"][0] for s in ("left", "right")] for pose in poses])
    assert (knees[:, 1:] == 0).all()
    assert 0.1 < (hips < -60).all(axis=1).mean() < 0.4  # sitting and squatting are no rarity
    assert (np.abs(hips).max(axis=1) < 20).mean() > 0.2  # and so is standing


def test_sampled_people_differ_in_size_and_have_the_hips_at_the_origin(points):
    assert np.abs(points[:, 11:13].mean(axis=1)).max() < 0.1  # annotators click hips too high
    thighs = np.linalg.norm(points[:, 11] - points[:, 13], axis=1)
    assert thighs.min() < 0.36 < 0.46 < thighs.max()


def test_dropped_joints_leave_at_least_the_minimum(strangers):
    rng = np.random.default_rng(0)
    keypoints, _ = sample_labels(rng, strangers, 4000)
    assert (keypoints[:, :, 2] == 2).all()
    kept = drop_joints(rng, keypoints)
    seen = kept[:, :, 2] > 0
    assert (kept[seen] == keypoints[seen]).all()
    assert (kept[~seen] == 0).all()
    assert seen.sum(axis=1).min() >= MIN_JOINTS
    assert 0.3 < (~seen[:, FACE_JOINTS]).all(axis=1).mean() < 0.45
    assert 0.03 < (~seen[:, [13, 14, 15, 16]] & seen[:, [11, 12, 11, 12]]).all(axis=1).mean() < 0.2


def test_the_same_seed_gives_the_same_training_data(body, strangers):
    again = sample_people(np.random.default_rng(1), body, 3)
    assert (again == strangers[:3]).all()
    one, other = (sample_labels(np.random.default_rng(5), strangers, 50) for _ in range(2))
    assert (one[0] == other[0]).all()
    assert (one[1] == other[1]).all()
