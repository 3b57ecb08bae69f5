"""Weights: mmpose's names to transformers', nothing but tensors, and no other architecture."""

import pickle
from pathlib import Path

import pytest
import torch

from repogen import UserError
from repogen.models import build_model
from repogen.models.weights import (
    blended,
    from_mmpose,
    load_into,
    load_model,
    read_weights,
    save_weights,
)


@pytest.fixture(scope="module")
def vitpose():
    torch.manual_seed(0)
    model = build_model("vitpose-s")
    with torch.no_grad():
        for value in model.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand_like(value) * 0.05)  # variances are positive
    return model


def mmpose_names(weights):
    """A checkpoint as mmpose 0.x writes it, made independently of the reader."""
    out = {}
    for name, value in weights.items():
        if "attention.attention." in name:
            layer, part, kind = name.split(".")[3], name.split(".")[6], name.split(".")[7]
            key = f"backbone.blocks.{layer}.attn.qkv.{kind}"
            pieces = out.setdefault(key, [None, None, None])
            pieces[["query", "key", "value"].index(part)] = value
            continue
        for ours, theirs in (
            ("backbone.embeddings.position_embeddings", "backbone.pos_embed"),
            ("backbone.embeddings.patch_embeddings.projection", "backbone.patch_embed.proj"),
            ("backbone.encoder.layer.", "backbone.blocks."),
            ("attention.output.dense", "attn.proj"),
            ("layernorm_before", "norm1"),
            ("layernorm_after", "norm2"),
            ("backbone.layernorm", "backbone.last_norm"),
            ("head.deconv1", "keypoint_head.deconv_layers.0"),
            ("head.batchnorm1", "keypoint_head.deconv_layers.1"),
            ("head.deconv2", "keypoint_head.deconv_layers.3"),
            ("head.batchnorm2", "keypoint_head.deconv_layers.4"),
            ("head.conv", "keypoint_head.final_layer"),
        ):
            name = name.replace(ours, theirs)
        out[name] = value
    return {k: torch.cat(v) if isinstance(v, list) else v for k, v in out.items()}


def test_sizes_are_vitposes():
    model = build_model("vitpose-s")
    assert sum(p.numel() for p in model.parameters()) == 24_290_577
    assert sum(p.numel() for p in build_model("tiny").parameters()) < 1_000_000
    assert model.head.conv.weight.std() < 0.002


@pytest.mark.parametrize("wrapped", [True, False])
def test_an_mmpose_checkpoint_loads_bit_for_bit(vitpose, tmp_path, wrapped):
    theirs = mmpose_names(vitpose.state_dict())
    assert any("qkv" in name for name in theirs)
    assert not set(theirs) & set(vitpose.state_dict())
    path = tmp_path / "vitpose.pth"
    torch.save({"state_dict": theirs, "meta": {"epoch": 210}} if wrapped else theirs, path)
    model, name = load_model(path)
    assert name == "vitpose-s"
    for key, value in vitpose.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key
    crops = torch.randn(2, 3, 256, 192)
    with torch.no_grad():
        assert torch.equal(model(crops), vitpose.eval()(crops))


def test_a_bare_backbone_leaves_the_head_fresh(vitpose, tmp_path):
    theirs = {
        name.removeprefix("backbone."): value
        for name, value in mmpose_names(vitpose.state_dict()).items()
        if name.startswith("backbone.")
    }
    theirs |= {"cls_token": torch.zeros(1, 1, 384), "norm.weight": torch.ones(384)}
    path = tmp_path / "mae.pth"
    torch.save({"model": theirs}, path)
    weights, name = read_weights(path)
    assert name == "vitpose-s"
    fresh = load_into(build_model("vitpose-s"), weights, str(path), name)
    assert fresh
    assert all(key.startswith("head.") for key in fresh)
    with pytest.raises(UserError, match="backbone alone"):
        load_model(path)


def test_ours_come_back_and_say_what_they_are(vitpose, tmp_path):
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
    def __reduce__(self):
        return (Path.touch, (Path("/tmp/repogen-was-here"),))


def test_a_file_with_code_in_it_is_refused(tmp_path):
    path = tmp_path / "bad.pth"
    path.write_bytes(pickle.dumps({"state_dict": {"a": _Code()}}))
    with pytest.raises(UserError, match="refused"):
        read_weights(path)
    torch.save({"state_dict": {"a": _Code()}}, path)
    with pytest.raises(UserError, match="refused"):
        read_weights(path)
    assert not Path("/tmp/repogen-was-here").exists()


def test_another_architecture_is_told_by_keys_and_shapes(vitpose, tmp_path):
    tiny = build_model("tiny")
    with pytest.raises(UserError, match=r"is no tiny: it lacks down"):
        load_into(tiny, vitpose.state_dict(), "x.pth", "tiny")
    bent = vitpose.state_dict() | {"head.conv.weight": torch.zeros(23, 256, 1, 1)}
    with pytest.raises(UserError, match=r"head.conv.weight is \(23, 256, 1, 1\), not \(17, 256"):
        load_into(build_model("vitpose-s"), bent, "x.pth", "vitpose-s")
    with pytest.raises(UserError, match=r"no place for backbone.blocks.0.strange"):
        from_mmpose({"backbone.blocks.0.strange": torch.zeros(1)})
    with pytest.raises(UserError, match="no weights at"):
        read_weights(tmp_path / "nothing.pth")


def test_blending_is_linear(vitpose):
    start = vitpose.state_dict()
    tuned = {k: v + 1 if v.is_floating_point() else v for k, v in start.items()}
    for alpha in (0.0, 0.25, 1.0):
        mixed = blended(start, tuned, alpha)
        for key, value in start.items():
            if value.is_floating_point():
                assert torch.allclose(mixed[key], value + alpha, atol=1e-6)
