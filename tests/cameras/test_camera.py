"""Cameras: where they stand, what they see, and back."""

import json

import cattrs
import numpy as np
import pytest

from repogen.cameras.camera import Camera, View, angles, direction, look_at, view_of
from repogen.errors import UserError

ORIGIN = (0.0, 0.0, 0.0)
LENSES = [
    ("pinhole", ()),
    ("opencv", (-0.2, 0.05, 0.001, -0.002, 0.0)),
    ("equidistant", ()),
    ("kannala-brandt", (-0.02, 0.003, -0.001, 0.0001)),
]


def random_views(count=40, seed=0):
    """Views with target and heading, poles and near-poles among them."""
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
def test_camera_looks_at_its_target_from_its_distance(view, target, yaw):
    camera = look_at(view, target, yaw, 640, 70.0)
    rotation = np.array(camera.rotation)
    assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    seen = camera.to_camera(np.array([target]))
    assert seen[0] == pytest.approx([0, 0, view.distance_m])
    assert camera.to_pixels(seen)[0] == pytest.approx([320, 320])
    away = camera.position() - target
    expected = direction(view.azimuth_deg + yaw, view.elevation_deg)
    assert away == pytest.approx(view.distance_m * expected)


@pytest.mark.parametrize(("view", "target", "yaw"), random_views())
def test_view_of_inverts_look_at(view, target, yaw):
    camera = look_at(view, target, yaw, 640, 70.0)
    found = view_of(camera, target, yaw)
    again = look_at(found, target, yaw, 640, 70.0)
    assert np.array(again.rotation) == pytest.approx(np.array(camera.rotation), abs=1e-6)
    assert again.translation == pytest.approx(camera.translation, abs=1e-6)
    assert found.elevation_deg == pytest.approx(view.elevation_deg, abs=1e-4)


# At the poles only azimuth and roll together are known.
OFF_THE_POLES = [one for one in random_views() if abs(one[0].elevation_deg) < 89.5]


@pytest.mark.parametrize(("view", "target", "yaw"), OFF_THE_POLES)
def test_view_of_finds_azimuth_and_roll(view, target, yaw):
    found = view_of(look_at(view, target, yaw, 640, 70.0), target, yaw)
    turns = [found.azimuth_deg - view.azimuth_deg, found.roll_deg - view.roll_deg]
    assert [(turn + 180) % 360 - 180 for turn in turns] == pytest.approx([0, 0], abs=1e-6)


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
def test_directions_mean_what_the_convention_says(azimuth, elevation, expected):
    assert direction(azimuth, elevation) == pytest.approx(expected, abs=1e-12)
    found = angles(np.array(expected, float))
    assert found[1] == pytest.approx(elevation)
    assert (found[0] - azimuth) % 360 == pytest.approx(0)


def seen_at(view, point):
    """Where a point shows, (right, down) of the middle of a picture 2 wide."""
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
def test_the_picture_is_the_right_way_round(azimuth, elevation, roll, point, expected):
    assert seen_at(View(azimuth, elevation, roll, 1.0), point) == pytest.approx(expected, abs=1e-9)


def test_field_of_view_reaches_the_border():
    camera = look_at(View(0, 0, 0, 2.0), ORIGIN, 0.0, 500, 60.0)
    edge = 2.0 * np.tan(np.radians(30))
    pixels = camera.to_pixels(camera.to_camera(np.array([[edge, 0, 0], [0, 0, edge]])))
    assert pixels == pytest.approx(np.array([[500, 250], [250, 0]]))


def test_matrix_is_the_projection():
    camera = look_at(View(20, 30, 40, 2.0), ORIGIN, 10.0, 300, 50.0)
    points = camera.to_camera(np.random.default_rng(0).normal(size=(20, 3)))
    points = points[points[:, 2] > 0.1]
    homogeneous = points @ camera.matrix.T
    assert camera.to_pixels(points) == pytest.approx(homogeneous[:, :2] / homogeneous[:, 2:])


@pytest.mark.parametrize(("model", "distortion"), LENSES)
@pytest.mark.parametrize("seed", range(5))
def test_a_window_shifts_and_zooms_the_pixels_and_nothing_else(seed, model, distortion):
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
def test_depth_and_what_is_in_view(model, distortion):
    camera = look_at(View(0, 0, 0, 2.0), ORIGIN, 0.0, 100, 70.0, model, distortion)
    points = np.array([[0.3, 0.4, 1.2], [0.3, 0.4, -1.2], [0.6, 0.8, 0.0], [0.0, 0.0, 0.0]])
    fisheye = model in ("equidistant", "kannala-brandt")
    assert camera.depth_of(points) == pytest.approx([1.3, 1.3, 1, 0] if fisheye else points[:, 2])
    assert camera.in_view(points).tolist() == [True, fisheye, fisheye, False]


def test_a_pinhole_is_computed_as_ever():
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
def test_a_camera_comes_back_from_json(model, distortion):
    camera = look_at(View(20, 30, 40, 2.0), ORIGIN, 10.0, 300, 50.0, model, distortion)
    data = json.loads(json.dumps(cattrs.unstructure(camera)))
    assert cattrs.structure(data, Camera) == camera
    del data["model"], data["distortion"]
    assert cattrs.structure(data, Camera).model == "pinhole"


@pytest.mark.parametrize("distance", [0.0, -1.0, float("nan")])
def test_a_camera_needs_a_distance(distance):
    with pytest.raises(UserError, match="distance"):
        look_at(View(0, 0, 0, distance), ORIGIN, 0.0, 100, 90.0)
