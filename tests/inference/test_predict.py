"""`predict`: from images, folders and videos to results, drawings and COCO files."""

import json
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import torch

from repogen import GenerateConfig, UserError, generate
from repogen.cli import main
from repogen.coco.crops import FLIP
from repogen.inference.config import PredictConfig
from repogen.inference.predict import predict
from repogen.models import build_model
from repogen.models.weights import save_weights
from repogen.outputs import RECORD


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


def results(out):
    return json.loads((out / "results.json").read_text())


def joints(result):
    return np.array(result["keypoints"]).reshape(17, 3)


def boxed(path, records):
    path.write_text(json.dumps(records))
    return path


def test_without_a_detector_the_whole_image_is_one_box(tmp_path, middle, picture):
    picture(tmp_path / "12.png", 300, 200)
    out = predict((tmp_path / "12.png",), tmp_path / "out", weights=middle, detector="none")
    (found,) = results(out)
    assert found["image_id"] == 12
    assert joints(found)[:, :2] == pytest.approx(np.tile([150, 100], (17, 1)), abs=0.1)
    assert found["score"] == pytest.approx(1.0, abs=0.15)
    assert found["bbox"] == [0, 0, 300, 200]  # joints at one point give no better box
    assert cv2.imread(str(out / "drawn/12.png.jpg")).shape == (200, 300, 3)
    assert sorted(p.name for p in out.iterdir()) == [RECORD, "drawn", "results.json"]


def test_without_a_detector_the_results_hold_the_box_around_the_confident_joints(
    tmp_path, star, picture
):
    picture(tmp_path / "a.png", 300, 400)
    for flip in (True, False):
        options = PredictConfig(detector="none", write=("people",), flip=flip)
        out = predict((tmp_path / "a.png",), tmp_path / "out", options, weights=star)
        (found,) = results(out)
        sure = joints(found)[1:, :2] if not flip else joints(found)[joints(found)[:, 2] >= 0.3, :2]
        low, high = sure.min(axis=0), sure.max(axis=0)
        margin = 0.1 * (high - low).max()
        box = [*(low - margin), *(high - low + 2 * margin)]
        assert found["bbox"] == pytest.approx(box, abs=0.01)
        (person,) = json.loads((out / "people.json").read_text())["annotations"]
        assert person["bbox"] == found["bbox"]
        assert person["keypoints"][:3] == [0, 0, 0]


def test_boxes_come_from_a_coco_file(tmp_path, people, middle):
    boxes = people / "annotations/person_keypoints.json"
    out = predict(
        (people / "images",), tmp_path / "out", PredictConfig(boxes=boxes), weights=middle
    )
    truth = json.loads(boxes.read_text())["annotations"]
    assert [r["image_id"] for r in results(out)] == [a["image_id"] for a in truth]
    for found, known in zip(results(out), truth, strict=True):
        x, y, w, h = known["bbox"]
        assert found["bbox"] == known["bbox"]
        assert joints(found)[0, :2] == pytest.approx([x + w / 2, y + h / 2], abs=0.1)


def test_people_of_several_images_share_a_batch(tmp_path, middle, picture):
    rng = np.random.default_rng(0)
    records, truth = [], []
    for number in range(20):
        picture(tmp_path / f"in/{number}.png", 120, 90)
        for _ in range(number % 4):
            x, y = rng.uniform(0, 60, 2)
            records.append({"file_name": f"{number}.png", "bbox": [x, y, 30, 30]})
            truth.append((number, x + 15, y + 15))
    boxes = boxed(tmp_path / "boxes.json", records)
    middle.batches.clear()
    options = PredictConfig(boxes=boxes, flip=False, write=())
    out = predict((tmp_path / "in",), tmp_path / "out", options, weights=middle)
    assert sum(middle.batches) == len(truth) == 30
    assert len(middle.batches) == 1
    found = sorted((r["image_id"], *joints(r)[0, :2]) for r in results(out))
    assert np.array(found) == pytest.approx(np.array(sorted(truth)), abs=0.1)
    assert not (out / "drawn").exists()


