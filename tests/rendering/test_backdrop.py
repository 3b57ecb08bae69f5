"""Rooms and panoramas behind people: each pixel shows what its ray meets."""

from dataclasses import replace

import numpy as np
import pytest
from test_picture import light_of, random_scene, samples_covered

from repogen.assets.panoramas import write_panorama
from repogen.assets.sources import source_of
from repogen.cameras.camera import View, look_at
from repogen.colors import to_linear
from repogen.environment.panoramas import Panorama, directions
from repogen.environment.rooms import Room
from repogen.rendering import backdrop
from repogen.rendering.buffers import color_tables, develop, tone_curve
from repogen.rendering.kernels.codes import MOST_LIGHT, SRGB_STEPS

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


def world_to_turned(yaw_deg):
    """Rotation from the world's axes to axes turned anticlockwise by this yaw."""
    yaw = np.radians(yaw_deg)
    return np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])


def seen_behind(body, renderer, background, view, lens, fov):
    """Linear colours of the background's pixels, their rays in the world, and the camera."""
    camera = look_at(view, (0.0, 0.0, 0.0), 0.0, 160, fov, lens)
    scene = replace(random_scene(body), camera=camera, background=background, lights=())
    rendering = renderer.render(scene)
    y, x = np.nonzero(samples_covered(rendering) == 0)
    rays = camera.rays(np.stack([x, y], axis=1) + 0.5) @ np.array(camera.rotation)
    assert len(rays) > 8000
    return light_of(rendering.image)[y, x], rays, camera


@pytest.mark.parametrize("walls", [True, False])
@pytest.mark.parametrize(("view", "lens", "fov"), VIEWS)
def test_rooms_are_seen_in_the_cameras_direction(body, renderer, view, lens, fov, walls):
    room = ROOM if walls else replace(ROOM, half_size=(0.0, 0.0))
    found, rays, camera = seen_behind(body, renderer, room, view, lens, fov)
    turn = world_to_turned(room.yaw_deg)
    eye, d = turn @ camera.position(), rays @ turn.T
    size = (*room.half_size, np.inf) if walls else (np.inf,) * 3
    low = np.array([-size[0], -size[1], room.floor_z])
    high = np.array([size[0], size[1], room.floor_z + room.height if walls else np.inf])
    away = np.where(d < 0, (low - eye) / d, (high - eye) / d)
    axis = away.argmin(axis=1)
    expected = np.where(axis < 2, 1, np.where(d[:, 2] < 0, 0, 2))
    if not walls:
        expected = np.where(d[:, 2] < 0, 0, 2)
    clear = (expected != 0) | (away[:, 2] < 30)  # farther away haze covers the floor
    right = (found.argmax(axis=1) == expected)[clear]
    assert right.mean() > 0.98


def sky_color(towards):
    return 0.5 + 0.4 * towards


@pytest.mark.parametrize(("view", "lens", "fov"), VIEWS)
def test_panoramas_are_seen_in_the_cameras_direction(body, renderer, tmp_path, view, lens, fov):
    """The floor's disc and the sphere, from so high above that the floor has no grain."""
    path = tmp_path / "sky.exr"
    write_panorama(path, sky_color(directions(256, 512)).astype(np.float32))
    file = source_of(path, tmp_path)
    environment = Panorama(file, 70.0, 1.0, floor_z=-14.0, eye_height=3.0, reach=25.0)
    found, rays, camera = seen_behind(body, renderer, environment, view, lens, fov)
    eye = camera.position() - [0, 0, environment.floor_z + environment.eye_height]
    radius = np.hypot(environment.reach, environment.eye_height)
    b = rays @ eye
    on_sphere = eye + (np.sqrt(b**2 - eye @ eye + radius**2) - b)[:, None] * rays
    with np.errstate(divide="ignore"):
        on_floor = eye + ((-environment.eye_height - eye[2]) / rays[:, 2])[:, None] * rays
    floor = (rays[:, 2] < 0) & (np.hypot(*on_floor[:, :2].T) < environment.reach)
    met = np.where(floor[:, None], on_floor, on_sphere)
    met /= np.linalg.norm(met, axis=1, keepdims=True)
    expected = sky_color(met @ world_to_turned(environment.yaw_deg).T)
    expected = to_linear(develop(expected))
    off = np.abs(found - expected).max(axis=1)
    assert np.median(off) < 0.01
    assert np.quantile(off, 0.99) < 0.03


def test_the_panoramas_drawn_longest_ago_are_dropped(monkeypatch):
    read = []

    def pixels(path):
        read.append(path)
        return np.zeros((4, 8, 3), np.float32)

    monkeypatch.setattr(backdrop, "panorama_backdrop", pixels)
    monkeypatch.setattr(backdrop, "panorama_pixels", lambda path: np.ones((8, 16, 3), np.float32))
    monkeypatch.setattr(backdrop, "_MOST_TEXELS", 3 * 32)
    drawn = backdrop.Backdrop("cpu", None)
    for path in ("a", "b", "a", "c", "d", "a", "b"):
        drawn._panorama(path)
    assert read == ["a", "b", "c", "d", "b"]


def test_the_tone_curve_is_steeper_in_the_middle_and_keeps_black_white_and_order():
    levels = np.linspace(0, 1, 256)
    curve = tone_curve(levels)
    assert (np.diff(curve) > 0).all()
    assert curve[[0, -1]] == pytest.approx([0, 1])
    assert np.gradient(curve, levels)[128] == pytest.approx(1.25, abs=0.01)
    light, to_byte = (table.numpy() for table in color_tables("cpu", developed=True))
    back = to_byte[np.rint(SRGB_STEPS / MOST_LIGHT * light).astype(int)].astype(int)
    assert np.abs(back - np.arange(256))[40:].max() <= 1
