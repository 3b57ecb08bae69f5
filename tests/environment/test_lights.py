"""Lamps."""

import numpy as np
import pytest
from scipy.stats import kstest

from repogen.environment.lights import sample_lights


def lamps(count=5, shadows=2, times=400):
    rng = np.random.default_rng(0)
    return [sample_lights(rng, count, shadows) for _ in range(times)]


def strength(lamp):
    return np.mean(lamp.color)


def test_directions_are_uniform_on_the_sphere():
    directions = np.array([lamp.direction for lights in lamps() for lamp in lights])
    assert np.linalg.norm(directions, axis=1) == pytest.approx(np.ones(len(directions)))
    for axis in directions.T:
        assert kstest(axis, "uniform", (-1, 2)).pvalue > 1e-3


def test_the_strongest_cast_shadows():
    for lights in lamps():
        casting = [strength(lamp) for lamp in lights if lamp.shadow]
        others = [strength(lamp) for lamp in lights if not lamp.shadow]
        assert len(lights) == 5
        assert len(casting) <= 2
        # Colours vary by 3 %, so two nearly equal lamps may change places.
        assert min(casting, default=9) > 0.9 * max(others)


def test_light_is_nearly_white_and_of_usual_strength():
    for lights in lamps():
        total = np.sum([lamp.color for lamp in lights], axis=0)
        assert 0.85 < total.mean() < 1.6
        assert np.ptp(total) < 0.25 * total.mean()
        assert min(min(lamp.color) for lamp in lights) >= 0


@pytest.mark.parametrize(("count", "shadows"), [(0, 0), (0, 3), (1, 0), (3, 8)])
def test_any_number_of_lamps(count, shadows):
    for lights in lamps(count, shadows, 20):
        assert len(lights) == count
        assert sum(lamp.shadow for lamp in lights) <= min(count, shadows)
