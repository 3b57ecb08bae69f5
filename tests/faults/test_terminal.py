"""No character that a terminal obeys reaches it from a file: escapes stand in every string and
name of every file that commands read."""

import json
import os
import shutil
from itertools import pairwise

import cv2
import numpy as np
import pytest

from repogen.cli import main

ESCAPE = "\x1b]0;x\x07\x9b2J\x7f\u202e"


def planted(value):
    """The value with escapes at the end of each of its strings and keys."""
    match value:
        case str():
            return value + ESCAPE
        case list():
            return [planted(entry) for entry in value]
        case dict():
            return {key: planted(entry) for key, entry in value.items()} | {ESCAPE: ESCAPE}
    return value


def variants(value, path=()):
    """The value with escapes in one of its strings at a time, and with one key replaced."""
    yield ESCAPE
    if isinstance(value, dict):
        for key, entry in value.items():
            for changed in variants(entry):
                yield value | {key: changed}
            yield {k + ESCAPE if k == key else k: v for k, v in value.items()}
    elif isinstance(value, list) and value:
        for changed in variants(value[0]):
            yield [changed, *value[1:]]


def dump(value):
    return json.dumps(value, ensure_ascii=False)


@pytest.fixture
def work(datasets, tmp_path, monkeypatch):
    from repogen.models import build_model
    from repogen.models.weights import save_weights

    for name, root in datasets.items():
        shutil.copytree(root, tmp_path / name)
    save_weights(tmp_path / "tiny.safetensors", build_model("tiny").state_dict(), "tiny")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path / "assets"))
    return tmp_path


@pytest.fixture
def check(capfd):
    """Runs a command, whose outputs must be safe; returns its exit code."""

    def run(command):
        capfd.readouterr()
        code = main(command.split())
        text = "".join(capfd.readouterr())
        bad = sorted({c for c in text if not (c.isprintable() or c in "\n\t\r")})
        assert not bad, (command, bad, text[:500])
        return code

    return run


READERS = ("info coco", "preview coco --images 1", "validate coco --rerender 0", "convert coco out",
           "convert coco out --to coco", "rerender coco 1", "views coco")  # fmt: skip


def every(values, count):
    """About `count` of the values, uniformly spread."""
    values = list(values)
    return values[:: max(1, len(values) // count)]


@pytest.mark.slow
def test_run_json(work, check):
    path = work / "coco" / "run.json"
    run = json.loads(path.read_text())
    for i, value in enumerate([planted(run), *every(variants(run), 20)]):
        path.write_text(dump(value))
        for command in READERS[:3] if i == 0 else READERS[i % 3 :][:1]:
            check(command)
            shutil.rmtree(work / "out", ignore_errors=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["scenes.jsonl", "annotations/person_keypoints.json"])
def test_records(work, check, name):
    path = work / "coco" / name
    text = path.read_text()
    if name == "scenes.jsonl":
        first, rest = text.split("\n", 1)
        texts = [f"{dump(value)}\n{rest}" for value in every(variants(json.loads(first)), 10)]
    else:
        coco = json.loads(text)
        texts = [dump(value) for value in every(variants(coco), 10)]
    texts += [text.replace('":', ESCAPE + '":'), ESCAPE + text, text.replace(":", ESCAPE, 3)]
    for i, changed in enumerate(texts):
        path.write_text(changed)
        check(READERS[i % len(READERS)])
        shutil.rmtree(work / "out", ignore_errors=True)


def test_shards(work, check):
    path = work / "webdataset" / "shards.json"
    manifest = json.loads(path.read_text())
    for value in every(variants(manifest), 6):
        path.write_text(dump(value))
        check("validate webdataset --rerender 0")
        check("info webdataset")


def test_packs(work, check):
    item = {"kind": "clothes", "name": "a", "uuid": "b", "licence": "CC0", "files": {"a": "b"},
            "tags": ["c"]}  # fmt: skip
    pack = {"name": "p", "version": "1", "source": "s", "items": [item]}
    path = work / "assets" / "p" / "pack.json"
    path.parent.mkdir(parents=True)
    for value in [planted(pack), *variants(pack)]:
        path.write_text(dump(value))
        check("assets list")
        check("assets check")


def test_weights(work, check):
    from safetensors.numpy import save

    path = work / "w.safetensors"
    for name, key in ((ESCAPE, "model"), ("tiny", ESCAPE), ("tiny" + ESCAPE, "model")):
        path.write_bytes(save({f"head{ESCAPE}": np.zeros(3, np.float32)}, {key: name}))
        assert check("weights convert w.safetensors b.safetensors") == 2
        assert check("evaluate --weights w.safetensors --data a=coco") == 2


def test_options(work, check):
    path = work / "o.toml"
    for text in (
        'views = ["x\\u001b[2J"]', '"\\u001b[2J" = 1', 'backgrounds = "\\u001b[2J"',
        'bounds = "\\u009b2J"',
        f'views = "{ESCAPE}"', 'lens = "\\u001b"', '[bounds]\n"\\u001b" = 1',
    ):  # fmt: skip
        path.write_text(text)
        assert check("generate out --config o.toml") == 2
        check("generate out --config o.toml --help")
        assert check("generate out --bounds o.toml") == 2
        assert check("train out --train a=live:o.toml") == 2


def test_names_of_files(work, check):
    folder = work / "in"
    folder.mkdir()
    for suffix in (".jpg", ".png", ".bvh", ".npz", ".exr", ".mhclo", ".mp4"):
        (folder / f"a{ESCAPE}{suffix}").write_bytes(b"no such file")
    good = cv2.imencode(".jpg", np.zeros((48, 40, 3), np.uint8))[1].tobytes()
    (folder / f"b{ESCAPE}.jpg").write_bytes(good)
    for command in (
        "generate out --backgrounds in", "generate out --poses in", "generate out --cutouts in",
        "generate out --textures in", "predict in --weights tiny.safetensors", "assets add in",
        "evaluate --weights tiny.safetensors --data a=in:in", "views in",
    ):  # fmt: skip
        check(command)
    os.rename("coco", f"c{ESCAPE}")
    for first, second in pairwise((f"c{ESCAPE}", f"d{ESCAPE}", f"e{ESCAPE}")):
        assert main(["convert", first, second]) == 0
        assert main(["info", second]) == 0
        check("assets list")
