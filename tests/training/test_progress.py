"""What a run says while it goes on: the time left, and whether it has learnt anything."""

import json

import numpy as np
import pytest
import torch

from repogen.coco.annotations import read_person_annotations
from repogen.models.heatmaps import joints_to_heatmaps
from repogen.training import progress
from repogen.training.loop import heatmap_loss
from repogen.training.progress import Clock, ConstantLoss, mean_pose_oks, nothing_learnt

CROP = torch.tensor([191.0, 255.0])


def random_joints(seed, count, labelled=1.0):
    """Joints anywhere in the crop; a share of them labelled."""
    rng = torch.Generator().manual_seed(seed)
    places = torch.rand((count, 17, 2), generator=rng) * CROP
    flags = (torch.rand((count, 17, 1), generator=rng) < labelled).float()
    return torch.cat([places, flags, torch.zeros_like(flags)], dim=2)


def losses_of(heatmaps, joints, steps=40, batch=8):
    """What `ConstantLoss` says of an answer that is the same for all crops."""
    compared = ConstantLoss(steps)
    for step in range(steps):
        some = joints[batch * step : batch * step + batch]
        answer = heatmaps.expand(len(some), -1, -1, -1)
        compared.add(step, heatmap_loss(answer, some).item(), some)
    return compared.losses()


@pytest.mark.parametrize("labelled", [1.0, 0.6])
def test_no_constant_answer_is_better_than_the_constant_loss(labelled):
    joints = random_joints(0, 320, labelled)
    mean = joints_to_heatmaps(random_joints(1, 4000)[..., :2]).mean(dim=0)
    for answer in (torch.zeros(17, 64, 48), mean, 2 * mean):
        network, constant = losses_of(answer, joints)
        assert network > 0.999 * constant
    network, constant = losses_of(mean, joints)
    assert network == pytest.approx(constant, rel=2e-3)  # the mean of all, and that of some


def test_the_best_constant_answer_has_the_loss_that_is_said():
    joints = random_joints(2, 64)
    half = joints[32:]  # the second half of the epoch
    best = joints_to_heatmaps(half[..., :2]).mean(dim=0)
    network, constant = losses_of(best, joints, steps=8)
    assert constant == pytest.approx(network * 32 / 31, rel=1e-5)


def test_an_answer_that_follows_the_joints_is_better():
    joints = random_joints(3, 320)
    compared = ConstantLoss(40)
    for step in range(40):
        some = joints[8 * step : 8 * step + 8]
        blurred = 0.3 * joints_to_heatmaps(some[..., :2] + 4)
        compared.add(step, heatmap_loss(blurred, some).item(), some)
    network, constant = compared.losses()
    assert network < constant
    assert nothing_learnt(compared, {}, []) == ""


def test_without_steps_nothing_is_compared():
    assert ConstantLoss(5).losses() is None
    assert nothing_learnt(ConstantLoss(5), {}, []) == ""


@pytest.fixture
def people(tmp_path):
    """Four people of the same pose at other places and sizes, without the images."""
    rng = np.random.default_rng(0)
    pose = rng.uniform(0.2, 0.8, (17, 2))
    annotations = []
    for i, side in enumerate((60.0, 90.0, 150.0, 220.0)):
        corner = np.array([20.0 * i, 10.0 * i])
        keypoints = np.column_stack([corner + side * pose, np.full(17, 2.0)])
        annotations.append(
            {"id": i + 1, "image_id": 1, "category_id": 1, "bbox": [*corner, side, side],
             "area": side**2 / 2, "keypoints": keypoints.ravel().tolist()}
        )  # fmt: skip
    image = {"id": 1, "file_name": "a.jpg", "width": 640, "height": 640}
    category = {"id": 1, "name": "person"}
    data = {"images": [image], "annotations": annotations, "categories": [category]}
    (tmp_path / "people.json").write_text(json.dumps(data))
    return read_person_annotations("four", tmp_path / "people.json", tmp_path)


def test_the_mean_pose_of_people_in_one_pose_is_theirs(people):
    assert mean_pose_oks(people) == pytest.approx(1, abs=1e-6)
    assert mean_pose_oks(people.take([])) == 0


def test_the_mean_pose_of_many_poses_is_of_little_use(people):
    rng = np.random.default_rng(1)
    people.keypoints[:, :, :2] += rng.uniform(-40, 40, (4, 17, 2))
    assert 0 < mean_pose_oks(people) < 0.6


def test_a_score_that_the_mean_pose_reaches_is_said(people, monkeypatch):
    monkeypatch.setattr(progress, "mean_pose_oks", lambda _: 0.07)
    assert nothing_learnt(None, {"four": {"OKS": 0.05}}, [people]) == (
        "OKS 0.050 on four is not above 0.070, that of the mean pose"
    )
    assert nothing_learnt(None, {"four": {"OKS": 0.08}}, [people]) == ""


def test_the_time_left_counts_the_steps_of_this_process(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    clock = Clock(1000, 3000)
    now[0] += 50.0
    assert clock.left(1010) == "2:45:50"  # 5 seconds a step, 1990 steps
    assert clock.left(3000) == "00:00"


def test_the_curve_has_a_panel_for_validation_only_with_a_set():
    from repogen.training.figures import training_figure

    log = [{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.5}]
    (loss,) = training_figure(log, [3.0, 2.0, 1.5, 1.0]).axes
    assert loss.get_title() == "loss"
    validated = [entry | {"val": {"a": {"AP": 0.1, "OKS": 0.3}}} for entry in log]
    assert len(training_figure(validated, [3.0, 2.0, 1.5, 1.0]).axes) == 2
