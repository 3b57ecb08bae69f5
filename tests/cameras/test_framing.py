"""Framing zooms and shifts the picture without moving the camera."""

from dataclasses import replace

import numpy as np
import pytest

from repogen.cameras.camera import View, look_at
from repogen.cameras.framing import crop, fit, projected_box
from repogen.errors import UserError
from repogen.scenes.config import SceneConfig
from repogen.scenes.rng import Streams
from repogen.scenes.sample.scene import frame

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
