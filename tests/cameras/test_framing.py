"""Framing zooms and shifts the picture without moving the camera."""

from dataclasses import replace

import numpy as np
import pytest

from repogen.cameras.camera import View, look_at
from repogen.cameras.framing import crop, fit, off_axis_deg, projected_box, step_back, widest
from repogen.errors import UserError
from repogen.scenes.config import SceneConfig
from repogen.scenes.rng import Streams
from repogen.scenes.sample.shots import frame

SEEDS = range(40)


def scene(seed):
    """A random cloud of points the size of a person and a camera that looks at it."""
    rng = np.random.default_rng(seed)
    points = rng.normal(0, [0.3, 0.2, 0.5], (200, 3))
    view = View(
        rng.uniform(-180, 180), rng.uniform(-90, 90), rng.uniform(-180, 180), rng.uniform(2.5, 5)
    )
    return rng, look_at(view, (0.0, 0.0, 0.0), 0.0, 256, 90.0), points


def shares_outside(box, side):
    """Shares of the box outside the left, right, upper and lower border."""
    return np.array(
        [
            -box.left / box.width,
            (box.right - side) / box.width,
            -box.top / box.height,
            (box.bottom - side) / box.height,
        ]
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_fit_shows_the_whole_person_at_the_given_share(seed):
    rng, camera, points = scene(seed)
    framed = fit(rng, camera, points, (0.45, 0.95), 0.0)
    box = projected_box(framed, points)
    share = max(box.width, box.height) / 256
    assert 0.45 - 1e-9 <= share <= 0.95 + 1e-9
    assert shares_outside(box, 256).max() < 1e-6
    assert framed.position() == pytest.approx(camera.position())
    assert framed.fx / framed.fy == pytest.approx(camera.fx / camera.fy)


def test_fit_positions_are_uniform_in_the_picture():
    positions = []
    for seed in SEEDS:
        rng, camera, points = scene(seed)
        box = projected_box(fit(rng, camera, points, (0.3, 0.3), 0.0), points)
        positions.append([box.left / (256 - box.width), box.top / (256 - box.height)])
    assert np.min(positions) < 0.1
    assert np.max(positions) > 0.9
    assert np.mean(positions, axis=0) == pytest.approx([0.5, 0.5], abs=0.15)


@pytest.mark.parametrize("seed", SEEDS)
def test_truncation_cuts_one_side_by_up_to_forty_percent(seed):
    rng, camera, points = scene(seed)
    box = projected_box(fit(rng, camera, points, (0.45, 0.95), 1.0), points)
    outside = np.sort(shares_outside(box, 256))
    assert 0.05 - 1e-9 <= outside[-1] <= 0.4 + 1e-9
    assert outside[-2] < 1e-6


def test_truncation_has_the_given_probability():
    cut = []
    for seed in range(200):
        rng, camera, points = scene(seed)
        box = projected_box(fit(rng, camera, points, (0.5, 0.9), 0.3), points)
        cut.append(shares_outside(box, 256).max() > 1e-6)
    assert np.mean(cut) == pytest.approx(0.3, abs=0.1)


def test_paper_framing_leaves_the_camera_unchanged():
    _, camera, points = scene(0)
    config = SceneConfig(framing="paper", person_share=(0.1, 0.2), truncate=1.0)
    assert frame(config, Streams(0, 0), camera, points) == camera
    assert frame(replace(config, framing="fit"), Streams(0, 0), camera, points) != camera


@pytest.mark.parametrize("factor", [1.0, 1.25, 3.0])
@pytest.mark.parametrize("seed", range(10))
def test_crop_is_the_enlarged_box_clipped_to_the_picture(factor, seed):
    _, camera, points = scene(seed)
    box, cropped = projected_box(camera, points), crop(camera, points, factor)
    inside = projected_box(cropped, points)
    assert cropped.fx == camera.fx
    assert inside.width == pytest.approx(box.width)
    shift = np.array([box.left - inside.left, box.top - inside.top])
    assert shift == pytest.approx(np.rint(shift))  # whole pixels: the same samples are seen
    grown_x, grown_y = (factor - 1) * box.width / 2, (factor - 1) * box.height / 2
    low = np.maximum([box.left - grown_x, box.top - grown_y], 0)
    high = np.minimum([box.right + grown_x, box.bottom + grown_y], 256)
    assert shift == pytest.approx(low, abs=1)
    assert shift + np.array([cropped.width, cropped.height]) == pytest.approx(high, abs=1)


def test_crop_of_a_person_outside_the_picture_has_pixels():
    _, camera, points = scene(1)
    aside = camera.windowed(1000, -1000, 256, 256, 1.0)
    cropped = crop(aside, points, 1.25)
    assert cropped.width >= 1
    assert cropped.height >= 1


def test_no_person_in_front_of_the_camera_is_a_user_error():
    _, camera, points = scene(0)
    behind = points + 2 * camera.position()
    with pytest.raises(UserError, match="behind the camera; raise --distance"):
        projected_box(camera, behind)


@pytest.mark.parametrize("size", [(400, 100), (100, 400)])
def test_pictures_that_are_not_square_hold_the_whole_person(size):
    for seed in range(10):
        rng, square, points = scene(seed)
        camera = replace(square, width=size[0], height=size[1])
        framed = fit(rng, camera, points, (0.9, 0.9), 0.0)
        box = projected_box(framed, points)
        assert (framed.width, framed.height) == size
        assert max(box.width / size[0], box.height / size[1]) == pytest.approx(0.9)
        assert min(box.left, box.top, size[0] - box.right, size[1] - box.bottom) > -1e-6


LENSES = [("pinhole", ()), ("opencv", (-0.1, 0.01, 0.002, -0.001, 0.0))]


def corner_angles(camera):
    """Degrees off the axis of the picture's four corners."""
    corners = np.array([[x, y] for x in (0, camera.width) for y in (0, camera.height)], float)
    return np.degrees(np.arccos(camera.rays(corners)[:, 2]))


@pytest.mark.parametrize(("model", "distortion"), LENSES)
@pytest.mark.parametrize("size", [(256, 256), (400, 100)])
def test_the_widest_picture_ends_at_the_limit(model, distortion, size):
    view = View(0, 0, 0, 3)
    camera = look_at(view, (0, 0, 0), 0, size[0], 90, model, distortion, size[1])
    angles = corner_angles(widest(camera.windowed(5, -7, *size, 1.3), 40.0))
    assert angles.max() <= 40.01
    assert angles.max() == pytest.approx(40, abs=0.5)


@pytest.mark.parametrize(("model", "distortion"), LENSES)
def test_people_are_never_farther_off_the_axis_than_the_limit(model, distortion):
    """Around a camera that is much too near, and before one that can see them all."""
    cuts = 0
    for seed in SEEDS:
        rng, camera, points = scene(seed)
        camera = replace(camera, model=model, distortion=distortion)
        points = points * rng.uniform(1, 6)
        framed = fit(rng, camera, points, (0.3, 0.95), 0.0, 40.0)
        inside = camera.to_camera(points)
        inside = inside[framed.shows(inside)]
        angles = np.degrees(np.arctan2(np.hypot(*inside.T[:2]), inside.T[2]))
        assert angles.max() <= 40.01
        cut = off_axis_deg(camera, points) > 40
        assert not cut or corner_angles(framed).max() <= 40.01
        cuts += cut
    assert 5 < cuts < len(SEEDS)


def test_without_limit_the_picture_holds_everybody():
    rng, camera, points = scene(3)
    near = points * 3
    framed = fit(rng, camera, near, (0.5, 0.5), 0.0)
    assert off_axis_deg(camera, near) > 40
    box = projected_box(framed, near)
    assert max(box.width, box.height) == pytest.approx(128)


def test_the_camera_steps_back_along_its_view_as_far_as_needed():
    moved = 0
    for seed in SEEDS:
        rng, camera, points = scene(seed)
        points = points * rng.uniform(1, 4)
        target = (0.0, 0.0, 0.0)
        near = np.linalg.norm(camera.position())
        back = step_back(camera, target, points, 12.0, 40.0)
        far = np.linalg.norm(back.position())
        assert near - 1e-9 <= far <= 12
        assert back.rotation == camera.rotation
        assert back.position() / far == pytest.approx(camera.position() / near)
        beyond = replace(camera, translation=tuple(12 / near * np.array(camera.translation)))
        before, after = off_axis_deg(camera, points), off_axis_deg(back, points)
        has_moved = far > near + 1e-9
        assert not has_moved or (before > 39 and 36 < after <= 40)
        assert has_moved or before <= 40 or off_axis_deg(beyond, points) > 39.4
        moved += has_moved
    assert 5 < moved < len(SEEDS)
