"""ONNX files give the same joints as torch; other files are refused in one line."""

import json
import re
import sys
import time

import cv2
import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, save

from repogen import UserError
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.cli import main
from repogen.inference.estimate import estimate_boxes
from repogen.inference.network import load_estimator, torch_estimator
from repogen.models import build_model
from repogen.models.onnx import export_onnx
from repogen.models.vitpose import SIZES
from repogen.models.weights import save_weights


def with_peaks(name):
    """A network with random weights whose heatmaps have clear peaks."""
    torch.manual_seed(0)
    model = build_model(name).eval()
    with torch.no_grad():
        for key, value in model.named_parameters():
            if key.startswith("head") and value.ndim > 1:
                value.normal_(0, (2 / value[0].numel()) ** 0.5)
    return model


def pictures(n):
    """Smooth random images with structure at every scale."""
    rng = np.random.default_rng(0)
    out = []
    for _ in range(n):
        layers = (rng.normal(0, 60, (side * 4, side * 3, 3)) for side in (1, 4, 16))
        layers = [cv2.resize(layer, (192, 256), interpolation=cv2.INTER_CUBIC) for layer in layers]
        out.append(np.clip(128 + sum(layers), 0, 255).astype(np.uint8))
    return out


def joints_agree(model, path):
    crops = pictures(7)
    boxes = [np.array([10.0, 20.0, 120.0, 300.0])] * len(crops)

    def cut(i, _window, _crop):
        return crops[i]

    ours, theirs = (
        np.concatenate(list(estimate_boxes(estimator, boxes, cut, flip=True, batch=4)))
        for estimator in (torch_estimator(model, "cpu"), load_estimator(path))
    )
    assert ours.shape == (7, 17, 3)
    assert ours[:, :, :2].std(axis=(0, 1)).min() > 20  # the peaks are not at the border
    assert np.abs(ours[:, :, :2] - theirs[:, :, :2]).max() < 0.5
    assert ours[:, :, 2] == pytest.approx(theirs[:, :, 2], rel=1e-3)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A folder with tiny.safetensors and tiny.onnx, the same weights."""
    folder = tmp_path_factory.mktemp("onnx")
    model = with_peaks("tiny")
    save_weights(folder / "tiny.safetensors", model.state_dict(), "tiny")
    export_onnx(model, folder / "tiny.onnx", "tiny")
    return folder


def test_tiny_gives_the_same_joints_in_onnx(exported):
    joints_agree(with_peaks("tiny"), exported / "tiny.onnx")


def test_a_shallow_vitpose_gives_the_same_joints_in_onnx(tmp_path, monkeypatch):
    monkeypatch.setitem(SIZES, "s", (96, 2, 12, 0.1))
    model = with_peaks("vitpose-s")
    export_onnx(model, tmp_path / "s.onnx", "vitpose-s")
    joints_agree(model, tmp_path / "s.onnx")


@pytest.mark.slow
def test_vitpose_s_gives_the_same_joints_in_onnx(tmp_path):
    model = with_peaks("vitpose-s")
    export_onnx(model, tmp_path / "s.onnx", "vitpose-s")
    joints_agree(model, tmp_path / "s.onnx")


def test_predict_and_evaluate_run_an_onnx_file(exported, tmp_path):
    (tmp_path / "images").mkdir()
    for i, picture in enumerate(pictures(3)):
        cv2.imwrite(str(tmp_path / "images" / f"{i}.png"), picture)
    keypoints = np.tile([[60.0, 90.0, 2.0]], (17, 1))
    keypoints[:, 1] += np.arange(17)
    records = [
        {
            "id": n + 1, "image_id": n, "category_id": 1, "bbox": [20, 30, 120, 180],
            "area": 15000, "iscrowd": 0, "num_keypoints": 17,
            "keypoints": keypoints.ravel().tolist(),
        }
        for n in range(3)
    ]  # fmt: skip
    images = [{"id": n, "file_name": f"{n}.png", "width": 192, "height": 256} for n in range(3)]
    person = {"id": 1, "name": "person", "keypoints": list(COCO_KEYPOINTS)}
    data = {"images": images, "annotations": records, "categories": [person]}
    (tmp_path / "a.json").write_text(json.dumps(data))
    found, scores = {}, {}
    for kind in ("safetensors", "onnx"):
        weights, out = exported / f"tiny.{kind}", tmp_path / kind
        spec = f"set={tmp_path / 'a.json'}:{tmp_path / 'images'}"
        words = f"predict {tmp_path / 'images'} --weights {weights} --detector none --out {out}"
        assert main(words.split()) == 0
        results = json.loads((out / "results.json").read_text())
        found[kind] = np.array([result["keypoints"] for result in results])
        words = f"evaluate --weights {weights} --data {spec} --bootstrap-samples 2 "
        words += f"--out {out}/report.json"
        assert main(words.split()) == 0
        scores[kind] = json.loads((out / "report.json").read_text())["sets"]["set"]
    assert found["onnx"].shape == (3, 51)
    assert np.abs(found["onnx"] - found["safetensors"]).max() < 0.5
    oks = [one["total"]["scores"]["tiny"]["OKS"]["value"] for one in scores.values()]
    assert oks[0] == pytest.approx(oks[1], abs=1e-3)
    assert oks[0] > 0


CROPS, HEATMAPS = ("n", 256, 192, 3), ("n", 17, 64, 48)


def foreign(path, ins, outs):
    """An ONNX file of a constant network with these inputs and outputs."""
    ends = [
        [helper.make_tensor_value_info(f"{kind}{n}", dtype, shape) for n, (dtype, shape) in e]
        for kind, e in (("in", enumerate(ins)), ("out", enumerate(outs)))
    ]
    nodes = []
    for n, (dtype, shape) in enumerate(outs):
        sizes = [side if isinstance(side, int) else 1 for side in shape]
        value = helper.make_tensor(f"v{n}", dtype, sizes, np.zeros(sizes).ravel())
        nodes.append(helper.make_node("Constant", [], [f"out{n}"], value=value))
    opset = [helper.make_opsetid("", 18)]
    graph = helper.make_graph(nodes, "foreign", *ends)
    save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)


@pytest.mark.parametrize(
    ("ins", "outs", "says"),
    [
        ([(TensorProto.BOOL, CROPS)], None, r"input is in0 tensor\(bool\)"),
        ([(TensorProto.UINT8, ("n", 1, 256, 192))], None, r"'n', 1, 256, 192\]"),
        ([(TensorProto.UINT8, (256, 192, 3))], None, r"\[256, 192, 3\]"),
        ([(TensorProto.UINT8, CROPS), (TensorProto.FLOAT, ("n",))], None, "in1 tensor"),
        (None, [(TensorProto.FLOAT, ("n", 14, 64, 48))], r"output is out0 .*14, 64, 48\]"),
        (None, [(TensorProto.FLOAT, HEATMAPS), (TensorProto.FLOAT, (1,))], "out1 tensor"),
        (None, [(TensorProto.INT64, HEATMAPS)], r"tensor\(int64\)"),
        ([], None, "its input is missing"),
    ],
)
def test_an_onnx_file_with_other_inputs_or_outputs_is_refused(tmp_path, ins, outs, says):
    path = tmp_path / "foreign.onnx"
    ins = [(TensorProto.UINT8, CROPS)] if ins is None else ins
    foreign(path, ins, outs or [(TensorProto.FLOAT, HEATMAPS)])
    with pytest.raises(UserError, match=says) as caught:
        load_estimator(path)
    assert "\n" not in str(caught.value)
    assert "repogen weights export" in str(caught.value)


@pytest.mark.parametrize("kind", ["missing", "folder", "text", "empty", "cut"])
def test_a_broken_onnx_file_is_one_line(exported, tmp_path, capsys, kind):
    path = tmp_path / "a.onnx"
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        whole = (exported / "tiny.onnx").read_bytes()
        path.write_bytes({"text": b"no network", "empty": b"", "cut": whole[:20000]}[kind])
    assert main(["predict", str(tmp_path), "--weights", str(path)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("repogen: error: ")
    assert str(path) in err
    assert err.count("\n") == 1, err


def test_missing_external_weights_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr("repogen.models.onnx._MAX_SINGLE_FILE", 1000)
    export_onnx(with_peaks("tiny"), tmp_path / "a.onnx", "tiny")
    (tmp_path / "a.onnx.data").unlink()
    with pytest.raises(UserError, match=r"put a.onnx.data beside it") as caught:
        load_estimator(tmp_path / "a.onnx")
    assert "\n" not in str(caught.value)


def test_a_missing_onnx_library_names_the_extra_to_install(monkeypatch, capsys):
    words = "weights export a.safetensors b.onnx"
    library, module = "onnxscript", "repogen.models.onnx"
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.delattr(module, raising=False)  # which `from package import module` would return
    assert main(words.split()) == 2
    verb = words.split()[0]
    wanted = (
        f"repogen: error: {verb} needs {library}; in a clone of repogen: pip install '.[onnx]'\n"
    )
    assert capsys.readouterr().err == wanted


def test_weights_beside_an_onnx_file_are_named_where_they_are_missing(tmp_path):
    """mmdeploy and torch store the weights of large networks in a file of any name."""
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 256, 192])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 17, 256, 192])],
        [
            helper.make_tensor(
                "w", TensorProto.FLOAT, [17, 3, 1, 1], np.zeros(51, "<f4").tobytes(), raw=True
            )
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "net.onnx"
    save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    load_estimator(path)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(UserError, match=r"net\.onnx lacks its weights: put weights\.bin beside it"):
        load_estimator(path)
    path.write_bytes(b"")
    with pytest.raises(UserError, match=r"net\.onnx is empty"):
        load_estimator(path)


def endless(path):
    """An ONNX file whose loop runs 2**62 times."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_in"], ["go_out"]),
            helper.make_node("Add", ["x_in", "one"], ["x_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_in", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x_in", TensorProto.FLOAT, HEATMAPS),
        ],
        [
            helper.make_tensor_value_info("go_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x_out", TensorProto.FLOAT, HEATMAPS),
        ],
        [helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])],
    )
    nodes = [
        helper.make_node("Shape", ["in0"], ["batch"], start=0, end=1),
        helper.make_node("Concat", ["batch", "rest"], ["shape"], axis=0),
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("Loop", ["many", "go", "zeros"], ["out0"], body=body),
    ]
    values = [
        helper.make_tensor("rest", TensorProto.INT64, [3], HEATMAPS[1:]),
        helper.make_tensor("many", TensorProto.INT64, [], [2**62]),
        helper.make_tensor("go", TensorProto.BOOL, [], [True]),
    ]
    ends = (
        [helper.make_tensor_value_info("in0", TensorProto.UINT8, CROPS)],
        [helper.make_tensor_value_info("out0", TensorProto.FLOAT, HEATMAPS)],
    )
    graph = helper.make_graph(nodes, "endless", *ends, values)
    opset = [helper.make_opsetid("", 18)]
    save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)


@pytest.mark.parametrize(
    "words", ["predict {dir}/2017", "evaluate --data s={dir}/a.json:{dir}/2017"]
)
def test_a_network_without_end_is_one_line(coco, capsys, words):
    endless(coco.parent / "endless.onnx")
    words = words.format(dir=coco.parent).split()
    words += ["--weights", str(coco.parent / "endless.onnx"), "--timeout", "0.02"]
    if "predict" in words:
        words += ["--detector", "none", "--out", str(coco.parent / "out")]
    start = time.monotonic()
    assert main(words) == 2
    assert time.monotonic() - start < 30
    said = capsys.readouterr().err.splitlines()[-1]
    assert re.search(
        r"\d\.jpg: .*endless\.onnx takes longer than --timeout 0\.02 s for a picture", said
    )
