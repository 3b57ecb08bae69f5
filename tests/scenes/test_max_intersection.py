"""--max-intersection: poses with much skin inside the body are drawn again."""

from dataclasses import replace

import pytest

from repogen.bodies.intersection import intersecting_share
from repogen.errors import UserError
from repogen.people.posing import pose_person
from repogen.poses.clips import Pose
from repogen.scenes import SceneConfig, sample_scene
from repogen.scenes.sample.person import first_within

WILD = SceneConfig(image_size=128, pose_variance=1.7, backgrounds="plain")


def test_poses_are_drawn_again_and_nothing_else_changes(body):
    careful = replace(WILD, max_intersection=0.01)
    refused = []
    for index in range(5):
        before, after = (sample_scene(c, 3, index, body).people[0] for c in (WILD, careful))
        share = intersecting_share(body.surface, pose_person(body, before).body)
        if share > 0.01:
            refused.append((before, after))
            after = replace(after, angles=before.angles)
        assert after == before
    assert refused
    for before, after in refused:
        assert intersecting_share(body.surface, pose_person(body, after).body) <= 0.01
        hands = {joint: after.angles[joint] for joint in before.angles if "index" in joint}
        assert hands.items() <= before.angles.items()


def test_where_no_pose_is_good_enough_the_best_is_taken(body, monkeypatch):
    monkeypatch.setattr("repogen.scenes.sample.person._TRIES", 3)
    bound = replace(WILD, pose_variance=4.0, max_intersection=0.0)
    person = sample_scene(bound, 0, 0, body).people[0]
    first = sample_scene(replace(bound, max_intersection=None), 0, 0, body).people[0]
    least, share = (
        intersecting_share(body.surface, pose_person(body, p).body) for p in (person, first)
    )
    assert least <= share


def test_poses_are_drawn_until_one_is_good():
    costs = {"bad": 3.0, "fair": 2.0, "good": 0.0}
    drawn = []

    def choose(*names, limit=1.0):
        judged = (
            drawn.append(name) or (Pose({name: (0.0, 0.0, 0.0)}), costs[name] - limit)
            for name in names
        )
        return next(iter(first_within(judged).angles))

    assert choose("bad", "good", "fair") == "good"
    assert drawn == ["bad", "good"]
    assert choose("bad", "fair", "bad") == "fair"
    assert choose("bad", "good", limit=3.0) == "bad"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"max_intersection": -0.1}, "--max-intersection -0.1"),
        ({"max_intersection": 1.5}, "--max-intersection 1.5"),
        ({"max_intersection": float("nan")}, "--max-intersection nan"),
        ({"max_intersection": 0.1, "pose": "sit"}, "--pose"),
    ],
)
def test_bad_limits(change, says):
    with pytest.raises(UserError, match=says):
        SceneConfig(**change)
