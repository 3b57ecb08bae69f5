"""MoveNet's network, decoding and files against the original graph run by TensorFlow.js."""

import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from movenet_pictures import person, two_people
from repogen import UserError, package_data
from repogen.inference.movenet import HEADS, _mirror
from repogen.models import packaged
from repogen.models.movenet import VARIANTS, decode_pose, movenet, scale_pixels
from repogen.models.movenet_decoding import decode_people
from repogen.models.movenet_decoding import decode_pose as decode_pose_numpy
from repogen.models.weights import load_model
from repogen.package_data import CHECKSUMS, package_data_dir

REFERENCE = np.load(Path(__file__).parent / "movenet_reference.npz")
STORED_CELL = {"lightning": 0.0208282470703125, "thunder": 1 / 64}
"""A cell's share of the picture in the original's graph: for 1 / 48 it has a rounded number."""


def onnx_heads(name, pictures):
    session = onnxruntime.InferenceSession(packaged.packaged_onnx(name))
    names = [end.name for end in session.get_outputs()]
    return dict(zip(names, session.run(names, {"crops": pictures}), strict=True))


def torch_heads(name, pictures):
    model, _ = load_model(Path(name))
    with torch.inference_mode():
        return model(scale_pixels(torch.from_numpy(pictures)))


def to_numpy(heads):
    return {name: value.numpy() for name, value in heads.items()}


def pixels_apart(name, found, count):
    """The largest difference of a joint from the original's, in pixels, and of a score."""
    cells = REFERENCE[name][:count, :, 1::-1] / STORED_CELL[name]
    scores = REFERENCE[name][:count, :, 2]
    return np.abs(found[..., :2] - 4 * cells).max(), np.abs(found[..., 2] - scores).max()


