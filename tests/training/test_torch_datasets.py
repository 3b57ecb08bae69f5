"""Datasets of torch: stored images are the files', live ones are as `generate` writes them."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from repogen import GenerateConfig, UserError, convert, generate
from repogen.coco.crops import box_to_window, joints_to_crop
from repogen.torch import PLAIN, Augmentation, LiveDataset, PoseDataset, collate_images

OPTIONS = {
    "images": 7, "image_size": 64, "backgrounds": "plain", "seed": 5, "wardrobe": "painted",
    "people": (1, 2),
}  # fmt: skip
SMALL = Augmentation(crop=(48, 64))


@pytest.fixture(scope="module")
def stored(body, tmp_path_factory):
    return generate(tmp_path_factory.mktemp("coco") / "data", **OPTIONS, workers=1)


def same(one, other):
    """Whether two items are equal."""
    assert one.keys() == other.keys()
    return all(np.array_equal(np.asarray(one[key]), np.asarray(other[key])) for key in one)


def test_whole_images_have_the_labels_of_the_file(stored):
    coco = json.loads((stored / "annotations" / "person_keypoints.json").read_text())
    dataset = PoseDataset(stored)
    assert len(dataset) == len(list(dataset)) == 7
    for item, image in zip(dataset, coco["images"], strict=True):
        own = [a for a in coco["annotations"] if a["image_id"] == image["id"]]
        picture = np.asarray(Image.open(stored / "images" / image["file_name"]))
        assert item["image_id"] == image["id"]
        assert np.abs(item["image"].numpy().transpose(1, 2, 0) - picture.astype(int)).max() <= 3
        points = np.array([a["keypoints"] for a in own]).reshape(-1, 17, 3)
        points[..., :2] -= 0.5 * (points[..., 2:] > 0)
        np.testing.assert_allclose(item["keypoints"], points, atol=1e-4)
        np.testing.assert_allclose(item["boxes"], [a["bbox"] for a in own])


def test_a_plain_crop_is_the_window_around_the_box(stored):
    whole, crops = PoseDataset(stored), PoseDataset(stored, crop=PLAIN)
    people = [(item, i) for item in whole for i in range(len(item["boxes"]))]
    assert len(crops) == len(people)
    for crop, (item, i) in zip(crops, people, strict=True):
        window = box_to_window(item["boxes"][i].double().numpy())
        points = item["keypoints"][i].double().numpy()
        joints = joints_to_crop(np.column_stack([points, np.zeros(17)]), window, PLAIN.crop)
        assert crop["image"].shape == (3, 256, 192)
        seen = crop["keypoints"][:, 2] > 0
        np.testing.assert_allclose(crop["keypoints"][seen, :2], joints[seen, :2], atol=1e-2)


def test_crops_are_the_same_from_any_number_of_workers_and_differ_by_epoch(stored):
    here = PoseDataset(stored, crop=SMALL, seed=3)
    away = PoseDataset(stored, crop=SMALL, seed=3)
    loader = DataLoader(away, batch_size=None, num_workers=2, persistent_workers=True)
    epochs = []
    for epoch in (0, 4):
        here.set_epoch(epoch)
        away.set_epoch(epoch)
        epochs.append(list(here))
        for one, other in zip(epochs[-1], loader, strict=True):
            assert same(one, other)
    assert not any(same(one, other) for one, other in zip(*epochs, strict=True))
    other = PoseDataset(stored, crop=SMALL, seed=4)
    other.set_epoch(4)
    assert not any(same(one, another) for one, another in zip(epochs[1], other, strict=True))


def test_live_images_are_those_that_generate_writes(stored):
    live, files = list(LiveDataset(**OPTIONS)), list(PoseDataset(stored))
    assert [item["image_id"] for item in live] == list(range(7))
    for one, other in zip(live, files, strict=True):
        assert same(one, other | {"image_id": other["image_id"] - 1})


@pytest.mark.parametrize("crop", [None, SMALL])
def test_each_worker_of_each_rank_gives_its_own_part(body, crop):
    alone = LiveDataset(**OPTIONS, crop=crop)
    alone.set_epoch(2)
    expected = {item["image_id"]: item for item in alone}
    found = []
    for rank in (0, 1):
        dataset = LiveDataset(GenerateConfig(**OPTIONS), crop=crop, rank=rank, ranks=2)
        dataset.set_epoch(2)
        parts = list(DataLoader(dataset, batch_size=None, num_workers=2))
        assert [item["image_id"] for item in parts] == [rank, rank + 2, rank + 4]
        found += parts
    # Of 7 images each of 2 ranks has 3: no rank waits for another's last batch.
    assert sorted(item["image_id"] for item in found) == [0, 1, 2, 3, 4, 5]
    assert all(same(item, expected[item["image_id"]]) for item in found)


def test_epochs_of_live_images_share_none(body):
    dataset = LiveDataset(**OPTIONS | {"images": 2})
    first, again = list(dataset), list(dataset)
    dataset.set_epoch(1)
    second = list(dataset)
    assert all(same(one, other) for one, other in zip(first, again, strict=True))
    assert not any(same(one, other) for one in first for other in second)


def test_the_rank_is_that_of_the_environment(monkeypatch, body):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert [item["image_id"] for item in LiveDataset(**OPTIONS)] == [1, 4]
    monkeypatch.setenv("RANK", "one")
    with pytest.raises(UserError, match="RANK 'one' and WORLD_SIZE '3' should be whole numbers"):
        LiveDataset(**OPTIONS)


def test_transforms_and_batches(stored):
    halved = PoseDataset(stored, transform=lambda item: item | {"image": item["image"] / 2})
    assert halved[0]["image"].dtype == torch.float32
    batch = next(iter(DataLoader(PoseDataset(stored), 4, collate_fn=collate_images)))
    assert [len(values) for values in batch.values()] == [4] * 4
    crops = next(iter(DataLoader(PoseDataset(stored, crop=SMALL), 3)))
    assert crops["image"].shape == (3, 3, 64, 48)
    assert crops["keypoints"].shape == (3, 17, 3)


def test_shards_give_crops_only(stored, tmp_path):
    shards = convert(stored, tmp_path / "shards", shard_images=3)
    crops = PoseDataset(shards, crop=PLAIN)
    expected = PoseDataset(stored, crop=PLAIN)
    assert all(same(one, other) for one, other in zip(crops, expected, strict=True))
    with pytest.raises(UserError, match=r"no files of whole images; give crop=PLAIN"):
        PoseDataset(shards)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: PoseDataset("nowhere"), "nowhere is not a finished repogen dataset"),
        (lambda: LiveDataset(imges=3), "GenerateConfig has no option 'imges'"),
        (lambda: LiveDataset(images=3, rank=3, ranks=3), "rank 3 must lie between 0 and ranks - 1"),
        (lambda: LiveDataset(images=3, ranks=4), "images 3 must be at least the 4 ranks"),
        (lambda: LiveDataset(backgrounds="/nowhere"), "no such folder"),
    ],
)
def test_bad_input_is_one_line(make, says):
    with pytest.raises(UserError, match=says):
        make()
