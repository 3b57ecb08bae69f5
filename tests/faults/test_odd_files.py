"""FIFOs, devices, sockets, folders and files without end, in place of each file that a command
reads: every command ends at once, with one line."""

import os
import re
import shutil
import signal
import socket
from contextlib import contextmanager

import pytest

from repogen.cli import main
from repogen.files import open_regular, path_for_library, read_lines, read_regular
from repogen.limits import MAX_LINE

_SECONDS = 60


def fifo(path):
    os.mkfifo(path)


def link_to_fifo(path):
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def zeros(path):
    path.symlink_to("/dev/zero")


def full(path):
    path.symlink_to("/dev/full")


def a_socket(path):
    here = os.getcwd()
    os.chdir(path.parent)  # names of sockets are short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def folder(path):
    path.mkdir()


def huge(path):
    with path.open("wb") as file:
        file.truncate(2**41)


KINDS = (fifo, link_to_fifo, zeros, full, a_socket, folder, huge)


@contextmanager
def time_limit():
    def late(*_):
        raise TimeoutError(f"no end after {_SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("kind", KINDS)
def test_only_regular_files_of_bounded_size_are_opened(tmp_path, kind):
    kind(tmp_path / "x")
    for path in (tmp_path / "x", str(tmp_path / "x")):
        with time_limit(), pytest.raises(OSError, match=r"not a regular file|more than") as error:
            read_regular(path, 2**20)
        assert error.value.filename == str(path)
    with (
        time_limit(),
        pytest.raises(OSError, match=r"not a regular file|more than"),
        path_for_library(tmp_path / "x", 2**20),
    ):
        pass


def test_a_link_to_a_regular_file_is_read(tmp_path):
    (tmp_path / "a").write_bytes(b"some bytes")
    (tmp_path / "b").symlink_to("a")
    assert read_regular(tmp_path / "b", 10) == b"some bytes"
    with pytest.raises(OSError, match="more than 9 bytes"):
        read_regular(tmp_path / "b", 9)


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(bytes(1000))
    for read in (lambda f: f.read(), lambda f: f.readinto(bytearray(5000)), lambda f: list(f)):
        with open_regular(path, 1000) as file:
            with path.open("ab") as more:
                more.write(bytes(100))
            with pytest.raises(OSError, match="more than 1,000 bytes"):
                read(file)
        path.write_bytes(bytes(1000))


def test_files_whose_size_the_system_does_not_say_are_bounded():
    whole = read_regular("/proc/self/maps", 2**24)
    assert os.stat("/proc/self/maps").st_size == 0
    assert len(whole) > 1000
    with pytest.raises(OSError, match="more than 100 bytes"):
        read_regular("/proc/self/maps", 100)


def test_lines_are_bounded(tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(b"one\r\ntwo\n" + "drei ü".encode())
    assert list(read_lines(path, 100)) == ["one\n", "two\n", "drei ü"]
    path.write_bytes(bytes(MAX_LINE + 2))
    with pytest.raises(OSError, match="a line of more than"):
        list(read_lines(path, 2**30))


# Each command, with the file in whose place the odd one stands; `work` holds the files that exist.
COMMANDS = {
    "generate --backgrounds": ("in/a.jpg", "generate out --backgrounds in"),
    "generate --backgrounds, TIFF": ("in/a.tif", "generate out --backgrounds in"),
    "generate --backgrounds, EXR": ("in/a.exr", "generate out --backgrounds in"),
    "generate --backgrounds, HDR": ("in/a.hdr", "generate out --backgrounds in"),
    "generate --backgrounds coco:": ("in/a.json", "generate out --backgrounds coco:in/a.json:in"),
    "generate --poses, BVH": ("in/a.bvh", "generate out --poses in"),
    "generate --poses, npz": ("in/a.npz", "generate out --poses in"),
    "generate --poses, npy": ("in/a.npy", "generate out --poses in"),
    "generate --poses, pkl": ("in/a.pkl", "generate out --poses in"),
    "generate --bounds": ("a.toml", "generate out --bounds a.toml"),
    "generate --textures": ("in/a.png", "generate out --textures in"),
    "generate --cutouts": ("in/a.png", "generate out --cutouts in"),
    "generate --sampler": ("a.toml", "generate out --sampler a.toml"),
    "mine, resumed": ("mined/mining/mine.json", "mine mined --weights lightning"),
    "mine --weights": ("a.onnx", "mine mined --weights a.onnx"),
    "probe, resumed": ("map/options.json", "probe map --weights lightning"),
    "generate --config": ("a.toml", "generate out --config a.toml"),
    "generate --body-path": ("in/SMPLX_MALE.npz", "generate out --body smplx --body-path in"),
    "generate --body-path, pkl": ("in/SMPL_MALE.pkl", "generate out --body smpl --body-path in"),
    "generate, resumed": ("coco/run.json", "generate coco --images 20"),
    "preview": ("coco/run.json", "preview coco"),
    "preview, picture": ("coco/images/00000001.jpg", "preview coco"),
    "preview, annotations": ("coco/annotations/person_keypoints.json", "preview coco"),
    "preview, scenes": ("coco/scenes.jsonl", "preview coco"),
    "preview, shard": ("webdataset/shard-000000.tar", "preview webdataset"),
    "info": ("coco/annotations/person_keypoints.json", "info coco"),
    "validate": ("coco/run.json", "validate coco --rerender 0"),
    "validate, picture": ("coco/images/00000001.jpg", "validate coco --rerender 0"),
    "validate, mask": ("coco/masks/00000001.png", "validate coco --rerender 0"),
    "validate, annotations": (
        "coco/annotations/person_keypoints.json", "validate coco --rerender 0"),
    "validate, scenes": ("coco/scenes.jsonl", "validate coco --rerender 0"),
    "validate, shards.json": ("webdataset/shards.json", "validate webdataset --rerender 0"),
    "validate, shard": ("webdataset/shard-000001.tar", "validate webdataset --rerender 0"),
    "rerender": ("coco/scenes.jsonl", "rerender coco 1"),
    "convert": ("coco/images/00000003.jpg", "convert coco out"),
    "convert, scenes": ("coco/scenes.jsonl", "convert coco out"),
    "convert, shards": ("webdataset/shard-000000.tar", "convert webdataset out"),
    "convert, run.json": ("webdataset/run.json", "convert webdataset out"),
    "convert --to": ("coco/images/00000003.jpg", "convert coco out --to coco"),
    "convert --to, COCO": ("a.json", "convert a.json:in out --to coco"),
    "convert --to, YOLO": ("in/data.yaml", "convert in/data.yaml out --to coco"),
    "convert --to, Hugging Face": ("in/train/metadata.jsonl", "convert in out --to coco"),
    "convert --to gltf": ("coco/scenes.jsonl", "convert coco out --to gltf"),
    "convert --to, tar files": ("in/a.tar", "convert in out --to coco"),
    "views": ("a.json", "views a.json"),
    "evaluate --data": ("a.json", "evaluate --weights w.onnx --data a=a.json:in"),
    "evaluate --weights": ("a.safetensors", "evaluate --weights a.safetensors --data a=coco"),
    "evaluate --weights, ONNX": ("a.onnx", "evaluate --weights a.onnx --data a=coco"),
    "evaluate --detections": ("a.json", "evaluate --detections a=a.json --data a=coco"),
    "predict": ("in/a.jpg", "predict in/a.jpg --weights tiny.safetensors"),
    "predict, video": ("in/a.mp4", "predict in/a.mp4 --weights tiny.safetensors"),
    "predict, folder": ("in/a.jpg", "predict in --weights tiny.safetensors"),
    "predict --boxes": ("a.json", "predict coco/images --boxes a.json --weights tiny.safetensors"),
    "predict --weights, ONNX": ("a.onnx", "predict coco/images --weights a.onnx"),
    "predict --weights, pth": ("a.pth", "predict coco/images --weights a.pth"),
    "train --train": ("a.json", "train out --train a=a.json:in --val a=coco --model tiny"),
    "train --train, shards": ("webdataset/shards.json", "train out --train a=webdataset"),
    "train, tar files": ("in/a.tar", "train out --train a=in --val v=coco"),
    "train --train live:": ("a.toml", "train out --train a=live:a.toml --val v=coco"),
    "train --train live:, sampler": (
        "a.toml", "train out --train a=live:options.toml:a.toml --val v=coco"),
    "train --init": ("a.safetensors", "train out --train a=coco --val v=coco --init a.safetensors"),
    "weights export": ("a.pth", "weights export a.pth out.onnx"),
    "weights export, index": (
        "in/model.safetensors.index.json", "weights export in out.onnx"),
    "weights convert": ("a.safetensors", "weights convert a.safetensors b.safetensors"),
    "assets add, mhclo": ("in/a.mhclo", "assets add in"),
    "assets add, EXR": ("in/a.exr", "assets add in"),
    "assets add, zip": ("a.zip", "assets add a.zip"),
    "assets list": ("assets/p/pack.json", "assets list"),
    "assets check": ("assets/p/pack.json", "assets check"),
}  # fmt: skip

FINDINGS = ("validate, ", "assets check")
"""Commands that list what they find, with exit code 1. A preview shows a black tile."""


@pytest.fixture
def work(datasets, tmp_path, monkeypatch):
    from repogen.models import build_model
    from repogen.models.weights import save_weights

    for name, root in datasets.items():
        shutil.copytree(root, tmp_path / name)
    save_weights(tmp_path / "tiny.safetensors", build_model("tiny").state_dict(), "tiny")
    (tmp_path / "w.onnx").write_bytes(b"")
    (tmp_path / "options.toml").write_text("")
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path / "assets"))
    return tmp_path


@pytest.mark.parametrize(
    "kind", [fifo, *(pytest.param(k, marks=pytest.mark.slow) for k in KINDS[1:])]
)
def test_no_command_waits_or_breaks(kind, work, capfd):
    broken = []
    for name, (place, command) in COMMANDS.items():
        path, kept = work / place, work / "kept"
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.rename(kept)
        kind(path)
        capfd.readouterr()
        try:
            with time_limit():
                code = main(command.split())
        except BaseException as error:
            code = repr(error)
        out, err = capfd.readouterr()
        odd = [x for x in err.splitlines() if x and not re.match(r"repogen: |.*(%\||img/s)", x)]
        expected = 1 if name.startswith(FINDINGS) else 0 if name == "preview, picture" else 2
        if code != expected or odd or not out + err:
            broken.append((name, code, out, err))
        _remove(path)
        _remove(work / "in")
        _remove(work / "out")
        (work / "in").mkdir()
        if kept.exists():
            kept.rename(path)
    assert not broken, "\n".join(map(str, broken))


def _remove(path):
    for one in (path, path.with_name("pipe")):
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one)
        else:
            one.unlink(missing_ok=True)
