"""Names are bytes: a folder of photographs works whatever its files are called."""

import json
import os
import shutil
import unicodedata
from pathlib import Path

import cv2
import numpy as np
import pytest

from repogen.cli import main
from repogen.coco.names import CATEGORY
from repogen.inference.frames import list_media, read_frames

NAMES = [
    b"caf\xe9.jpg", b"\xff\xfe.jpg", b"two\nlines.jpg", b"-leading.jpg", b"a::b.jpg",
    unicodedata.normalize("NFD", "é").encode() + b"x.jpg", "👩‍👩‍👧.jpg".encode(), b"100%d.jpg",
    b"\x1b[2J.jpg", b"x" * 251 + b".jpg", b"$\\frac$.jpg", b"<b>&\"'.jpg", b" .jpg",
]  # fmt: skip
TINY = "tiny.safetensors"


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder of Latin-1 name with a picture of each name, and weights beside it."""
    from repogen.models import build_model
    from repogen.models.weights import save_weights

    save_weights(tmp_path / TINY, build_model("tiny").state_dict(), "tiny")
    folder = tmp_path / os.fsdecode(b"sommer \xe4")
    folder.mkdir()
    for i, name in enumerate(NAMES):
        picture = np.full((48, 40, 3), 20 * i, np.uint8)
        (folder / os.fsdecode(name)).write_bytes(cv2.imencode(".jpg", picture)[1].tobytes())
    monkeypatch.chdir(tmp_path)
    return folder


def run(capfd, *words):
    code = main([str(word) for word in words])
    out, err = capfd.readouterr()
    assert code == 0, err
    assert all(c.isprintable() or c in "\n\t\r" for c in out + err)


def names_in(path):
    path.read_bytes().decode()  # valid UTF-8
    return {os.fsencode(entry["file_name"]) for entry in json.loads(path.read_bytes())}


def test_predict_reads_and_names_every_picture(photos, capfd):
    out = photos.parent / os.fsdecode(b"aus \xfc")
    boxes = [
        {"file_name": os.fsdecode(name), "category_id": 1, "bbox": [5, 5, 30, 40], "score": 1.0}
        for name in NAMES
    ]
    Path("boxes.json").write_text(json.dumps(boxes))
    options = ("--write", "drawn", "people", "cvat", "label-studio", "--joint-score", "0")
    options += ("--boxes", "boxes.json")
    run(capfd, "predict", photos, "--weights", TINY, "--out", out, *options)
    assert names_in(out / "results.json") == set(NAMES)
    assert {os.fsencode(p.name) for p in (out / "drawn").iterdir()} == set(NAMES)
    for path in out.rglob("*.xml"):
        path.read_bytes().decode()
    again = ("--boxes", out / "results.json", "--box-score", "0")
    run(capfd, "predict", photos, "--weights", TINY, "--out", "again", *again)
    assert names_in(Path("again/results.json")) == set(NAMES)


def test_evaluate_reads_every_picture(photos, capfd):
    images = [
        {"id": i, "file_name": os.fsdecode(name), "width": 40, "height": 48}
        for i, name in enumerate(NAMES, start=1)
    ]
    people = [
        {"id": i["id"], "image_id": i["id"], "category_id": 1, "bbox": [5, 5, 30, 40],
         "area": 1200, "iscrowd": 0, "keypoints": [20, 20, 2] * 17, "num_keypoints": 17}
        for i in images
    ]  # fmt: skip
    coco = {"images": images, "annotations": people, "categories": [CATEGORY]}
    Path("a.json").write_text(json.dumps(coco))
    bad = os.fsdecode(b"<script>$\\frac$\xff")
    shutil.copy(TINY, f"{bad}.safetensors")
    run(
        capfd, "evaluate", "--weights", f"{bad}={bad}.safetensors", "--out", "report.json",
        "--data", f"{bad}=a.json:{photos}", "--bootstrap-samples", "10",
    )  # fmt: skip
    report = json.loads(Path("report.json").read_bytes())
    assert report["sets"][bad]["total"]["persons"] == len(NAMES)
    for kind in ("html", "md"):
        assert "<script>$" not in Path(f"report.{kind}").read_text(encoding="utf-8")


@pytest.mark.slow
def test_backgrounds_and_preview(photos, capfd):
    out = photos.parent / os.fsdecode(b"daten \xf6")
    options = ("--images", "3", "--image-size", "64", "--wardrobe", "painted", "--workers", "1")
    run(capfd, "generate", out, "--backgrounds", photos, *options)
    scenes = [json.loads(line) for line in (out / "scenes.jsonl").read_text().splitlines()]
    used = {os.fsencode(Path(scene["background"]["file"]["name"]).name) for scene in scenes}
    assert used <= set(NAMES)
    run(capfd, "validate", out, "--rerender", "3", "--backgrounds", photos)
    run(capfd, "preview", out)
    run(capfd, "info", out)
    run(capfd, "convert", out, os.fsdecode(b"shards \xe9"))
    (out / "preview" / "index.html").read_bytes().decode()


@pytest.mark.parametrize("name", [b"caf\xe9", b"100%d", b"film"])
def test_videos_of_any_name_are_read_and_written(tmp_path, monkeypatch, name, capfd):
    writer = cv2.VideoWriter(str(tmp_path / "v.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 25, (64, 48))
    for i in range(3):
        writer.write(np.full((48, 64, 3), 60 * i, np.uint8))
    writer.release()
    path = tmp_path / os.fsdecode(name + b".mp4")
    (tmp_path / "v.mp4").rename(path)
    _, media = list_media((path,), tmp_path / "out")
    assert len(list(read_frames(media, []))) == 3


def test_a_local_name_is_no_chain_of_protocols(datasets, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(datasets["webdataset"], tmp_path / "x::y")
    run(capfd, "convert", "./x::y", "out")
    run(capfd, "convert", "x::y", "other")
    from repogen.datasets.sets import parse_set

    assert parse_set("a=./x::y").shards == "./x::y"
