"""Places and panoramas behind people: each pixel shows what its ray meets."""

from dataclasses import replace

import numpy as np
import pytest
from test_picture import light_of, random_scene, samples_covered

from repogen.assets.panoramas import write_panorama
from repogen.cameras.camera import View, look_at
from repogen.environment.backgrounds import Room
from repogen.environment.panoramas import EnvironmentMap, directions
from repogen.rendering import backdrop

VIEWS = [
    (View(30, 10, 20, 3.0), "pinhole", 70),
    (View(-100, 80, 0, 4.0), "pinhole", 90),
    (View(10, -60, 0, 3.0), "pinhole", 90),
    (View(200, 75, 50, 3.0), "equidistant", 200),
]
RED, GREEN, BLUE = "#d02020", "#20d020", "#2020d0"
ROOM = Room(
    floor_z=-3.2, floor=RED, floor_accent=RED, floor_pattern="plain", floor_scale=1.0,
    half_size=(3.5, 6.0), height=8.0, wall=GREEN, ceiling=BLUE, sky_zenith=BLUE,
    sky_horizon=BLUE, yaw_deg=35.0,
)  # fmt: skip


def turned_back(yaw_deg):
    """From the world's axes to those of what is turned anticlockwise."""
    yaw = np.radians(yaw_deg)
    return np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])


def seen_behind(body, renderer, background, view, lens, fov):
    """Linear colours of the pixels that see nobody, their rays in the world, and the camera."""
    camera = look_at(view, (0.0, 0.0, 0.0), 0.0, 160, fov, lens)
    scene = replace(random_scene(body), camera=camera, background=background, lights=())
    rendering = renderer.render(scene)
    y, x = np.nonzero(samples_covered(rendering) == 0)
    rays = camera.rays(np.stack([x, y], axis=1) + 0.5) @ np.array(camera.rotation)
    assert len(rays) > 8000
    return light_of(rendering.image)[y, x], rays, camera


@pytest.mark.parametrize("walls", [True, False])
@pytest.mark.parametrize(("view", "lens", "fov"), VIEWS)
def test_places_are_seen_in_the_cameras_direction(body, renderer, view, lens, fov, walls):
    place = ROOM if walls else replace(ROOM, half_size=(0.0, 0.0))
    found, rays, camera = seen_behind(body, renderer, place, view, lens, fov)
    turn = turned_back(place.yaw_deg)
    eye, d = turn @ camera.position(), rays @ turn.T
    size = (*place.half_size, np.inf) if walls else (np.inf,) * 3
    low = np.array([-size[0], -size[1], place.floor_z])
    high = np.array([size[0], size[1], place.floor_z + place.height if walls else np.inf])
    away = np.where(d < 0, (low - eye) / d, (high - eye) / d)
    axis = away.argmin(axis=1)
    expected = np.where(axis < 2, 1, np.where(d[:, 2] < 0, 0, 2))
    if not walls:
        expected = np.where(d[:, 2] < 0, 0, 2)
    clear = (expected != 0) | (away[:, 2] < 30)  # farther the horizon's haze hides the floor
    right = (found.argmax(axis=1) == expected)[clear]
    assert right.mean() > 0.98


def sky_color(towards):
    return 0.5 + 0.4 * towards


@pytest.mark.parametrize(("view", "lens", "fov"), VIEWS)
def test_panoramas_are_seen_in_the_cameras_direction(body, renderer, tmp_path, view, lens, fov):
    """The floor's disc from above it, and the dome; from so high that the floor has no grain."""
    path = tmp_path / "sky.exr"
    write_panorama(path, sky_color(directions(256, 512)).astype(np.float32))
    dome = EnvironmentMap(str(path), 70.0, 1.0, floor_z=-14.0, eye_height=3.0, reach=25.0)
    found, rays, camera = seen_behind(body, renderer, dome, view, lens, fov)
    eye = camera.position() - [0, 0, dome.floor_z + dome.eye_height]
    radius = np.hypot(dome.reach, dome.eye_height)
    b = rays @ eye
    on_dome = eye + (np.sqrt(b**2 - eye @ eye + radius**2) - b)[:, None] * rays
    with np.errstate(divide="ignore"):
        on_floor = eye + ((-dome.eye_height - eye[2]) / rays[:, 2])[:, None] * rays
    floor = (rays[:, 2] < 0) & (np.hypot(*on_floor[:, :2].T) < dome.reach)
    met = np.where(floor[:, None], on_floor, on_dome)
    met /= np.linalg.norm(met, axis=1, keepdims=True)
    expected = sky_color(met @ turned_back(dome.yaw_deg).T)
    off = np.abs(found - expected).max(axis=1)
    assert np.median(off) < 0.01
    assert np.quantile(off, 0.99) < 0.03


def test_only_so_many_panoramas_are_kept(monkeypatch):
    read = []

    def pixels(path):
        read.append(path)
        return np.zeros((4, 8, 3), np.float32)

    monkeypatch.setattr(backdrop, "panorama_backdrop", pixels)
    monkeypatch.setattr(backdrop, "_MOST_TEXELS", 3 * 32)
    drawn = backdrop.Backdrop("cpu", None)
    for path in ("a", "b", "a", "c", "d", "a", "b"):
        drawn._panorama(path)
    assert read == ["a", "b", "c", "d", "b"]
