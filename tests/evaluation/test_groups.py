"""Groups of persons, the sentences of a report, and pictures of the best and worst persons."""

import json
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.coco.annotations import read_person_annotations
from repogen.evaluation import groups
from repogen.evaluation.comparison import compare
from repogen.evaluation.findings import findings
from repogen.evaluation.groups import (
    estimated_views,
    orientation_groups,
    trunk_angles,
    view_groups,
)
from repogen.evaluation.joints import person_oks
from repogen.evaluation.pictures import TRUTH, picture_rows
from repogen.evaluation.results import Report
from repogen.inference.estimate import Estimates

SHOULDERS, HIPS = (5, 6), (11, 12)


def person(angle_deg, unlabelled=()):
    """Keypoints of a person whose trunk points this far clockwise from the image's top."""
    keypoints = np.full((17, 3), 2.0)
    keypoints[:, :2] = 100 + np.arange(17)[:, None]
    up = np.array([np.sin(np.radians(angle_deg)), -np.cos(np.radians(angle_deg))])
    across = np.array([-up[1], up[0]])
    for joints, along in ((SHOULDERS, 40), (HIPS, 0)):
        for joint, side in zip(joints, (-1, 1), strict=True):
            keypoints[joint, :2] = 100 + along * up + 8 * side * across
    keypoints[list(unlabelled)] = 0
    return keypoints


def people_of(folder, keypoints, side=128):
    """A set of images with one person each, whose pictures are grey."""
    images, annotations = [], []
    for i, points in enumerate(keypoints, start=1):
        cv2.imwrite(str(folder / f"{i}.png"), np.full((256, 256, 3), 60, np.uint8))
        images.append({"id": i, "file_name": f"{i}.png", "width": 256, "height": 256})
        annotations.append(
            {"id": i, "image_id": i, "category_id": 1, "bbox": [50, 50, side, side],
             "area": side**2 / 2, "keypoints": points.ravel().tolist()}
        )  # fmt: skip
    data = {
        "images": images, "annotations": annotations,
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO_KEYPOINTS)}],
    }  # fmt: skip
    (folder / "set.json").write_text(json.dumps(data))
    return read_person_annotations("set", folder / "set.json", folder)


def answers(people, errors):
    """Estimates whose joints are off by `errors` pixels, a number for each person."""
    keypoints = people.keypoints.copy()
    keypoints[:, :, 0] += np.array(errors, dtype=float)[:, None]
    rows = np.arange(len(people))
    return Estimates(keypoints, np.ones(len(rows)), people.image, rows, np.ones(len(rows), bool))


def test_trunk_angles_and_their_groups(tmp_path):
    angles = [0, 44, -46, 90, 134, -136, 180]
    missing = [person(0, HIPS), person(0, SHOULDERS), person(180, (5, 12))]
    people = people_of(tmp_path, [*map(person, angles), *missing])
    found = trunk_angles(people)
    assert found[:7] == pytest.approx(np.abs(angles), abs=1e-4)
    assert np.isnan(found[7:9]).all()
    assert found[9] > 135
    named = {
        name: np.flatnonzero(mask).tolist()
        for name, mask in orientation_groups(people).masks.items()
    }
    assert named == {"upright": [0, 1], "sideways": [2, 3, 4], "upside down": [5, 6, 9]}


def test_estimated_views_have_groups():
    views = np.array([[0, 80], [90, 0], [-179, -31], [-90, 90], [np.nan, np.nan], [44, 29]])
    heights, sides = (
        {name: np.flatnonzero(mask).tolist() for name, mask in one.masks.items()}
        for one in view_groups(views)
    )
    assert heights == {"from below": [2], "level": [1, 5], "from above": [0, 3]}
    assert sides == {"front": [0, 5], "left": [1], "back": [2], "right": [3]}


