"""Named poses: anatomically plausible, and on the parts of the body that their names say."""

from types import SimpleNamespace

import numpy as np
import pytest

from repogen.bodies.intersection import intersecting_share
from repogen.bodies.protocol import PARTS
from repogen.people.person import world_rotation
from repogen.poses import NAMED_POSES, default_bounds, named_pose
from repogen.poses.orientation import sample_orientation
from repogen.poses.plausibility import range_excess

HANDS, FEET = ("left_hand", "right_hand"), ("left_foot", "right_foot")
ON_FLOOR = {
    "sit": FEET,
    "stand": FEET,
    "stretch": FEET,
    "tpose": FEET,
    "crouch": FEET,
    "handstand": HANDS,
    "headstand": ("head", *HANDS),
    "cartwheel": ("right_hand",),
    "bridge": (*HANDS, *FEET),
    "lying-back": ("head", "torso", "left_upper_leg", "right_upper_leg", *FEET, *HANDS),
    "lying-front": ("torso", "left_upper_leg", "right_upper_leg", *FEET, *HANDS),
    "lying-side": ("torso", "left_upper_arm", "left_upper_leg", "left_foot"),
    "hang": FEET,
}
"""What each pose touches the floor with, nearly: how nearly depends on the body's proportions."""


def shapes(body):
    rng = np.random.default_rng(4)
    return [body.sample_shape(rng, ("adults",)) for _ in range(3)]


def test_every_shipped_pose_is_known():
    assert set(ON_FLOOR) == set(NAMED_POSES) - {"min", "max"}


@pytest.mark.parametrize("name", ON_FLOOR)
def test_named_poses_are_possible(body, name):
    pose = named_pose(name, default_bounds())
    excess = range_excess(pose.angles)
    beyond = {"bridge": 30, "cartwheel": 0}  # degrees; gymnasts have supple spines
    assert max(excess.values(), default=0) <= beyond.get(name, 15)
    for shape in shapes(body):
        assert intersecting_share(body.surface, body.pose(shape, {}, pose.angles)) < 0.02


@pytest.mark.parametrize("name", ON_FLOOR)
def test_named_poses_touch_the_floor_with_what_they_stand_on(body, name):
    pose = named_pose(name, default_bounds())
    orientation = sample_orientation(np.random.default_rng(0), (("file", 1.0),), pose.orientation)
    turn = world_rotation(SimpleNamespace(orientation=orientation, yaw_deg=0.0))
    surface = body.surface
    skin = surface.faces_of("skin")
    for shape in shapes(body):
        heights = body.pose(shape, {}, pose.angles).vertices @ turn[2]
        lowest = {
            part: float(heights[surface.faces[skin & (surface.face_parts == k)]].min())
            for k, part in enumerate(PARTS)
            if k
        }
        floor = min(lowest.values())
        assert {p: round(lowest[p] - floor, 3) for p in ON_FLOOR[name]} == pytest.approx(
            dict.fromkeys(ON_FLOOR[name], 0), abs=0.12
        )
        inverted = name in ("handstand", "headstand", "cartwheel")
        others = set(lowest) - set(ON_FLOOR[name]) if inverted else set()
        assert all(lowest[p] - floor > 0.05 for p in others if "arm" not in p)
