"""Random sensors, effect by effect."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from repogen.environment.panoramas import LUMINANCE
from repogen.environment.sensor import (
    EFFECTS,
    PERFECT,
    Sensor,
    active_effects,
    parse_effects,
    sample_sensor,
)
from repogen.errors import UserError
from repogen.scenes import SceneConfig, sample_scene
from repogen.scenes.scene import Scene

FIELDS = {
    "exposure": {"exposure_ev"},
    "white-balance": {"white_balance"},
    "focus": {"aperture_m", "focus_m"},
    "motion": {"camera_motion", "people_motion"},
    "noise": {"iso", "noise_seed"},
    "vignette": {"vignette"},
    "jpeg": {"jpeg_quality"},
    "rescale": {"rescale", "shrink", "enlarge"},
}


def sensors(*effects, count=300, focal_px=600.0, width=512, focus_m=3.0):
    rng = np.random.default_rng(0)
    chosen = parse_effects(effects)
    return [sample_sensor(rng, chosen, focal_px, width, focus_m) for _ in range(count)]


def test_effects_cover_all_fields_of_the_sensor():
    assert set(FIELDS) == set(EFFECTS)
    assert set.union(*FIELDS.values()) == set(asdict(PERFECT))


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_effect_sets_its_fields_and_leaves_the_others_as_they_were(effect):
    everything = sensors("all")
    alone = sensors(effect)
    assert any(active_effects(sensor) for sensor in alone)
    for one, whole in zip(alone, everything, strict=True):
        own = {name: getattr(whole, name) for name in FIELDS[effect]}
        assert one == replace(PERFECT, **own)


def test_without_effects_the_sensor_is_perfect():
    assert set(sensors()) == {PERFECT}
    assert active_effects(PERFECT) == {}


def test_sampled_sensors_are_within_the_ranges_of_cameras():
    drawn = sensors("all", count=2000)
    stops = np.array([s.exposure_ev for s in drawn])
    assert abs(stops.mean()) < 0.06
    assert stops.min() >= -1
    assert stops.max() <= 1.5
    gains = np.array([s.white_balance for s in drawn])
    assert gains @ LUMINANCE == pytest.approx(1)  # grey becomes no brighter
    assert np.abs(np.log(gains)).mean() < 0.2
    assert {s.jpeg_quality for s in drawn} == set(range(30, 98))
    assert 0.3 < np.mean([s.rescale < 1 for s in drawn]) < 0.5
    for kind in ("camera_motion", "people_motion"):
        lengths = np.array([getattr(s, kind)[0] for s in drawn])
        assert lengths.max() <= 0.02 * 512
        assert 0.1 < (lengths > 0).mean() < 0.9
        assert lengths[lengths > 0].min() >= 0.5


@pytest.mark.parametrize("focal_px", [100.0, 5000.0])
def test_the_blur_of_the_farthest_background_is_limited(focal_px):
    blurs = [focal_px * s.aperture_m / s.focus_m for s in sensors("focus", focal_px=focal_px)]
    assert max(blurs) <= 0.04 * 512 + 1e-9


def test_motion_blur_scales_with_the_picture():
    small = sensors("motion", focal_px=600.0, width=512)
    large = sensors("motion", focal_px=1200.0, width=1024)
    pairs = [(a.people_motion, b.people_motion) for a, b in zip(small, large, strict=True)]
    moving = [pair for pair in pairs if pair[0][0] > 0]
    assert moving
    for (length, direction), (larger, same) in moving:
        assert larger == pytest.approx(2 * length)
        assert same == direction


def test_an_unknown_effect_is_a_user_error_that_names_the_others():
    with pytest.raises(UserError, match=r"unknown effects? 'bloom'; choose from exposure"):
        SceneConfig(effects=("bloom",))


@pytest.mark.parametrize(
    "values",
    [
        {"exposure_ev": float("nan")},
        {"white_balance": (1.0, 0.0, 1.0)},
        {"aperture_m": -0.01},
        {"focus_m": 0.0},
        {"camera_motion": (-1.0, 0.0)},
        {"people_motion": (1.0, float("inf"))},
        {"iso": -1.0},
        {"noise_seed": -1},
        {"vignette": 1.1},
        {"rescale": 0.0},
        {"shrink": "magic"},
        {"enlarge": "area"},
        {"jpeg_quality": 0},
    ],
)
def test_sensor_values_out_of_range_are_user_errors(values):
    with pytest.raises(UserError) as caught:
        Sensor(**values)
    assert "\n" not in str(caught.value)


def test_effects_leave_the_rest_of_a_scene_and_survive_json(body):
    off = sample_scene(SceneConfig(image_size=64), 3, 8, body)
    on = sample_scene(SceneConfig(image_size=64, effects=("all",)), 3, 8, body)
    assert off.sensor == PERFECT
    assert on.sensor != PERFECT
    assert replace(on, sensor=PERFECT) == off
    assert Scene.from_json(on.to_json()) == on
    at = on.camera.to_camera(np.array([on.people[0].position]))
    assert on.sensor.focus_m == pytest.approx(on.camera.depth_of(at)[0])
