"""Lens models against OpenCV's, their definitions, and their own inverse."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from repogen.cameras.camera import Camera, View, look_at
from repogen.cameras.lens import FISHEYES, MODELS, check_lens, half_width, max_angle
from repogen.errors import UserError

IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
BARREL = (-0.31, 0.12, 0.0011, -0.0007, -0.02)
PINCUSHION = (0.08, 0.02, -0.002, 0.001, 0.003)
MOUSTACHE = (-0.25, 0.2, 0.0, 0.003, -0.01)
RATIONAL = (0.52, -2.6, 0.0004, -0.0002, 1.5, 0.4, -2.43, 1.42)
"""As Azure Kinect's colour cameras are calibrated."""
WIDE = (9.1, 6.8, 0.0006, -0.0003, 0.3, 9.4, 9.5, 1.9)
GOPRO = (0.05, -0.02, 0.008, -0.0014)
LENSES = [
    ("pinhole", (), 170),
    ("opencv", (0.0,) * 5, 120),
    ("opencv", BARREL, 60),
    ("opencv", PINCUSHION, 110),
    ("opencv", MOUSTACHE, 100),
    ("opencv", RATIONAL, 75),
    ("opencv", WIDE, 120),
    ("equidistant", (), 200),
    ("equidistant", (), 220),
    ("kannala-brandt", (0.0,) * 4, 200),
    ("kannala-brandt", GOPRO, 190),
    ("kannala-brandt", (-0.03, 0.004, -0.001, 0.0001), 200),
]


def camera_of(model, distortion, fov, width=640):
    return look_at(View(30, 40, 10, 2.0), (0.0, 0.0, 0.0), 0.0, width, fov, model, distortion)


def uneven(model, distortion):
    return Camera(700, 500, 410.0, 395.0, 362.5, 240.25, IDENTITY, (0.0,) * 3, model, distortion)


def angle_between(a, b):
    across = np.linalg.norm(np.cross(a, b), axis=1)
    return np.arctan2(across, np.einsum("ni,ni->n", a, b))


def directions(rng, count, most_deg):
    """Unit vectors up to an angle off the axis."""
    theta, turn = np.radians(rng.uniform(0, most_deg, count)), rng.uniform(0, 2 * np.pi, count)
    sine = np.sin(theta)
    return np.stack([sine * np.cos(turn), sine * np.sin(turn), np.cos(theta)], axis=1)


@pytest.mark.parametrize("distortion", [(0.0,) * 5, BARREL, PINCUSHION, MOUSTACHE, RATIONAL, WIDE])
def test_opencv_lens_equals_cv2_projectpoints(distortion):
    rng = np.random.default_rng(0)
    points = directions(rng, 500, 40) * rng.uniform(0.5, 5, (500, 1))
    camera = uneven("opencv", distortion)
    assert camera.in_view(points).all()
    expected, _ = cv2.projectPoints(
        points, np.zeros(3), np.zeros(3), camera.matrix, np.array(distortion)
    )
    assert camera.to_pixels(points) == pytest.approx(expected[:, 0], abs=1e-6)


@pytest.mark.parametrize("distortion", [(0.0,) * 4, GOPRO, (-0.03, 0.004, -0.001, 0.0001)])
def test_kannala_brandt_lens_equals_cv2_fisheye(distortion):
    rng = np.random.default_rng(1)
    points = directions(rng, 500, 89) * rng.uniform(0.5, 5, (500, 1))
    camera = uneven("kannala-brandt", distortion)
    expected, _ = cv2.fisheye.projectPoints(
        points[:, None], np.zeros(3), np.zeros(3), camera.matrix, np.array(distortion)
    )
    assert camera.to_pixels(points) == pytest.approx(expected[:, 0], abs=1e-6)


def test_equidistant_lens_equals_its_definition():
    points = 3 * directions(np.random.default_rng(2), 500, 180)
    camera = camera_of("equidistant", (), 200)
    offset = camera.to_pixels(points) - [camera.cx, camera.cy]
    theta = np.arccos(points[:, 2] / 3)
    assert np.linalg.norm(offset, axis=1) == pytest.approx(camera.fx * theta, abs=1e-6)
    assert np.arctan2(offset[:, 1], offset[:, 0]) == pytest.approx(
        np.arctan2(points[:, 1], points[:, 0])
    )


