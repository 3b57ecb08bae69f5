"""Fine-tuning MoveNet: the loss asks for what the decoder reads, steps fit folded batch norm, runs
resume, and targets may come from a teacher."""

import json

import cv2
import numpy as np
import pytest
import torch

from movenet_pictures import _STANDING, person
from repogen import UserError, load_estimator
from repogen.coco.names import CATEGORY
from repogen.inference.estimate import JointEstimator
from repogen.models import build_model
from repogen.models.movenet import decode_pose
from repogen.models.packaged import packaged_weights
from repogen.models.weights import load_model, read_weights
from repogen.training import loop, targets
from repogen.training.config import LabelConfig, TrainConfig
from repogen.training.loop import train
from repogen.training.movenet_loss import movenet_loss, movenet_losses
from repogen.training.optimizer import ChannelScaledAdamW, freeze_layers
from repogen.training.recipes import recipe

SIZE = 160


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A generated set of four people drawn, two joints of each occluded and one without a label."""
    folder = tmp_path_factory.mktemp("drawn")
    keypoints = np.column_stack([_STANDING * SIZE / 100, np.full(17, 2)])
    keypoints[[3, 4], 2], keypoints[9] = 1, 0
    images, annotations = [], []
    for k in range(1, 5):
        cv2.imwrite(str(folder / f"{k}.png"), person(k, SIZE))
        images.append(
            {"id": k, "file_name": f"{k}.png", "width": SIZE, "height": SIZE, "camera": {}}
        )
        annotations.append(
            {"id": k, "image_id": k, "category_id": 1, "bbox": [40, 10, 80, 145], "area": 6000,
             "keypoints": keypoints.ravel().tolist()}
        )  # fmt: skip
    content = {"images": images, "annotations": annotations, "categories": [CATEGORY]}
    (folder / "a.json").write_text(json.dumps(content))
    return f"drawn={folder / 'a.json'}:{folder}"


def config(people, **changes):
    options = recipe("short", "movenet-lightning")
    own = {"train": people, "epochs": 2, "batch_size": 2, "workers": 0, "freeze": 16}
    return TrainConfig(**options, **(own | changes))


def losses(run):
    return [json.loads(line)["loss"] for line in (run / "steps.jsonl").read_text().splitlines()]


def random_joints(rng, size, count=2):
    """Joints in crop pixels, all with weight 1."""
    spread = rng.uniform(0.1 * size, 0.9 * size, (count, 17, 2))
    return torch.tensor(np.concatenate([spread, np.ones((count, 17, 1))], axis=2)).float()


def free_heads(grid, count=2):
    channels = {"center": 1, "heatmap": 17, "regress": 34, "offset": 34}
    return {
        name: torch.zeros(count, number, grid, grid, requires_grad=True)
        for name, number in channels.items()
    }


def test_heads_that_minimise_the_loss_are_decoded_to_the_joints():
    joints, heads = random_joints(np.random.default_rng(0), 64), free_heads(16)
    optimizer = torch.optim.Adam(heads.values(), 0.3)
    for _ in range(120):
        optimizer.zero_grad()
        movenet_loss(heads, joints).backward()
        optimizer.step()
    found = decode_pose(heads)[..., :2].detach() - 0.5  # the decoder's 0 is the crop's corner
    assert (found - joints[..., :2]).norm(dim=2).max() < 1.5
    assert movenet_losses(heads, joints)["regress"] < 1


def test_joints_of_weight_0_teach_only_the_centre():
    joints, heads = random_joints(np.random.default_rng(1), 96), free_heads(24)
    joints[:, 3:] = 0
    movenet_loss(heads, joints).backward()
    taught = {name: head.grad.unflatten(1, (-1, head.shape[1] // 17 or 1)).abs().sum((0, 2, 3, 4))
              for name, head in heads.items()}  # fmt: skip
    for name in ("heatmap", "offset", "regress"):
        assert (taught[name][:3] > 0).all()
        assert (taught[name][3:] == 0).all()
    joints[..., 2] = 0
    assert all(loss == 0 for loss in movenet_losses(heads, joints).values())


def test_steps_are_relative_to_the_size_of_each_channel():
    weights = torch.tensor([1e-3, 1.0, 40.0])[:, None, None, None] * torch.ones(3, 2, 3, 3)
    weights, bias = torch.nn.Parameter(weights), torch.nn.Parameter(torch.tensor([0.0, 3.0, 4.0]))
    start = weights.detach().clone()
    optimizer = ChannelScaledAdamW([weights, bias], lr=0.01, weight_decay=0.0)
    (weights.sum() + bias.sum()).backward()
    optimizer.step()
    assert torch.allclose(weights / start, torch.full_like(start, 0.99), atol=1e-4)
    assert torch.allclose(bias, torch.tensor([0.0, 3.0, 4.0]) - 0.01 * (25 / 3) ** 0.5, atol=1e-4)


def test_frozen_layers_are_the_first_ones():
    model = build_model("movenet-lightning")
    freeze_layers(model, 4, "movenet-lightning")
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    own = ("stem.", *(f"blocks.{i}." for i in range(4)))
    assert frozen == {n for n, _ in model.named_parameters() if n.startswith(own)}
    freeze_layers(model, 0, "movenet-lightning")
    assert all(p.requires_grad for p in model.parameters())
    with pytest.raises(UserError, match=r"--freeze 18 is more than the 17 layers of movenet-light"):
        freeze_layers(model, 18, "movenet-lightning")


def test_a_stopped_run_with_a_teacher_resumes_and_its_weights_are_used(
    people, tmp_path, monkeypatch
):
    options = config(people, targets="corrected", teacher="lightning", tolerance=0.05)
    whole = train(tmp_path / "whole", options)
    real, calls = loop.movenet_loss, []

    def stopping(*arguments):
        calls.append(1)
        if len(calls) == 4:  # in the second of two epochs
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "movenet_loss", stopping)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "part", options)
    part = train(tmp_path / "part", options)
    assert losses(part) == losses(whole)
    run_info = json.loads((part / "run.json").read_text())
    assert run_info["config"]["network"]["init"] == "lightning"
    assert str(packaged_weights("lightning")) in run_info["sha256"]
    log = [json.loads(line) for line in (part / "log.jsonl").read_text().splitlines()]
    assert all(0 < entry["corrected"] < 1 and entry["steps_a_second"] > 0 for entry in log)

    start, _ = read_weights("lightning")
    tuned, name = read_weights(part)
    assert name == "movenet-lightning"
    assert torch.equal(tuned["stem.weight"], start["stem.weight"].float())  # frozen
    assert not torch.equal(tuned["last.weight"], start["last.weight"].float())
    blend, _ = load_model(part / "blend.safetensors")
    best, _ = read_weights(part / "best.safetensors")
    half = (best["last.weight"] + start["last.weight"].float()) / 2
    assert torch.allclose(blend.state_dict()["last.weight"], half, atol=1e-6)
    estimator = load_estimator(part)
    assert estimator.crop == (192, 192)
    assert estimator.find(np.zeros((1, 192, 192, 3), np.uint8), True).shape == (1, 17, 3)


KEYPOINTS = np.column_stack([np.full((17, 2), 50.0), [0, 1, *[2] * 15]])


@pytest.mark.parametrize(
    ("wanted", "places", "corrected"),
    [("teacher", [50, 54, 54, 70], 0), ("corrected", [50, 54, 54, 50], 1)],
)
def test_targets_are_the_teachers_answers(monkeypatch, tmp_path, wanted, places, corrected):
    """The teacher is 4 px off at joints 0 to 2 and 20 at the others; the tolerance is 10."""
    crops = []

    def find(images, flip):
        crops.append(images)
        x = np.where(np.arange(17) < 3, 54.0, 70.0) - 0.5
        return np.stack([x, np.full(17, 49.5), np.ones(17)], axis=1)[None]

    # A crop of 100 px of a box of 100 px: its pixels are those of the image.
    teacher = JointEstimator((100, 100), 100 / 99, find)
    monkeypatch.setattr(targets, "_load_teacher", lambda _: targets._Loaded(teacher, "digest"))
    monkeypatch.setenv("REPOGEN_CACHE", str(tmp_path))
    config = LabelConfig(targets=wanted, tolerance=0.1)
    relabel = targets.relabel(config)
    box = np.array([0.0, 0.0, 100.0, 100.0])

    def read(window, size):
        return np.zeros((*size, 3), np.uint8)

    out = [relabel(KEYPOINTS, box, 100.0**2, read) for _ in range(2)]
    out.append(targets.relabel(config)(KEYPOINTS, box, 100.0**2, read))
    assert len(crops) == 1  # an equal crop is answered once, also for another run
    assert np.array_equal(out[0], out[1])
    assert np.array_equal(out[0], out[2])
    (kept,) = tmp_path.rglob("*.cache")
    kept.write_bytes(kept.read_bytes()[:-40] + bytes(40))  # damaged
    again = targets.relabel(config)(KEYPOINTS, box, 100.0**2, read)
    assert np.array_equal(again, out[0])
    assert len(crops) == 2
    assert out[0][:4, 0] == pytest.approx(places, abs=1.0)
    assert out[0][0, :2].tolist() == [50, 50]  # without a label
    assert out[0][:4, 3].tolist() == [0, 0, 0, corrected]
    weights = LabelConfig(occluded_weight=0.25, corrected_weight=0.5)
    last = 0.5 if corrected else 1
    assert targets.joint_weights(out[0], weights)[:4, 2].tolist() == [0, 0.25, 1, last]
    assert targets.relabel(LabelConfig()) is None


def test_a_set_of_one_person_trains(people, tmp_path):
    assert len(losses(train(tmp_path / "run", config(f"{people}:1", epochs=1)))) == 1


def test_bad_input_is_one_line(people, tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"^thunder holds movenet-thunder, not movenet-lightning: "):
        train(tmp_path / "run", config(people, init="thunder"))
    with pytest.raises(UserError, match=r"^no weights at teacher\.pth; give thunder, lightning"):
        train(tmp_path / "run", config(people, targets="teacher", teacher="teacher.pth"))
    with pytest.raises(UserError, match=r"^--freeze 99 is more than the 17 layers"):
        train(tmp_path / "run", config(people, freeze=99))
    with pytest.raises(UserError, match=r"^--tolerance -1 must lie between 0 and 10"):
        config(people, tolerance=-1.0)
    monkeypatch.setattr(loop, "movenet_loss", lambda heads, _: heads["center"].sum() * np.nan)
    with pytest.raises(UserError, match=r"^step 0: the loss is nan.*lower --lr 0\.0007"):
        train(tmp_path / "nan", config(people))
