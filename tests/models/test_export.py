"""ONNX export: metadata, equal heatmaps, and files that are written whole or not at all."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import repogen.models.onnx as exporting
from repogen import UserError
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.cli import main
from repogen.models import build_model
from repogen.models.heatmaps import STRIDE
from repogen.models.onnx import export_onnx
from repogen.models.weights import save_weights


@pytest.fixture(scope="module")
def tiny():
    torch.manual_seed(0)
    return build_model("tiny").eval()


@pytest.fixture(scope="module")
def exported(tiny, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "a.onnx"
    assert export_onnx(tiny, path, "tiny") < 1e-5
    return path


def run(path, crops):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["heatmaps"], {"crops": crops})[0]


def test_the_metadata_name_the_model_and_no_file_of_this_machine(exported, tiny, tmp_path):
    file = onnx.load(exported)
    said = {entry.key: entry.value for entry in file.metadata_props}
    assert said["model"] == "tiny"
    assert json.loads(said["keypoints"]) == list(COCO_KEYPOINTS)
    assert json.loads(said["stride"]) == pytest.approx(list(STRIDE))
    assert (file.producer_name, file.opset_import[0].version) == ("repogen", exporting.OPSET)
    data = exported.read_bytes()
    assert str(Path(__file__).parents[2]).encode() not in data
    assert b"site-packages" not in data
    export_onnx(tiny, tmp_path / "b.onnx", "tiny")
    assert (tmp_path / "b.onnx").read_bytes() == data


def test_the_exported_network_normalises_its_input(exported, tiny):
    """Against ImageNet's mean and deviation, written out here."""
    crops = np.random.default_rng(0).integers(0, 256, (2, 256, 192, 3), dtype=np.uint8)
    pixels = (crops / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    with torch.no_grad():
        wanted = tiny(torch.from_numpy(pixels.transpose(0, 3, 1, 2)).float()).numpy()
    found = run(exported, crops)
    assert np.abs(found - wanted).max() < 1e-5 * np.abs(wanted).max()
    swapped = run(exported, np.ascontiguousarray(crops[..., ::-1]))
    assert np.abs(swapped - wanted).max() > 0.01 * np.abs(wanted).max()


def test_weights_too_large_for_one_file_go_to_a_data_file(exported, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "_MAX_SINGLE_FILE", 1000)
    export_onnx(tiny, tmp_path / "two.onnx", "tiny")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"two.onnx", "two.onnx.data"}
    assert (tmp_path / "two.onnx").stat().st_size < exported.stat().st_size / 10
    crops = np.random.default_rng(0).integers(0, 256, (1, 256, 192, 3), dtype=np.uint8)
    assert (run(exported, crops) == run(tmp_path / "two.onnx", crops)).all()
    (tmp_path / "two.onnx").unlink()
    with pytest.raises(UserError, match=r"two.onnx.data exists"):
        export_onnx(tiny, tmp_path / "two.onnx", "tiny")


def test_a_file_with_other_heatmaps_is_not_written(tiny, tmp_path, monkeypatch):
    normalize = exporting.normalize

    def off(crops):
        """Bright in the exported graph alone."""
        return normalize(crops) + (1.0 if torch.compiler.is_exporting() else 0.0)

    monkeypatch.setattr(exporting, "normalize", off)
    with pytest.raises(UserError, match="would differ by"):
        export_onnx(tiny, tmp_path / "a.onnx", "tiny")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_created_is_one_line(tiny, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        export_onnx(tiny, tmp_path / "file" / "a.onnx", "tiny")


def test_the_command_prints_the_difference_from_torch(tiny, tmp_path, capsys):
    save_weights(tmp_path / "run" / "best.safetensors", tiny.state_dict(), "tiny")
    out = tmp_path / "a.onnx"
    assert main(["weights", "export", str(tmp_path / "run"), str(out)]) == 0
    said = capsys.readouterr()
    assert said.out == f"{out}\n"
    assert "repogen: tiny; its outputs differ from torch's by " in said.err
