"""The light of panoramas."""

from dataclasses import replace

import numpy as np
import pytest

from repogen.assets import panoramas
from repogen.assets.sources import path_of, source_of
from repogen.colors import LUMINANCE
from repogen.environment import panoramas as panorama_module
from repogen.environment.lights import metered_gain
from repogen.environment.panoramas import (
    Panorama,
    directions,
    expose,
    light_towards,
    panorama_backdrop,
    panorama_irradiance,
    panorama_light,
    panorama_lights,
    panorama_to_light,
    rotate_sh,
)

H, W = 64, 128


def sky(sun=None, strength=0.0):
    """A panorama of a grey gradient; `sun` is the direction of a disc of 5 degrees."""
    towards = directions(H, W)
    picture = np.repeat((0.5 + 0.3 * towards[..., 2])[..., None], 3, axis=2)
    if sun is not None:
        sun = np.array(sun) / np.linalg.norm(sun)
        picture[towards @ sun > np.cos(np.radians(5))] += strength
    return picture


def irradiance(picture, normal):
    """The integral over the hemisphere, over pi."""
    towards = directions(H, W)
    rows = np.pi * (0.5 - np.arange(H + 1) / H)
    solid = (np.sin(rows[:-1]) - np.sin(rows[1:]))[:, None] * 2 * np.pi / W
    weight = np.maximum(towards @ normal, 0) * solid
    return (picture * weight[..., None]).sum(axis=(0, 1)) / np.pi


