"""Converting and blending weights: the tensors stay equal, and no file is overwritten."""

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import AutoImageProcessor, VitPoseForPoseEstimation

from repogen import UserError
from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.cli import main
from repogen.models import build_model
from repogen.models.convert import blend_weights, convert_weights
from repogen.models.weights import load_model, read_weights, save_weights


@pytest.fixture
def files(tmp_path):
    """A folder with the weights of two tiny networks."""
    torch.manual_seed(0)
    for name, model in (("a", "tiny"), ("b", "tiny")):
        save_weights(tmp_path / f"{name}.safetensors", build_model(model).state_dict(), model)
    return tmp_path


def test_from_mmpose_to_transformers_and_back(vitpose, mmpose_weights, tmp_path):
    torch.save({"state_dict": mmpose_weights}, tmp_path / "a.pth")
    convert_weights(tmp_path / "a.pth", tmp_path / "b.safetensors")
    convert_weights(tmp_path / "b.safetensors", tmp_path / "hf")
    convert_weights(tmp_path / "hf", tmp_path / "c.safetensors")
    with safe_open(tmp_path / "b.safetensors", "pt") as file:
        assert file.metadata() == {"model": "vitpose-s"}
    for name in ("b", "c"):
        written = load_file(tmp_path / f"{name}.safetensors")
        assert set(written) == set(vitpose.state_dict())
        assert all(torch.equal(written[k], v) for k, v in vitpose.state_dict().items())
    assert {path.name for path in tmp_path.iterdir()} == {
        "a.pth", "b.safetensors", "c.safetensors", "hf",
    }  # fmt: skip


def test_the_converted_folder_gives_the_same_heatmaps_in_transformers(small, tmp_path):
    torch.manual_seed(1)
    model = build_model("vitpose-s").eval()
    save_weights(tmp_path / "a.safetensors", model.state_dict(), "vitpose-s")
    convert_weights(tmp_path / "a.safetensors", tmp_path / "hf")
    theirs = VitPoseForPoseEstimation.from_pretrained(tmp_path / "hf").eval()
    crops = torch.randn(2, 3, 256, 192)
    with torch.no_grad():
        assert torch.equal(theirs(crops).heatmaps, model(crops))
    assert theirs.config.id2label == dict(enumerate(COCO_KEYPOINTS))
    assert theirs.config.architectures == ["VitPoseForPoseEstimation"]
    processor = AutoImageProcessor.from_pretrained(tmp_path / "hf")
    assert dict(processor.size) == {"height": 256, "width": 192}
    assert processor.image_mean == pytest.approx([0.485, 0.456, 0.406])
    assert processor.image_std == pytest.approx([0.229, 0.224, 0.225])


def test_a_converted_mae_backbone_is_still_a_backbone(mmpose_weights, tmp_path):
    backbone = {
        k.removeprefix("backbone."): v
        for k, v in mmpose_weights.items()
        if k.startswith("backbone.")
    } | {"pos_embed": torch.rand(1, 197, 48)}
    torch.save({"model": backbone}, tmp_path / "mae.pth")
    convert_weights(tmp_path / "mae.pth", tmp_path / "mae.safetensors")
    before, after = read_weights(tmp_path / "mae.pth"), read_weights(tmp_path / "mae.safetensors")
    assert before[1] == after[1] == "vitpose-s"
    assert set(before[0]) == set(after[0])
    assert all(torch.equal(after[0][k], v) for k, v in before[0].items())
    with pytest.raises(UserError, match="only a backbone"):
        convert_weights(tmp_path / "mae.pth", tmp_path / "hf")


def test_blending_two_files_interpolates_their_weights(files):
    out = blend_weights(
        files / "a.safetensors", files / "b.safetensors", files / "c.safetensors", 0.25
    )
    (a, _), (b, _), (c, name) = (load_model(files / f"{f}.safetensors") for f in "abc")
    assert (out, name) == (files / "c.safetensors", "tiny")
    for key, value in c.state_dict().items():
        wanted = 0.75 * a.state_dict()[key] + 0.25 * b.state_dict()[key]
        assert torch.allclose(value.float(), wanted.float(), atol=1e-6), key


