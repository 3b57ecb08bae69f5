"""`load_detector` loads transformers detectors of persons; others are refused in one line."""

import json

import numpy as np
import pytest
import torch
from transformers import (
    RTDetrImageProcessorPil,
    RTDetrResNetConfig,
    RTDetrV2Config,
    RTDetrV2ForObjectDetection,
)

from repogen import UserError
from repogen.inference.detector import load_detector
from repogen.inference.frames import list_media, read_frames


def save_detector(folder, labels=("dog", "person")):
    """A tiny RT-DETRv2 whose biases make each of its five queries an object of the last label."""
    torch.manual_seed(0)
    backbone = RTDetrResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 16, 16], depths=[1, 1, 1, 1], layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = RTDetrV2Config(
        backbone_config=backbone, encoder_hidden_dim=16, encoder_in_channels=[16, 16, 16],
        encoder_ffn_dim=16, encoder_attention_heads=2, encoder_layers=1, d_model=16, num_queries=5,
        decoder_in_channels=[16, 16, 16], decoder_ffn_dim=16, decoder_layers=2,
        decoder_attention_heads=2, num_denoising=0,
        id2label=dict(enumerate(labels)), label2id={name: k for k, name in enumerate(labels)},
    )  # fmt: skip
    model = RTDetrV2ForObjectDetection(config)
    with torch.no_grad():
        for layer in model.model.decoder.class_embed:
            layer.weight.zero_()
            layer.bias.copy_(torch.tensor([-4.0] * (len(labels) - 1) + [1.0]))
    model.save_pretrained(folder)
    RTDetrImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_detector(tmp_path_factory.mktemp("detector") / "tiny")


@pytest.fixture
def frames(tmp_path, picture):
    picture(tmp_path / "a.png", 200, 100)
    picture(tmp_path / "b.png", 400, 200)
    return list(read_frames(list_media((tmp_path,), tmp_path / "o")[1], []))


def test_boxes_are_in_image_pixels(folder, frames):
    find = load_detector(str(folder), 0.5)
    small, large = map(find, frames)
    assert small.shape == (5, 5)
    assert small[:, 4] == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-4)
    assert (small[:, 2:4] > 0).all()
    # The detector sees the same picture at its own size.
    assert large[:, :4] == pytest.approx(2 * small[:, :4], abs=0.01)


def test_only_persons_of_at_least_the_minimum_score_are_returned(folder, frames, tmp_path):
    assert len(load_detector(str(folder), 0.8)(frames[0])) == 0
    dogs = save_detector(tmp_path / "dogs", ("person", "dog"))
    assert len(load_detector(str(dogs), 0.5)(frames[0])) == 0
    people = save_detector(tmp_path / "people", ("dog", "Person"))
    assert len(load_detector(str(people), 0.5)(frames[0])) == 5


def test_a_folder_without_a_person_detector_is_one_line(folder, tmp_path):
    cats = save_detector(tmp_path / "cats", ("dog", "cat"))
    with pytest.raises(UserError, match=r"no class named person \(it has dog, cat"):
        load_detector(str(cats), 0.5)
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/config.json").write_text('{"model_type": "vitpose"}')
    (tmp_path / "cut").mkdir()
    for file in folder.iterdir():
        (tmp_path / "cut" / file.name).write_bytes(file.read_bytes()[:3000])
    (tmp_path / "cut/config.json").write_bytes((folder / "config.json").read_bytes())
    for name in ("empty", "other", "cut"):
        with pytest.raises(UserError, match="cannot be loaded") as error:
            load_detector(str(tmp_path / name), 0.5)
        assert "\n" not in str(error.value)


def test_weights_of_another_network_are_refused(folder, tmp_path):
    wider = tmp_path / "wider"
    wider.mkdir()
    for file in folder.iterdir():
        (wider / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    (wider / "config.json").write_text(json.dumps(config | {"decoder_layers": 3}))
    with pytest.raises(UserError, match="it lacks weights"):
        load_detector(str(wider), 0.5)


def test_a_detector_that_cannot_be_downloaded_is_one_line(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for name in ("nobody/no-such-detector", "/no/such/folder"):
        with pytest.raises(UserError, match="is not a folder, and cannot be downloaded") as error:
            load_detector(name, 0.5)
        assert "\n" not in str(error.value)