def test_flip_runs_the_network_on_mirrored_crops_too(tmp_path, picture):
    picture(tmp_path / "a.png", 300, 400)
    seen = []

    def once(crops):
        seen.append(len(crops))
        return np.zeros((len(crops), 17, 64, 48), np.float32)

    assert (FLIP[FLIP] == np.arange(17)).all()
    for flip, count in ((True, 2), (False, 1)):
        seen.clear()
        options = PredictConfig(detector="none", flip=flip)
        predict((tmp_path / "a.png",), tmp_path / "out", options, weights=once)
        assert len(seen) == count


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["3.png", "0012.png"], {"3.png": 3, "0012.png": 12}),
        (["3.png", "b.png"], {"3.png": 1, "b.png": 2}),
        (["x/3.png", "y/3.png"], {"x/3.png": 1, "y/3.png": 2}),
        (["3.png", "003.png"], {"003.png": 1, "3.png": 2}),
    ],
)
def test_image_ids_never_collide(tmp_path, names, ids, middle, picture):
    for name in names:
        picture(tmp_path / "in" / name)
    options = PredictConfig(detector="none", write=())
    out = predict((tmp_path / "in",), tmp_path / "out", options, weights=middle)
    assert {r["file_name"]: r["image_id"] for r in results(out)} == ids


def test_images_missing_from_the_coco_file_get_new_ids(tmp_path, middle, picture):
    for name in ("1.png", "2.png"):
        picture(tmp_path / "in" / name)
    boxes = boxed(
        tmp_path / "boxes.json", {"images": [{"id": 2, "file_name": "1.png"}], "annotations": []}
    )
    options = PredictConfig(boxes=boxes, write=("people",))
    out = predict((tmp_path / "in",), tmp_path / "out", options, weights=middle)
    images = json.loads((out / "people.json").read_text())["images"]
    assert {i["file_name"]: i["id"] for i in images} == {"1.png": 2, "2.png": 3}


def test_a_video_gives_a_drawn_video_and_results_by_frame(tmp_path, star, film, picture):
    film(tmp_path / "in/walk.avi", [10, 90, 200])
    picture(tmp_path / "in/still.jpg")
    options = PredictConfig(detector="none", write=("drawn", "people", "cvat"))
    out = predict((tmp_path / "in",), tmp_path / "out", options, weights=star)
    assert [(r["file_name"], r.get("frame"), r["image_id"]) for r in results(out)] == [
        ("still.jpg", None, 1), ("walk.avi", 0, 2), ("walk.avi", 1, 3), ("walk.avi", 2, 4),
    ]  # fmt: skip
    drawn = cv2.VideoCapture(str(out / "drawn/walk.avi.mp4"))
    assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert drawn.get(cv2.CAP_PROP_FPS) == pytest.approx(12.0)
    task = ElementTree.parse(out / "cvat/walk.avi.xml")
    assert len(task.findall("image/skeleton")) == 3
    again = PredictConfig(boxes=out / "results.json", box_score=0.1, write=())
    assert len(results(predict((tmp_path / "in",), tmp_path / "again", again, weights=star))) == 4


def test_duplicate_detections_of_a_person_are_removed(tmp_path, star, picture, monkeypatch):
    picture(tmp_path / "a.png", 300, 300)
    rows = np.array([[50, 50, 100, 100, 0.8], [51, 50, 100, 100, 0.9], [150, 150, 100, 100, 0.6]])
    calls = []

    def load(name, min_score, timeout):
        calls.append((name, min_score))
        return lambda frame: rows

    monkeypatch.setattr("repogen.inference.detector.load_detector", load)
    options = PredictConfig(detector="some/folder", box_score=0.4)
    out = predict((tmp_path / "a.png",), tmp_path / "out", options, weights=star)
    assert calls == [("some/folder", 0.4)]
    assert [r["bbox"][0] for r in results(out)] == [51, 150]
    first, second = (r["score"] for r in results(out))
    assert second / first == pytest.approx(0.6 / 0.9, abs=0.02)


