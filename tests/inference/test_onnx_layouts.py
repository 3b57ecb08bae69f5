"""`predict` and `evaluate` find the joints with foreign ONNX networks of every known layout."""

import json

import cv2
import numpy as np
import pytest
from color_networks import IMAGENET, draw_person, write_network
from onnx import TensorProto, helper, save

import repogen
from repogen import UserError
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.cli import main
from repogen.inference.network import load_estimator
from repogen.inference.onnx_layouts import LAYOUTS

BOX = [150, 60, 180, 280]
UNIT = ((0,) * 3, (255,) * 3)

NETWORKS = {
    "mmdeploy heatmaps": ("heatmaps", (192, 256), {"scaling": IMAGENET}),
    "larger, half precision": ("heatmaps", (288, 384), {"scaling": IMAGENET, "kind": "half"}),
    "133 joints, batch of 1": (
        "heatmaps", (192, 256), {"scaling": IMAGENET, "joints": 133, "batch": 1},
    ),
    "own normalisation": (
        "heatmaps", (192, 256),
        {"scaling": ((127.5,) * 3, (127.5,) * 3),
         "metadata": {"mean": "[127.5, 127.5, 127.5]", "std": "[127.5, 127.5, 127.5]"}},
    ),
    "not UDP": (
        "strided heatmaps", (192, 256),
        {"scaling": IMAGENET, "metadata": {"alignment": "stride 4"}},
    ),
    "bytes, channels last": ("heatmaps", (192, 256), {"kind": "uint8", "last": True}),
    "RTMPose": ("simcc", (192, 256), {"scaling": IMAGENET}),
    "RTMW, 133 joints": ("simcc", (288, 384), {"scaling": IMAGENET, "joints": 133, "batch": 1}),
    "YOLOv8": ("ultralytics", (640, 640), {"scaling": UNIT, "batch": 1}),
    "YOLO, 480 x 384, four at once": ("ultralytics", (480, 384), {"scaling": UNIT, "batch": 4}),
    "YOLO with NMS": ("end to end", (320, 320), {"scaling": UNIT, "batch": 1}),
    "RTMO": ("rtmo", (640, 640), {"bgr": True, "batch": 1}),
    "MoveNet, int32": ("movenet", (192, 192), {"kind": "int32", "last": True, "batch": 1}),
    "MoveNet, uint8": ("movenet", (256, 256), {"kind": "uint8", "last": True, "batch": 1}),
    "MoveNet, float": ("movenet", (256, 256), {"last": True, "batch": 1}),
    "MoveNet multipose": ("multipose", (256, 256), {"kind": "int32", "last": True, "batch": 1}),
}  # fmt: skip

