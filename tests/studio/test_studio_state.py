"""What the studio shows is a pure function of its state: options and what was set by hand."""

from dataclasses import replace

import numpy as np
import pytest

from repogen import Scene, View, render
from repogen.bodies.skeleton import BODY_JOINTS
from repogen.errors import UserError
from repogen.generation.config import GenerateConfig
from repogen.poses.sampling import NAMED_POSES
from repogen.scenes.sample.scene import sample_posed_scene
from repogen.studio.frames import (
    PELVIS,
    joint_frames,
    rotation_to_angles,
    rotation_to_orientation,
)
from repogen.studio.history import History
from repogen.studio.range_arcs import joint_limits, range_arcs
from repogen.studio.state import (
    State,
    draw,
    opened_scene,
    view_now,
    with_joint,
    with_named_pose,
    with_number,
    with_option,
    with_orientation,
    with_view,
    without_pose,
)

VIEW = View(30.0, 20.0, 5.0, 3.0)


@pytest.fixture
def state():
    config = GenerateConfig(views="front", image_size=96, backgrounds="plain", seed=5)
    return State(config, index=2)


def person_of(state, body):
    return draw(state, body).scene.people[0]


def test_the_options_draw_what_generate_draws(state, body):
    assert draw(state, body).scene == sample_posed_scene(state.config, 5, 2, body).scene


def test_a_joint_turns_by_hand_and_nothing_else_changes(state, body):
    before = draw(state, body).scene
    changed = with_joint(state, before.people[0], 0, "left_elbow", (0.0, -90.0, 0.0))
    after = draw(changed, body).scene
    angles = before.people[0].angles
    assert after.people[0].angles["left_elbow"] == (0.0, -90.0, 0.0)
    assert after.people[0].outfit == before.people[0].outfit
    assert after.background == before.background
    for joint in set(angles) - {"left_elbow"}:
        assert np.allclose(after.people[0].angles[joint], angles[joint], atol=1e-4)


def test_a_view_by_hand_is_the_view_of_the_camera(state, body):
    scene = draw(with_view(state, VIEW), body).scene
    seen = view_now(replace(state, view=None), scene)
    assert np.allclose([*vars(seen).values()], [*vars(VIEW).values()], atol=1e-6)


def test_what_was_set_by_hand_stays_when_an_option_changes(state, body):
    changed = with_joint(state, person_of(state, body), 0, "head", (20.0, 0.0, 0.0))
    changed = with_option(with_view(changed, VIEW), "people", "wardrobe", "none")
    scene = draw(changed, body).scene
    assert scene.people[0].angles["head"] == (20.0, 0.0, 0.0)
    assert view_now(replace(changed, view=None), scene).azimuth_deg == pytest.approx(30)
    assert scene.people[0].outfit.hair == "none"


@pytest.mark.parametrize("balance", [False, True])
def test_people_on_the_floor_are_posed_by_hand(body, balance):
    config = GenerateConfig(
        views="front", image_size=96, backgrounds="plain", ground="floor", balance=balance,
        people=(2, 2), seed=1,
    )  # fmt: skip
    state = State(config)
    first, second = draw(state, body).people
    changed = with_named_pose(state, second.person, 1, "handstand")
    people = draw(changed, body).people
    assert people[0].person == first.person
    assert people[1].lowest == pytest.approx(people[0].floor, abs=1e-5)
    assert people[1].body.keypoints[0, 2] < people[1].body.keypoints[15, 2]


@pytest.mark.parametrize("name", NAMED_POSES)
def test_named_poses(state, body, name):
    posed = with_named_pose(state, person_of(state, body), 0, name)
    drawn = with_option(without_pose(state, 0), "pose", "pose", name)
    by_hand, by_option = (person_of(one, body) for one in (posed, drawn))
    for joint in BODY_JOINTS:
        still = (0.0, 0.0, 0.0)
        angles = by_hand.angles.get(joint, still), by_option.angles.get(joint, still)
        assert np.allclose(*angles, atol=1e-3), joint
    assert np.allclose(by_hand.orientation, by_option.orientation, atol=1e-3)


def test_an_opened_scene_is_shown_as_it_is(state, body):
    scene = draw(with_option(state, "people", "people", (2, 2)), body).scene
    opened = opened_scene(Scene.from_json(scene.to_json()), GenerateConfig())
    assert draw(opened, body).scene == scene
    turned = with_joint(opened, scene.people[1], 1, "neck", (5.0, 0.0, 0.0))
    after = draw(turned, body).scene
    assert after.people[0] == scene.people[0]
    assert after.people[1].angles["neck"] == (5.0, 0.0, 0.0)
    assert after.camera == scene.camera
    seen = draw(with_view(opened, VIEW), body).scene
    assert view_now(opened, seen).elevation_deg == pytest.approx(20)
    assert seen.lights == scene.lights


def test_an_option_takes_an_opened_scene_over(state, body):
    scene = draw(state, body).scene
    changed = with_option(opened_scene(scene, GenerateConfig()), "people", "wardrobe", "none")
    assert changed.opened is None
    after = draw(changed, body).scene
    assert np.allclose(after.people[0].angles["head"], scene.people[0].angles["head"], atol=1e-4)
    view = view_now(State(changed.config), scene)
    assert view_now(replace(changed, view=None), after).azimuth_deg == pytest.approx(
        view.azimuth_deg
    )


def test_what_options_refuse_is_refused(state, body):
    with pytest.raises(UserError, match="elevation"):
        with_view(state, replace(VIEW, elevation_deg=91))
    with pytest.raises(UserError, match="people"):
        with_option(state, "people", "people", (0, 3))
    with pytest.raises(UserError, match="index"):
        with_number(state, 0, -1)
    scene = draw(state, body).scene
    with pytest.raises(UserError, match="has no people"):
        opened_scene(replace(scene, people=()), GenerateConfig())


