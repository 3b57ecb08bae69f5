"""Shards of any source, by WebDataset's rule: members with one name before the first dot are a
sample."""

import json
import tarfile
from pathlib import PurePosixPath

import numpy as np

from repogen import convert
from repogen.datasets.foreign_shards import open_shards


def read(root):
    for path in sorted(root.glob("*.tar")):
        samples = {}
        with tarfile.open(path) as tar:
            for member in tar:
                name, _, ending = PurePosixPath(member.name).name.partition(".")
                samples.setdefault(name, {})[ending] = tar.extractfile(member).read()
        yield samples


def test_samples_hold_the_truth(people, truth, tmp_path):
    yolo = convert(people, tmp_path / "yolo", to="yolo-pose")
    out = convert(yolo, tmp_path / "out", 4, to="webdataset")
    shards = list(read(out))
    assert [len(samples) for samples in shards] == [4, 2]
    found = {name: sample for samples in shards for name, sample in samples.items()}
    assert list(found) == [f"{n:08d}" for n in range(1, 7)]
    for sample, (name, joints, boxes, _) in zip(found.values(), truth, strict=True):
        assert sample["jpg"] == (people / "images" / name).read_bytes()
        labels = json.loads(sample["json"])
        kept = np.where(joints < 0, 0, joints)  # YOLO has no numbers below 0
        own = [a["keypoints"] for a in labels["annotations"]]
        np.testing.assert_allclose(own, kept.reshape(-1, 51), atol=2e-3)
        np.testing.assert_allclose([a["bbox"] for a in labels["annotations"]], boxes, atol=2e-3)


def test_training_finds_the_same_people(people, truth, tmp_path):
    out = convert(people, tmp_path / "out", 4, to="webdataset")
    manifest = open_shards(str(out))
    assert [shard.images for shard in manifest.shards] == [4, 2]
    assert sum(s.persons for s in manifest.shards) == sum(len(joints) for _, joints, _, _ in truth)
