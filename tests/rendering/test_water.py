"""Water: its colour, its surface, and that it changes no label."""

from dataclasses import replace

import numpy as np
import pytest

from repogen.environment.water import Water, sample_water
from repogen.labels.annotation import annotate
from repogen.rendering import water
from repogen.rendering.water import _beyond, _mirrored, _seen_through, _with_surface
from repogen.scenes import SceneConfig, sample_scene

WATER = Water(surface_z=0.0, color="#2080a0", clarity_m=4.0, slope=0.0, seed=1)
GREY = np.full((3, 3), 0.4)
DEEP = np.array([0.3, 0.2, 0.05])
DOWN = np.tile([0.0, 0.0, -1.0], (3, 1))


def test_far_points_look_like_the_water_and_red_goes_first(monkeypatch):
    monkeypatch.setattr(water, "_caustics", lambda _water, points: np.zeros(len(points)))
    ways = np.array([0.0, 3.0, 200.0])
    level = np.tile([1.0, 0.0, 0.0], (3, 1))
    here, near, far = _seen_through(WATER, GREY, DEEP, np.array([0, 0, -1e-6]), level, ways)
    assert far == pytest.approx(DEEP)
    blue, green, red = (near - DEEP) / (here - DEEP)
    assert 1 > blue > green > red > 0


def test_what_is_above_the_surface_is_unchanged_from_above():
    ways = np.array([0.5, 1.9, 2.5])
    seen = _seen_through(WATER, GREY, DEEP, np.array([0, 0, 2.0]), DOWN, ways)
    assert seen[:2] == pytest.approx(GREY[:2])
    assert not np.allclose(seen[2], GREY[2])


@pytest.mark.parametrize(("degrees", "share"), [(0, 0.02), (40, 0.03), (49, 1), (80, 1)])
def test_the_surface_mirrors_all_beyond_the_critical_angle_from_below(degrees, share):
    cosine = np.cos(np.radians([degrees]))
    assert _mirrored(_beyond(cosine)) == pytest.approx([share], abs=0.02)


def test_a_flat_surface_mirrors_more_at_a_grazing_angle(body):
    scene = sample_scene(SceneConfig(image_size=64, backgrounds="plain"), 0, 0, body)
    scene = replace(scene, water=WATER, lights=())
    directions = np.array([[0, 0, -1.0], [0.9, 0, -np.sqrt(1 - 0.81)], [0, 0, 1.0]])
    black = np.zeros((3, 3))
    eye = np.array([0, 0, 1.0])
    steep, grazing, none = _with_surface(
        WATER, black, DEEP, 0.5, eye, directions, np.full(3, 50.0), np.ones((3, 1)), scene
    )
    assert 0 < steep.max() < grazing.min()
    assert (none == 0).all()


def test_water_changes_the_picture_and_no_label(body, renderer):
    config = SceneConfig(image_size=96, backgrounds="builtin", water=True, elevation=(-30, 30))
    for index in range(4):
        wet = sample_scene(config, 3, index, body)
        dry = replace(wet, water=None)
        first, second = renderer.render(wet), renderer.render(dry)
        assert annotate(first) == annotate(second)
        assert (first.image != second.image).any()


def test_people_are_in_the_water():
    rng = np.random.default_rng(0)
    heights = np.array([sample_water(rng, -1.0, 0.8).surface_z for _ in range(200)])
    assert ((heights > -1.0 + 0.39 * 1.8) & (heights < -1.0 + 1.41 * 1.8)).all()
    assert 0.2 < (heights > 0.8).mean() < 0.6
