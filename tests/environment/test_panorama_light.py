"""The light of panoramas."""

import numpy as np
import pytest

from repogen.assets import panoramas
from repogen.assets.sources import source_of
from repogen.environment import panoramas as panorama_module
from repogen.environment.panoramas import (
    Panorama,
    directions,
    panorama_backdrop,
    panorama_irradiance,
    panorama_light,
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


def test_exposure_multiplies_a_panoramas_light(tmp_path, monkeypatch):
    picture = sky((0, -1, 1), 50.0).astype(np.float32)
    (tmp_path / "a.exr").write_text("read_panorama is replaced")
    file = source_of(tmp_path / "a.exr", tmp_path)
    monkeypatch.setattr(panoramas, "read_panorama", lambda _path: picture)
    monkeypatch.setattr("repogen.environment.panoramas.read_panorama", lambda _path: picture)
    panorama_light.cache_clear()
    one = panorama_irradiance(Panorama(file, 0.0, 1.0, 0.0, 1.6, 8.0))
    two = panorama_irradiance(Panorama(file, 0.0, 2.0, 0.0, 1.6, 8.0))
    panorama_light.cache_clear()
    assert np.allclose(2 * one, two)


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
