"""From boxes to poses: which boxes are used, scores, flip test, UDP, OKS-NMS, detections."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from repogen import UserError
from repogen.coco.annotations import PersonAnnotations
from repogen.coco.crops import CROP_SIZE
from repogen.evaluation.detections import read_detections
from repogen.inference.estimate import estimate_people, ground_truth_boxes
from repogen.models.heatmaps import joints_to_heatmaps


def dot(folder, at, size=(300, 200)):
    """A black image with a soft white dot at `at`; the first pixel's centre is (0, 0)."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    bright = 255 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * 3.0**2))
    cv2.imwrite(str(folder / "dot.png"), np.repeat(bright.astype(np.uint8)[..., None], 3, 2))


def finder(crops):
    """An estimator that puts every joint where the crop is bright."""
    x, y = np.meshgrid(np.arange(CROP_SIZE[0]), np.arange(CROP_SIZE[1]))
    weights = crops[..., 0] / crops[..., 0].sum(axis=(1, 2), keepdims=True, dtype=float)
    at = np.stack([(weights * x).sum(axis=(1, 2)), (weights * y).sum(axis=(1, 2))], axis=1)
    return joints_to_heatmaps(torch.tensor(np.repeat(at[:, None], 17, axis=1))).numpy()


def persons(folder, boxes):
    count = len(boxes)
    return PersonAnnotations(
        name="dots", root=folder, files=("dot.png", "none.png"), sizes=np.array([[300, 200]] * 2),
        image_ids=np.array([7, 8]), image=np.zeros(count, dtype=int), ids=np.arange(count) + 1,
        boxes=np.array(boxes, dtype=float), areas=np.full(count, 5e3),
        keypoints=np.full((count, 17, 3), 2.0), crowd=np.zeros(count, dtype=bool),
        records=({"category_id": 3},) * count, views=np.full((count, 3), np.nan),
        rendered=np.zeros(2, dtype=bool),
    )  # fmt: skip


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("rendered", [False, True])
@pytest.mark.parametrize("box", [(60, 20, 90, 120), (100, 40, 31, 77), (20, 0, 250, 200)])
def test_crop_and_flip_test_do_not_move_a_joint(tmp_path, box, rendered, flip):
    """The error is below that of rounding the dot to bytes."""
    dot(tmp_path, (115.3, 71.8))
    people = replace(persons(tmp_path, [box]), rendered=np.full(2, rendered))
    found = estimate_people(finder, people, flip)
    wanted = np.array([115.3, 71.8]) + (0.5 if rendered else 0)
    assert found.keypoints[0, :, :2] == pytest.approx(np.tile(wanted, (17, 1)), abs=0.15)


def sided(crops):
    """Left joints where the crop is red, right ones where it is blue, the nose where green."""
    x, y = np.meshgrid(np.arange(192), np.arange(256))
    at = np.empty((len(crops), 3, 2))
    for channel in range(3):
        light = crops[..., channel] / crops[..., channel].sum(axis=(1, 2), keepdims=True)
        at[:, channel] = np.stack([(light * x).sum((1, 2)), (light * y).sum((1, 2))], axis=1)
    # Of a mirrored person the network takes the left hand for the right one.
    mirrored = at[:, 0, 0] < at[:, 2, 0]
    at[mirrored] = at[mirrored][:, ::-1]
    which = [1, *[0, 2] * 8]
    return joints_to_heatmaps(torch.tensor(at[:, which])).numpy()


def test_the_flip_test_keeps_left_and_right(tmp_path):
    """Red is on the right of the image, where the left side of a person facing us is."""
    picture = np.zeros((200, 300, 3), np.uint8)
    places = {2: (170, 90), 1: (140, 60), 0: (110, 80)}
    for channel, at in places.items():
        layer = np.zeros((200, 300), np.uint8)
        cv2.circle(layer, at, 6, 255, -1)
        picture[..., channel] = layer
    cv2.imwrite(str(tmp_path / "dot.png"), picture)
    people = persons(tmp_path, [(80, 30, 120, 100)])
    for flip in (False, True):
        found = estimate_people(sided, people, flip).keypoints[0, :, :2]
        assert found[0] == pytest.approx((140, 60), abs=1)
        assert found[1::2] == pytest.approx(np.tile((170, 90), (8, 1)), abs=1)
        assert found[2::2] == pytest.approx(np.tile((110, 80), (8, 1)), abs=1)


def test_crowds_and_unlabelled_people_get_no_box(tmp_path):
    dot(tmp_path, (100, 100))
    people = persons(tmp_path, [(50 + 10 * i, 40, 60, 100) for i in range(4)])
    people.crowd[1] = True
    people.keypoints[2] = 0
    boxes = ground_truth_boxes(people)
    assert boxes.person.tolist() == [0, 3]
    assert boxes.scores.tolist() == [1, 1]
    assert estimate_people(finder, people).person.tolist() == [0, 3]


def test_a_pose_scores_its_box_score_times_the_mean_of_its_confident_joints(tmp_path):
    dot(tmp_path, (100, 100))
    heights = np.where(np.arange(17) < 5, 0.15, np.linspace(0.3, 0.9, 17))

    def unsure(crops):
        return finder(crops) * heights[None, :, None, None]

    people = persons(tmp_path, [(50, 40, 80, 120)])
    plain = estimate_people(unsure, people, flip=False)
    joints = plain.keypoints[0, :, 2]
    assert joints == pytest.approx(heights, rel=0.15)
    assert plain.scores[0] == pytest.approx(joints[5:].mean())
    boxes = replace(ground_truth_boxes(people), scores=np.array([0.5]), person=np.array([-1]))
    halved = estimate_people(unsure, people, flip=False, boxes=boxes)
    assert halved.scores[0] == pytest.approx(joints[5:].mean() / 2)


