"""Degrees beyond the human range of motion: none in natural poses, exact in others."""

import numpy as np
import pytest

from repogen.bodies import PARTS
from repogen.bodies.skeleton import BODY_JOINTS, COCO_KEYPOINTS, mirrored
from repogen.poses import DISTRIBUTIONS, default_bounds, named_pose, sample_body_pose
from repogen.poses.plausibility import range_excess


@pytest.mark.parametrize("name", ["tpose", "stand", "sit", "stretch"])
def test_named_poses_are_within_the_range(name):
    assert range_excess(named_pose(name, default_bounds()).angles) == {}


@pytest.mark.parametrize(
    ("joint", "axis", "limits"),
    [
        ("left_hip", 0, (-120, 30)),
        ("left_hip", 1, (-45, 45)),
        ("left_hip", 2, (-30, 45)),
        ("left_knee", 0, (0, 135)),
        ("left_ankle", 0, (-20, 50)),
        ("left_elbow", 1, (-150, 0)),
        ("left_wrist", 2, (-80, 70)),
        ("left_shoulder", 2, (-90, 90)),
        ("head", 1, (-80, 80)),
        ("spine3", 0, (-25, 80)),
    ],
)
def test_excess_is_measured_from_the_limits_of_the_sources(joint, axis, limits):
    for limit in limits:
        for over in (-7, 0, 7):
            turn = np.zeros(3)
            turn[axis] = limit + over * (1 if limit == limits[1] else -1)
            expected = {joint: pytest.approx(7)} if over > 0 else {}
            assert range_excess({joint: tuple(turn)}) == expected
            swapped = {mirrored(joint): (turn[0], -turn[1], -turn[2])}
            assert range_excess(swapped) == {mirrored(k): v for k, v in expected.items()}


@pytest.mark.parametrize(
    ("joint", "axis", "sign", "keypoint", "direction"),
    [  # the wide side of each range is where anatomy has it; world: x left, y back, z up
        ("left_hip", 0, -1, "left_knee", (0, -1, 1)),  # flexion
        ("left_hip", 2, 1, "left_knee", (1, 0, 1)),  # abduction
        ("left_knee", 0, 1, "left_ankle", (0, 1, 1)),
        ("left_elbow", 1, -1, "left_wrist", (-1, -1, 0)),
        ("left_shoulder", 1, -1, "left_elbow", (-1, -1, 0)),  # across the front
        ("neck", 0, 1, "nose", (0, 0, -1)),
    ],
)
def test_ranges_allow_flexion_in_the_anatomical_direction(
    body, joint, axis, sign, keypoint, direction
):
    turn = np.zeros(3)
    turn[axis] = 42 * sign
    at = COCO_KEYPOINTS.index(keypoint)
    moved = body.pose({}, {}, {joint: tuple(turn)}).keypoints[at]
    step = moved - body.pose({}, {}, {}).keypoints[at]
    assert (step * direction >= 0).all()
    assert step @ direction > 0.03
    assert range_excess({joint: tuple(turn)}) == {}


@pytest.mark.parametrize(
    ("joint", "turn", "part", "tip", "rises"),
    [
        ("left_ankle", (40, 0, 0), "left_foot", (0, -1, 0), False),  # plantar flexion: toes down
        ("left_wrist", (0, 0, 60), "left_hand", (1, 0, 0), True),  # extension: palms look down
    ],
)
def test_ranges_of_ankles_and_wrists_follow_anatomical_terms(body, joint, turn, part, tip, rises):
    """No keypoint shows toes and fingers: their outermost vertex does."""
    surface, rest = body.surface, body.pose({}, {}, {}).vertices
    vertices = np.unique(surface.faces[surface.face_parts == PARTS.index(part)])
    outermost = vertices[(rest[vertices] @ tip).argmax()]
    climb = (body.pose({}, {}, {joint: turn}).vertices - rest)[outermost, 2]
    assert abs(climb) > 0.03
    assert (climb > 0) == rises
    assert range_excess({joint: turn}) == {}
    assert range_excess({joint: tuple(-2 * np.array(turn))}) != {}


def test_angles_of_joints_that_share_a_range_are_added():
    assert range_excess({"neck": (0, 50, 0), "head": (0, 50, 0)}) == {"head": pytest.approx(20)}
    assert range_excess({"spine1": (0, 0, 30), "spine3": (0, 0, -30)}) == {}
    shrug = {"left_collar": (0.0, 0.0, 20.0), "left_shoulder": (0.0, 0.0, 80.0)}
    assert range_excess(shrug) == {"left_shoulder": pytest.approx(10)}


def test_excess_is_summed_over_axes_and_found_for_every_body_joint():
    assert range_excess({"left_hip": (40, 0, 50)}) == {"left_hip": pytest.approx(15)}
    for joint in BODY_JOINTS:
        assert sum(range_excess({joint: (200.0, 0.0, 0.0)}).values()) > 0, joint
    assert range_excess({"left_index1": (200.0, 0.0, 0.0)}) == {}


def test_excess_grows_with_the_pose_variance():
    bounds, distribution = default_bounds(), DISTRIBUTIONS["uniform"]
    excess = []
    for variance in (0.33, 0.67, 1.0, 1.5, 2.0):
        rng = np.random.default_rng(0)
        poses = [sample_body_pose(rng, bounds, distribution, variance) for _ in range(40)]
        excess.append(np.mean([sum(range_excess(pose).values()) for pose in poses]))
    assert excess[0] < 1
    assert (np.diff(excess) > 0).all()
