"""Samplers fitted to hard people."""

import numpy as np
import pytest
from judged import at, person

from repogen.bodies.rotations import vectors_to_matrices
from repogen.bodies.skeleton import BODY_JOINTS
from repogen.mining.fitting import fit
from repogen.poses.orientation import without_heading
from repogen.poses.sampler import read_sampler, sampler_to_toml

KNEE = 3 * BODY_JOINTS.index("left_knee")


def group(rng, count, knee, spread, azimuth, elevation, orientation, place):
    """People with a bent left knee of a mean and a spread, seen from about a direction."""
    people = []
    for _ in range(count):
        angles = np.zeros(63)
        angles[KNEE] = rng.normal(knee, spread)
        turn = vectors_to_matrices(np.radians([rng.normal(0, 6, 3), orientation]))
        people.append(
            person(
                angles=tuple(angles.tolist()), azimuth=azimuth + float(rng.normal(0, 8)),
                elevation=elevation + float(rng.normal(0, 8)), roll=float(rng.normal(20, 5)),
                orientation=without_heading(turn[0] @ turn[1]),
                descriptor=at(*(place + rng.normal(0, 0.1, 2))),
            )
        )  # fmt: skip
    return people


@pytest.fixture
def two_groups():
    rng = np.random.default_rng(0)
    return [
        *group(rng, 120, 110, 10, -170, 10, (170, 0, 0), np.array([0.0, 0.0])),
        *group(rng, 80, 20, 6, 50, -40, (0, 0, 0), np.array([5.0, 5.0])),
    ]


def test_each_group_of_alike_people_becomes_a_component(two_groups):
    fitted = fit(two_groups, [0.5] * 200, 2, 0.3, 60.0)
    assert (fitted.explore, fitted.max_excess) == (0.3, 60.0)
    first, second = sorted(fitted.components, key=lambda one: -one.weight)
    assert [first.weight, second.weight] == pytest.approx([0.6, 0.4])
    assert first.angles["left_knee"][0] == pytest.approx(110, abs=3)
    assert first.spread["left_knee"][0] == pytest.approx(10, abs=1.5)
    assert second.spread["left_knee"][0] == pytest.approx(6, abs=1)
    assert abs(first.azimuth) == pytest.approx(170, abs=3)
    assert [second.azimuth, second.elevation] == pytest.approx([50, -40], abs=3)
    assert first.view_spread == pytest.approx(8, abs=1.5)
    assert [first.roll, first.roll_spread] == pytest.approx([20, 5], abs=2)
    up = vectors_to_matrices(np.radians([first.orientation]))[0][1, 1]
    assert up < -0.97
    assert 3 < first.orientation_spread < 9


def test_what_the_options_hold_still_stays_still(two_groups):
    fitted = fit([person(roll=7.0, azimuth=30.0)] * 50, [1.0] * 50, 1, 0.0, 60.0)
    (only,) = fitted.components
    assert only.angles == only.spread == {}
    assert (only.view_spread, only.roll_spread, only.orientation_spread) == (0.0, 0.0, 0.0)
    assert only.roll == 7.0
    assert only.azimuth == pytest.approx(30.0)
    for component in fit(two_groups, [0.5] * 200, 2, 0.3, 60.0).components:
        assert {*component.spread} == {"left_knee"}


def test_harder_people_weigh_more(two_groups):
    fitted = fit(two_groups, [0.1] * 120 + [0.9] * 80, 2, 0.3, 60.0)
    hardest = max(fitted.components, key=lambda one: one.weight)
    assert hardest.weight == pytest.approx(72 / 84, abs=1e-5)
    assert hardest.angles["left_knee"][0] == pytest.approx(20, abs=3)


def test_few_hard_people_are_kernels_of_a_moderate_spread(two_groups):
    fitted = fit(two_groups[::20], [0.5] * 10, 64, 0.3, 60.0)
    assert len(fitted.components) == 10
    knees = np.array([one.joint_angles for one in two_groups[::20]])[:, KNEE // 3, 0]
    for component in fitted.components:
        assert 5 < component.spread["left_knee"][0] < 0.4 * knees.std() + 1
        assert 5 < component.orientation_spread < 15
        assert 5 < component.view_spread < 15


@pytest.mark.parametrize(("people", "components"), [(1, 1), (11, 11), (30, 16), (200, 16)])
def test_few_people_give_few_components_and_every_file_can_be_read(
    two_groups, people, components, tmp_path
):
    fitted = fit(two_groups[:people], [0.5] * people, 16, 0.3, 60.0)
    assert max(1, components // 2) <= len(fitted.components) <= components
    path = tmp_path / "sampler.toml"
    path.write_text(sampler_to_toml(fitted))
    assert read_sampler(path) == fitted
