"""Training: it learns, it repeats, it goes on where it was killed, it says what is wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from repogen import GenerateConfig, UserError, generate
from repogen.models import build_model
from repogen.models.heatmaps import joints_to_heatmaps
from repogen.training.config import TrainConfig
from repogen.training.loop import heatmap_loss, train
from repogen.training.optimizer import parameter_groups, rate_at


@pytest.fixture(scope="module")
def people(tmp_path_factory, body):
    return generate(
        tmp_path_factory.mktemp("train") / "set",
        GenerateConfig(images=24, image_size=160, backgrounds="plain", seed=3, workers=1),
    )


def config(people, out, **changes):
    base = TrainConfig(
        train=(f"synth={people}",), out=out, model="tiny", epochs=3, batch=8, warmup=2, workers=0
    )
    return replace(base, **changes)


def losses(run):
    state = torch.load(run / "last.pt", weights_only=True)
    return state["progress"]["losses"]


def test_it_learns_and_writes_its_folder(people, tmp_path):
    run = train(config(people, tmp_path / "run", epochs=6, val=(f"synth={people}",)))
    curve = losses(run)
    assert len(curve) == 18
    assert np.mean(curve[-3:]) < 0.9 * np.mean(curve[:3])
    for name in ("best.safetensors", "last.safetensors", "run.json", "log.jsonl"):
        assert (run / name).exists()
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [entry["epoch"] for entry in log] == [1, 2, 3, 4, 5, 6]
    assert set(log[0]["val"]["synth"]) == {"AP", "AR", "OKS", "PCK"}


@pytest.mark.parametrize("ema", [0.0, 0.99])
def test_a_stopped_run_goes_on_with_the_same_losses(people, tmp_path, monkeypatch, ema):
    whole = train(config(people, tmp_path / "whole", ema=ema))
    from repogen.training import loop

    real, calls = loop.heatmap_loss, []

    def stopping(*arguments):
        calls.append(1)
        if len(calls) == 5:  # in the second of three epochs
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(loop, "heatmap_loss", stopping)
    with pytest.raises(KeyboardInterrupt):
        train(config(people, tmp_path / "part", ema=ema))
    monkeypatch.setattr(loop, "heatmap_loss", real)
    part = train(config(people, tmp_path / "part", ema=ema))
    assert losses(part) == losses(whole)
    a, b = ((r / "last.safetensors").read_bytes() for r in (part, whole))
    assert a == b


def test_other_options_do_not_go_on(people, tmp_path):
    train(config(people, tmp_path / "run", epochs=1))
    with pytest.raises(UserError, match="begun with lr"):
        train(config(people, tmp_path / "run", epochs=1, lr=1e-4))


def test_a_loss_that_is_no_number_stops_with_a_word(people, tmp_path, monkeypatch):
    from repogen.training import loop

    real, calls = loop.heatmap_loss, []

    def breaking(*arguments):
        calls.append(1)
        return real(*arguments) * (float("nan") if len(calls) == 5 else 1.0)

    monkeypatch.setattr(loop, "heatmap_loss", breaking)
    with pytest.raises(UserError, match="loss of step 4 is nan"):
        train(config(people, tmp_path / "run"))
    assert (tmp_path / "run" / "last.safetensors").exists()


def test_unlabelled_joints_weigh_nothing():
    rng = np.random.default_rng(0)
    joints = torch.tensor(
        np.concatenate([rng.uniform(20, 170, (2, 17, 2)), np.full((2, 17, 1), 2.0)], axis=2)
    ).float()
    truth = torch.from_numpy(joints_to_heatmaps(joints[..., :2].numpy()))
    assert heatmap_loss(truth, joints) == 0
    joints[:, 3:, 2] = 0
    wrong = truth.clone()
    wrong[:, 3:] = 1.0
    assert heatmap_loss(wrong, joints) == 0
    wrong[:, 0] += 0.5
    assert heatmap_loss(wrong, joints).item() == pytest.approx(0.25 / 17)


def test_layers_learn_slower_the_lower_they_are_and_vectors_do_not_decay():
    model = build_model("vitpose-s")
    rates = {}
    for group in parameter_groups(model, 1.0, 0.1, 0.8):
        for parameter in group["params"]:
            rates[id(parameter)] = group["lr"], group["weight_decay"]
    named = dict(model.named_parameters())
    assert len(rates) == len(named)

    def of(name):
        return rates[id(named[name])]

    assert of("head.conv.weight") == (1.0, 0.1)
    assert of("head.conv.bias") == (1.0, 0.0)
    assert of("backbone.encoder.layer.11.mlp.fc1.weight") == pytest.approx((0.8, 0.1))
    assert of("backbone.encoder.layer.0.mlp.fc1.weight") == pytest.approx((0.8**12, 0.1))
    assert of("backbone.embeddings.position_embeddings") == pytest.approx((0.8**13, 0.0))
    tiny = {g["lr"] for g in parameter_groups(build_model("tiny"), 1.0, 0.1, 0.8)}
    assert tiny == {1.0}


def test_the_rate_rises_and_falls_in_steps():
    rates = [rate_at(step, 1000, 100, (0.5, 0.9)) for step in range(1000)]
    assert rates[0] < 0.011
    assert rates[100] == 1
    assert (rates[499], rates[500]) == (1, pytest.approx(0.1))
    assert rates[900] == pytest.approx(0.01)


def test_a_vitpose_takes_ten_steps_and_goes_on_exactly(people, tmp_path, monkeypatch):
    """Real optimisation steps of the real model, with drop-path; two epochs of five steps."""
    options = {"model": "vitpose-s", "epochs": 2, "batch": 2, "train": (f"synth={people}:10",)}
    whole = train(config(people, tmp_path / "whole", **options))
    assert len(losses(whole)) == 10
    from repogen.training import loop

    real, calls = loop.heatmap_loss, []

    def stopping(*arguments):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(loop, "heatmap_loss", stopping)
    with pytest.raises(KeyboardInterrupt):
        train(config(people, tmp_path / "part", **options))
    monkeypatch.setattr(loop, "heatmap_loss", real)
    assert losses(train(config(people, tmp_path / "part", **options))) == losses(whole)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train": ()}, "no set to train on"),
        ({"train": ("set=/nowhere",)}, "no finished dataset"),
        ({"train": ("/nowhere",)}, "must read NAME="),
        ({"model": "vitpose-xl"}, "unknown model 'vitpose-xl'; choose from"),
        ({"init": "/nowhere.pth"}, "no weights at /nowhere.pth"),
    ],
)
def test_bad_input_is_named(people, tmp_path, changes, words):
    from pathlib import Path

    changes = {k: Path(v) if k == "init" else v for k, v in changes.items()}
    with pytest.raises(UserError, match=words):
        train(config(people, tmp_path / "run", **changes))


@pytest.mark.parametrize(
    "changes", [{"epochs": 0}, {"batch": 0}, {"rotation": 400}, {"lr": -1.0}, {"blend": 2.0}]
)
def test_absurd_options_are_refused(people, tmp_path, changes):
    with pytest.raises(UserError):
        config(people, tmp_path / "run", **changes)