def test_undo_and_redo():
    history = History(0)
    assert not history.undo()
    for value in (1, 2, 3):
        history.push(value, None, 0.0)
    assert [history.undo() and history.now for _ in range(3)] == [2, 1, 0]
    assert [history.redo() and history.now for _ in range(2)] == [1, 2]
    history.push(9, None, 0.0)
    assert not history.redo()
    history.undo()
    assert history.now == 2


def test_a_drag_is_one_step():
    history = History(0)
    for seconds in range(10):
        history.push(seconds + 1, "slider", seconds / 10)
    history.push(20, "other", 1.0)
    history.push(30, "other", 9.0)
    assert [history.undo() and history.now for _ in range(3)] == [20, 10, 0]
    assert not history.undo()


def test_a_refused_step_is_dropped():
    history = History(0)
    history.push(1, None, 0.0)
    history.drop()
    assert history.now == 0
    assert not history.redo()


@pytest.mark.parametrize("orientation", ["upright", "any"])
def test_a_handle_that_does_not_turn_changes_nothing(state, body, orientation):
    """The frames of joints and the angles read from them agree."""
    state = with_option(state, "pose", "orientation", (orientation,))
    posed = draw(state, body).people[0]
    frames = joint_frames(posed)
    assert set(frames) == {PELVIS, *BODY_JOINTS}
    for joint in BODY_JOINTS:
        angles = rotation_to_angles(posed.person, joint, frames[joint].rotation)
        own = posed.person.angles.get(joint, (0.0, 0.0, 0.0))
        assert np.allclose(angles, own, atol=1e-6), joint
    turned = rotation_to_orientation(posed.person, frames[PELVIS].rotation)
    assert np.allclose(turned, posed.person.orientation, atol=1e-6)


def test_the_axes_of_a_handle_turn_the_limb_behind_it(state, body):
    """Turning the elbow's frame by an angle about an axis turns the forearm by it."""
    from repogen.bodies.rotations import vectors_to_matrices

    posed = draw(state, body).people[0]
    turn = vectors_to_matrices(np.radians([[10.0, -25.0, 40.0]]))[0]
    frame = joint_frames(posed)["left_elbow"]
    angles = rotation_to_angles(posed.person, "left_elbow", turn @ frame.rotation)
    after = draw(with_joint(state, posed.person, 0, "left_elbow", angles), body).people[0]
    forearms = [one.body.keypoints[9] - one.body.keypoints[7] for one in (posed, after)]
    assert np.allclose(turn @ forearms[0], forearms[1], atol=0.01)


def test_a_person_is_turned_by_the_pelvis(state, body):
    upside_down = with_orientation(state, person_of(state, body), 0, (180.0, 0.0, 0.0))
    keypoints = draw(upside_down, body).people[0].body.keypoints
    assert keypoints[0, 2] < keypoints[15, 2]


def test_handles_lie_in_the_body(state, body):
    posed = draw(state, body).people[0]
    low, high = posed.body.vertices.min(axis=0), posed.body.vertices.max(axis=0)
    for joint, frame in joint_frames(posed).items():
        assert (low < frame.position).all(), joint
        assert (frame.position < high).all(), joint


def test_drawn_angles_lie_within_the_limits_of_the_sliders(body):
    """With the uniform distribution every angle lies between the bounds, arms lowered."""
    config = GenerateConfig(pose_distribution="uniform", image_size=64, backgrounds="plain")
    bounds = config.pose.joint_bounds
    for index in range(3):
        angles = person_of(State(config, index), body).angles
        for joint in BODY_JOINTS:
            for value, (low, high) in zip(angles[joint], joint_limits(bounds, joint), strict=True):
                assert low <= value <= high, joint


def test_arcs_end_where_the_limb_points_at_the_bounds(state, body):
    posed = draw(state, body).people[0]
    limits = joint_limits(state.config.pose.joint_bounds, "left_elbow")
    (arc,) = range_arcs(posed.person, "left_elbow", limits)
    assert arc.axis == 1
    own = posed.person.angles["left_elbow"]
    for angle, end in zip(
        (*limits[1], own[1]), (arc.points[0], arc.points[-1], arc.now), strict=True
    ):
        angles = (own[0], angle, own[2])
        turned = draw(with_joint(state, posed.person, 0, "left_elbow", angles), body).people[0]
        forearm = turned.body.keypoints[9] - turned.body.keypoints[7]
        cosine = end @ forearm / np.linalg.norm(end) / np.linalg.norm(forearm)
        assert cosine > np.cos(np.radians(8))


def test_arcs_of_every_joint_are_arcs(state, body):
    person = person_of(state, body)
    bounds = state.config.pose.joint_bounds
    for joint in BODY_JOINTS:
        limits = joint_limits(bounds, joint)
        arcs = range_arcs(person, joint, limits)
        assert [arc.axis for arc in arcs] == [k for k in range(3) if limits[k][0] < limits[k][1]]
        for arc in arcs:
            assert np.ptp(np.linalg.norm(arc.points, axis=1)) < 1e-6
            assert np.linalg.norm(np.diff(arc.points, axis=0), axis=1).min() > 1e-3
    assert range_arcs(person, PELVIS, joint_limits(bounds, PELVIS)) == []


def test_the_scene_renders_as_repogen_renders_it(state, body, renderer):
    sampled = draw(with_view(state, VIEW), body)
    scene = Scene.from_json(sampled.scene.to_json())
    shown = renderer.render(sampled.scene, people=sampled.people).image[..., ::-1]
    assert np.array_equal(render(scene, body=body).image, shown)