def test_persons_with_few_joints_have_no_estimated_view(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    from repogen.viewpoint_estimation import trained
    from repogen.viewpoint_estimation.regressor import ViewRegressor

    network = ViewRegressor(np.random.default_rng(0)).eval()
    monkeypatch.setattr(trained, "load_regressor", lambda: SimpleNamespace(network=network))
    people = people_of(tmp_path, [person(0), person(30, range(12)), person(0, range(11))])
    views = estimated_views(people)
    assert np.isfinite(views).all(axis=1).tolist() == [True, False, True]
    assert (np.abs(views[[0, 2]]) <= [180, 90]).all()


def test_without_torch_there_are_no_estimated_views(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(groups, "find_spec", lambda _: None)
    assert estimated_views(people_of(tmp_path, [person(0)])) is None
    assert "which need torch" in capsys.readouterr().err


@pytest.fixture
def compared(tmp_path):
    """Thirty persons of which twelve hang upside down and are found badly by both of two models;
    the second is better on the others."""
    rng = np.random.default_rng(0)
    angles = [180] * 12 + [0] * 18
    people = people_of(tmp_path, [person(angle + rng.uniform(-9, 9)) for angle in angles])
    first = answers(people, [25.0] * 12 + [9.0] * 18)
    second = answers(people, [25.0] * 12 + [3.0] * 18)
    found = {"first": first, "second": second}
    one = compare(people, found, 50, groupings=(orientation_groups(people),))
    return people, found, one


def test_groups_score_their_persons_alone(compared):
    people, found, one = compared
    (grouping,) = one.groupings
    assert [group.name for group in grouping.groups] == ["upright", "upside down"]
    assert [group.comparison.persons for group in grouping.groups] == [18, 12]
    oks = person_oks(people, found["second"])
    for group, rows in zip(grouping.groups, (slice(12, 30), slice(0, 12)), strict=True):
        score = group.comparison.scores["second"]["OKS"]
        assert score.value == pytest.approx(oks[rows].mean())
    assert not grouping.groups[1].comparison.differences["second"]["OKS"].significant


def test_the_first_sentences_say_what_matters(compared):
    _, _, one = compared
    report = Report({"first": "a", "second": "b"}, {}, True, 50, {"set": one})
    text = "\n".join(findings(report))
    assert "over 30 persons." in text
    assert "second is better than first: OKS +" in text
    assert "Hardest for second: orientation of the trunk in the image: upside down" in text
    assert "The largest change is at orientation of the trunk in the image: upright" in text
    assert "second is weakest at the" in text
    same = replace(one, total=replace(one.total, differences={}), groupings=())
    alone = "\n".join(findings(replace(report, sets={"set": same})))
    assert "better" not in alone
    assert "Hardest" not in alone


def test_pictures_are_of_the_worst_and_best_with_joints_where_they_are(compared):
    people, found, _ = compared
    upright = np.arange(30) >= 12
    rows = picture_rows(people, found, {"all": np.ones(30, bool), "upright": upright}, 2)
    assert [(row.group, row.kind, len(row.people)) for row in rows] == [
        ("all", "worst for second", 2),
        ("all", "best for second", 2),
        ("all", "most gained against first", 2),
        ("upright", "worst for second", 2),
        ("upright", "best for second", 2),
    ]
    shown = rows[0].people[0]
    assert shown.caption.startswith("image ")
    assert list(shown.pictures) == [TRUTH, "first", "second"]
    image = int(shown.caption.split()[1].rstrip(","))
    for title, error in ((TRUTH, 0), ("second", 25)):
        picture = cv2.imdecode(np.frombuffer(shown.pictures[title], np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (168, 168, 3)
        scale, corner = 168 / (1.4 * 128), 50 + 64 - 0.7 * 128
        x, y = people.keypoints[image - 1, 12, :2] + [error, 0]  # the right hip is orange
        color = picture[round((y - corner) * scale), round((x - corner) * scale)].astype(int)
        assert color[2] > color[0] + 60


def test_no_pictures_are_drawn_without_a_count(compared):
    people, found, _ = compared
    assert picture_rows(people, found, {"all": np.ones(30, bool)}, 0) == ()
