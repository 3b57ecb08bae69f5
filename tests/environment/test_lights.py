"""Random directional lights."""

import numpy as np
import pytest
from scipy.stats import kstest

from repogen.environment.lights import LIGHT_MODELS, sample_lights


def samples(count=5, shadows=2, times=400, model="varied"):
    rng = np.random.default_rng(0)
    return [sample_lights(rng, count, shadows, model) for _ in range(times)]


def strength(light):
    return np.mean(light.color)


@pytest.mark.parametrize("model", LIGHT_MODELS)
def test_light_directions_are_uniform_on_the_sphere(model):
    directions = np.array([light.direction for lights in samples(model=model) for light in lights])
    assert np.linalg.norm(directions, axis=1) == pytest.approx(np.ones(len(directions)))
    for axis in directions.T:
        assert kstest(axis, "uniform", (-1, 2)).pvalue > 1e-3


def test_the_strongest_lights_cast_shadows():
    for lights in samples():
        casting = [strength(light) for light in lights if light.shadow]
        others = [strength(light) for light in lights if not light.shadow]
        assert len(lights) == 5
        assert len(casting) <= 2
        # Colours vary by 3 %, so two nearly equal lights may swap ranks.
        assert min(casting, default=9) > 0.9 * max(others)


def test_lights_sum_to_a_nearly_white_light_of_usual_strength():
    for lights in samples():
        total = np.sum([light.color for light in lights], axis=0)
        assert 0.85 < total.mean() < 1.6
        assert np.ptp(total) < 0.25 * total.mean()
        assert min(min(light.color) for light in lights) >= 0


@pytest.mark.parametrize("count", [1, 5])
def test_equal_lights_are_white_and_of_one_strength(count):
    for lights in samples(count, model="equal"):
        assert {light.color for light in lights} == {(2 / count,) * 3}
        assert sum(light.shadow for light in lights) == min(count, 2)


@pytest.mark.parametrize("model", LIGHT_MODELS)
@pytest.mark.parametrize(("count", "shadows"), [(0, 0), (0, 3), (1, 0), (3, 8)])
def test_any_number_of_lights_and_shadows_is_sampled(count, shadows, model):
    for lights in samples(count, shadows, 20, model):
        assert len(lights) == count
        assert sum(light.shadow for light in lights) <= min(count, shadows)
