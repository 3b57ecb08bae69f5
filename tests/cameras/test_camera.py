"""Camera position and projection, and their inverses."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from repogen.cameras.camera import (
    Camera,
    View,
    angles_to_direction,
    direction_to_angles,
    look_at,
    view_of,
)
from repogen.errors import UserError
from repogen.records import decode

ORIGIN = (0.0, 0.0, 0.0)
LENSES = [
    ("pinhole", ()),
    ("opencv", (-0.2, 0.05, 0.001, -0.002, 0.0)),
    ("equidistant", ()),
    ("kannala-brandt", (-0.02, 0.003, -0.001, 0.0001)),
]


def random_views(count=40, seed=0):
    """(view, target, heading) triples, the first five at or near the poles."""
    rng = np.random.default_rng(seed)
    elevations = [90.0, -90.0, 89.9999, -89.9999, 89.0, *rng.uniform(-90, 90, count - 5)]
    return [
        (
            View(rng.uniform(-180, 180), elevation, rng.uniform(-180, 180), rng.uniform(0.5, 8)),
            tuple(rng.normal(0, 2, 3)),
            rng.uniform(-180, 180),
        )
        for elevation in elevations
    ]


@pytest.mark.parametrize(("view", "target", "yaw"), random_views())
def test_look_at_centres_the_target_at_the_given_distance(view, target, yaw):
    camera = look_at(view, target, yaw, 640, 70.0)
    rotation = np.array(camera.rotation)
    assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    seen = camera.to_camera(np.array([target]))
    assert seen[0] == pytest.approx([0, 0, view.distance_m])
    assert camera.to_pixels(seen)[0] == pytest.approx([320, 320])
    away = camera.position() - target
    expected = angles_to_direction(view.azimuth_deg + yaw, view.elevation_deg)
    assert away == pytest.approx(view.distance_m * expected)


@pytest.mark.parametrize(("view", "target", "yaw"), random_views())
def test_view_of_inverts_look_at(view, target, yaw):
    camera = look_at(view, target, yaw, 640, 70.0)
    found = view_of(camera, target, yaw)
    again = look_at(found, target, yaw, 640, 70.0)
    assert np.array(again.rotation) == pytest.approx(np.array(camera.rotation), abs=1e-6)
    assert again.translation == pytest.approx(camera.translation, abs=1e-6)
    assert found.elevation_deg == pytest.approx(view.elevation_deg, abs=1e-4)


@pytest.mark.parametrize(("view", "target", "yaw"), random_views()[5:])
def test_view_of_finds_azimuth_and_roll_away_from_the_poles(view, target, yaw):
    found = view_of(look_at(view, target, yaw, 640, 70.0), target, yaw)
    for ours, theirs in (
        (found.azimuth_deg, view.azimuth_deg),
        (found.roll_deg, view.roll_deg),
    ):
        assert (ours - theirs + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "expected"),
    [
        (0, 0, (0, -1, 0)),  # in front of a subject that faces -y
        (90, 0, (1, 0, 0)),  # at the subject's left
        (180, 0, (0, 1, 0)),
        (0, 90, (0, 0, 1)),
        (0, -90, (0, 0, -1)),
    ],
)
def test_azimuth_and_elevation_follow_the_convention(azimuth, elevation, expected):
    assert angles_to_direction(azimuth, elevation) == pytest.approx(expected, abs=1e-12)
    found = direction_to_angles(np.array(expected, float))
    assert found[1] == pytest.approx(elevation)
    assert (found[0] - azimuth) % 360 == pytest.approx(0)


def seen_at(view, point):
    """Pixel coordinates of a point, (right, down) from the centre of a picture 2 wide."""
    camera = look_at(view, ORIGIN, 0.0, 2, 90.0)
    return camera.to_pixels(camera.to_camera(np.array([point], float)))[0] - 1


@pytest.mark.parametrize(
    ("azimuth", "elevation", "roll", "point", "expected"),
    [
        (0, 0, 0, (0, 0, 0.1), (0, -0.1)),  # up is up
        (0, 0, 0, (0.1, 0, 0), (0.1, 0)),  # seen from the front, the left hand is on the right
        (180, 0, 0, (0.1, 0, 0), (-0.1, 0)),
        (0, 90, 0, (0, 0.1, 0), (0, -0.1)),  # from above, the back points up
        (0, -90, 0, (0, 0.1, 0), (0, 0.1)),  # from below, the front does
        (0, 0, 90, (0.1, 0, 0), (0, -0.1)),  # positive roll turns the picture anticlockwise
        (0, 0, 90, (0, 0, 0.1), (-0.1, 0)),
    ],
)
def test_up_and_left_of_the_picture_follow_the_convention(
    azimuth, elevation, roll, point, expected
):
    assert seen_at(View(azimuth, elevation, roll, 1.0), point) == pytest.approx(expected, abs=1e-9)


def test_the_field_of_view_ends_at_the_border():
    camera = look_at(View(0, 0, 0, 2.0), ORIGIN, 0.0, 500, 60.0)
    edge = 2.0 * np.tan(np.radians(30))
    pixels = camera.to_pixels(camera.to_camera(np.array([[edge, 0, 0], [0, 0, edge]])))
    assert pixels == pytest.approx(np.array([[500, 250], [250, 0]]))


def test_the_matrix_projects_like_to_pixels():
    camera = look_at(View(20, 30, 40, 2.0), ORIGIN, 10.0, 300, 50.0)
    points = camera.to_camera(np.random.default_rng(0).normal(size=(20, 3)))
    points = points[points[:, 2] > 0.1]
    homogeneous = points @ camera.matrix.T
    assert camera.to_pixels(points) == pytest.approx(homogeneous[:, :2] / homogeneous[:, 2:])


@pytest.mark.parametrize(("model", "distortion"), LENSES)
@pytest.mark.parametrize("seed", range(5))
def test_windowed_only_shifts_and_scales_the_pixels(seed, model, distortion):
    rng = np.random.default_rng(seed)
    view = View(*rng.uniform(-80, 80, 3), 3.0)
    camera = look_at(view, ORIGIN, 0.0, 400, 70.0, model, distortion)
    left, top, scale = rng.uniform(-100, 100), rng.uniform(-100, 100), rng.uniform(0.3, 3)
    window = camera.windowed(left, top, 123, 45, scale)
    points = camera.to_camera(rng.normal(0, 0.5, (30, 3)))
    shown = (camera.to_pixels(points) - [left, top]) * scale
    assert window.to_pixels(points) == pytest.approx(shown)
    assert window.rays(shown) == pytest.approx(camera.rays(camera.to_pixels(points)))
    assert (window.width, window.height) == (123, 45)
    assert (window.rotation, window.translation) == (camera.rotation, camera.translation)


@pytest.mark.parametrize(("model", "distortion"), LENSES)
def test_depth_of_and_in_view_of_every_lens(model, distortion):
    camera = look_at(View(0, 0, 0, 2.0), ORIGIN, 0.0, 100, 70.0, model, distortion)
    points = np.array([[0.3, 0.4, 1.2], [0.3, 0.4, -1.2], [0.6, 0.8, 0.0], [0.0, 0.0, 0.0]])
    fisheye = model in ("equidistant", "kannala-brandt")
    assert camera.depth_of(points) == pytest.approx([1.3, 1.3, 1, 0] if fisheye else points[:, 2])
    assert camera.in_view(points).tolist() == [True, fisheye, fisheye, False]


def test_pinhole_projection_is_bit_identical_to_its_formula():
    """To the last bit, in the points' own precision: pictures of old scenes must not change."""
    camera = look_at(View(20, 30, 40, 2.0), ORIGIN, 10.0, 300, 50.0)
    assert camera.fx == 0.5 * 300 / np.tan(np.radians(50.0) / 2)
    for kind in (np.float32, np.float64):
        points = np.random.default_rng(0).normal([0, 0, 4], 1, (50, 3)).astype(kind)
        x, y, z = points.T
        expected = np.stack([camera.fx * (x / z) + camera.cx, camera.fy * (y / z) + camera.cy]).T
        pixels = camera.to_pixels(points)
        assert pixels.dtype == kind
        assert (pixels == expected).all()


@pytest.mark.parametrize(("model", "distortion"), LENSES)
def test_a_camera_is_read_back_from_json(model, distortion):
    camera = look_at(View(20, 30, 40, 2.0), ORIGIN, 10.0, 300, 50.0, model, distortion)
    data = json.loads(json.dumps(asdict(camera)))
    assert decode(data, Camera, "") == camera
    del data["model"], data["distortion"]
    assert decode(data, Camera, "").model == "pinhole"


@pytest.mark.parametrize("distance", [0.0, -1.0, float("nan")])
def test_a_distance_that_is_not_positive_is_a_user_error(distance):
    with pytest.raises(UserError, match="distance"):
        look_at(View(0, 0, 0, distance), ORIGIN, 0.0, 100, 90.0)
