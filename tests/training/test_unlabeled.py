"""Training on photographs without labels: their people are labelled where the teacher is sure."""

import json
import shutil

import cv2
import numpy as np
import pytest

from repogen import UserError, generate, train
from repogen.cli import main
from repogen.coco.annotations import read_person_annotations
from repogen.training import unlabeled

OPTIONS = {
    "model": "movenet-lightning", "epochs": 1, "batch_size": 2, "workers": 0, "freeze": 16,
    "warmup": 1, "half_body": 0.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Three people, of a size and from a side that the packaged networks find them in."""
    folder = tmp_path_factory.mktemp("unlabeled") / "dataset"
    generate(
        folder, images=3, image_size=256, views="front", roll=(0, 0), seed=2, workers=1,
        pose_variance=0.1,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def photos(dataset):
    """Their pictures, and one that shows nobody."""
    folder = dataset.parent / "photos"
    shutil.copytree(dataset / "images", folder)
    cv2.imwrite(str(folder / "empty.png"), np.full((60, 80, 3), 90, np.uint8))
    return folder


@pytest.fixture(scope="module")
def run(photos):
    return train(photos.parent / "run", unlabeled=f"{photos}:x2", **OPTIONS)


def steps(run):
    return (run / "steps.jsonl").read_text()


def test_people_are_found_and_labelled_where_they_stand(dataset, run):
    labelled = run / "unlabeled/1"
    found = read_person_annotations("found", labelled / "people.json", labelled / "images")
    truth = read_person_annotations("truth", dataset / "annotations/person_keypoints.json", dataset)
    assert json.loads((run / "run.json").read_text())["persons"] == {"unlabeled": len(found)}
    assert len(found) >= 2
    of_file = {name.rpartition("/")[2]: i for i, name in enumerate(truth.files)}
    for person, joints in enumerate(found.keypoints):
        image = of_file[found.files[int(found.image[person])]]
        expected = truth.keypoints[np.flatnonzero(truth.image == image)[0]]
        sure = joints[:, 2] > 0
        apart = np.linalg.norm(joints[sure, :2] + 0.5 - expected[sure, :2], axis=1)
        assert np.median(apart) < 0.05 * max(found.boxes[person, 2:])


def test_every_picture_is_drawn(run, photos):
    drawn = {path.name for path in (run / "unlabeled/1/drawn").iterdir()}
    assert {path.stem for path in photos.iterdir()} == {name.partition(".")[0] for name in drawn}


def test_each_person_comes_as_often_as_the_weight_says(run):
    count = sum(json.loads((run / "run.json").read_text())["persons"].values())
    assert len(steps(run).splitlines()) == count  # twice each, in batches of two


def test_a_run_goes_on_without_labelling_again(photos, run, tmp_path, monkeypatch):
    again = tmp_path / "run"
    (again / "unlabeled").mkdir(parents=True)
    shutil.copytree(run / "unlabeled/1", again / "unlabeled/1")
    monkeypatch.setattr(unlabeled, "predict", None)
    train(again, unlabeled=f"{photos}:x2", **OPTIONS)
    assert steps(again) == steps(run)


def test_labels_of_other_files_are_not_taken(photos, run, tmp_path):
    more = tmp_path / "photos"
    shutil.copytree(photos, more)
    shutil.copy(more / "empty.png", more / "another.png")
    with pytest.raises(UserError, match=r"unlabeled/1 holds labels of other files, or of another"):
        train(run, unlabeled=str(more), **OPTIONS)


def test_a_folder_with_nobody_in_it_is_one_line(photos, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    shutil.copy(photos / "empty.png", tmp_path / "in")
    words = ["train", "--model", "movenet-lightning", "--unlabeled", str(tmp_path / "in")]
    assert main([*words, "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-1].endswith(
        f"--unlabeled {tmp_path / 'in'}: thunder is sure of nobody there; "
        f"{tmp_path / 'run/unlabeled/1/drawn'} shows whom it found"
    )


def test_a_folder_of_other_files_is_left_alone(photos, tmp_path):
    (tmp_path / "run/unlabeled").mkdir(parents=True)
    (tmp_path / "run/unlabeled/mine.txt").write_text("mine")
    with pytest.raises(UserError, match=r"run holds other files; choose another --out"):
        train(tmp_path / "run", unlabeled=str(photos), **OPTIONS)
    assert [p.name for p in (tmp_path / "run").rglob("*")] == ["unlabeled", "mine.txt"]


def test_a_damaged_record_of_labels_is_one_line(photos, run, tmp_path):
    labels = tmp_path / "run/unlabeled/1"
    shutil.copytree(run / "unlabeled/1", labels)
    (labels / "made-from.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match=r"made-from\.json holds lists .* too deeply"):
        train(tmp_path / "run", unlabeled=str(photos), **OPTIONS)


@pytest.mark.parametrize("given", ["photos", "photos:x2", "photos:30:x0.5"])
def test_a_missing_folder_is_one_line(given, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--unlabeled", given, "--out", "run"]) == 2
    assert f"--unlabeled {given}: no folder photos" in capsys.readouterr().err
