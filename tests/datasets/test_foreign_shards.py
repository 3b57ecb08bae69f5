"""Tar files of pictures and COCO annotations that other programs wrote are trained on."""

import io
import json
import tarfile
from dataclasses import replace

import cv2
import numpy as np
import pytest

from repogen.coco.augmentation import Augmentation
from repogen.coco.images import drop_unreadable, read_labelled_image, with_true_sizes
from repogen.datasets.foreign_shards import open_shards, unpack_foreign_shard
from repogen.datasets.sets import parse_set, read_set
from repogen.errors import UserError
from repogen.training.sources import open_source, sample_crop

JOINTS = [30.0, 20, 2] * 17
PERSON = {"id": 4, "image_id": 9, "bbox": [10, 5, 40, 30], "keypoints": JOINTS}


def encoded(suffix="jpg", width=80, height=40):
    return cv2.imencode(f".{suffix}", np.full((height, width, 3), 90, np.uint8))[1].tobytes()


def write_tar(path, members):
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


@pytest.fixture
def tars(tmp_path):
    """One sample of each layout, in two tar files."""
    folder = tmp_path / "shards"
    write_tar(
        folder / "train-0000.tar",
        {
            "a/000.jpg": encoded(),
            "a/000.json": PERSON,
            "a/001.JPG": encoded(),
            "a/001.json": [PERSON, PERSON | {"category_id": 3}],
            "README": b"hello",
        },
    )
    sized = {"image": {"file_name": "x.png", "width": 80, "height": 40}, "annotations": [PERSON]}
    halpe = PERSON | {"keypoints": JOINTS * 8}
    write_tar(
        folder / "train-0001.tar",
        {
            "b.png": encoded("png"),
            "b.json": sized,
            "b.txt": b"a caption",
            "c.webp": encoded("webp"),
            "c.json": {"annotations": [halpe], "width": 80, "height": 40},
        },
    )
    return folder


def test_all_layouts_are_read(tars):
    manifest = open_shards(str(tars))
    assert [(s.name, s.images, s.persons) for s in manifest.shards] == [
        ("train-0000.tar", 2, 2),
        ("train-0001.tar", 2, 2),
    ]
    samples = list(unpack_foreign_shard((tars / "train-0001.tar").read_bytes(), "s"))
    assert [s.image["id"] for s in samples] == [1, 2]
    assert {(s.image["width"], s.image["height"]) for s in samples} == {(80, 40)}
    assert samples[0].annotations[0]["keypoints"] == JOINTS


def test_a_set_of_them_trains(tars):
    source = open_source(parse_set(f"s={tars}"), "s")
    assert len(source) == 4
    rng = np.random.default_rng(0)
    still = Augmentation(flip=0, half_body=0, scale=0, rotation=0, jitter=0)
    sharp = replace(still, degrade=False)
    for person in range(4):
        sample = sample_crop(source, rng, 0, person, still)
        assert np.array_equal(sample.crop, sample_crop(source, rng, 0, person, sharp).crop)
        assert (sample.joints[:, 2] == 2).all()
        assert sample.joints[:, :2] == pytest.approx(
            np.tile(sample.joints[0, :2], (17, 1)), abs=1e-6
        )
        assert sample.crop.max() > 60
    assert set(source.digests()) == {f"{tars}/train-0000.tar", f"{tars}/train-0001.tar"}


def test_a_set_of_them_is_evaluated(tars, tmp_path, monkeypatch):
    monkeypatch.setenv("REPOGEN_CACHE", str(tmp_path / "cache"))
    people = drop_unreadable(with_true_sizes(read_set(f"s={tars}")))[0]
    assert len(people.labelled()) == 4
    assert people.keypoints.reshape(4, -1).tolist() == [JOINTS] * 4
    assert (people.sizes == (80, 40)).all()
    picture = read_labelled_image(str(people.path(0)), 80, 40)
    assert picture.mean() == pytest.approx(90, abs=1)
    (labels,) = (tmp_path / "cache").rglob("labels.json")
    before = labels.stat().st_mtime_ns
    read_set(f"s={tars}")
    assert labels.stat().st_mtime_ns == before  # unpacked once


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("{tmp}/empty", "holds neither shards.json nor .tar files"),
        ("{tmp}/gone", "gone has no shards.json, and its files cannot be listed: No such file"),
        ("nowhere://x", "Protocol not known: nowhere"),
    ],
)
def test_the_reason_why_there_are_no_shards_is_said(tmp_path, url, says):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=says):
        open_shards(url.format(tmp=tmp_path))


def test_samples_that_cannot_be_used_are_counted(tmp_path, capsys):
    members = {
        "good.jpg": encoded(),
        "good.json": PERSON,
        "bare.jpg": encoded(),
        "alone.json": PERSON,
        "broken.jpg": b"no picture",
        "broken.json": PERSON,
        "resized.jpg": encoded(width=60),
        "resized.json": PERSON | {"width": 80, "height": 40},
    }
    write_tar(tmp_path / "s/x.tar", members)
    assert open_shards(str(tmp_path / "s")).shards[0].persons == 1
    said = capsys.readouterr().err
    assert "4 samples are left out; the first," in said
    assert "bare, has no JSON file" in said


def test_folders_without_usable_samples_are_refused(tmp_path):
    write_tar(tmp_path / "s/x.tar", {"a.txt": b"words"})
    with pytest.raises(UserError, match="holds no sample of a picture and a JSON file"):
        open_shards(str(tmp_path / "s"))
    (tmp_path / "s/.parts").mkdir()
    with pytest.raises(UserError, match="not a finished repogen dataset"):
        parse_set(f"s={tmp_path / 's'}")
