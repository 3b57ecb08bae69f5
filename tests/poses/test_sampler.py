"""Learnt distributions: their files, and what components draw."""

import numpy as np
import pytest

from repogen.bodies.rotations import matrices_to_vectors, vectors_to_matrices
from repogen.cameras.camera import angles_to_direction
from repogen.errors import UserError
from repogen.poses.plausibility import range_excess
from repogen.poses.sampler import Component, Sampler, read_sampler, sampler_to_toml


def component(**values):
    defaults = {
        "weight": 1.0, "orientation": (170.0, 5.0, 0.0), "orientation_spread": 4.0,
        "azimuth": 40.0, "elevation": -70.0, "view_spread": 5.0, "roll": 10.0, "roll_spread": 3.0,
        "angles": {"left_knee": (90.0, 0.0, 0.0)}, "spread": {"left_knee": (10.0, 0.0, 0.0)},
    }  # fmt: skip
    return Component(**defaults | values)


def sampler(*components, explore=0.25):
    return Sampler(explore, 60.0, components)


def test_a_file_gives_the_sampler_again(tmp_path):
    made = sampler(component(weight=1 / 3), component(weight=2 / 3, azimuth=0.1 + 0.2))
    path = tmp_path / "sampler.toml"
    path.write_text(sampler_to_toml(made))
    assert read_sampler(path) == made


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("explore = 0.25", "explore = 2.0", "explore: 2.0 should be a number between 0 and 1"),
        ("version = 1", "version = 2", "version: 2 should be"),
        ("weight = 1.0", "weight = 0.5", "weights sum to 0.5"),
        (
            "[components.angles]\nleft_knee",
            "[components.angles]\nleft_nee",
            "did you mean left_knee",
        ),
        ("[10.0, 0.0, 0.0]", "[-10.0, 0.0, 0.0]", "spread of a joint should not be below 0"),
        ('"repogen-sampler"', '"other"', 'needs format = "repogen-sampler"'),
        ("roll = 10.0", "rol = 10.0", "rol"),
        ("roll = 10.0", "roll = nan", "roll: nan should be a number"),
        ("azimuth = 40.0", "azimuth =", "is not a TOML file"),
    ],
)
def test_a_wrong_file_is_one_line_that_says_what(tmp_path, old, new, says):
    path = tmp_path / "sampler.toml"
    text = sampler_to_toml(sampler(component()))
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(UserError, match=r"^--sampler .*sampler\.toml") as caught:
        read_sampler(path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_share_that_explores_is_drawn_without_a_component():
    made = sampler(component(weight=0.25), component(weight=0.75, roll=0.0))
    rng = np.random.default_rng(3)
    chosen = [made.choose(rng) for _ in range(4000)]
    shares = [sum(one is each for one in chosen) / 4000 for each in (None, *made.components)]
    assert shares == pytest.approx([0.25, 0.1875, 0.5625], abs=0.03)


def test_draws_have_the_mean_and_the_spread_of_the_component():
    rng = np.random.default_rng(5)
    one = component()
    poses = [one.draw_pose(rng, 1000.0) for _ in range(2000)]
    knees = np.array([pose.angles["left_knee"] for pose in poses])
    assert knees.mean(axis=0) == pytest.approx([90, 0, 0], abs=1)
    assert knees.std(axis=0) == pytest.approx([10, 0, 0], abs=0.6)
    assert {pose.angles["right_hip"] for pose in poses} == {(0.0, 0.0, 0.0)}
    turned = vectors_to_matrices(np.radians([pose.orientation for pose in poses]))
    upside_down = np.einsum("nij,j->ni", turned, [0, 1, 0])
    assert upside_down.mean(axis=0)[1] < -0.9
    views = np.array([one.draw_view(rng, None, None) for _ in range(2000)])
    towards = np.array([angles_to_direction(a, e) for a, e, _ in views])
    off = np.degrees(np.arccos(towards @ angles_to_direction(40.0, -70.0)))
    assert np.sqrt((off**2).mean() / 2) == pytest.approx(5, abs=0.3)
    assert views[:, 2].std() == pytest.approx(3, abs=0.3)


def test_without_spread_every_draw_is_the_component_itself():
    rng = np.random.default_rng(1)
    one = component(orientation_spread=0.0, view_spread=0.0, roll_spread=0.0, spread={})
    pose = one.draw_pose(rng, 60.0)
    assert pose.angles["left_knee"] == (90.0, 0.0, 0.0)
    assert one.draw_view(rng, None, None) == pytest.approx((40.0, -70.0, 10.0))
    wanted = vectors_to_matrices(np.radians([one.orientation]))[0]
    found = vectors_to_matrices(np.radians([pose.orientation]))[0]
    turn = np.degrees(matrices_to_vectors((found @ wanted.T)[None]))[0]
    assert turn[[0, 2]] == pytest.approx([0, 0], abs=1e-4)  # but for the heading


def test_poses_stay_within_the_range_of_motion_where_the_component_reaches_it():
    rng = np.random.default_rng(2)
    wide = component(spread={"left_knee": (60.0, 0.0, 0.0)})
    loose = [sum(range_excess(wide.draw_pose(rng, 1e4).angles).values()) for _ in range(300)]
    tight = [sum(range_excess(wide.draw_pose(rng, 5.0).angles).values()) for _ in range(300)]
    assert max(loose) > 40
    assert max(tight) <= 5


@pytest.mark.parametrize("ranges", [((-20, 20), (-30, 10)), ((340, 380), (0, 90))])
def test_views_stay_in_the_ranges_of_the_options(ranges):
    rng = np.random.default_rng(4)
    azimuths, elevations = ranges
    one = component(view_spread=30.0)
    for _ in range(200):
        azimuth, elevation, _ = one.draw_view(rng, azimuths, elevations)
        assert elevations[0] <= elevation <= elevations[1]
        assert (azimuth - azimuths[0]) % 360 <= azimuths[1] - azimuths[0]
