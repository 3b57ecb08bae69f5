"""`train`: the loss falls, a stopped run resumes with the same losses, errors are one line."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from repogen import GenerateConfig, UserError, generate
from repogen.files import exclusive
from repogen.models import build_model
from repogen.models.heatmaps import joints_to_heatmaps
from repogen.models.vitpose import _DropPath, highest_drop_path, set_drop_path
from repogen.training.config import TrainConfig
from repogen.training.loop import heatmap_loss, train
from repogen.training.optimizer import learning_rate_factor, parameter_groups, update_ema
from repogen.training.tensorboard import TensorBoardLogger


@pytest.fixture(scope="module")
def people(tmp_path_factory, body):
    return generate(
        tmp_path_factory.mktemp("train") / "set",
        GenerateConfig(images=24, image_size=160, backgrounds="plain", seed=3, workers=1),
    )


def config(people, **changes):
    options = {
        "train": f"synth={people}", "model": "tiny", "epochs": 3, "batch_size": 8, "warmup": 2,
        "workers": 0,
    }  # fmt: skip
    return TrainConfig(**(options | changes))


@pytest.fixture
def stopped(monkeypatch):
    """A function that trains until Ctrl-C in the given step, counted from 1."""
    from repogen.training import loop

    real = loop.heatmap_loss

    def until(step, out, options):
        calls = []

        def stopping(*arguments):
            calls.append(1)
            if len(calls) == step:
                raise KeyboardInterrupt
            return real(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(loop, "heatmap_loss", stopping)
            with pytest.raises(KeyboardInterrupt):
                train(out, options)

    return until


def losses(run):
    return [json.loads(line)["loss"] for line in (run / "steps.jsonl").read_text().splitlines()]


def test_the_loss_falls_and_the_run_folder_is_complete(people, tmp_path):
    run = train(tmp_path / "run", config(people, epochs=6, val=(f"synth={people}",)))
    loss = losses(run)
    assert len(loss) == 18
    assert np.mean(loss[-3:]) < 0.9 * np.mean(loss[:3])
    for name in ("best.safetensors", "last.safetensors", "last.pt"):
        assert (run / name).exists()
    assert cv2.imread(str(run / "curve.png")).std() > 10
    events = EventAccumulator(str(run / "tensorboard")).Reload()
    assert [event.value for event in events.Scalars("loss")] == pytest.approx(loss)
    assert len(events.Scalars("synth/AP")) == 6
    run_info = json.loads((run / "run.json").read_text())
    assert run_info["persons"] == {"synth": 24}
    resolved = run_info["config"]["optimizer"] | run_info["config"]["network"]
    assert (resolved["lr"], resolved["drop_path"], resolved["epochs"]) == (2e-3, 0, 6)
    assert str(people / "annotations" / "person_keypoints.json") in run_info["sha256"]
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [entry["epoch"] for entry in log] == [1, 2, 3, 4, 5, 6]
    assert set(log[0]["val"]["synth"]) == {"AP", "AR", "OKS", "PCK"}


def test_a_run_that_learns_nothing_says_so_and_when_it_ends(people, tmp_path, capsys):
    options = config(people, epochs=2, lr=1e-9, val=(f"synth={people}:8",))
    train(tmp_path / "run", options)
    said = capsys.readouterr().err
    assert "the network has learnt nothing yet: its loss of" in said
    assert "that of the mean heatmaps; OKS" in said
    assert re.search(r"epoch 1 of 2: loss \d\.\d\de[-+]\d\d, [\d:]+ left\n", said)
    assert re.search(r"epoch 2 of 2: loss \S+, the run is finished\n", said)
    assert "run_left=" in said


@pytest.mark.parametrize("workers", [0, 2])
def test_kept_pictures_change_no_loss_and_are_decoded_in_the_first_epoch_only(
    people, tmp_path, monkeypatch, workers
):
    from repogen.coco import decoded

    asked = tmp_path / "asked"
    real = decoded.DecodedPictures.read

    def counting(self, picture, factor, decode):
        def decode_and_count():
            with asked.open("a") as file:
                file.write(f"{picture} {factor}\n")
            return decode()

        return real(self, picture, factor, decode_and_count)

    monkeypatch.setattr(decoded.DecodedPictures, "read", counting)
    kept = train(tmp_path / "kept", config(people, workers=workers, scale=0.0, half_body=0.0))
    decodes = asked.read_text().splitlines()
    assert len(decodes) == len(set(decodes)) == 24
    plain = train(
        tmp_path / "plain",
        config(people, workers=0, scale=0.0, half_body=0.0, picture_cache=0.0),
    )
    assert len(asked.read_text().splitlines()) == 24
    assert losses(kept) == losses(plain)


@pytest.mark.parametrize("ema", [0.0, 0.99])
def test_a_stopped_run_resumes_with_the_same_losses(people, tmp_path, stopped, ema):
    whole = train(tmp_path / "whole", config(people, ema=ema))
    stopped(5, tmp_path / "part", config(people, ema=ema))  # in the second of three epochs
    part = train(tmp_path / "part", config(people, ema=ema))
    assert losses(part) == losses(whole)
    a, b = ((r / "last.safetensors").read_bytes() for r in (part, whole))
    assert a == b


@pytest.mark.parametrize("workers", [0, 1])
def test_a_run_on_shards_and_live_images_resumes_with_the_same_losses(
    people, tmp_path, stopped, workers
):
    from repogen.datasets.convert import convert

    shards = convert(str(people), tmp_path / "shards", 7)
    options = tmp_path / "live.toml"
    options.write_text(
        '[camera]\nimage-size = 96\n[environment]\nbackgrounds = "builtin"\n'
        '[people]\nwardrobe = "painted"\n'
    )
    sets = {"train": (f"s={shards}", f"l=live:{options}:8"), "workers": workers, "epochs": 2}
    whole = train(tmp_path / "whole", config(people, **sets))
    stopped(6, tmp_path / "part", config(people, **sets))  # in the second of two epochs
    part = train(tmp_path / "part", config(people, **sets))
    assert losses(part) == losses(whole)
    run_info = json.loads((part / "run.json").read_text())
    assert run_info["persons"] == {"s": 24, "l": 8}
    log = [json.loads(line) for line in (part / "log.jsonl").read_text().splitlines()]
    assert all(entry["crops_a_second"] > 0 and 0 < entry["waited"] < 1 for entry in log)
    (shards / "shards.json").write_text((shards / "shards.json").read_text() + "\n")
    with pytest.raises(UserError, match=r"shards\.json has changed"):
        train(tmp_path / "part", config(people, **sets))


@pytest.mark.slow
def test_a_killed_run_resumes_with_the_same_losses(people, tmp_path):
    out, options = tmp_path / "killed", config(people, epochs=12)
    script = (
        "from repogen import train; "
        f"train({str(out)!r}, train='synth={people}', model='tiny', epochs=12, batch_size=8, "
        "warmup=2, workers=0)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    log = out / "log.jsonl"
    deadline = time.monotonic() + 300
    while not (log.exists() and len(log.read_text().splitlines()) >= 2):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.wait()
    finished = len(log.read_text().splitlines())
    assert finished < 12
    (out / ".last.pt.999.partial").write_bytes(b"half")
    whole = train(tmp_path / "whole", config(people, epochs=12))
    assert losses(train(out, options)) == losses(whole)
    assert not list(out.glob(".*"))


@pytest.mark.slow
def test_two_processes_share_the_batches(people, tmp_path):
    words = (
        f"-m torch.distributed.run --nproc-per-node 2 -m repogen train --train s={people} "
        f"--val s={people}:4 --model tiny --batch-size 8 --warmup 2 --epochs 2 --workers 0 "
        "--ema 0.9"
    )
    command = [sys.executable, *words.split(), "--out", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(losses(tmp_path / "run")) == 6  # 24 people, 4 for each process
    run_info = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run_info["processes"] == 2
    command[command.index("8")] = "9"
    done = subprocess.run(
        [*command[:-1], str(tmp_path / "odd")], capture_output=True, text=True, check=False
    )
    assert "--batch-size 9 cannot be shared by 2 processes" in done.stderr


def test_a_resumed_run_keeps_the_scores_of_its_first_epoch_in_tensorboard(
    people, tmp_path, monkeypatch
):
    from repogen.training import loop

    real = loop.save_epoch

    def save_one(options, state):
        real(options, state)
        if state.epoch == 1:
            raise KeyboardInterrupt

    out, options = tmp_path / "run", config(people, val=(f"synth={people}:4",))
    monkeypatch.setattr(loop, "save_epoch", save_one)
    with pytest.raises(KeyboardInterrupt):
        train(out, options)
    monkeypatch.setattr(loop, "save_epoch", real)
    train(out, options)
    train(out, options)  # nothing is left to do
    events = EventAccumulator(str(out / "tensorboard")).Reload()
    assert [event.step for event in events.Scalars("synth/AP")] == [5, 8]
    assert [event.step for event in events.Scalars("loss")] == [*range(3, 9)]


def test_a_broken_image_in_a_worker_process_is_one_line(people, tmp_path, monkeypatch):
    from repogen.training import sources

    copied, real = tmp_path / "set", sources.drop_unreadable
    shutil.copytree(people, copied)

    def break_after_the_check(*arguments):
        checked = real(*arguments)
        (copied / "images" / "00000003.jpg").write_bytes(b"none")
        return checked

    monkeypatch.setattr(sources, "drop_unreadable", break_after_the_check)
    sources_message = r"\A[^\n]*00000003\.jpg is not an image, broken, or too large[^\n]*\Z"
    with pytest.raises(UserError, match=sources_message):
        train(tmp_path / "run", config(copied, workers=1))


def test_a_worker_process_that_dies_is_one_line(people, tmp_path, monkeypatch):
    def die(*_arguments, **_options):
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr("repogen.training.sources.training_crop", die)
    with pytest.raises(UserError, match="a worker process that prepares crops died"):
        train(tmp_path / "run", config(people, workers=1))


def test_a_second_run_cannot_write_into_the_same_folder(people, tmp_path):
    out, options = tmp_path / "run", config(people, epochs=1)
    with exclusive(out / ".lock", out):
        (out / ".last.pt.1.partial").write_bytes(b"half")
        with pytest.raises(UserError, match="another run is writing into"):
            train(out, options)
        assert (out / ".last.pt.1.partial").exists()
    train(out, options)
    assert not list(out.glob(".*"))


def test_a_partial_file_that_cannot_be_removed_is_one_line(people, tmp_path):
    (tmp_path / "run" / ".last.pt.1.partial").mkdir(parents=True)
    with pytest.raises(UserError, match=r"cannot write .*\.last\.pt\.1\.partial: Is a directory"):
        train(tmp_path / "run", config(people))


def test_an_epoch_of_a_single_crop_has_a_speed(people, tmp_path):
    out = train(tmp_path / "run", config(people, train=(f"synth={people}:1",), batch_size=1))
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert all(entry["crops_a_second"] > 0 for entry in log)


def test_a_full_disk_under_tensorboard_is_one_line(people, tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    logger = TensorBoardLogger(out / "tensorboard", 0)

    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    logger._writer.flush = full
    with pytest.raises(UserError, match=r"cannot write .*tensorboard: No space left"):
        logger.log_epoch({"lr": 1e-3}, [0.5])
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        TensorBoardLogger(tmp_path / "file" / "tensorboard", 0)


def test_a_run_stopped_by_a_full_disk_resumes_from_the_previous_epoch(
    people, tmp_path, monkeypatch
):
    out, options = tmp_path / "run", config(people, epochs=3)
    real, calls = torch.save, []

    def full(saved, path):
        calls.append(1)
        if len(calls) == 2:
            path.write_bytes(b"half")
            raise RuntimeError("PytorchStreamWriter failed writing file data/3: No space left")
        return real(saved, path)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(UserError, match=r"cannot write .*last\.pt: .*No space left"):
        train(out, options)
    monkeypatch.setattr(torch, "save", real)
    assert not list(out.glob(".*"))
    assert torch.load(out / "last.pt", weights_only=True)["epoch"] == 1
    assert losses(train(out, options)) == losses(train(tmp_path / "whole", config(people)))


def test_a_run_does_not_resume_on_changed_data(people, tmp_path):
    copied = tmp_path / "set"
    shutil.copytree(people, copied)
    train(tmp_path / "run", config(copied, epochs=1))
    path = copied / "annotations" / "person_keypoints.json"
    path.write_text(path.read_text().replace("repogen", "nobody"))
    with pytest.raises(UserError, match=r"person_keypoints\.json has changed since"):
        train(tmp_path / "run", config(copied, epochs=1))


def test_a_broken_last_pt_is_one_line(people, tmp_path):
    run = train(tmp_path / "run", config(people, epochs=1))
    (run / "last.pt").write_bytes((run / "last.pt").read_bytes()[:1000])
    with pytest.raises(UserError, match=r"cannot resume from .*last\.pt"):
        train(tmp_path / "run", config(people, epochs=1))


def test_a_run_does_not_resume_with_other_options(people, tmp_path):
    train(tmp_path / "run", config(people, epochs=1))
    with pytest.raises(UserError, match="started with lr"):
        train(tmp_path / "run", config(people, epochs=1, lr=1e-4))


def test_a_nan_loss_stops_the_run_with_one_line(people, tmp_path, monkeypatch):
    from repogen.training import loop

    real, calls = loop.heatmap_loss, []

    def breaking(*arguments):
        calls.append(1)
        return real(*arguments) * (float("nan") if len(calls) == 5 else 1.0)

    monkeypatch.setattr(loop, "heatmap_loss", breaking)
    with pytest.raises(UserError, match="step 4: the loss is nan"):
        train(tmp_path / "run", config(people))
    assert (tmp_path / "run" / "last.safetensors").exists()


def test_a_folder_with_other_files_is_refused(people, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is a file"):
        train(tmp_path / "file", config(people))
    texts = ("{", "[]", '{"command": "another tool"}', '{"config": 3, "sha256": 4}', "[" * 100_000)
    for text in texts:
        (tmp_path / "other").mkdir(exist_ok=True)
        (tmp_path / "other" / "run.json").write_text(text)
        with pytest.raises(UserError, match=r"run\.json is not a run of repogen train"):
            train(tmp_path / "other", config(people))


def test_the_ema_approaches_the_weights():
    model = build_model("tiny")
    ema = {name: torch.zeros_like(value) for name, value in model.state_dict().items()}
    for _ in range(3):
        update_ema(ema, model, 0.75)
    for name, value in model.state_dict().items():
        share = 1 - 0.75**3 if value.is_floating_point() else 1
        assert torch.allclose(ema[name], share * value, atol=1e-6)


def test_drop_path_drops_whole_branches_in_training_only():
    drop = _DropPath(0.4)
    branch, output = torch.nn.Identity(), torch.ones(4000, 3, 5)
    kept = drop(branch.train(), (), output)
    assert kept.unique().tolist() == pytest.approx([0, 1 / 0.6])
    rows = kept.flatten(1)
    assert (rows == rows[:, :1]).all()  # a sample's branch as a whole
    assert kept.mean() == pytest.approx(1.0, abs=0.05)
    assert (drop(branch.eval(), (), output) == output).all()


def test_drop_path_grows_with_depth_to_the_rate_that_is_asked_for():
    model = build_model("vitpose-b")
    for highest in (0.3, 0.1):  # the model's own, then another
        set_drop_path(model, highest)
        for branch in ("attention", "mlp"):
            shares = [
                hook.share
                for layer in model.backbone.encoder.layer
                for hook in getattr(layer, branch)._forward_hooks.values()
            ]
            assert shares == pytest.approx(np.linspace(0, highest, 12))
        assert highest_drop_path(model) == pytest.approx(highest)
    assert highest_drop_path(build_model("vitpose-b")) == pytest.approx(0.3)
    assert highest_drop_path(build_model("tiny")) == 0


def test_unlabelled_joints_add_nothing_to_the_loss():
    rng = np.random.default_rng(0)
    joints = torch.tensor(
        np.concatenate([rng.uniform(20, 170, (2, 17, 2)), np.full((2, 17, 1), 1.0)], axis=2)
    ).float()
    truth = joints_to_heatmaps(joints[..., :2])
    assert heatmap_loss(truth, joints) == 0
    joints[:, 3:, 2] = 0
    wrong = truth.clone()
    wrong[:, 3:] = 1.0
    assert heatmap_loss(wrong, joints) == 0
    wrong[:, 0] += 0.5
    assert heatmap_loss(wrong, joints).item() == pytest.approx(0.25 / 17)


def test_lower_layers_have_lower_rates_and_vectors_no_weight_decay():
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


def test_the_learning_rate_warms_up_and_falls_at_milestones():
    rates = [learning_rate_factor(step, 1000, 100, (0.5, 0.9)) for step in range(1000)]
    assert rates[0] < 0.011
    assert rates[100] == 1
    assert (rates[499], rates[500]) == (1, pytest.approx(0.1))
    assert rates[900] == pytest.approx(0.01)


@pytest.mark.slow
def test_a_stopped_vitpose_run_resumes_with_the_same_losses(people, tmp_path, stopped):
    """Two epochs of five steps of vitpose-s, with drop-path."""
    options = {
        "model": "vitpose-s", "epochs": 2, "batch_size": 2, "train": (f"synth={people}:10",),
        "drop_path": 0.2,
    }  # fmt: skip
    whole = train(tmp_path / "whole", config(people, **options))
    assert len(losses(whole)) == 10
    run_info = json.loads((whole / "run.json").read_text())
    assert run_info["config"]["network"]["drop_path"] == pytest.approx(0.2)
    stopped(8, tmp_path / "part", config(people, **options))
    assert losses(train(tmp_path / "part", config(people, **options))) == losses(whole)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train": ()}, "no set to train on"),
        ({"train": ("set=/nowhere",)}, "is not a finished repogen dataset"),
        ({"train": ("/nowhere",)}, "must be NAME="),
        ({"model": "vitpose-xl"}, "unknown model 'vitpose-xl'; choose from"),
        ({"init": "/nowhere.pth"}, "no weights at /nowhere.pth"),
        ({"train": ("synth={people}:x0.01",)}, "leaves nobody to train on"),
    ],
)
def test_bad_input_is_one_line(people, tmp_path, changes, words):
    from pathlib import Path

    changes = {k: Path(v) if k == "init" else v for k, v in changes.items()}
    if changes.get("train"):
        changes["train"] = tuple(spec.format(people=people) for spec in changes["train"])
    with pytest.raises(UserError, match=words):
        train(tmp_path / "run", config(people, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 0}, {"batch_size": 0}, {"rotation": 400}, {"lr": -1.0}, {"blend": 2.0},
        {"seed": -1},
        {"seed": 2**40}, {"milestones": (170, 200)}, {"milestones": (float("nan"),)},
        {"milestones": (0.9, 0.5)}, {"train": ("a=x", "a=y")}, {"val": ("a=x", "a=y")},
    ],
)  # fmt: skip
def test_options_out_of_range_are_refused(people, tmp_path, changes):
    with pytest.raises(UserError):
        config(people, **changes)
