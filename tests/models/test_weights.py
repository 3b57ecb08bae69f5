"""Reading weights: every kind of file, tensors only, and the right architecture."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import errors

from repogen import UserError
from repogen.models import build_model
from repogen.models.weights import (
    blend_tensors,
    load_into,
    load_model,
    read_weights,
    save_weights,
)


def test_vitpose_s_and_tiny_have_the_expected_sizes():
    model = build_model("vitpose-s")
    assert sum(p.numel() for p in model.parameters()) == 24_290_577
    assert sum(p.numel() for p in build_model("tiny").parameters()) < 1_000_000
    assert model.head.conv.weight.std() < 0.002


def test_saved_weights_read_back_with_the_name_of_their_model(vitpose, tmp_path):
    save_weights(tmp_path / "run" / "best.safetensors", vitpose.state_dict(), "vitpose-s")
    weights, name = read_weights(tmp_path / "run")
    assert name == "vitpose-s"
    assert all(torch.equal(weights[k], v) for k, v in vitpose.state_dict().items())


def test_a_hugging_face_folder_is_read(vitpose, tmp_path):
    vitpose.save_pretrained(tmp_path / "hf")
    model, name = load_model(tmp_path / "hf")
    assert name == "vitpose-s"
    crops = torch.randn(1, 3, 256, 192)
    with torch.no_grad():
        assert torch.equal(model(crops), vitpose.eval()(crops))


class _Code:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


@pytest.mark.filterwarnings("error")
def test_a_file_with_code_in_it_is_refused(tmp_path):
    path, mark = tmp_path / "bad.pth", tmp_path / "was-here"
    path.write_bytes(pickle.dumps({"state_dict": {"a": _Code(mark)}}))
    with pytest.raises(UserError, match="refused"):
        read_weights(path)
    torch.save({"state_dict": {"a": _Code(mark)}}, path)
    with pytest.raises(UserError, match=r"it holds \S+, which is not a tensor"):
        read_weights(path)
    assert not mark.exists()


def test_numpy_numbers_beside_the_tensors_are_ignored(tmp_path):
    """mmpose saves its best score as a NumPy number."""
    best = {"hook_msgs": {"best_score": np.float64(0.7), "epoch": np.int64(210)}}
    torch.save({"state_dict": {"down.0.a": torch.ones(2)}, "meta": best}, tmp_path / "a.pth")
    weights, _ = read_weights(tmp_path / "a.pth")
    assert list(weights) == ["down.0.a"]


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_file_is_one_line(tmp_path, suffix, share):
    path = tmp_path / f"cut{suffix}"
    weights = build_model("tiny").state_dict()
    if suffix == ".pth":
        torch.save(weights, path)
    else:
        save_weights(path, weights, "tiny")
    read_weights(path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    said = {0.0: "is empty$", 0.3: "truncated|not a safetensors file"}.get(share, "")
    with pytest.raises(UserError, match=f"{path.name}.*({said})") as caught:
        read_weights(path)
    assert "\n" not in str(caught.value)


def test_another_architecture_is_refused_with_its_names_and_shapes(vitpose, tmp_path):
    tiny = build_model("tiny")
    with pytest.raises(UserError, match=r"x.pth holds vitpose-s, not tiny: choose the model vitp"):
        load_into(tiny, vitpose.state_dict(), "x.pth", "tiny")
    bent = vitpose.state_dict() | {"head.conv.weight": torch.zeros(23, 256, 1, 1)}
    with pytest.raises(UserError, match=r"head.conv.weight is \(23, 256, 1, 1\), not \(17, 256"):
        load_into(build_model("vitpose-s"), bent, "x.pth", "vitpose-s")
    with pytest.raises(UserError, match="no weights at"):
        read_weights(tmp_path / "nothing.pth")
    torch.save({"features.0.weight": torch.zeros(3), "fc.bias": torch.zeros(1)}, tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"holds an unknown network \(it has fc.bias and 1 more"):
        load_model(tmp_path / "a.pth")


def test_weights_that_cannot_be_written_are_one_line():
    with pytest.raises(UserError, match=r"cannot write /proc/none/x.safetensors"):
        save_weights(Path("/proc/none/x.safetensors"), {"a": torch.ones(1)}, "tiny")


def test_blending_is_linear(vitpose):
    start = vitpose.state_dict()
    tuned = {k: v + 1 if v.is_floating_point() else v for k, v in start.items()}
    for alpha in (0.0, 0.25, 1.0):
        mixed = blend_tensors(start, tuned, alpha)
        floats = [key for key, value in start.items() if value.is_floating_point()]
        assert floats
        for key in floats:
            assert torch.allclose(mixed[key], start[key] + alpha, atol=1e-6)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.RepositoryNotFoundError, "there is no such model, or it is private"),
        (errors.GatedRepoError, "its licence must be accepted on huggingface.co first"),
        (errors.LocalEntryNotFoundError, "the hub cannot be reached, and it was not downloaded"),
        (RuntimeError, "RuntimeError"),
    ],
)
def test_why_a_model_cannot_be_downloaded_is_said(monkeypatch, error, reason):
    def fail(*_args, **_options):
        raise error.__new__(error)

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", fail)
    with pytest.raises(UserError, match=f"a/b is .* Hugging Face hub: {reason}"):
        read_weights(Path("a/b"))


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"", "is empty"), (b"\x08" + bytes(7) + b"{}      ", "holds no tensors"),
     (b"\xff" * 8, "header too large")],
)  # fmt: skip
def test_empty_safetensors_are_one_line(tmp_path, data, says):
    path = tmp_path / "empty.safetensors"
    path.write_bytes(data)
    with pytest.raises(UserError, match=says) as caught:
        read_weights(path)
    assert str(path) in str(caught.value)
