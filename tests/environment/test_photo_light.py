"""The light that is estimated from a photograph of a mounted camera."""

import numpy as np
import pytest

from repogen.cameras.calibration import mounted
from repogen.cameras.camera import Camera
from repogen.colors import to_srgb
from repogen.environment.photo_light import floor_points, light_color, photo_light

LEVEL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
CAMERA = mounted(
    Camera(160, 120, 90.0, 91.0, 82.0, 61.0, LEVEL, (0, 0, 0), "opencv", (-0.2, 0.05, 0, 0, 0)),
    2.5, 50, 3,
)  # fmt: skip


def picture(linear):
    """A photograph, BGR, of this linear RGB light, which broadcasts to its pixels."""
    rgb = np.broadcast_to(linear, (120, 160, 3))
    return np.rint(255 * to_srgb(rgb[..., ::-1])).astype(np.uint8)


def on_floor(found):
    """Irradiance of a floor, RGB over the colour of the light from all sides."""
    return found.ambient + sum(np.array(lamp.color) * lamp.direction[2] for lamp in found.lamps)


def test_floor_points_are_where_the_camera_sees_them():
    rng = np.random.default_rng(0)
    pixels = rng.uniform([0, 60], [160, 120], (50, 2))
    points = floor_points(CAMERA, pixels, 0.3)
    space = np.column_stack([points, np.full(50, 0.3)])
    assert CAMERA.to_pixels(CAMERA.to_camera(space)) == pytest.approx(pixels, abs=1e-6)
    level = mounted(CAMERA, 2.5, 0, 0)
    (sky,) = floor_points(level, np.array([[level.cx, 5.0]]), 0.3)
    assert sky == pytest.approx([0, 1e4])


def test_white_paper_is_as_bright_as_the_picture_lets_expect():
    found = photo_light(picture([0.11, 0.11, 0.11]), CAMERA, 0.0, (0, 2))
    assert on_floor(found) == pytest.approx(np.full(3, 0.5), abs=0.03)
    assert len(found.lamps) == 3
    assert all(lamp.shadow and lamp.direction[2] > 0.6 for lamp in found.lamps)
    dark, bright = (photo_light(picture([v, v, v]), CAMERA, 0.0, (0, 2)) for v in (0.02, 0.25))
    assert on_floor(dark).mean() < 0.3 * on_floor(bright).mean()


def test_the_floor_around_people_counts_more_than_far_away():
    near, far = (
        photo_light(picture(np.linspace(*ends, 120)[:, None, None]), CAMERA, 0.0, (0, 1))
        for ends in ((0.02, 0.3), (0.3, 0.02))
    )
    assert on_floor(near).mean() > 1.3 * on_floor(far).mean()


@pytest.mark.parametrize(("ends", "sign"), [((0.05, 0.4), 1), ((0.4, 0.05), -1)])
def test_the_first_lamp_is_on_the_brighter_side(ends, sign):
    across = np.linspace(*ends, 160)[:, None]  # the camera's right is the world's +x
    first, *others = photo_light(picture(across), CAMERA, 0.0, (0, 2)).lamps
    assert sign * first.direction[0] > 0.5
    assert all(sum(first.color) > sum(lamp.color) for lamp in others)


def test_the_light_has_half_of_the_pictures_tint():
    warm = light_color(picture([0.4, 0.25, 0.15]))
    assert warm.mean() == pytest.approx(1)
    assert 1 < warm[0] / warm[2] < 0.4 / 0.15
    assert light_color(picture([0.2, 0.2, 0.2])) == pytest.approx(np.ones(3), abs=1e-6)
    found = photo_light(picture([0.4, 0.25, 0.15]), CAMERA, 0.0, (0, 2))
    assert np.array(found.lamps[0].color) / found.lamps[0].color[2] == pytest.approx(warm / warm[2])