def evaluate(sh, n):
    x, y, z = n
    basis = [1, x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
    return np.array(basis) @ sh


def normals(count=40):
    n = np.random.default_rng(0).normal(size=(count, 3))
    return n / np.linalg.norm(n, axis=1, keepdims=True)


@pytest.mark.parametrize("sun", [(0.3, -0.8, 0.5), (-0.9, 0.1, 0.2), (0.2, 0.1, 0.97)])
def test_directional_lights_and_harmonics_sum_to_the_irradiance(sun):
    picture = sky(sun, 200.0)
    found = panorama_to_light(picture)
    assert np.dot(found.lights[0].direction, np.array(sun) / np.linalg.norm(sun)) > 0.999
    scale = irradiance(picture, np.array(sun) / np.linalg.norm(sun)).mean()
    for n in normals():
        direct = sum(
            np.array(light.color) * max(np.dot(light.direction, n), 0) for light in found.lights
        )
        assert np.allclose(
            evaluate(found.sh_irradiance, n) + direct, irradiance(picture, n), atol=0.03 * scale
        )


def test_rotated_harmonics_are_those_of_the_rotated_panorama():
    rng = np.random.default_rng(1)
    sh = rng.normal(size=(9, 3))
    yaw = np.radians(37.0)
    back = np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    for n in normals():
        assert np.allclose(evaluate(rotate_sh(sh, 37.0), n), evaluate(sh, back @ n))


def test_a_uniform_sky_still_has_a_directional_light():
    assert len(panorama_to_light(sky()).lights) == 1


@pytest.mark.parametrize("height", [1, 2, 4, 8])
def test_panoramas_of_few_pixels_have_finite_light(height):
    picture = np.full((height, 2 * height, 3), 0.5)
    picture[0, 0] = 40.0
    found = panorama_to_light(picture)
    assert np.isfinite(found.sh_irradiance).all()
    assert np.isfinite([light.color + light.direction for light in found.lights]).all()
    assert found.brightness > 0


def test_panorama_columns_look_along_minus_y_and_minus_x():
    towards = directions(H, W)
    assert towards[H // 2, W // 2] @ [0, -1, 0] > 0.99
    assert towards[H // 2, 3 * W // 4] @ [-1, 0, 0] > 0.99
    assert towards[0, 0] @ [0, 0, 1] > 0.99


@pytest.fixture
def panorama_of(tmp_path, monkeypatch):
    """A panorama whose file holds a picture, with exposure 1."""

    def make(picture):
        (tmp_path / "a.exr").write_text("read_panorama is replaced")
        monkeypatch.setattr(panoramas, "read_panorama", lambda _path: picture)
        monkeypatch.setattr(
            panorama_module, "read_panorama", lambda _path: picture.astype(np.float32)
        )
        panorama_light.cache_clear()
        panorama_module.panorama_pixels.cache_clear()
        return Panorama(source_of(tmp_path / "a.exr", tmp_path), 0.0, 1.0, 0.0, 1.6, 8.0)

    yield make
    panorama_light.cache_clear()
    panorama_module.panorama_pixels.cache_clear()


def test_exposure_and_white_balance_multiply_a_panoramas_light(panorama_of):
    one = panorama_of(sky((0, -1, 1), 50.0))
    two = replace(one, exposure=2.0, white_balance=(1.0, 0.5, 3.0))
    gains = np.array([2.0, 1.0, 6.0])
    assert np.allclose(gains * panorama_irradiance(one), panorama_irradiance(two))
    for before, after in zip(panorama_lights(one), panorama_lights(two), strict=True):
        assert np.allclose(gains * np.array(before.color), after.color)


@pytest.mark.parametrize("towards", [(0, -1, 0), (0.6, 0, 0.8), (0, 0, -1)])
def test_the_light_that_a_camera_sees_is_that_on_the_near_side_of_a_sphere(panorama_of, towards):
    picture = sky((0.2, -0.8, 0.5), 100.0)
    panorama = panorama_of(picture)
    n = normals(4000)
    seen = n @ np.array(towards)
    n, seen = n[seen > 0], seen[seen > 0]
    sh = panorama_irradiance(panorama)
    light = np.array([evaluate(sh, one) for one in n])
    for source in panorama_lights(panorama):
        light += np.maximum(n @ source.direction, 0)[:, None] * np.array(source.color)
    expected = (seen[:, None] * light).sum(axis=0) / seen.sum()
    assert light_towards(panorama, np.array(towards, float)) == pytest.approx(expected, rel=0.05)


def test_a_camera_opens_up_for_people_whose_dark_side_it_sees(panorama_of):
    panorama = replace(panorama_of(sky((0, -1, 0.2), 200.0)), exposure=0.3)
    bright, dark = (expose(panorama, np.array([0.0, y, 0.0])) for y in (-1.0, 1.0))
    assert dark.exposure > 1.5 * bright.exposure
    levels = [
        float(light_towards(one, np.array([0.0, y, 0.0])) @ LUMINANCE)
        for one, y in ((bright, -1.0), (dark, 1.0))
    ]
    whole = 0.3 * panorama_light(path_of(panorama.file)).brightness
    # Three quarters of the difference are gone, in stops.
    before = [
        float(light_towards(panorama, np.array([0.0, y, 0.0])) @ LUMINANCE) for y in (-1.0, 1.0)
    ]
    for level, old in zip(levels, before, strict=True):
        assert np.log(level / whole) == pytest.approx(0.25 * np.log(old / whole), abs=0.02)


def test_a_bright_sky_behind_people_reduces_the_exposure(panorama_of):
    picture = np.full((64, 128, 3), 0.1)
    picture[:16] = 3.0
    panorama = panorama_of(picture)
    whole = panorama_light(path_of(panorama.file)).brightness
    spared = []
    for z in (-1.0, 1.0):
        towards = np.array([0.0, 0.0, z])
        level = float(light_towards(panorama, towards) @ LUMINANCE)
        spared.append(expose(panorama, towards).exposure / metered_gain(level, whole))
    from_below, from_above = spared
    assert from_below < 0.6
    assert from_above == pytest.approx(1.0)


def test_a_strong_lamp_on_the_side_that_is_seen_reduces_the_exposure(panorama_of):
    """Else white clothes in a studio would be blank."""
    towards = np.array([0.6, -0.8, 0.0])
    panorama = panorama_of(sky((0, -1, 0.2), 3000.0))
    exposed = expose(panorama, towards)
    (lamp,) = panorama_lights(exposed)
    level = float(light_towards(panorama, towards) @ LUMINANCE)
    metered = metered_gain(level, panorama_light(path_of(panorama.file)).brightness)
    (metered_lamp,) = panorama_lights(replace(panorama, exposure=metered))
    assert metered_lamp.color[1] > 2.5
    assert lamp.color[1] < 0.85 * metered_lamp.color[1]


def test_a_lit_wall_behind_people_reduces_the_exposure(panorama_of):
    panorama = panorama_of(sky((0, -1, 0.2), 300.0))
    towards = np.array([0.0, -1.0, 0.0])
    before_sky, before_wall = (expose(panorama, towards, wall).exposure for wall in (False, True))
    assert before_wall < 0.9 * before_sky


def test_white_balance_takes_most_of_a_lights_colour_and_no_brightness(panorama_of):
    panorama = panorama_of(sky() * np.array([1.3, 1.0, 0.6]))
    towards = np.array([0.0, -1.0, 0.0])
    before = light_towards(panorama, towards)
    after = light_towards(expose(panorama, towards), towards)
    gains = np.log(after / before)
    assert np.ptp(np.log(after)) == pytest.approx(0.15 * np.ptp(np.log(before)), abs=0.02)
    assert gains[0] < gains[1] < gains[2]
    exposed = expose(panorama, towards)
    balanced = exposed.exposure * before @ LUMINANCE
    assert after @ LUMINANCE == pytest.approx(balanced, rel=1e-6)


def test_lamps_are_less_tinted_than_a_panorama_shows_them_and_as_bright():
    plain, tinted = sky(sun=(0.3, -0.2, 0.9), strength=400.0), sky()
    tinted += (plain - tinted) * np.array([1.3, 1.0, 0.3])
    (before,), (after,) = (panorama_to_light(picture).lights for picture in (plain, tinted))
    red, _, blue = np.array(after.color) / np.array(before.color)
    assert 1.3 < red / blue < 1.3 / 0.3 / 1.4
    lit = tinted[..., :] - sky()
    mean = lit.reshape(-1, 3).sum(axis=0) @ LUMINANCE / (plain - sky())[..., 0].sum()
    assert np.array(after.color) @ LUMINANCE == pytest.approx(
        mean * (np.array(before.color) @ LUMINANCE), rel=0.02
    )


def test_shadows_in_a_black_studio_are_not_black():
    studio = 1e-3 * sky(sun=(0.0, 0.0, 1.0), strength=4e5)
    light = panorama_to_light(studio)
    assert light.lights
    assert light.sh_irradiance[0] @ LUMINANCE > 0.24 * light.brightness


@pytest.mark.parametrize("width", [256, 1024, 4096])
def test_resized_panoramas_keep_light_and_direction(monkeypatch, width):
    pixels = np.full((width // 2, width, 3), 0.5, dtype=np.float32)
    spot = (slice(width // 8, width // 8 + width // 64), slice(width - width // 64, width))
    pixels[spot] = [40.0, 20.0, 10.0]
    monkeypatch.setattr(panorama_module, "panorama_pixels", lambda path: pixels)
    found = panorama_backdrop("any")
    height = len(found)
    assert found.shape == (min(max(width, 1024), 2048) // 2, 2 * height, 3)
    assert np.median(np.abs(found - 0.5)) < 1e-3
    rows, columns = np.nonzero(found[..., 0] > 10)
    columns = (columns + height) % (2 * height) - height  # the spot lies at the seam
    assert (rows.mean() + 0.5) / height == pytest.approx(0.25 + 1 / 64, abs=0.004)
    assert (columns.mean() + 0.5) / (2 * height) == pytest.approx(-1 / 128, abs=0.003)
    assert len(rows) / height**2 == pytest.approx(1 / 32 * 1 / 32, rel=0.35)


def test_enlarged_panoramas_have_round_highlights(monkeypatch):
    """Around one bright pixel, all points at the same distance are about as bright."""
    pixels = np.full((64, 128, 3), 0.1, dtype=np.float32)
    pixels[32, 64] = 50.0
    monkeypatch.setattr(panorama_module, "panorama_pixels", lambda path: pixels)
    found = np.log(panorama_backdrop("any")[..., 0])
    rows, columns = np.mgrid[: found.shape[0], : found.shape[1]]
    away = np.hypot(rows + 0.5 - 32.5 * 8, columns + 0.5 - 64.5 * 8)
    ring = found[np.abs(away - 6) < 0.5]
    assert ring.std() < 0.1 * np.ptp(found)


@pytest.mark.parametrize("width", [256, 1024])
def test_zenith_has_no_streaks(monkeypatch, width):
    """Around the zenith detail is about as fine along rows as across them, on the sphere."""
    noise = np.random.default_rng(0).uniform(0.2, 0.8, (width // 2, width, 1))
    pixels = np.repeat(noise, 3, axis=2).astype(np.float32)
    monkeypatch.setattr(panorama_module, "panorama_pixels", lambda path: pixels)
    found = panorama_backdrop("any")[..., 0]
    texel = len(found) // len(pixels)
    cap = found[2 * texel : 8 * texel]
    angle = np.pi * (np.arange(2 * texel, 8 * texel) + 0.5) / len(found)
    along = np.diff(cap, axis=1)[:-1].std(axis=1) / (2 * np.sin(angle[:-1]))
    across = np.diff(cap, axis=0).std(axis=1)
    assert 0.3 < np.median(along / across) < 2.0
    assert found[len(found) // 2].std() > 0.04
