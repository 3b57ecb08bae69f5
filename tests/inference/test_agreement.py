"""Poses that a network agrees with itself on, as labels to train on."""

import json

import cv2
import numpy as np
import pytest

from repogen import predict
from repogen.cli import main
from repogen.coco.annotations import read_person_annotations
from repogen.coco.crops import joints_to_crop
from repogen.inference.agreement import estimate_agreed
from repogen.inference.estimate import JointEstimator

BOX = np.array([20.0, 10.0, 60.0, 80.0])
TRUTH = np.column_stack([np.linspace(25, 75, 17), np.linspace(15, 85, 17)[::-1], np.full(17, 0.9)])
CROP = (96, 96)


def estimator(find):
    return JointEstimator(CROP, 1.2, find)


@pytest.fixture
def seen():
    """A network that finds the truth in each window, and the function that cuts for it."""
    windows = []

    def cut(_i, window, crop):
        windows.append(window)
        return np.zeros((*crop[::-1], 3), np.uint8)

    def find(crops, _flip):
        some = windows[-len(crops) :]
        joints = [np.column_stack([TRUTH[:, :2], np.full(17, 2)]) for _ in some]
        found = np.stack([joints_to_crop(j, w, CROP) for j, w in zip(joints, some, strict=True)])
        found[..., 2] = TRUTH[:, 2]
        return found

    return find, cut, windows


def agreed(find, cut, tolerance=0.06, **options):
    (found,) = estimate_agreed(estimator(find), [BOX], cut, tolerance, 0.3, **options)
    return found[0]


def test_six_looks_at_a_person_give_the_same_place(seen):
    find, cut, windows = seen
    pose = agreed(find, cut)
    np.testing.assert_allclose(pose, TRUTH, atol=1e-6)
    assert {(w.rotation_deg, w.flip) for w in windows} == {
        (turn, flip) for turn in (-20, 0, 20) for flip in (False, True)
    }


def test_with_four_rotations_the_looks_are_around_the_best_quarter_turn(seen):
    find, cut, windows = seen

    def best_upside_down(crops, flip):
        found = find(crops, flip)
        for joints, window in zip(found, windows[-len(crops) :], strict=True):
            joints[:, 2] = 0.9 if abs(window.rotation_deg - 180) < 25 else 0.4
        return found

    pose = agreed(best_upside_down, cut, rotations=4)
    np.testing.assert_allclose(pose[:, :2], TRUTH[:, :2], atol=1e-6)
    assert {w.rotation_deg for w in windows[4:]} == {160, 180, 200}


def test_a_joint_that_one_look_moves_is_not_sure(seen):
    find, cut, windows = seen

    def moves_an_ankle(crops, flip):
        found = find(crops, flip)
        turned = [i for i, w in enumerate(windows[-len(crops) :]) if w.rotation_deg > 0]
        found[turned, 15, 0] += 0.2 * CROP[0]
        return found

    scores = agreed(moves_an_ankle, cut)[:, 2]
    # Mirrored looks see the right ankle as the left one.
    assert set(np.flatnonzero(scores == 0)) == {15, 16}
    assert (agreed(moves_an_ankle, cut, tolerance=0.3)[:, 2] > 0).all()


@pytest.mark.parametrize(("weak", "kept"), [([5], 0), ([7, 8, 9], 14), ([7, 8, 9, 10], 0)])
def test_a_person_needs_the_trunk_and_nine_joints(seen, weak, kept):
    find, cut, windows = seen

    def unsure(crops, flip):
        found = find(crops, flip)
        for joints, window in zip(found, windows[-len(crops) :], strict=True):
            mirrored = [w + 1 if w % 2 else w - 1 for w in weak]
            joints[mirrored if window.flip else weak, 2] = 0.1
        return found

    assert (agreed(unsure, cut)[:, 2] > 0).sum() == kept


def test_a_set_of_sure_people_loads(tmp_path, capsys):
    """The set names only what the network was sure of, and holds its pictures."""
    out, photos = tmp_path / "sure", tmp_path / "photos"
    main(["generate", str(photos), "--images", "3", "--image-size", "160", "--seed", "4"])
    words = ["predict", str(photos / "images"), "--agreement", "0.5", "--joint-score", "0.01"]
    words += ["--detector", "none", "--weights", "lightning", "--write", "people", "images"]
    capsys.readouterr()
    assert main([*words, "--out", str(out)]) == 0
    assert "agreement: kept 3 of 3 people, 100% of their joints" in capsys.readouterr().err
    people = read_person_annotations("sure", out / "people.json", out / "images")
    assert len(people) == 3
    assert (people.keypoints[..., 2] == 2).all()
    for name in people.files:
        assert (out / "images" / name).read_bytes() == (photos / "images" / name).read_bytes()


def test_nobody_is_kept_where_nothing_agrees(tmp_path, picture, capsys):
    picture(tmp_path / "in/a.png", 80, 60)
    words = ["--detector", "none", "--weights", "lightning", "--write", "people", "images"]
    assert main(["predict", str(tmp_path / "in"), *words, "--agreement", "0.001",
                 "--out", str(tmp_path / "out")]) == 0  # fmt: skip
    assert "agreement: kept 0 of 1 people" in capsys.readouterr().err
    assert json.loads((tmp_path / "out/people.json").read_text())["annotations"] == []
    assert not (tmp_path / "out/images").exists()


def test_one_of_so_many_frames_of_a_video_is_taken(tmp_path):
    writer = cv2.VideoWriter(
        str(tmp_path / "a.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (64, 48)
    )
    for i in range(7):
        writer.write(np.full((48, 64, 3), 30 * i, np.uint8))
    writer.release()
    out = predict(
        tmp_path / "a.mp4", tmp_path / "out", frame_step=3, detector="none", weights="lightning",
        joint_score=0.0, write=("people", "images"),
    )  # fmt: skip
    assert [r["frame"] for r in json.loads((out / "results.json").read_text())] == [0, 3, 6]
    people = read_person_annotations("a", out / "people.json", out / "images")
    assert people.files == tuple(f"a.mp4/frame_{i:06d}.jpg" for i in (0, 3, 6))
    shades = [cv2.imread(str(out / "images" / name)).mean() for name in people.files]
    np.testing.assert_allclose(shades, [0, 90, 180], atol=6)


def test_the_share_must_lie_between_0_and_1(tmp_path, picture, capsys):
    picture(tmp_path / "in/a.png", 80, 60)
    assert main(["predict", str(tmp_path / "in"), "--agreement", "2"]) == 2
    assert "--agreement 2 must lie between 0 and 1" in capsys.readouterr().err
    words = ["--agreement", "0.06", "--joint-score", "0"]
    assert main(["predict", str(tmp_path / "in"), *words]) == 2
    assert "refuses 0: give --joint-score above 0" in capsys.readouterr().err