@pytest.mark.parametrize(("model", "distortion", "fov"), LENSES)
def test_pixels_and_rays_invert_each_other(model, distortion, fov):
    """Over the whole picture, corners too, and in a window of it."""
    whole = camera_of(model, distortion, fov)
    for camera in (whole, whole.windowed(30.5, 100, 500, 200, 1.7)):
        grid = np.mgrid[: camera.width + 1 : 5, : camera.height + 1 : 5].reshape(2, -1).T
        rays = camera.rays(grid)
        seen = np.isfinite(rays[:, 0])
        assert seen.all() or max_angle(model, distortion) < np.pi
        rays = rays[seen]
        assert np.linalg.norm(rays, axis=1) == pytest.approx(1)
        assert camera.in_view(rays).all()
        assert camera.to_pixels(3 * rays) == pytest.approx(grid[seen], abs=1e-6)
        assert angle_between(camera.rays(camera.to_pixels(rays)), rays).max() < 1e-6


@pytest.mark.parametrize(("model", "distortion", "fov"), LENSES)
def test_the_picture_has_the_given_field_of_view(model, distortion, fov):
    camera = camera_of(model, distortion, fov)
    angle = np.radians(fov) / 2
    sides = np.array([[np.sin(angle), 0, np.cos(angle)], [-np.sin(angle), 0, np.cos(angle)]])
    right, left = camera.to_pixels(sides)[:, 0]
    assert right - left == pytest.approx(camera.width)


def random_lenses(count=30, seed=3):
    """Distortions far stronger than lenses have, many of which fold the picture."""
    rng = np.random.default_rng(seed)
    lenses = [("opencv", tuple(rng.normal(0, [0.3, 0.2, 0.03, 0.03, 0.1]))) for _ in range(count)]
    return lenses + [
        ("kannala-brandt", tuple(rng.normal(0, [0.1, 0.05, 0.02, 0.005]))) for _ in range(count)
    ]


@pytest.mark.parametrize(("model", "distortion"), random_lenses())
def test_no_two_directions_in_view_share_a_pixel(model, distortion):
    camera = uneven(model, distortion)
    points = directions(np.random.default_rng(4), 2000, 180)
    points = points[camera.in_view(points)]
    # At the very rim the picture hardly moves with the direction.
    angle = np.arctan2(np.hypot(points[:, 0], points[:, 1]), points[:, 2])
    points = points[angle < 0.999 * max_angle(model, distortion)]
    pixels = camera.to_pixels(points)
    near = (np.abs(pixels) < 1e5).all(axis=1)
    assert near.sum() > 20
    assert angle_between(camera.rays(pixels), points)[near].max() < 1e-6


@pytest.mark.parametrize(
    ("model", "distortion"), [("opencv", (-0.3, 0, 0, 0, 0)), ("kannala-brandt", (-0.1, 0, 0, 0))]
)
def test_in_view_ends_where_the_distortion_folds_back(model, distortion):
    camera = uneven(model, distortion)
    rim = max_angle(model, distortion)
    assert rim < np.pi / 2 or model != "opencv"
    angles = rim + np.array([-0.02, -0.01, 0, 0.01, 0.02])
    points = np.stack([np.sin(angles), 0 * angles, np.cos(angles)], axis=1)
    x = camera.to_pixels(points)[:, 0]
    assert x.argmax() == 2
    assert camera.in_view(points)[[0, 1, 3, 4]].tolist() == [True, True, False, False]
    beyond = np.array([[x.max() + 0.1, camera.cy], [x.max() - 0.1, camera.cy]])
    assert np.isnan(camera.rays(beyond)).all(axis=1).tolist() == [True, False]


def test_tangential_distortion_alone_folds_too():
    """Far off the axis only, but then into the picture: x + 3 p2 x^2 is 0 at -1 / (3 p2)."""
    camera = uneven("opencv", (0.0, 0.0, 0.0, 0.01, 0.0))
    folded = np.array([[-1 / 0.03, 0.0, 1.0]])
    assert camera.to_pixels(folded)[0] == pytest.approx([camera.cx, camera.cy])
    assert not camera.in_view(folded)[0]
    assert np.tan(max_angle("opencv", camera.distortion)) == pytest.approx(1 / 0.06)