ONE_STAGE = {"ultralytics", "end to end", "rtmo", "multipose"}


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Three pictures of a person, their boxes, and the joints of each."""
    folder = tmp_path_factory.mktemp("people")
    (folder / "images").mkdir()
    joints, records = [], []
    for number, shift in enumerate((-100, 0, 120)):
        picture = np.full((400, 480, 3), 190, np.uint8)
        box = [BOX[0] + shift, *BOX[1:]]
        joints.append(draw_person(picture, box))
        cv2.imwrite(str(folder / "images" / f"{number}.png"), picture)
        keypoints = np.hstack([joints[-1], np.full((17, 1), 2)])
        records.append(
            {"id": number + 1, "image_id": number, "category_id": 1, "bbox": box,
             "area": box[2] * box[3], "iscrowd": 0, "num_keypoints": 17,
             "keypoints": keypoints.ravel().tolist()}
        )  # fmt: skip
    images = [{"id": n, "file_name": f"{n}.png", "width": 480, "height": 400} for n in range(3)]
    category = {"id": 1, "name": "person", "keypoints": list(COCO_KEYPOINTS)}
    (folder / "a.json").write_text(
        json.dumps({"images": images, "annotations": records, "categories": [category]})
    )
    return folder, np.stack(joints)


def found_joints(out):
    results = json.loads((out / "results.json").read_text())
    return np.array([result["keypoints"] for result in results]).reshape(-1, 17, 3)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_foreign_network_finds_the_joints(people, tmp_path, name):
    folder, joints = people
    layout, size, options = NETWORKS[name]
    path = write_network(tmp_path / "a.onnx", layout, size, **options)
    out = repogen.predict(
        folder / "images", tmp_path / "out", weights=path, boxes=folder / "a.json", flip=False
    )
    found = found_joints(out)
    assert np.abs(found[..., :2] - joints).max() < 1.2, np.abs(found[..., :2] - joints).max()
    assert (found[..., 2] > 0.3).all()


def test_every_layout_has_a_network():
    assert len(LAYOUTS) == 6
    assert len({layout for layout, _, _ in NETWORKS.values()}) == 8  # two of heatmaps, two of YOLO


@pytest.mark.parametrize("name", [n for n, (kind, _, _) in NETWORKS.items() if kind in ONE_STAGE])
def test_a_one_stage_network_is_its_own_detector(people, tmp_path, name):
    folder, joints = people
    layout, size, options = NETWORKS[name]
    path = write_network(tmp_path / "a.onnx", layout, size, **options)
    words = f"predict {folder / 'images'} --weights {path} --detector {path} --no-flip"
    assert main([*words.split(), "--out", str(tmp_path / "out")]) == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [result["image_id"] for result in results] == [0, 1, 2]
    for result, wanted in zip(results, joints, strict=True):
        box = [*wanted.min(axis=0), *np.ptp(wanted, axis=0)]
        assert result["bbox"] == pytest.approx(box, abs=4)
    assert np.abs(found_joints(tmp_path / "out")[..., :2] - joints).max() < 1.2


@pytest.mark.parametrize("name", ["mmdeploy heatmaps", "RTMPose", "YOLOv8", "MoveNet, int32"])
def test_evaluate_scores_a_foreign_network(people, tmp_path, name):
    folder, _ = people
    layout, size, options = NETWORKS[name]
    path = write_network(tmp_path / "a.onnx", layout, size, **options)
    words = f"evaluate --weights {path} --data s={folder / 'a.json'}:{folder / 'images'} --no-flip"
    words += f" --bootstrap-samples 0 --out {tmp_path / 'r.json'}"
    assert main(words.split()) == 0
    scores = json.loads((tmp_path / "r.json").read_text())["sets"]["s"]["total"]["scores"]["a"]
    assert scores["AP"]["value"] == pytest.approx(1.0)
    assert scores["OKS"]["value"] > 0.99


def test_a_top_down_network_is_no_detector(people, tmp_path):
    path = write_network(tmp_path / "a.onnx", "simcc", (192, 256))
    with pytest.raises(UserError, match="finds no people; give it as --weights"):
        repogen.predict(people[0] / "images", tmp_path / "o", weights=path, detector=str(path))


@pytest.mark.parametrize(
    ("shape", "outs", "metadata", "says"),
    [
        ((1, 3, 640, 640), {"output0": (1, 84, 8400)}, {"task": "detect"}, "it is for detect, "),
        ((1, 3, 224, 224), {"logits": (1, 1000)}, {}, r"output is logits .*\[1, 1000\]"),
        ((1, 3, 256, 192), {"maps": (1, 14, 64, 48)}, {}, r"\[1, 14, 64, 48\]"),
        ((1, 1, 256, 192), {"maps": (1, 17, 64, 48)}, {}, r"input is in .*\[1, 1, 256, 192\]"),
        ((1, 3, 256, 192), {"maps": (1, 17, 64, 48)}, {"mean": "[1, 2]"}, r"mean is '\[1, 2\]'"),
    ],
)  # fmt: skip
def test_a_network_of_no_known_layout_is_one_line(tmp_path, shape, outs, metadata, says):
    ins = [helper.make_tensor_value_info("in", TensorProto.FLOAT, shape)]
    nodes, ends = [], []
    for name, dims in outs.items():
        value = helper.make_tensor("v", TensorProto.FLOAT, dims, np.zeros(dims).ravel())
        nodes.append(helper.make_node("Constant", [], [name], value=value))
        ends.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, dims))
    model = helper.make_model(
        helper.make_graph(nodes, "g", ins, ends), opset_imports=[helper.make_opsetid("", 18)],
        ir_version=8,
    )  # fmt: skip
    helper.set_model_props(model, metadata)
    save(model, tmp_path / "a.onnx")
    with pytest.raises(UserError, match=says) as caught:
        load_estimator(tmp_path / "a.onnx")
    assert "\n" not in str(caught.value)
