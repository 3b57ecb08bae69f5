"""Weights under the names of the real files load as what they are; part of the loading matrix."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from repogen import UserError
from repogen.cli import main
from repogen.models import MODELS, build_model
from repogen.models.identify import what_it_is
from repogen.models.parts import without_wrappers
from repogen.models.weights import load_model, read_weights


def _tool():
    path = Path(__file__).parents[2] / "tools" / "loading_matrix.py"
    spec = importlib.util.spec_from_file_location("loading_matrix", path)
    sys.modules["loading_matrix"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


matrix = _tool()

MODEL_OF = {
    "transformers, simple decoder": "vitpose-s-simple",
    "Hugging Face name": "vitpose-s-simple",
    "mmpose 0.x, simple decoder": "vitpose-s-simple",
    "mmpose 1.x, simple decoder": "vitpose-s-simple",
    "run of vitpose-s-simple": "vitpose-s-simple",
    "run of tiny": "tiny",
    "mmpose 0.x, ViTPose+, aic": "vitpose-s, backbone only",
    "MAE backbone": "vitpose-s, backbone only",
}
"""The others hold a vitpose-s."""


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for name in ("HF_HUB_CACHE", "HF_HUB_OFFLINE"):  # which a layout changes
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", "", raising=True)
    with matrix.small_networks():
        yield


@pytest.mark.parametrize("name", matrix.LAYOUTS)
def test_a_layout_loads_runs_as_its_source_and_trains(tmp_path, name):
    result = matrix.try_layout(matrix.LAYOUTS[name](tmp_path), export=False)
    assert result["load"] == MODEL_OF.get(name, "vitpose-s")
    assert result["train"] == "loss falls"


@pytest.mark.parametrize("name", ["mmpose 1.x, simple decoder", "mmpose 0.x, ViTPose+, wholebody"])
def test_a_layout_is_exported(tmp_path, name):
    case = matrix.LAYOUTS[name](tmp_path)
    words = f"weights export {case.path} {tmp_path / 'a.onnx'} --expert {case.expert}"
    assert main(words.split()) == 0


@pytest.mark.parametrize("name", matrix.REFUSED)
def test_other_weights_are_called_by_their_name(tmp_path, name):
    write, says = matrix.REFUSED[name]
    with pytest.raises(UserError) as caught:
        read_weights(write(tmp_path).path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["conv1.weight", "stage3.0.branches.1.0.conv2.weight"], "HRNet weights"),
        (["backbone.rpn.head.conv.weight", "roi_heads.box_head.fc6.weight"], "a detector of boxes"),
        (["class_labels_classifier.weight", "model.query_position_embeddings.weight"], "a DETR-"),
        (["layers.0.blocks.0.attn.relative_position_bias_table"], "a Swin transformer"),
        (["blocks.0.ls1.gamma", "blocks.0.attn.qkv.weight"], "a DINOv2-like backbone"),
        (["model0.conv1_1.weight"], "OpenPose weights"),
        (["backbone.layer1.0.conv1.weight", "head.deconv_layers.0.weight"],
         "mmpose 1.x heatmap network with another backbone"),
        (["vit.encoder.layer.0.attention.attention.query.weight"], "a vision transformer"),
        (["w"], "an unknown network (it has w)"),
    ],
)  # fmt: skip
def test_networks_of_the_names_in_public_files_are_recognised(names, says):
    assert what_it_is({name: torch.zeros(1) for name in names}).startswith(says)


def test_the_experts_give_different_networks(tmp_path):
    path = matrix.LAYOUTS["mmpose 0.x, ViTPose+, coco"](tmp_path).path
    coco, whole = (read_weights(path, expert)[0] for expert in ("coco", "wholebody"))
    differing = {k for k, v in coco.items() if not torch.equal(v, whole[k])}
    layer = f"backbone.encoder.layer.{matrix.LAYERS - 1}.mlp.fc2.weight"
    assert {layer, "head.conv.weight"} <= differing
    assert not any("attention" in name for name in differing)
    shared = matrix.WIDTH - matrix.PART
    assert torch.equal(coco[layer][:shared], whole[layer][:shared])


def test_convert_writes_the_chosen_expert(tmp_path):
    path = matrix.LAYOUTS["mmpose 0.x, ViTPose+, coco"](tmp_path).path
    out = tmp_path / "w.safetensors"
    assert main(["weights", "convert", str(path), str(out), "--expert", "wholebody"]) == 0
    wanted = read_weights(path, "wholebody")[0]
    assert all(torch.equal(v, wanted[k]) for k, v in load_file(out).items() if k in wanted)
    with pytest.raises(UserError, match="only a backbone: train it first"):
        load_model(path, "mpii")


def test_a_folder_of_several_files_is_read(tmp_path):
    case = matrix.LAYOUTS["transformers, classic decoder"](tmp_path)
    whole = load_file(case.path / "model.safetensors")
    (case.path / "model.safetensors").unlink()
    names = sorted(whole)
    parts = {"a.safetensors": names[:20], "b.safetensors": names[20:]}
    for file, held in parts.items():
        save_file({k: whole[k] for k in held}, case.path / file)
    index = {k: file for file, held in parts.items() for k in held}
    (case.path / "model.safetensors.index.json").write_text(
        '{"weight_map": ' + str(index).replace("'", '"') + "}"
    )
    weights, name = read_weights(case.path)
    assert name == "vitpose-s"
    assert set(weights) == set(whole)


def test_wrappers_are_removed_in_any_order():
    for prefix in ("", "module.", "model._orig_mod.", "module.module.", "ema_model.module."):
        names = [f"{prefix}backbone.a", f"{prefix}head.b", f"{prefix}ema_backbone_a", "n_averaged"]
        assert set(without_wrappers({k: torch.zeros(1) for k in names})) == {"backbone.a", "head.b"}


def test_averaged_weights_are_read_where_there_are_no_others(tmp_path):
    weights = build_model("tiny").state_dict()
    for file in ({"ema_state_dict": weights, "meta": {}}, {"model_state_dict": weights}):
        torch.save(file, tmp_path / "a.pth")
        assert read_weights(tmp_path / "a.pth")[1] == "tiny"


def test_predict_takes_the_name_of_a_hugging_face_model(tmp_path, capsys):
    import cv2
    import numpy as np

    case = matrix.LAYOUTS["Hugging Face name"](tmp_path)
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.zeros((64, 48, 3), np.uint8))
    words = f"predict {tmp_path / 'images'} --weights {case.path} --out {tmp_path / 'out'}"
    assert main(words.split()) == 0
    assert main([*words.replace("someone", "nobody").split(), "--no-flip"]) == 2
    err = capsys.readouterr().err
    assert "nobody/vitpose-simple is neither a run, a folder nor a file, and cannot be down" in err


def test_every_size_has_a_simple_decoder():
    assert {name for name in MODELS if name.endswith("-simple")} == {
        f"vitpose-{size}-simple" for size in "sblh"
    }