def test_rays_are_nan_beyond_180_degrees_off_the_axis():
    camera = camera_of("equidistant", (), 220)
    reach = camera.cx + camera.fx * np.pi
    pixels = np.array([[reach - 0.1, camera.cy], [reach + 0.1, camera.cy]])
    assert np.isnan(camera.rays(pixels)[:, 0]).tolist() == [False, True]


@pytest.mark.parametrize(
    ("model", "distortion", "words"),
    [
        ("fisheye", (), "pinhole, opencv, equidistant, kannala-brandt"),
        ("pinhole", (0.1,), "needs 0 .* not 1"),
        ("opencv", (), "needs 5 .* not 0"),
        ("opencv", (0.1,) * 4, "needs 5 .* not 4"),
        ("equidistant", (0.1,) * 4, "needs 0 .* not 4"),
        ("kannala-brandt", (0.1,) * 5, "needs 4 .* not 5"),
        ("kannala-brandt", (0.1, float("nan"), 0, 0), "finite"),
    ],
)
def test_an_invalid_lens_is_a_user_error(model, distortion, words):
    for make in (check_lens, uneven):
        with pytest.raises(UserError, match=words) as caught:
            make(model, distortion)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "distortion", "fov", "words"),
    [
        ("pinhole", (), 175, "less than 175"),
        ("pinhole", (), 0, "positive"),
        ("pinhole", (), -10, "positive"),
        ("pinhole", (), float("nan"), "positive"),
        ("opencv", PINCUSHION, 180, "less than 175"),
        ("opencv", (-0.3, 0, 0, 0, 0), 120, "folds back beyond 93.0"),
        ("equidistant", (), 221, "at most 220"),
        ("kannala-brandt", (-0.2, 0, 0, 0), 200, "folds back"),
    ],
)
def test_an_invalid_field_of_view_is_a_user_error(model, distortion, fov, words):
    with pytest.raises(UserError, match=words) as caught:
        camera_of(model, distortion, fov)
    assert "\n" not in str(caught.value)


def test_all_lens_models_are_tested():
    assert {model for model, _, _ in LENSES} == set(MODELS)
    assert half_width("pinhole", (), 90.0) == pytest.approx(1)


@pytest.mark.parametrize(
    ("model", "distortion", "fov"), [lens for lens in LENSES if lens[0] not in FISHEYES]
)
def test_only_fisheyes_have_an_image_circle(model, distortion, fov):
    camera = camera_of(model, distortion, fov)
    assert camera.circle_radius() == np.inf
    with pytest.raises(UserError, match="no image circle; choose equidistant"):
        replace(camera, circle_deg=180.0)


@pytest.mark.parametrize(
    ("model", "distortion", "fov"), [lens for lens in LENSES if lens[0] in FISHEYES]
)
def test_rays_are_nan_outside_the_image_circle(model, distortion, fov):
    camera = replace(camera_of(model, distortion, fov), circle_deg=150.0)
    points = directions(np.random.default_rng(9), 2000, 85)
    inside = np.arccos(points[:, 2]) < np.radians(75)
    pixels = camera.to_pixels(points)
    assert np.isfinite(camera.rays(pixels)[:, 0]).tolist() == inside.tolist()
    assert camera.shows(points).tolist() == inside.tolist()
    assert camera.in_view(points).all()
    offset = np.linalg.norm((pixels - [camera.cx, camera.cy]) / camera.fx, axis=1)
    assert (offset < camera.circle_radius()).tolist() == inside.tolist()
    window = camera.windowed(100, 50, 300, 200, 2.0)
    assert window.circle_radius() == camera.circle_radius()


@pytest.mark.parametrize("width", [0.0, -5.0, 361.0, float("nan")])
def test_an_invalid_image_circle_is_a_user_error(width):
    with pytest.raises(UserError, match=r"image circle .* degrees wide: give more than 0"):
        replace(camera_of("equidistant", (), 180), circle_deg=width)


def test_shows_is_true_inside_the_picture_and_in_front_of_the_camera():
    camera = uneven("pinhole", ())
    pixels = np.array([[0, 0], [699.9, 499.9], [-0.1, 10], [10, 500.1], [700.1, 10]])
    points = 3 * camera.rays(pixels)
    assert camera.shows(points).tolist() == [True, True, False, False, False]
    assert not camera.shows(-points).any()  # behind the camera, on the same pixels
