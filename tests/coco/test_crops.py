"""Crops: pixels and joints agree for every window, and augmentation follows its ranges."""

import cv2
import numpy as np
import pytest

from repogen.bodies import COCO_KEYPOINTS
from repogen.coco.augmentation import (
    Augmentation,
    _add_noise,
    _coarsen,
    augment,
    color_jitter,
    degrade,
)
from repogen.coco.crops import (
    CROP_SIZE,
    FLIP,
    PADDING,
    Window,
    box_to_window,
    joints_to_crop,
    joints_to_picture,
    warp_crop,
    window_to_crop,
)


def all_visible(rng, low=100, high=300):
    points = rng.uniform(low, high, (17, 2))
    return np.concatenate([points, np.full((17, 1), 2.0)], axis=1)


def test_flip_exchanges_left_and_right():
    assert [COCO_KEYPOINTS[k] for k in FLIP[:3]] == ["nose", "right_eye", "left_eye"]
    assert (FLIP[FLIP] == np.arange(17)).all()


@pytest.mark.parametrize("box", [(10, 20, 30, 200), (10, 20, 300, 40), (0, 0, 90, 120)])
def test_a_window_contains_its_box_and_has_the_crops_aspect(box):
    window = box_to_window(np.array(box, dtype=float))
    assert window.center == (box[0] + box[2] / 2, box[1] + box[3] / 2)
    assert window.size[0] / window.size[1] == pytest.approx(0.75)
    slack = np.array(window.size) / (np.array(box[2:]) * PADDING)
    assert slack.min() == pytest.approx(1.0)


def test_centre_and_corners_of_a_window_map_to_those_of_the_crop():
    window = Window((50.0, 60.0), (120.0, 160.0))
    corners = np.array([[50, 60], [-10, -20], [110, 140]]) @ window_to_crop(window)[:, :2].T
    corners += window_to_crop(window)[:, 2]
    assert corners == pytest.approx(np.array([[95.5, 127.5], [0, 0], [191, 255]]))


@pytest.mark.parametrize("seed", range(5))
def test_joints_to_picture_inverts_the_crop(seed):
    rng = np.random.default_rng(seed)
    keypoints = all_visible(rng)
    window = Window((200.0, 200.0), (330.0, 440.0), float(rng.uniform(-180, 180)))
    joints = keypoints[:, :2] @ window_to_crop(window)[:, :2].T + window_to_crop(window)[:, 2]
    back = joints_to_picture(joints[None], [window])
    assert back[0] == pytest.approx(keypoints[:, :2])


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("rotation", [0.0, 37.0, -140.0, 180.0])
@pytest.mark.parametrize("factor", [1, 2])
def test_pixels_and_joints_are_transformed_alike(flip, rotation, factor):
    """White dots at the joints of a black picture lie at the joints of the crop."""
    rng = np.random.default_rng(3)
    keypoints = all_visible(rng, 150, 250)
    picture = np.zeros((400, 400, 3), np.uint8)
    for k, (x, y) in enumerate(keypoints[:, :2].round()):
        keypoints[k, :2] = x, y
        cv2.circle(picture, (int(x), int(y)), 3, (255, 255, 255), -1)
    if factor == 2:
        picture = cv2.resize(picture, (200, 200), interpolation=cv2.INTER_AREA)
    window = Window((200.0, 200.0), (240.0, 320.0), rotation, flip)
    crop = warp_crop(picture, window, factor)
    joints = joints_to_crop(keypoints, window)
    assert (joints[:, 2] == 2).all()
    order = FLIP if flip else np.arange(17)
    for k, (x, y, _) in enumerate(joints):
        near = crop[int(y) - 4 : int(y) + 6, int(x) - 4 : int(x) + 6, 0].astype(float)
        others = np.linalg.norm(keypoints[:, :2] - keypoints[order[k], :2], axis=1)
        if np.sort(others)[1] < 14:
            continue  # another dot reaches into this one's neighbourhood
        ys, xs = np.mgrid[int(y) - 4 : int(y) + 6, int(x) - 4 : int(x) + 6]
        middle = np.array([(xs * near).sum(), (ys * near).sum()]) / near.sum()
        assert middle == pytest.approx([x, y], abs=0.35)


def test_joints_outside_the_crop_or_unlabelled_become_zero():
    keypoints = np.zeros((17, 3))
    keypoints[0] = [200, 200, 2]
    keypoints[5] = [600, 200, 2]
    keypoints[6] = [200, 200, 0]
    joints = joints_to_crop(keypoints, Window((200.0, 200.0), (150.0, 200.0)))
    assert (joints[:, 2] > 0).tolist() == [k == 0 for k in range(17)]
    assert (joints[1:] == 0).all()


def test_augmentations_have_the_documented_distributions():
    rng = np.random.default_rng(0)
    keypoints = np.zeros((17, 3))  # too few joints for half bodies
    start = Window((100.0, 100.0), (75.0, 100.0))
    windows = [augment(rng, start, keypoints, Augmentation()) for _ in range(4000)]
    zoom = np.array([w.size[1] / 100 for w in windows])
    angle = np.array([w.rotation_deg for w in windows])
    assert zoom.min() == 0.5
    assert zoom.max() == 1.5
    assert abs((zoom == 0.5).mean() - 0.159) < 0.02  # a sixth of a normal lies beyond one sigma
    assert abs((angle != 0).mean() - 0.6) < 0.03
    assert abs(angle).max() == 240
    assert abs(angle[angle != 0].std() - 115) < 8
    assert abs(np.mean([w.flip for w in windows]) - 0.5) < 0.03


