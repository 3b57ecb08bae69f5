"""Named views, against the paper's distributions (docs/method.md)."""

import numpy as np
import pytest
from scipy.stats import kstest

from repogen.cameras import VIEWS, parse_views, sample_direction
from repogen.cameras.camera import angles_to_direction
from repogen.errors import UserError

COUNT = 4000


def draw(name, seed=0, distance=2.0):
    """Azimuths and elevations, degrees."""
    rng = np.random.default_rng(seed)
    return np.array([VIEWS[name](rng, distance) for _ in range(COUNT)]).T


def uniform(low, high):
    return "uniform", (low, high - low)


def test_sphere_is_uniform():
    azimuth, elevation = draw("sphere")
    assert kstest(azimuth, *uniform(-180, 180)).pvalue > 1e-3
    assert kstest(np.sin(np.radians(elevation)), *uniform(-1, 1)).pvalue > 1e-3


@pytest.mark.parametrize(
    ("name", "middle", "half_width", "half_height"),
    [("perimeter", 0, 180, 20), ("front", 0, 20, 60), ("back", 180, 20, 60)],
)
def test_bands_are_uniform_within_their_limits(name, middle, half_width, half_height):
    azimuth, elevation = draw(name)
    assert (np.abs(azimuth) <= 180).all()
    off = (azimuth - middle + 180) % 360 - 180
    assert kstest(off, *uniform(-half_width, half_width)).pvalue > 1e-3
    assert kstest(elevation, *uniform(-half_height, half_height)).pvalue > 1e-3


def test_side_is_left_or_right_with_equal_probability():
    azimuth, elevation = draw("side")
    left = azimuth > 0
    assert left.mean() == pytest.approx(0.5, abs=0.03)
    assert kstest(azimuth[left] - 90, *uniform(-20, 20)).pvalue > 1e-3
    assert kstest(azimuth[~left] + 90, *uniform(-20, 20)).pvalue > 1e-3
    assert kstest(elevation, *uniform(-60, 60)).pvalue > 1e-3


@pytest.mark.parametrize("distance", [1.5, 4.0])
@pytest.mark.parametrize(
    ("name", "pole", "sigma"),
    [
        ("top", 1.0, lambda d: np.pi / 3 / d),
        ("bottom", -1.0, lambda d: np.pi / 3 / d),
        ("top-wide", 1.0, lambda d: np.pi / 3),
        ("bottom-wide", -1.0, lambda d: np.pi / 3),
    ],
)
def test_views_from_above_and_below_are_gaussian_noise_about_the_pole(name, pole, sigma, distance):
    azimuth, elevation = draw(name, distance=distance)
    noisy = np.random.default_rng(99).normal([0, 0, pole], sigma(distance), (20_000, 3))
    expected = np.degrees(np.arcsin(noisy[:, 2] / np.linalg.norm(noisy, axis=1)))
    assert kstest(elevation, expected).pvalue > 1e-3
    assert kstest(azimuth, *uniform(-180, 180)).pvalue > 1e-3
    mean = np.mean(
        [angles_to_direction(a, e) for a, e in zip(azimuth, elevation, strict=True)], axis=0
    )
    assert mean / np.linalg.norm(mean) == pytest.approx([0, 0, pole], abs=0.06)


def test_topbottom_is_top_or_bottom_with_equal_probability():
    rng = np.random.default_rng(5)
    picks = [VIEWS["topbottom"](rng, 2.0)[1] for _ in range(COUNT)]
    both = np.concatenate([draw("top")[1], draw("bottom")[1]])
    assert kstest(picks, both).pvalue > 1e-3


@pytest.mark.parametrize("name", VIEWS)
def test_views_are_deterministic(name):
    assert (draw(name, 3) == draw(name, 3)).all()
    assert (draw(name, 3) != draw(name, 4)).any()


def test_a_mix_is_drawn_by_weight():
    mix = parse_views(("top=0.2", "front=0.5", "side=0.3"))
    rng = np.random.default_rng(0)
    names = [sample_direction(rng, mix, 2.0)[0] for _ in range(COUNT)]
    for name, weight in mix:
        assert names.count(name) / COUNT == pytest.approx(weight, abs=0.03)


def test_views_without_weights_are_equally_likely():
    assert parse_views(("top", "bottom", "side", "front")) == (
        ("top", 0.25),
        ("bottom", 0.25),
        ("side", 0.25),
        ("front", 0.25),
    )


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ((), "no views"),
        (("abov",), "'abov'.*choose from sphere"),
        (("top", "top"), "'top' is given twice"),
        (("top=0.5", "bottom"), "every view a weight"),
        (("top=0.5", "bottom=0.6"), "sum to 1.1"),
        (("top=2",), "top=2"),
        (("top=0", "bottom=1"), "top=0"),
        (("top=-1", "bottom=2"), "top=-1"),
        (("top=nan",), "top=nan"),
        (("top=", "bottom=1"), "top="),
        (("top=half",), "top=half"),
        (("",), "''"),
    ],
)
def test_invalid_views_are_user_errors(entries, says):
    with pytest.raises(UserError, match=says):
        parse_views(entries)