def test_crops_of_large_images_have_no_aliasing(tmp_path):
    # A fine chequerboard becomes grey when it shrinks; without a filter it stays black and white.
    board = (np.indices((1600, 1200)).sum(axis=0) % 2 * 255).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), board)
    seen = []

    def look(crops):
        seen.append(crops)
        return np.zeros((len(crops), 17, 64, 48), np.float32)

    options = PredictConfig(detector="none", flip=False, write=())
    predict((tmp_path / "a.png",), tmp_path / "out", options, weights=look)
    inner = seen[0][0][64:192, 48:144]
    assert inner.min() >= 120
    assert inner.max() <= 135


@pytest.mark.parametrize(("min_score", "warns"), [(0.3, False), (1.0, True)])
def test_many_weak_joints_give_a_warning(tmp_path, middle, picture, capsys, min_score, warns):
    picture(tmp_path / "a.png")
    options = PredictConfig(detector="none", write=(), joint_score=min_score)
    predict(
        tmp_path / "a.png", tmp_path / "out", options, weights=lambda crops: 0.9 * middle(crops)
    )
    assert ("100% of the joints score less" in capsys.readouterr().err) == warns


def test_few_broken_files_give_a_warning_and_many_an_error(tmp_path, middle, picture, capsys):
    folder = tmp_path / "in"
    for number in range(3):
        picture(folder / f"{number}.png")
    (folder / "bad.jpg").write_text("no picture")
    options = PredictConfig(detector="none", write=())
    with pytest.raises(UserError, match=r"1 of 4 files cannot be read, first .*bad\.jpg"):
        predict((folder,), tmp_path / "out", options, weights=middle)
    assert len(results(tmp_path / "out")) == 3
    for number in range(3, 99):
        (folder / f"{number}.png").write_bytes((folder / "0.png").read_bytes())
    predict((folder,), tmp_path / "out", options, weights=middle)
    assert "1 of 100 files cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"write": ("drawn", "xml")}, "unknown write 'xml'; choose from drawn, people"),
        ({"box_score": 1.5}, "--box-score 1.5 must lie between 0 and 1"),
        ({"joint_score": -0.1}, "--joint-score -0.1 must lie between 0 and 1"),
        ({"boxes": "a.json", "detector": "b"}, "give one of them"),
        ({"rotations": 2}, "--rotations 2 must be 1 or 4"),
    ],
)
def test_bad_predict_options_are_one_line(change, words):
    with pytest.raises(UserError, match=words):
        PredictConfig(**change)


def test_label_studio_refuses_videos(tmp_path, middle, film):
    film(tmp_path / "w.avi", [3])
    options = PredictConfig(detector="none", write=("label-studio",))
    with pytest.raises(UserError, match=r"cannot take videos \(w\.avi\)"):
        predict((tmp_path / "w.avi",), tmp_path / "out", options, weights=middle)


def test_evaluate_predict_and_train_run_in_turn(tmp_path, people, weights, capsys):
    report, out, run = tmp_path / "report.json", tmp_path / "predicted", tmp_path / "run"
    data = f"synth={people}"
    words = (
        f"evaluate --weights {weights} --data {data} --bootstrap-samples 5 --out {report}".split()
    )
    assert main(words) == 0
    assert "AP50" in capsys.readouterr().out
    scores = json.loads(report.read_text())["sets"]["synth"]["total"]["scores"]["tiny"]
    assert 0 <= scores["OKS"]["low"] <= scores["OKS"]["value"] <= scores["OKS"]["high"] <= 1
    words = f"predict {people / 'images'} --weights {weights} --out {out} --joint-score 0"
    words += " --detector none --write people label-studio"
    assert main(words.split()) == 0
    assert len(results(out)) == 6
    (task, *_) = json.loads((out / "label_studio/tasks.json").read_text())
    assert task["data"]["image"] == "/data/local-files/?d=images/00000001.jpg"
    assert task["predictions"][0]["model_version"] == str(weights)
    # The predictions are a set like any other.
    data = f"mine={out / 'people.json'}:{people / 'images'}"
    words = f"train --train {data} --model tiny --epochs 1 --batch-size 3 --workers 0 --out {run}"
    assert main(words.split()) == 0
    assert (run / "best.safetensors").exists()