def test_half_body_windows_are_centred_on_either_half():
    rng = np.random.default_rng(1)
    keypoints = np.concatenate([np.zeros((17, 2)), np.full((17, 1), 2.0)], axis=1)
    keypoints[:11, 1] = np.linspace(0, 100, 11)
    keypoints[11:, 1] = np.linspace(200, 300, 6)
    how = Augmentation(half_body=1.0, scale=0.0, rotated=0.0)
    centres = np.array(
        [augment(rng, box_to_window(np.array([0, 0, 9, 300.0])), keypoints, how).center
         for _ in range(200)]
    )  # fmt: skip
    assert set(centres[:, 1].round().tolist()) == {50.0, 250.0}


def test_half_body_windows_show_the_upper_half_as_often_as_mmposes():
    """mmpose 0.x takes the upper half where a standard normal is below 0.5."""
    rng = np.random.default_rng(2)
    keypoints = all_visible(rng)
    keypoints[:11, 1] -= 1000
    box = box_to_window(np.array([100.0, -900.0, 200.0, 1200.0]))

    def share(half_body, points):
        how = Augmentation(half_body=half_body, scale=0.0, rotated=0.0)
        heights = np.array([augment(rng, box, points, how).center[1] for _ in range(4000)])
        return (heights < -700).mean(), (heights > 100).mean()

    assert share(1.0, keypoints) == pytest.approx((0.691, 0.309), abs=0.025)
    assert share(0.3, keypoints) == pytest.approx((0.3 * 0.691, 0.3 * 0.309), abs=0.025)
    assert share(0.0, keypoints) == (0, 0)
    few = keypoints.copy()
    few[8:, 2] = 0  # eight joints, and mmpose wants more
    assert share(1.0, few) == (0, 0)
    lower = keypoints.copy()
    lower[2:11, 2] = 0  # two of the upper half, too few
    lower[0, 2] = 2
    assert share(1.0, lower) == (0, 0)  # 8 in all
    upper = keypoints.copy()
    upper[13:, 2] = 0  # two of the lower half, too few
    assert share(1.0, upper) == (1, 0)


@pytest.mark.parametrize("rotation", [0.0, 33.0, -200.0])
@pytest.mark.parametrize("center", [(150.0, 90.0), (-40.0, 20.0), (900.0, 900.0)])
@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_crop_is_that_of_the_whole_picture(rotation, center, factor):
    """`warp_crop` looks at a part of the picture only; coordinates are rounded to 1/32 pixel."""
    rng = np.random.default_rng(4)
    picture = rng.integers(0, 256, (170, 230, 3), np.uint8)
    window = Window(
        (center[0] * factor, center[1] * factor), (96.0 * factor, 128.0 * factor), rotation
    )
    matrix = window_to_crop(window)
    if factor > 1:
        shift = (factor - 1) / 2
        matrix = np.hstack([matrix[:, :2] * factor, matrix @ [[shift], [shift], [1.0]]])
    wanted = cv2.warpAffine(picture, matrix, CROP_SIZE, flags=cv2.INTER_LINEAR).astype(int)
    off = np.abs(warp_crop(picture, window, factor) - wanted)
    assert off.max() <= 16  # neighbours of noise differ by 255, so a 32nd of a pixel by 8
    assert (off > 0).mean() < 0.01


def test_color_jitter_and_degrade_keep_shape_and_type():
    rng = np.random.default_rng(0)
    crop = rng.integers(0, 255, (*CROP_SIZE[::-1], 3), dtype=np.uint8)
    assert (color_jitter(rng, crop, 0.0) == crop).all()
    means = np.array([color_jitter(rng, crop, 0.2).mean() for _ in range(50)])
    assert 2 < means.std() < 25
    for _ in range(20):
        worse = degrade(rng, crop)
        assert worse.shape == crop.shape
        assert worse.dtype == np.uint8


@pytest.mark.parametrize("strength", [0.2, 1.0])
def test_color_jitter_is_its_formula(strength):
    crop = np.random.default_rng(1).integers(0, 256, (256, 192, 3), np.uint8)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        gain = 1 + strength * rng.uniform(-1, 1)
        gain = gain * (1 + 0.5 * strength * rng.uniform(-1, 1, 3))
        wanted = (crop - 128.0) * gain + 128 + 255 * 0.5 * strength * rng.uniform(-1, 1)
        got = color_jitter(np.random.default_rng(seed), crop, strength)
        assert np.abs(got - np.clip(wanted, 0, 255)).max() <= 0.51


def test_noise_has_the_drawn_strength_and_differs_from_crop_to_crop():
    rng = np.random.default_rng(5)
    grey = np.full((256, 192, 3), 128, np.uint8)
    noisy = np.stack([_add_noise(rng, grey, 6.0) for _ in range(20)]).astype(float)
    assert noisy.std(axis=(1, 2, 3)) == pytest.approx(np.full(20, 6.0), rel=0.03)
    assert abs(noisy.mean() - 128) < 0.1
    assert (noisy[1:] != noisy[0]).mean() > 0.8


@pytest.mark.parametrize("ratio", [1.0, 1.7, 2.6, 4.0])
def test_a_coarsened_crop_keeps_places_and_loses_detail(ratio):
    y, x = np.indices((256, 192))
    spot = np.exp(-((x - 81.3) ** 2 + (y - 140.6) ** 2) / (2 * 9.0**2))
    crop = np.repeat((255 * spot).astype(np.uint8)[..., None], 3, axis=2)
    coarse = _coarsen(crop, ratio)[..., 0].astype(float)
    found = [(coarse * axis).sum() / coarse.sum() for axis in (x, y)]
    assert found == pytest.approx([81.3, 140.6], abs=0.15)
    noise = np.random.default_rng(0).integers(0, 256, (256, 192, 3), np.uint8)
    assert _coarsen(noise, ratio).std() <= noise.std() * (1.01 if ratio == 1 else 0.8)
