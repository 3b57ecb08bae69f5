"""The configurations for other programs: run where the program installs, else held against what
`repogen convert` writes."""

import json
import os
import re
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest
import yaml
from pycocotools.coco import COCO

from repogen import convert, generate, predict
from repogen.bodies.skeleton import COCO_KEYPOINTS

CONFIGS = Path(__file__).parents[1] / "configs"
PAGE = (CONFIGS.parent / "docs" / "configurations.md").read_text()


@pytest.fixture(scope="module")
def people(body, tmp_path_factory):
    return generate(
        tmp_path_factory.mktemp("configs") / "people", images=6, image_size=128, views="front",
        backgrounds="plain", wardrobe="painted", workers=1,
    )  # fmt: skip


def run(name, *words, cwd):
    """What a configuration prints that is a program."""
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = str(CONFIGS.parent / "src")
    done = subprocess.run(
        [sys.executable, str(CONFIGS / name), *map(str, words)],
        cwd=cwd, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def module(name):
    spec = util.spec_from_file_location(name, CONFIGS / f"{name}.py")
    loaded = util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_every_configuration_is_on_the_page():
    names = {path.name for path in CONFIGS.iterdir() if path.is_file()}
    assert len(names) == 5
    assert {name for name in names if f"(../configs/{name})" not in PAGE} == set()


def test_transformers_trainer_learns(people, tmp_path):
    pytest.importorskip("transformers", reason="needs transformers: pip install -e '.[train]'")
    printed = run("transformers_trainer.py", people, "--out", "run", "--epochs", "3", cwd=tmp_path)
    assert "6 people; before and after 3 epochs" in printed
    before, after = map(float, re.search(r"^loss: (\S+) (\S+)$", printed, re.MULTILINE).groups())
    assert 0 < after < before
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_supervision_scores_as_pycocotools(people, tmp_path, capfd):
    pytest.importorskip("supervision", reason="needs supervision: pip install supervision")
    coco = convert(people, tmp_path / "coco", to="coco", images="copy")
    predict(people / "images", out=tmp_path / "predicted", write=())
    results = tmp_path / "predicted" / "results.json"
    printed = run("supervision_scores.py", coco, results, "--draw", "drawn", cwd=tmp_path)
    found = dict(re.findall(r"(keypoints|boxes): AP (\S\.\d+)", printed))
    truth = COCO(str(coco / "annotations" / "person_keypoints.json"))
    expected = {"keypoints": average_precision(truth, results, "keypoints", "bbox")}
    expected["boxes"] = average_precision(truth, results, "bbox", "keypoints")
    assert found == expected
    assert float(found["keypoints"]) > 0
    assert len(list((tmp_path / "drawn").iterdir())) == 6


def average_precision(truth, results, kind, without):
    from pycocotools.cocoeval import COCOeval

    ids = {image["file_name"]: number for number, image in truth.imgs.items()}
    found = [
        {key: value for key, value in person.items() if key != without}
        | {"image_id": ids[person["file_name"]]}
        for person in json.loads(results.read_text())
    ]
    scores = COCOeval(truth, truth.loadRes(found), kind)
    scores.evaluate()
    scores.accumulate()
    scores.summarize()
    return f"{scores.stats[0]:.3f}"


def test_mmpose_reads_what_convert_writes(people, tmp_path):
    source = (CONFIGS / "mmpose_resnet50.py").read_text()
    config = {}
    exec(source, config)
    out = convert(people, tmp_path / config["data_root"], to="coco")
    for loader in (config["train_dataloader"], config["val_dataloader"]):
        data = loader["dataset"]
        assert (tmp_path / data["data_root"] / data["ann_file"]).is_file()
        assert (tmp_path / data["data_root"] / data["data_prefix"]["img"]).is_dir()
    assert Path(config["val_evaluator"]["ann_file"]) == Path(out.name) / config["annotations"]
    assert config["param_scheduler"][0]["end"] == config["train_cfg"]["max_epochs"]


def test_ultralytics_reads_what_convert_writes(people, tmp_path):
    config = yaml.safe_load((CONFIGS / "ultralytics_pose.yaml").read_text())
    assert (config["task"], config["mode"]) == ("pose", "train")
    folder, name = Path(config["data"]).parts
    data = yaml.safe_load((convert(people, tmp_path / folder, to="yolo-pose") / name).read_text())
    assert data["kpt_shape"] == [len(COCO_KEYPOINTS), 3]
    assert config["model"].endswith("-pose.pt")


def test_detectron2_has_cocos_joints_and_takes_each_annotation(people, tmp_path):
    # By detectron2/data/datasets/coco.py: it needs unique ids, refuses `ignore`, and leaves out
    # people whose segmentation is a list without a polygon.
    config = module("detectron2_keypoints")
    coco = COCO(
        str(convert(people, tmp_path / "coco", to="coco") / "annotations/person_keypoints.json")
    )
    (category,) = coco.dataset["categories"]
    assert tuple(category["keypoints"]) == config.NAMES == tuple(COCO_KEYPOINTS)
    assert len(config.FLIPS) == 8
    assert {name for pair in config.FLIPS for name in pair} == {*config.NAMES} - {"nose"}
    annotations = coco.dataset["annotations"]
    assert len({a["id"] for a in annotations}) == len(annotations) == 6
    assert all(isinstance(a["segmentation"], dict) for a in annotations)
    assert not any("ignore" in a for a in annotations)
    assert config.OPTIONS["MODEL.ROI_KEYPOINT_HEAD.NUM_KEYPOINTS"] == len(category["keypoints"])
