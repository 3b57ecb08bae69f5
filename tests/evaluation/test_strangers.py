"""Other people's sets, scored with a network that finds coloured discs (`shared/strangers`)."""

import json

import numpy as np
import pytest

from repogen import evaluate, predict

pytest.importorskip("onnxruntime")


@pytest.fixture
def oracle(shared_data):
    return str(shared_data("strangers/oracle/oracle.onnx"))


def precision(oracle, annotations, images, **options):
    data = f"s={annotations}:{images}"
    report = evaluate(weights=oracle, data=data, flip=False, bootstrap_samples=2, **options)
    (scores,) = report.sets["s"].total.scores.values()
    return scores["AP"].value


@pytest.mark.parametrize("name", ["upright", "sizes_of_the_stored_picture"])
def test_pictures_are_upright_for_evaluate_and_predict(tmp_path, oracle, shared_data, name):
    folder = shared_data("strangers/exif")
    labels = folder / f"{name}.json"
    assert precision(oracle, labels, folder / "img") == pytest.approx(1)
    out = predict(folder / "img", tmp_path, weights=oracle, boxes=labels, flip=False, write=())
    table = json.loads(labels.read_text())
    truth = {a["image_id"]: np.reshape(a["keypoints"], (17, 3)) for a in table["annotations"]}
    found = json.loads((out / "results.json").read_text())
    assert sorted(r["image_id"] for r in found) == sorted(truth)
    for result in found:
        joints = np.reshape(result["keypoints"], (17, 3))
        assert joints[:, :2] == pytest.approx(truth[result["image_id"]][:, :2], abs=0.5)


@pytest.mark.parametrize("name", ["control", "humanart_like", "windows_path", "area0"])
def test_sets_whose_data_suffice_are_scored(oracle, shared_data, name, capsys):
    folder = shared_data("strangers/coco")
    assert precision(oracle, folder / f"{name}.json", folder / "img") == pytest.approx(1)
    warned = "4 of 4 persons have no bbox or area above 0" in capsys.readouterr().err
    assert warned == (name == "area0")


@pytest.mark.parametrize("name", ["cat0", "cat1"])
def test_detections_of_yolo_and_coco_are_persons(tmp_path, oracle, shared_data, name, capsys):
    folder = shared_data("strangers/boxes")
    boxes = folder / f"{name}.json"
    value = precision(oracle, folder / "gt.json", folder / "img", detections=f"s={boxes}")
    assert value == pytest.approx(1)
    out = predict(folder / "img", tmp_path, weights=oracle, boxes=boxes, flip=False, write=())
    (result,) = json.loads((out / "results.json").read_text())
    assert result["bbox"] == [72, 66, 96, 200]
    said = capsys.readouterr().err.count("category 0 is read as persons")
    assert said == (2 if name == "cat0" else 0)
