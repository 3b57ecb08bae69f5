"""Random directional lights."""

import numpy as np
import pytest
from scipy.stats import kstest

from repogen.environment.lights import (
    LIGHT_MODELS,
    DirectionalLight,
    expose_lights,
    sample_lights,
    seen_share,
)


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


def test_the_share_of_a_light_that_is_seen_is_that_of_a_sphere():
    n = np.random.default_rng(0).normal(size=(200_000, 3))
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    seen = n[n[:, 2] > 0]
    for cosine in (-0.9, -0.2, 0.0, 0.5, 1.0):
        light = np.array([np.sqrt(1 - cosine**2), 0.0, cosine])
        expected = np.average(np.maximum(seen @ light, 0), weights=seen[:, 2])
        assert seen_share(cosine) == pytest.approx(expected, abs=0.01)


def test_a_camera_meters_lights_on_the_side_it_sees():
    light = DirectionalLight((0.0, -1.0, 0.0), (1.0, 1.0, 1.0), True)
    levels = {}
    for y in (-1.0, 1.0):
        (found,), ambient = expose_lights((light,), 0.4, np.array([0.0, y, 0.0]))
        assert ambient / 0.4 == pytest.approx(found.color[0])
        levels[y] = ambient + found.color[0] * seen_share(-y)
    assert np.log(levels[-1.0] / 0.65) == pytest.approx(0.25 * np.log((0.4 + 2 / 3) / 0.65))
    assert np.log(levels[1.0] / 0.65) == pytest.approx(0.25 * np.log(0.4 / 0.65))