def test_evaluate_scores_one_on_the_poses_of_predict(tmp_path, people, weights):
    boxes = people / "annotations/person_keypoints.json"
    words = f"predict {people / 'images'} --weights {weights} --boxes {boxes} --joint-score 0"
    assert main([*words.split(), "--write", "people", "--out", str(tmp_path / "out")]) == 0
    data = f"mine={tmp_path / 'out/people.json'}:{people / 'images'}"
    report = tmp_path / "report.json"
    words = f"evaluate --weights {weights} --data {data} --bootstrap-samples 0 --out {report}"
    assert main(words.split()) == 0
    scores = json.loads(report.read_text())["sets"]["mine"]["total"]["scores"]["tiny"]
    assert scores["OKS"]["value"] == pytest.approx(1, abs=1e-6)


def test_the_commands_report_bad_input_in_one_line(tmp_path, people, weights, capsys):
    for words in (
        f"evaluate --weights {tmp_path / 'no'} --data synth={people}",
        f"evaluate --weights {weights} --data synth=/nowhere",
        f"predict {tmp_path / 'no.jpg'} --weights {weights}",
        f"predict {people} --weights {weights} --write svg",
        f"predict {people} --weights {weights} --detector {people} --out {tmp_path / 'o'}",
        f"train --train s={people} --out {tmp_path / 'r'} --model huge",
    ):
        assert main(words.split()) == 2, words
        said = capsys.readouterr().err.strip().splitlines()
        assert said[-1].startswith("repogen: error: ")


@pytest.mark.parametrize("size", [(60, 40), (40, 60)])
def test_a_rotated_image_is_read_at_the_size_that_its_boxes_were_measured_in(
    tmp_path, size, write_turned
):
    """A white patch on black, in a file with an EXIF rotation by 90 degrees."""
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[5:15, 40:55] = 255
    write_turned(tmp_path / "a.jpg", picture)
    box = [40, 5, 15, 10] if size == (60, 40) else [25, 40, 10, 15]
    table = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": size[0], "height": size[1]}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": box}],
        "categories": [{"id": 1, "name": "person"}],
    }
    seen = []

    def looking(crops):
        seen.append(crops[:, 100:156, 76:116].mean())
        return np.zeros((len(crops), 17, 64, 48), np.float32)

    options = PredictConfig(boxes=boxed(tmp_path / "boxes.json", table), write=())
    predict((tmp_path / "a.jpg",), tmp_path / "out", options, weights=looking)
    assert min(seen) > 200
    table["images"][0]["width"] = 61
    options = PredictConfig(boxes=boxed(tmp_path / "boxes.json", table), write=())
    with pytest.raises(UserError, match="is not 61 x "):
        predict((tmp_path / "a.jpg",), tmp_path / "out", options, weights=looking)


def test_a_late_error_keeps_the_results_so_far(tmp_path, middle, picture, monkeypatch):
    from repogen.inference import predict as module

    for name in "abc":
        picture(tmp_path / f"in/{name}.png", 60, 40)
    real, calls = module.draw_poses, []

    def full(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise UserError("cannot write c.png.jpg: No space left on device")
        return real(*arguments)

    monkeypatch.setattr(module, "draw_poses", full)
    with pytest.raises(UserError, match="No space left"):
        predict((tmp_path / "in",), tmp_path / "out", weights=middle, detector="none")
    assert len(results(tmp_path / "out")) == 3


def test_one_broken_file_of_a_hundred_gives_a_warning(tmp_path, middle, picture, capsys):
    paths = [tmp_path / f"{k}.png" for k in range(101)]
    for path in paths[1:]:
        picture(path, 12, 8)
    paths[0].write_text("no picture")
    options = PredictConfig(detector="none", flip=False, write=())
    predict(tuple(paths), tmp_path / "out", options, weights=middle)
    assert len(results(tmp_path / "out")) == 100
    assert "1 of 101 files cannot be read" in capsys.readouterr().err
