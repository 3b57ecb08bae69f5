"""Ground that the panorama is too coarse for: its texture goes on, and only there."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from test_picture import random_scene, samples_covered

from repogen.assets.panoramas import write_panorama
from repogen.assets.sources import source_of
from repogen.cameras.camera import View, look_at
from repogen.environment.ground import ground_texture
from repogen.environment.panoramas import Panorama, directions
from repogen.rendering import backdrop
from repogen.rendering.buffers import develop
from repogen.rendering.kernels.ground import ground_tile

EYE = 1.6
SIDE, METRES = 2048, 8.0
SIZE = 400


def grains(seed=0, slope=1.0):
    """A periodic ground of SIDE x SIDE texels over METRES: linear light, with as much contrast in
    every octave as in the next coarser one, times `slope`."""
    k = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)) * SIDE
    k[0, 0] = 1
    white = np.fft.fft2(np.random.default_rng(seed).normal(size=(SIDE, SIDE)))
    log = np.fft.ifft2(white * slope ** np.log2(k) / k * (k > 8)).real
    return (0.25 * np.exp(0.3 * log / log.std())).astype(np.float32)


def light_at(ground, x, y):
    """Bilinear light of the ground at points in metres."""
    at = [((v / METRES * SIDE) % SIDE).astype(np.float32) for v in (x, y)]
    return cv2.remap(np.pad(ground, ((0, 1), (0, 1)), "wrap"), *at, cv2.INTER_LINEAR)


def panorama_of(ground, rows, fine=6):
    """The ground seen from EYE above it, within 20 metres, under a grey sky; linear RGB."""
    d = directions(fine * rows, 2 * fine * rows)
    away = -EYE / np.minimum(d[..., 2], -EYE / 20)
    light = np.where(d[..., 2] < 0, light_at(ground, *(away * d[..., i] for i in (0, 1))), 0.25)
    light = cv2.resize(light.astype(np.float32), (2 * rows, rows), interpolation=cv2.INTER_AREA)
    return np.repeat(light[..., None], 3, axis=2)


def octave(grey, mask, pixels):
    """Standard deviation of the picture in the octave around a wavelength in pixels."""
    near, far = (cv2.GaussianBlur(grey, None, s * pixels / 8) for s in (1, 2))
    return float((near - far)[mask].std())


def plain(pixels):
    """The texture of a panorama, as if its ground had none."""
    found = ground_texture(pixels)
    nothing = np.zeros_like
    return replace(found, contrast=nothing(found.contrast), roughness=nothing(found.roughness))


@pytest.fixture
def picture(body, renderer, tmp_path):
    """Draws a panorama's floor: the camera, its grey picture, and the background's pixels."""

    def draw(pixels, height=EYE, fov=60.0):
        path = tmp_path / f"ground{len(list(tmp_path.iterdir()))}.exr"
        write_panorama(path, pixels)
        place = Panorama(source_of(path, tmp_path), 0.0, 1.0, -1.2, EYE, 15.0)
        view = View(180.0, float(np.degrees(np.arcsin(height / 4))), 0.0, 4.0)
        camera = look_at(view, (0.0, 0.0, -1.2), 0.0, SIZE, fov)
        scene = replace(random_scene(body), camera=camera, background=place, lights=())
        rendering = renderer.render(scene)
        free = cv2.erode((samples_covered(rendering) == 0).astype(np.uint8), np.ones((25, 25))) > 0
        return camera, rendering.image[..., 1].astype(np.float32), free

    return draw


def seen_ground(ground, camera):
    """The picture of the ground itself, as the camera develops it."""
    fine = 4
    x, y = np.meshgrid(*[(np.arange(fine * SIZE) + 0.5) / fine] * 2)
    pixels = np.stack([x.ravel(), y.ravel()], axis=1)
    rays = (camera.rays(pixels) @ np.array(camera.rotation)).reshape(*x.shape, 3)
    eye = camera.position()
    away = -(eye[2] + 1.2) / np.minimum(rays[..., 2], -0.05)
    light = light_at(ground, *(eye[i] + away * rays[..., i] for i in (0, 1)))
    light = cv2.resize(light, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return 255 * develop(light).astype(np.float32)


def test_a_coarse_panoramas_ground_has_the_contrast_of_the_true_ground(picture, monkeypatch):
    ground = grains()
    coarse = panorama_of(ground, 256)
    camera, found, free = picture(coarse)
    free[: 2 * SIZE // 3] = False
    assert free.sum() > 10_000
    true = seen_ground(ground, camera)
    monkeypatch.setattr(backdrop, "ground_texture", lambda pixels: plain(coarse))
    _, before, _ = picture(coarse)
    for pixels in (10, 12, 16):
        images = (true, found, before)
        expected, with_detail, without = (octave(image, free, pixels) for image in images)
        assert without < 0.9 * with_detail
        assert 0.45 * expected < with_detail < expected


def test_panoramas_that_are_finer_than_the_picture_get_no_detail(picture, monkeypatch):
    fine = panorama_of(grains(), 512, fine=3)
    _, found, _ = picture(fine, height=3.9, fov=150.0)
    monkeypatch.setattr(backdrop, "ground_texture", lambda pixels: plain(fine))
    _, before, _ = picture(fine, height=3.9, fov=150.0)
    assert np.abs(found - before).max() <= 1


@pytest.mark.parametrize("slope", [0.7, 0.85, 1.0])
def test_texture_is_measured_where_the_panorama_resolves_it(slope):
    found = ground_texture(panorama_of(grains(slope=slope), 256))
    assert found.falloff == pytest.approx(slope, abs=0.05)
    assert 0.06 < np.median(found.contrast) < 0.12
    rough = np.median(found.roughness)
    assert rough == pytest.approx(np.clip((slope - 0.8) / 0.15, 0, 1), abs=0.35)


def test_smooth_ground_and_single_edges_have_no_texture():
    smooth = np.full((128, 256, 3), 0.3, np.float32)
    smooth[:, 100:] = 0.6
    found = ground_texture(smooth)
    assert found.contrast.max() < 0.01
    assert found.roughness.max() < 0.1


def test_what_stands_on_smooth_ground_does_not_become_rough():
    """Furniture, from 35 degrees below the horizon upwards, has more contrast than the floor."""
    rng = np.random.default_rng(0)
    log = cv2.GaussianBlur(rng.normal(size=(256, 512)), None, 1.2)
    log *= np.where(np.arange(256)[:, None] > 178, 0.03, 0.6) / log.std()
    pixels = np.repeat(0.3 * np.exp(log)[..., None], 3, axis=2).astype(np.float32)
    found = ground_texture(pixels)
    floor, furniture = found.contrast[20:28].mean(), found.contrast[2:8].mean()
    assert 0.005 < floor < 0.1
    assert furniture < 1.3 * floor


def test_the_tile_repeats_with_one_octave_of_zero_mean_and_unit_deviation():
    tile = ground_tile().reshape(128, 128, 2)
    assert tile.mean(axis=(0, 1)) == pytest.approx([0, 0], abs=1e-5)
    assert tile.std(axis=(0, 1)) == pytest.approx([1, 1], abs=1e-5)
    assert np.abs(tile[0] - tile[-1]).std() < 1.5 * np.abs(tile[1] - tile[0]).std()