def test_weights_of_different_models_cannot_be_blended(files, small):
    save_weights(files / "s.safetensors", build_model("vitpose-s").state_dict(), "vitpose-s")
    with pytest.raises(
        UserError, match=r"a.safetensors holds tiny but .*s.safetensors holds vitpose-s"
    ):
        blend_weights(
            files / "a.safetensors", files / "s.safetensors", files / "c.safetensors", 0.5
        )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("convert a.safetensors b.safetensors", "b.safetensors exists"),
        ("convert a.safetensors .", "exists"),
        ("convert a.safetensors hf", "transformers has no tiny"),
        ("convert a.safetensors c.pth", "ending in .safetensors or a folder"),
        ("convert a.safetensors c.onnx", "repogen weights export"),
        ("convert no.pth c.safetensors", "no weights at"),
        ("convert text.pth c.safetensors", "text.pth is refused"),
        ("convert text.onnx c.safetensors", "can only be run"),
        ("convert other.pth c.safetensors", "a classifier of 3 classes; repogen reads ViTPose"),
        ("convert lacking.safetensors c.safetensors", "is not tiny: it lacks"),
        ("blend a.safetensors b.safetensors c.safetensors --alpha 1.5", "--alpha 1.5"),
        ("blend a.safetensors b.safetensors c.safetensors --alpha nan", "--alpha nan"),
        ("blend a.safetensors b.safetensors b.safetensors --alpha 1", "b.safetensors exists"),
        ("blend a.safetensors b.safetensors c --alpha 1", "ending in .safetensors"),
        ("blend a.safetensors no c.safetensors --alpha 1", "no weights at no"),
        ("blend a.safetensors b.safetensors c.safetensors", "--alpha"),
        ("export a.safetensors b.safetensors", "ending in .onnx"),
        ("export a.safetensors text.onnx", "text.onnx exists"),
        ("export no c.onnx", "no weights at no"),
        ("convert a.safetensors c.safetensors --expert wholebody", "is for ViTPose+"),
        (
            "convert nobody/no-such-model c.safetensors",
            "neither a run, a folder nor a file, and can",
        ),
        ("mix a b", "unknown command of repogen weights 'mix'"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(files, monkeypatch, capsys, words, says):
    monkeypatch.chdir(files)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for name in ("text.pth", "text.onnx"):
        (files / name).write_text("no weights")
    torch.save({"fc.weight": torch.ones(3, 2)}, files / "other.pth")
    some = dict(list(load_file(files / "a.safetensors").items())[:5])
    save_weights(files / "lacking.safetensors", some, "tiny")
    before = {path: path.read_bytes() for path in files.iterdir()}
    assert main(["weights", *words.split()]) == 2
    err = capsys.readouterr().err
    assert err.startswith("repogen: error: ")
    assert err.count("\n") == 1, err
    assert says in err
    assert {path: path.read_bytes() for path in files.iterdir()} == before


def test_a_folder_that_cannot_be_created_is_one_line(small, files):
    save_weights(files / "s.safetensors", build_model("vitpose-s").state_dict(), "vitpose-s")
    with pytest.raises(UserError, match="cannot write"):
        convert_weights(files / "s.safetensors", files / "a.safetensors" / "hf")


def test_the_command_prints_the_file_it_wrote(files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    assert main(["weights", "convert", "a.safetensors", "sub/c.safetensors"]) == 0
    assert capsys.readouterr().out == "sub/c.safetensors\n"
    (one, _), (two, _) = (
        load_model(files / "a.safetensors"),
        load_model(files / "sub/c.safetensors"),
    )
    assert all(torch.equal(v, two.state_dict()[k]) for k, v in one.state_dict().items())
