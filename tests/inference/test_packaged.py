"""`predict` and `evaluate` with the packaged MoveNet, and estimation at four quarter turns."""

import json
import re
import shutil
import subprocess
import sys
import threading

import cv2
import numpy as np
import pytest

from movenet_pictures import person
from repogen import load_estimator, package_data, predict
from repogen.cli import main
from repogen.coco.crops import warp_crop
from repogen.inference.estimate import JointEstimator, estimate_boxes
from repogen.inference.frames import Frame, MediaFile
from repogen.inference.multipose import _turned_back, multipose_detector
from repogen.package_data import package_data_dir


def test_a_picture_with_nobody_in_it_is_named(tmp_path, picture, capsys):
    picture(tmp_path / "in/a.png", 80, 60)
    assert main(["predict", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 0
    assert json.loads((tmp_path / "out/results.json").read_text()) == []
    said = capsys.readouterr().err
    assert "weights rare-thunder, detector multipose" in said
    assert "no person found in 1 of 1 images, first a.png" in said
    assert (tmp_path / "out/drawn/a.png.jpg").exists()


def test_predict_needs_neither_torch_nor_transformers(tmp_path, picture):
    picture(tmp_path / "in/a.png", 80, 60)
    words = ["predict", str(tmp_path / "in"), "--detector", "none", "--weights", "lightning"]
    words += ["--out", str(tmp_path / "out")]
    program = (
        "import sys\n"
        "class Without:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.split('.')[0] in ('torch', 'transformers', 'onnx'):\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Without())\n"
        "from repogen.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads((tmp_path / "out/results.json").read_text())) == 1


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("--detector thunder", "--detector thunder estimates the pose in a box"),
        ("--weights multipose --detector none", "give it as --detector"),
        ("--rotations 3", "--rotations 3 must be 1 or 4"),
    ],
)
def test_bad_choices_of_networks_are_one_line(tmp_path, picture, capsys, words, error):
    picture(tmp_path / "a.png", 40, 40)
    words = ["predict", str(tmp_path / "a.png"), "--out", str(tmp_path / "out"), *words.split()]
    assert main(words) == 2
    assert error in capsys.readouterr().err.strip().splitlines()[-1]


@pytest.fixture
def upright():
    """An estimator whose joints lie at the bright dot of a crop, and score 0.9 where the dot is
    above the middle of the crop and 0.3 elsewhere."""

    def find(crops, _flip):
        out = np.zeros((len(crops), 17, 3))
        for joints, crop in zip(out, crops, strict=True):
            y, x = np.argwhere(crop[..., 0] > 128).mean(axis=0)
            joints[:] = x, y, 0.9 if y < 28 else 0.3
        return out

    return JointEstimator((64, 64), 1.25, find)


@pytest.mark.parametrize("dot", [(40, 22), (22, 50), (62, 52), (44, 78)])
def test_four_turns_find_whoever_is_upright_in_one_of_them(upright, dot):
    image = np.zeros((100, 90, 3), np.uint8)
    x, y = dot
    image[y - 2 : y + 3, x - 2 : x + 3] = 255
    box = np.array([12.0, 12.0, 60.0, 76.0])
    cut = lambda _i, window, crop: warp_crop(image, window, 1.0, crop)  # noqa: E731
    (once,) = estimate_boxes(upright, [box], cut, rotations=1)
    (turned,) = estimate_boxes(upright, [box], cut, rotations=4)
    for pose in (once[0], turned[0]):
        assert pose[:, :2] == pytest.approx(np.tile(dot, (17, 1)), abs=0.5)
    assert turned[0, 0, 2] == 0.9
    assert (once[0, 0, 2] == 0.9) == (dot == (40, 22))


def test_each_of_several_boxes_keeps_its_best_turn(upright):
    image = np.zeros((100, 300, 3), np.uint8)
    dots = [(50, 20), (150, 80), (280, 50)]
    for x, y in dots:
        image[y - 2 : y + 3, x - 2 : x + 3] = 255
    boxes = [np.array([100.0 * k + 12, 12.0, 76.0, 76.0]) for k in range(3)]
    cut = lambda _i, window, crop: warp_crop(image, window, 1.0, crop)  # noqa: E731
    found = np.concatenate([*estimate_boxes(upright, boxes, cut, rotations=4, batch=8)])
    assert found[:, 0, :2] == pytest.approx(np.array(dots), abs=0.5)
    assert (found[..., 2] == 0.9).all()


@pytest.mark.parametrize("turns", range(4))
def test_points_of_a_turned_picture_are_turned_back(turns):
    image = np.zeros((20, 30), np.uint8)
    image[4, 9] = 1
    y, x = np.argwhere(np.rot90(image, turns))[0]
    (back,) = _turned_back(np.array([[[x + 0.5, y + 0.5]]]), turns, image.shape)
    assert back[0] == pytest.approx([9.5, 4.5])


def test_the_detector_maps_boxes_back_and_keeps_the_best_of_each_person(tmp_path):
    """The network finds one person, a bright square, at every scale and turn."""

    def network(pictures):
        _, height, width, _ = pictures.shape
        rows, columns = height // 4, width // 4
        heads = {
            name: np.full((1, n, rows, columns), -20.0)
            for name, n in {"center": 1, "heatmap": 17, "regress": 34, "offset": 34,
                            "box_scale": 2, "box_offset": 2}.items()
        }  # fmt: skip
        bright = np.argwhere(pictures[0, :, :, 0] > 128)
        low, high = bright.min(axis=0) / 4, (bright.max(axis=0) + 1) / 4
        row, column = ((low + high) / 2).astype(int)
        heads["center"][0, 0, row, column] = 3.0
        heads["box_scale"][0, :, row, column] = high - low
        heads["box_offset"][0, :, row, column] = (low + high) / 2 - (row, column)
        heads["regress"][:] = heads["offset"][:] = 0.0
        heads["heatmap"][0, :, row, column] = 3.0
        sizes.append((height, width))
        return heads

    sizes = []
    image = np.zeros((300, 600, 3), np.uint8)
    image[100:180, 350:430] = 255
    frame = Frame(MediaFile(tmp_path / "a.png", "a.png"), -1, 0.0, image)
    (found,) = multipose_detector(network, 0.2)(frame)
    assert found[:4] == pytest.approx([350, 100, 80, 80], abs=4)
    assert found[4] == pytest.approx(0.95**2, abs=0.02)
    assert sizes == [(128, 256), (256, 128)] * 2 + [(256, 512), (512, 256)] * 2


@pytest.mark.slow
def test_people_of_photographs_are_found_and_scored(tmp_path, shared_data, capsys):
    folder = shared_data("data/coco_sample")
    out = predict(folder / "images", tmp_path / "out", write=())
    truth = json.loads((folder / "annotations.json").read_text())["annotations"]
    found = json.loads((out / "results.json").read_text())
    people = [a for a in truth if a["num_keypoints"] > 10]
    hits = 0
    for known in people:
        boxes = [f["bbox"] for f in found if f["image_id"] == known["image_id"]]
        hits += max((overlap(known["bbox"], box) for box in boxes), default=0) > 0.5
    assert hits >= len(people) - 1
    words = f"evaluate --weights rare-thunder thunder lightning --data c={folder}/annotations.json:"
    words += f"{folder}/images --bootstrap-samples 0 --out {tmp_path / 'r.json'}"
    assert main(words.split()) == 0
    scores = json.loads((tmp_path / "r.json").read_text())["sets"]["c"]["total"]["scores"]
    assert scores["rare-thunder"]["OKS"]["value"] > 0.75
    assert scores["thunder"]["OKS"]["value"] > 0.75
    assert scores["lightning"]["OKS"]["value"] > 0.65


def overlap(a, b):
    low, high = np.maximum(a[:2], b[:2]), np.minimum(np.add(a[:2], a[2:]), np.add(b[:2], b[2:]))
    shared = np.clip(high - low, 0, None).prod()
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


@pytest.mark.slow
def test_an_exported_network_finds_the_same_joints(tmp_path):
    path = tmp_path / "a.onnx"
    assert main(["weights", "export", "lightning", str(path)]) == 0
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in/1.png"), person(0, 256))
    outs = [
        predict(tmp_path / "in", tmp_path / str(k), weights=weights, detector="none", write=())
        for k, weights in enumerate((str(path), "lightning"))
    ]
    exported, own = (json.loads((out / "results.json").read_text()) for out in outs)
    assert exported[0]["keypoints"] == pytest.approx(own[0]["keypoints"], abs=0.01)


@pytest.mark.parametrize("name", ["50%", "\udcff"])
def test_the_package_may_lie_in_a_folder_of_any_name(tmp_path, monkeypatch, name):
    folder = tmp_path / name / "models" / "data"
    folder.mkdir(parents=True)
    for source in package_data_dir("models").iterdir():
        shutil.copy(source, folder)
    monkeypatch.setattr(package_data, "_ROOT", tmp_path / name)
    assert isinstance(load_estimator("lightning"), JointEstimator)


@pytest.mark.parametrize("words", [["--detector", "none"], []])
def test_a_packaged_network_has_the_time_limit(tmp_path, monkeypatch, picture, capsys, words):
    """The timer, not the network, decides: it fires before the run."""
    monkeypatch.setattr(threading.Timer, "start", lambda timer: timer.function(*timer.args))
    picture(tmp_path / "in/a.png", 80, 60)
    words = ["predict", str(tmp_path / "in"), "--out", str(tmp_path / "out"), *words]
    assert main([*words, "--timeout", "2"]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    network = "rare-thunder" if "none" in words else "movenet-multipose"
    assert re.search(rf"error: a\.png: .*{network}\.onnx takes longer than --timeout 2 s", said)