COUNTS = [
    ("lightning", 12),
    ("thunder", 4),
    pytest.param("lightning", 50, marks=pytest.mark.slow),
    pytest.param("thunder", 50, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("name", "count"), COUNTS)
def test_joints_are_those_of_the_original(name, count):
    size = VARIANTS[f"movenet-{name}"].size
    pictures = np.stack([person(seed, size) for seed in range(count)])
    heads = torch_heads(name, pictures)
    for found in (
        decode_pose(heads).numpy(),
        decode_pose_numpy(to_numpy(heads)),
        decode_pose_numpy(onnx_heads(name, pictures)),
    ):
        joint, score = pixels_apart(name, found, count)
        assert joint < 0.01
        assert score < 1e-3
    # Also in the original's own units, whose cells are a little too small.
    original = REFERENCE[name][:count, :, 1::-1] * size
    assert np.abs(found[..., :2] - original).max() < 0.05


@pytest.mark.parametrize("count", [4, pytest.param(50, marks=pytest.mark.slow)])
def test_people_are_those_of_the_original(count):
    pictures = np.stack([two_people(seed, 192, 320) for seed in range(count)])
    from_torch = to_numpy(torch_heads("multipose", pictures))
    from_onnx = onnx_heads("multipose", pictures)
    for heads in (from_torch, from_onnx):
        people = 0
        for i, wanted in enumerate(REFERENCE["multipose"][:count]):
            corners, scores, joints = decode_people({k: v[i : i + 1] for k, v in heads.items()})
            assert np.abs(scores - wanted[: len(scores), 55]).max() < 1e-3
            sure = scores > 0.1
            people += int(sure.sum())
            theirs = wanted[: len(scores)][sure]
            points = theirs[:, :51].reshape(-1, 17, 3)
            known = points[..., 2] > 0.1  # of weaker joints two cells may be the best
            apart = np.abs(joints[sure][..., :2] - points[..., 1::-1] * (320, 192)).max(axis=2)
            assert apart[known].max(initial=0) < 0.05
            assert np.abs(joints[sure][..., 2] - points[..., 2])[known].max(initial=0) < 1e-3
            boxes = theirs[:, [52, 51, 54, 53]] * (320, 192, 320, 192)
            assert np.abs(corners[sure] - boxes).max(initial=0) < 0.05
        assert people >= count / 2


def test_a_minimum_score_leaves_out_people_and_changes_nobody_else():
    pictures = np.stack([two_people(3, 192, 320)])
    heads = onnx_heads("multipose", pictures)
    everybody, some = decode_people(heads, 6), decode_people(heads, 6, 0.3)
    assert 0 < len(some[1]) < len(everybody[1])
    assert (some[0] == everybody[0][: len(some[0])]).all()


def test_every_layer_is_a_convolution_and_names_do_not_depend_on_the_size():
    light, strong = movenet("movenet-lightning"), movenet("movenet-thunder")
    assert [sum(p.numel() for p in m.parameters()) for m in (light, strong)] == [2317974, 6226046]
    assert [*light.state_dict()] == [*strong.state_dict()]
    assert not any("norm" in type(module).__name__.lower() for module in light.modules())


def test_both_decoders_agree_on_noise():
    rng = np.random.default_rng(0)
    channels = {"center": 1, "heatmap": 17, "regress": 34, "offset": 34}
    heads = {k: rng.normal(0, 3, (3, n, 48, 48)).astype(np.float32) for k, n in channels.items()}
    ours = decode_pose_numpy(heads)
    assert np.abs(decode_pose({k: torch.from_numpy(v) for k, v in heads.items()}).numpy() - ours)[
        ..., :2
    ].max() == pytest.approx(0, abs=1e-3)


def test_gradients_reach_every_parameter():
    model = movenet("movenet-lightning")
    heads = model(torch.rand(1, 3, 64, 64) * 2 - 1)
    sum(value.square().mean() for value in heads.values()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_mirroring_twice_changes_nothing_and_once_moves_joints_to_the_other_side():
    rng = np.random.default_rng(1)
    channels = {"center": 1, "heatmap": 17, "regress": 34, "offset": 34}
    heads = {k: rng.normal(0, 1, (2, n, 12, 12)) for k, n in channels.items()}
    mirrored = _mirror(heads)
    again = _mirror(mirrored)
    for name in HEADS:
        assert again[name] == pytest.approx(heads[name])
        assert mirrored[name].shape == heads[name].shape
    # A joint in column 2, 0.3 into its cell, is in column 9, 0.7 into its cell; the left wrist (9)
    # becomes the right one (10).
    heads["offset"][0, 2 * 9 + 1, 5, 2] = 0.3
    heads["heatmap"][0, 9, 5, 2] = 7
    assert _mirror(heads)["offset"][0, 2 * 10 + 1, 5, 9] == pytest.approx(0.7)
    assert _mirror(heads)["heatmap"][0, 10, 5, 9] == 7


def test_the_tuned_network_is_the_same_in_torch_and_onnx():
    pictures = np.stack([person(seed, 192) for seed in range(2)])
    found = onnx_heads("rare-lightning", pictures)
    for name, value in to_numpy(torch_heads("rare-lightning", pictures)).items():
        assert np.abs(found[name] - value).max() < 1e-3
    before = onnx_heads("lightning", pictures)
    assert np.abs(found["heatmap"] - before["heatmap"]).max() > 0.01


def test_weights_without_a_name_are_recognised(tmp_path):
    from repogen.models.weights import read_weights, save_weights

    torch.save(movenet("movenet-thunder").state_dict(), tmp_path / "a.pth")
    assert read_weights(tmp_path / "a.pth")[1] == "movenet-thunder"
    save_weights(tmp_path / "a.safetensors", movenet("movenet-lightning").state_dict(), "")
    assert load_model(tmp_path / "a.safetensors")[1] == "movenet-lightning"


@pytest.mark.parametrize("file", ["movenet-lightning.safetensors", "movenet-lightning.onnx"])
@pytest.mark.parametrize("how", ["cut", "changed", "gone"])
def test_damaged_package_data_is_one_line(tmp_path, monkeypatch, file, how):
    folder, shipped = tmp_path / "models" / "data", package_data_dir("models")
    folder.mkdir(parents=True)
    for source in [*shipped.glob("*lightning*"), shipped / CHECKSUMS]:
        (folder / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(package_data, "_ROOT", tmp_path)
    assert packaged.packaged_onnx("lightning").parent == folder
    path = folder / file
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(data if how == "changed" else data[:-100])
    with pytest.raises(
        UserError, match=rf"{file}.*(is damaged|No such file).*; install repogen again"
    ):
        packaged.packaged_onnx("lightning")


def test_a_folder_of_that_name_comes_before_a_packaged_network(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert packaged.packaged("thunder") == "thunder"
    assert packaged.packaged("thunders") is None
    (tmp_path / "thunder").mkdir()
    assert packaged.packaged("thunder") is None


def test_the_checksums_are_those_of_sha256sum():
    subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", CHECKSUMS],
        cwd=package_data_dir("models"),
        check=True,
    )


def test_the_package_holds_what_the_checksums_name():
    folder = package_data_dir("models")
    named = [line.split("  ")[1] for line in (folder / CHECKSUMS).read_text().splitlines()]
    files = {path.name for path in folder.iterdir()} - {CHECKSUMS, "NOTICE"}
    assert set(named) == files
    assert sum((folder / name).stat().st_size for name in named) < 45_000_000