def test_of_two_boxes_around_one_pose_the_higher_score_is_kept(tmp_path):
    dot(tmp_path, (100, 100))
    people = persons(tmp_path, [(50, 40, 80, 120), (55, 45, 80, 120)])
    boxes = replace(ground_truth_boxes(people), scores=np.array([0.3, 0.9]), person=np.full(2, -1))
    assert estimate_people(finder, people, boxes=boxes).kept.tolist() == [False, True]
    apart = estimate_people(corner, people, boxes=boxes)
    assert apart.kept.tolist() == [True, True]


def corner(crops):
    """Joints spread over the crop: each box gives a different pose."""
    joints = np.stack([np.linspace(10, 180, 17), np.linspace(240, 10, 17)], axis=1)
    return joints_to_heatmaps(torch.tensor(np.tile(joints, (len(crops), 1, 1)))).numpy()


def write(path, records):
    path.write_text(json.dumps(records))
    return path


def test_detections_are_of_people_in_the_images(tmp_path):
    people = persons(tmp_path, [(50, 40, 80, 120)])
    good = {"image_id": 7, "category_id": 3, "bbox": [-10, 150, 100, 100], "score": 0.7}
    records = [
        good,
        good | {"category_id": 9},
        good | {"bbox": [10, 10, 0.5, 40]},
        {k: v for k, v in good.items() if k != "category_id"} | {"image_id": 8, "score": 0.2},
    ]
    boxes = read_detections(write(tmp_path / "found.json", records), people)
    assert boxes.boxes.tolist() == [[0, 150, 90, 50]] * 2
    assert boxes.scores.tolist() == [0.7, 0.2]
    assert boxes.image.tolist() == [0, 1]
    assert boxes.person.tolist() == [-1, -1]


@pytest.mark.parametrize(
    "record",
    [
        {"image_id": "dot.png", "category_id": 3, "box": [50, 40, 80, 120]},
        {"image_id": "dot", "category_id": 0, "bbox": [50, 40, 80, 120]},
        {"image_id": "7", "bbox": [50, 40, 80, 120]},
        {"file_name": "x\\\\dot.png", "bbox": [50, 40, 80, 120]},
    ],
)
def test_detections_name_images_and_categories_in_other_ways(tmp_path, record):
    people = persons(tmp_path, [(50, 40, 80, 120)])
    boxes = read_detections(write(tmp_path / "found.json", [record | {"score": 3.1}]), people)
    assert boxes.boxes.tolist() == [[50, 40, 80, 120]]
    assert boxes.image.tolist() == [0]


def test_category_0_is_not_of_persons_where_the_set_has_another_category_0(tmp_path):
    people = replace(persons(tmp_path, [(50, 40, 80, 120)]), category_ids=(0, 3))
    records = [
        {"image_id": 7, "category_id": k, "bbox": [k, 2, 30, 40], "score": 1} for k in (0, 3)
    ]
    boxes = read_detections(write(tmp_path / "found.json", records), people)
    assert boxes.boxes.tolist() == [[3, 2, 30, 40]]


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ({"images": []}, "not a list of detections"),
        ([], "found.json is an empty list"),
        (
            [{"image_id": 7, "score": 1, "bbox": [1, 2, 0.5, 9]}],
            "holds 1 boxes, all at most",
        ),
        (
            [{"image_id": 7, "score": 1, "bbox": [1, 2, 30, 40], "category_id": 5}],
            "holds no persons: its category_id is 5, and that of the set's persons is 3",
        ),
        ([{"bbox": [1, 2, 30, 40], "score": 1}], r"detections\[0\] lacks 'image_id'"),
        ([{"image_id": 7, "bbox": [1, 2, 30, 40]}], r"detections\[0\] lacks 'score'"),
        (
            [{"image_id": 7, "bbox": [1, 2, 30, 40], "score": "high"}],
            r"detections\[0\]: score 'high' is not a number",
        ),
        ([{"image_id": 99, "bbox": [1, 2, 30, 40], "score": 1}], r"detections\[0\].*image_id 99"),
        ([{"image_id": 7, "score": 1}], r"detections\[0\] lacks 'bbox'"),
        (
            [{"image_id": 7, "bbox": [1, 2, 3], "score": 1}],
            r"\[0\]: bbox .* must be x, y",
        ),
        (
            [{"image_id": 7, "bbox": [1, 2, "wide", 4], "score": 1}],
            r"detections\[0\]: bbox .* is not a list of numbers",
        ),
        ([{"image_id": 7, "bbox": [1, 2, 3, float("inf")], "score": 1}], "must be finite"),
        ([{"image_id": [7], "bbox": [1, 2, 30, 40], "score": 1}], r"detections\[0\]"),
        (["person"], r"detections\[0\]"),
    ],
)
def test_an_invalid_detection_is_one_line(tmp_path, records, words):
    people = persons(tmp_path, [(50, 40, 80, 120)])
    with pytest.raises(UserError, match=words):
        read_detections(write(tmp_path / "found.json", records), people)


def test_an_unreadable_file_of_detections_is_one_line(tmp_path):
    people = persons(tmp_path, [(50, 40, 80, 120)])
    with pytest.raises(UserError, match="cannot read"):
        read_detections(Path("/nowhere.json"), people)
    (tmp_path / "words").write_text("not JSON")
    with pytest.raises(UserError, match="not a JSON file"):
        read_detections(tmp_path / "words", people)
