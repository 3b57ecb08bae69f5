"""mmpose 0.x checkpoints and MAE backbones load with every tensor under the right name."""

import cv2
import numpy as np
import pytest
import torch

from repogen import UserError
from repogen.models import build_model
from repogen.models.mmpose import from_mmpose, resample_positions
from repogen.models.weights import load_into, load_model, read_weights


def mae(mmpose_weights, side=14, patch=16):
    """A backbone as MAE pretraining saves it: square images, a class token, a last norm."""
    kept = {
        name.removeprefix("backbone."): value
        for name, value in mmpose_weights.items()
        if name.startswith("backbone.") and "last_norm" not in name
    }
    return kept | {
        "pos_embed": torch.rand(1, side**2 + 1, 48),
        "patch_embed.proj.weight": torch.rand(48, 3, patch, patch),
        "cls_token": torch.zeros(1, 1, 48),
        "mask_token": torch.zeros(1, 1, 48),
        "norm.weight": torch.ones(48),
        "norm.bias": torch.ones(48),
        "decoder_pos_embed": torch.zeros(1, 197, 512),
        "decoder_blocks.0.norm1.weight": torch.ones(512),
    }


@pytest.mark.parametrize("wrapper", [None, "state_dict", "module"])
def test_an_mmpose_checkpoint_loads_bit_for_bit(vitpose, mmpose_weights, tmp_path, wrapper):
    assert any("qkv" in name for name in mmpose_weights)
    assert not set(mmpose_weights) & set(vitpose.state_dict())
    path = tmp_path / "vitpose.pth"
    data = {wrapper: mmpose_weights, "meta": {"epoch": 210}} if wrapper else mmpose_weights
    torch.save(data, path)
    model, name = load_model(path)
    assert name == "vitpose-s"
    for key, value in vitpose.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key
    crops = torch.randn(2, 3, 256, 192)
    with torch.no_grad():
        assert torch.equal(model(crops), vitpose(crops))


def test_the_module_prefix_of_distributed_training_is_removed(vitpose, mmpose_weights, tmp_path):
    torch.save({f"module.{k}": v for k, v in mmpose_weights.items()}, tmp_path / "a.pth")
    weights, name = read_weights(tmp_path / "a.pth")
    assert name == "vitpose-s"
    assert set(weights) == set(vitpose.state_dict())


def test_a_mae_backbone_keeps_the_random_head_and_last_norm(vitpose, mmpose_weights, tmp_path):
    theirs = mae(mmpose_weights)
    path = tmp_path / "mae.pth"
    torch.save({"model": theirs}, path)
    weights, name = read_weights(path)
    assert name == "vitpose-s"
    model = build_model("vitpose-s")
    fresh = load_into(model, weights, str(path), name)
    norm = {"backbone.layernorm.weight", "backbone.layernorm.bias"}
    assert norm < set(fresh)
    assert all(key.startswith("head.") for key in set(fresh) - norm)
    layers = {k: value for k, value in vitpose.state_dict().items() if ".layer." in k}
    assert layers
    for key, value in layers.items():
        assert torch.equal(model.state_dict()[key], value), key
    placed = model.state_dict()["backbone.embeddings.position_embeddings"]
    assert torch.equal(placed, resample_positions(theirs["pos_embed"]))
    assert torch.isfinite(model.eval()(torch.randn(1, 3, 256, 192))).all()
    with pytest.raises(UserError, match="only a backbone"):
        load_model(path)


def test_position_embeddings_are_resampled_as_opencv_does():
    positions = torch.rand(1, 197, 4)
    ours = resample_positions(positions)[0, 1:].reshape(16, 12, 4).numpy()
    grid = positions[0, 1:].reshape(14, 14, 4).numpy()
    assert ours == pytest.approx(
        cv2.resize(grid, (12, 16), interpolation=cv2.INTER_CUBIC), abs=1e-5
    )


def test_the_class_token_keeps_its_position_embedding():
    positions = torch.rand(1, 197, 8)
    placed = resample_positions(positions)
    assert placed.shape == (1, 193, 8)
    assert torch.equal(placed[:, 0], positions[:, 0])
    without = resample_positions(positions[:, 1:])
    assert torch.equal(without[:, 1:], placed[:, 1:])
    assert (without[:, 0] == 0).all()


def test_position_embeddings_of_crops_stay(vitpose):
    own = vitpose.state_dict()["backbone.embeddings.position_embeddings"]
    assert resample_positions(own) is own


def test_the_class_tokens_position_is_added_to_every_patch(small):
    """This is why `resample_positions` keeps it."""
    model = build_model("vitpose-s").eval()
    positions = model.backbone.embeddings.position_embeddings
    crops = torch.randn(1, 3, 256, 192)
    shift = torch.randn(48)
    with torch.no_grad():
        before = model(crops)
        positions[:, 0] += shift
        moved = model(crops)
        positions[:, 0] -= shift
        positions[:, 1:] += shift
        assert torch.allclose(model(crops), moved, atol=1e-6)
        assert not torch.allclose(before, moved, atol=1e-6)


def test_smaller_patch_kernels_are_padded_with_zeros(mmpose_weights):
    theirs = mae(mmpose_weights, side=16, patch=14)
    ours = from_mmpose(theirs)["backbone.embeddings.patch_embeddings.projection.weight"]
    assert ours.shape == (48, 3, 16, 16)
    assert torch.equal(ours[:, :, 1:15, 1:15], theirs["patch_embed.proj.weight"])
    assert ours.sum() == pytest.approx(float(theirs["patch_embed.proj.weight"].sum()), rel=1e-5)


def test_an_unknown_tensor_name_is_an_error(tmp_path):
    with pytest.raises(UserError, match=r"no tensor named backbone.blocks.0.strange"):
        from_mmpose({"backbone.blocks.0.strange": torch.zeros(1)})
    strange = {f"backbone.blocks.{k}.attn.rope.weight": torch.zeros(1) for k in range(3)}
    torch.save({"state_dict": strange}, tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"a.pth cannot be loaded: .*rope.weight and 2 more"):
        read_weights(tmp_path / "a.pth")


def test_position_embeddings_of_another_crop_size_are_refused(mmpose_weights):
    larger = from_mmpose(mmpose_weights | {"backbone.pos_embed": torch.zeros(1, 433, 48)})
    with pytest.raises(UserError, match=r"position_embeddings is \(1, 433, 48\), not \(1, 193,"):
        load_into(build_model("vitpose-s"), larger, "x.pth", "vitpose-s")


def test_no_state_is_shared_with_the_source(mmpose_weights):
    ours = from_mmpose(mmpose_weights)
    starts = {value.data_ptr() for name, value in ours.items() if "attention.attention" in name}
    assert len(starts) == np.sum(["attention.attention" in name for name in ours])
