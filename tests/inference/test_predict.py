"""From pictures, folders and videos to results and drawings; and the verbs that score and draw."""

import json

import cv2
import numpy as np
import pytest
import torch

from repogen import GenerateConfig, UserError, generate
from repogen.cli import main
from repogen.datasets.crops import CROP_SIZE
from repogen.inference.predict import predict
from repogen.models import build_model
from repogen.models.heatmaps import joints_to_heatmaps
from repogen.models.weights import save_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_weights(path, build_model("tiny").state_dict(), "tiny")
    return path


@pytest.fixture(scope="module")
def people(tmp_path_factory, body):
    return generate(
        tmp_path_factory.mktemp("predict") / "set",
        GenerateConfig(images=6, image_size=160, backgrounds="plain", seed=5, workers=1),
    )


def middle(crops):
    """An estimator that sees every joint in the middle of every crop."""
    joints = np.tile((np.array(CROP_SIZE) - 1) / 2, (len(crops), 17, 1))
    return joints_to_heatmaps(joints)


def picture(path, width, height):
    cv2.imwrite(str(path), np.full((height, width, 3), 90, np.uint8))
    return path


def results(out):
    return json.loads((out / "results.json").read_text())


def test_without_boxes_the_whole_picture_is_one(tmp_path):
    picture(tmp_path / "12.png", 300, 200)
    out = predict(middle, (tmp_path / "12.png",), tmp_path / "out")
    (found,) = results(out)
    assert found["image_id"] == 12
    assert found["bbox"] == [0, 0, 300, 200]
    joints = np.array(found["keypoints"]).reshape(17, 3)
    assert joints[:, :2] == pytest.approx(np.tile([150, 100], (17, 1)), abs=0.1)
    assert found["score"] == pytest.approx(1.0, abs=0.15)
    assert cv2.imread(str(out / "drawn/12.jpg")).shape == (200, 300, 3)


def test_boxes_come_from_a_coco_file(tmp_path, people):
    boxes = people / "annotations/person_keypoints.json"
    out = predict(middle, (people / "images",), tmp_path / "out", boxes)
    truth = json.loads(boxes.read_text())["annotations"]
    assert [r["image_id"] for r in results(out)] == [a["image_id"] for a in truth]
    for found, known in zip(results(out), truth, strict=True):
        x, y, w, h = known["bbox"]
        joints = np.array(found["keypoints"]).reshape(17, 3)
        assert joints[0, :2] == pytest.approx([x + w / 2, y + h / 2], abs=0.1)


def test_a_video_becomes_a_video(tmp_path):
    path = tmp_path / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 12.0, (96, 64))
    for level in (10, 90, 200):
        writer.write(np.full((64, 96, 3), level, np.uint8))
    writer.release()
    out = predict(middle, (path,), tmp_path / "out")
    assert [r["frame"] for r in results(out)] == [0, 1, 2]
    drawn = cv2.VideoCapture(str(out / "drawn/walk.mp4"))
    assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert drawn.get(cv2.CAP_PROP_FPS) == pytest.approx(12.0)


@pytest.mark.parametrize(
    ("name", "words"),
    [("none.jpg", "no file or folder"), ("text.jpg", "as an image"), ("text.mp4", "as a video")],
)
def test_what_cannot_be_read_is_named(tmp_path, name, words):
    if name != "none.jpg":
        (tmp_path / name).write_text("no picture")
    with pytest.raises(UserError, match=words):
        predict(middle, (tmp_path / name,), tmp_path / "out")


def test_boxes_that_are_none_are_named(tmp_path):
    (tmp_path / "boxes.json").write_text('{"images": []}')
    picture(tmp_path / "a.png", 32, 32)
    with pytest.raises(UserError, match="neither a COCO file nor a list"):
        predict(middle, (tmp_path / "a.png",), tmp_path / "out", tmp_path / "boxes.json")


def test_the_verbs_run(tmp_path, people, weights, capsys):
    report, out, run = tmp_path / "report.json", tmp_path / "predicted", tmp_path / "run"
    data = f"synth={people}"
    words = f"evaluate --weights {weights} --data {data} --draws 5 --out {report}".split()
    assert main(words) == 0
    assert "AP50" in capsys.readouterr().out
    scores = json.loads(report.read_text())["sets"]["synth"]
    assert 0 <= scores["OKS"]["low"] <= scores["OKS"]["value"] <= scores["OKS"]["high"] <= 1
    assert main(f"predict {people / 'images'} --weights {weights} --out {out}".split()) == 0
    assert len(results(out)) == 6
    words = f"train --train {data} --model tiny --epochs 1 --batch 3 --workers 0 --out {run}"
    assert main(words.split()) == 0
    assert (run / "best.safetensors").exists()


def test_the_verbs_name_what_is_wrong(tmp_path, people, weights, capsys):
    for words in (
        f"evaluate --weights {tmp_path / 'no'} --data synth={people}",
        f"evaluate --weights {weights} --data synth=/nowhere",
        f"predict {tmp_path / 'no.jpg'} --weights {weights}",
        f"train --train s={people} --out {tmp_path / 'r'} --model huge",
    ):
        assert main(words.split()) == 2, words
        said = capsys.readouterr().err.strip().splitlines()
        assert said[-1].startswith("repogen: error: ")
