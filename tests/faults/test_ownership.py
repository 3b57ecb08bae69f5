"""What a user has in the folder that a command writes to stays as it is, byte for byte."""

import os
import shutil
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from faulty import contents, die_writing, in_child

from repogen import files
from repogen.cli import main
from repogen.models import build_model
from repogen.models.weights import save_weights
from repogen.outputs import RECORD, OutputFolder
from repogen.viewpoint_estimation.regressor import ViewRegressor
from repogen.viewpoint_estimation.trained import TrainedRegressor

everything = partial(contents, without=())

WORDS = {
    "preview": "preview {data} --out {out} --images 2",
    "views": "views {data} --out {out}",
    "rerender": "rerender {data} --ids 2 --out {out}",
    "predict": "predict {data}/images --weights {weights} --out {out} "
    "--write drawn people cvat label-studio",
    "evaluate": "evaluate --weights {weights} --data s={data} --bootstrap-samples 0 "
    "--out {out}/results.json",
}
FILES = {
    "preview": ("index.html", "browse.html", "sheet.png", "angles.png"),
    "views": ("views.html", "views.json", "sphere.png", "bands.png"),
    "rerender": ("annotations/person_keypoints.json", "images/00000002.jpg", "masks/00000002.png"),
    "predict": (
        "results.json", "people.json", "drawn/00000007.jpg", "cvat/images.xml",
        "label_studio/tasks.json",
    ),
    "evaluate": ("results.json", "results.html", "results.md", "results_poses/tiny@s.json"),
}  # fmt: skip
EACH_FILE = [(verb, name) for verb, names in FILES.items() for name in names]


@pytest.fixture
def run(datasets, tmp_path, monkeypatch, capsys):
    """Runs a verb into a folder; returns its exit code and the last line on stderr."""
    untrained = TrainedRegressor(ViewRegressor(np.random.default_rng(0)).eval(), [])
    monkeypatch.setattr("repogen.viewpoint_estimation.charting.load_regressor", lambda: untrained)
    weights = tmp_path / "tiny.safetensors"
    save_weights(weights, build_model("tiny").state_dict(), "tiny")

    def run(verb, out, words=WORDS):
        code = main(words[verb].format(data=datasets["coco"], weights=weights, out=out).split())
        return code, ["", *capsys.readouterr().err.splitlines()][-1]

    return run


@pytest.mark.parametrize(("verb", "name"), EACH_FILE)
def test_a_users_file_is_not_overwritten(run, tmp_path, verb, name):
    file = tmp_path / "out" / name
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    assert run(verb, tmp_path / "out") == (
        2, f"repogen: error: {file} exists and was not written by repogen {verb}; choose another "
        "folder",
    )  # fmt: skip
    assert everything(tmp_path / "out") == {name: b"mine"}


@pytest.mark.parametrize(("verb", "name"), [(verb, names[0]) for verb, names in FILES.items()])
@pytest.mark.parametrize("where", ["file", "folder", "nothing"])
def test_no_link_is_written_through(run, tmp_path, verb, name, where):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("mine")
    link = out / name
    link.parent.mkdir(parents=True)
    target = {"file": elsewhere / "file", "folder": elsewhere, "nothing": elsewhere / "none"}[where]
    link.symlink_to(target)
    code, said = run(verb, out)
    assert code == 2
    assert f"{link} is a " in said or f"{link} must be a file" in said
    assert os.readlink(link) == str(target)
    assert everything(elsewhere) == {"file": b"mine"}


@pytest.mark.parametrize(("verb", "name"), [("rerender", "images"), ("predict", "drawn")])
def test_no_folder_that_is_a_link_is_written_into(run, tmp_path, verb, name):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    out.mkdir()
    (out / name).symlink_to(elsewhere)
    assert run(verb, out)[1].startswith(f"repogen: error: {out / name} is a link")
    assert everything(elsewhere) == {}


@pytest.mark.parametrize("verb", WORDS)
def test_a_command_given_again_replaces_its_own_files_and_no_others(run, tmp_path, verb):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    (out / ".hidden.partial").write_text("mine")
    assert run(verb, out)[0] == 0
    first = everything(out)
    assert first.keys() >= {*FILES[verb], RECORD, "notes.txt", ".hidden.partial"}
    assert run(verb, out)[0] == 0
    assert everything(out) == first
    assert len(first[RECORD].split()) == len({*first[RECORD].splitlines()} - {b""}) * 6
    changed = out / FILES[verb][-1]
    changed.write_text("mine")
    assert run(verb, out) == (
        2, f"repogen: error: {changed} has changed since repogen {verb} wrote it; move it "
        "elsewhere, or choose another folder",
    )  # fmt: skip
    assert everything(out) == first | {FILES[verb][-1]: b"mine"}


def test_several_commands_share_a_folder_but_no_file(run, tmp_path):
    out = tmp_path / "out"
    for verb in ("preview", "views", "predict"):
        assert run(verb, out)[0] == 0
    before = everything(out)
    assert run("evaluate", out)[1] == (
        f"repogen: error: {out}/results.json exists and was not written by repogen evaluate; "
        "choose another folder"
    )
    assert everything(out) == before


@pytest.mark.parametrize("content", ["mine", "{}\n", '[{"file": "index.html"}]', None])
def test_a_users_file_of_the_records_name_is_not_changed(run, tmp_path, content):
    record = tmp_path / "out" / RECORD
    record.parent.mkdir()
    if content is None:
        record.symlink_to(tmp_path / "record")
    else:
        record.write_text(content)
    said = f"{record} was not written by repogen; choose another folder"
    assert run("preview", tmp_path / "out") == (2, f"repogen: error: {said}")
    assert everything(tmp_path / "out") == ({RECORD: content.encode()} if content else {})
    assert not (tmp_path / "record").exists()


def test_half_a_line_of_the_record_is_ignored(tmp_path):
    """As a full disk leaves it: what was written before stays ours, and what comes after is."""
    for name in ("a", "b", "c"):
        OutputFolder(tmp_path, "preview").write(tmp_path / name, name.encode())
        with (tmp_path / RECORD).open("a") as file:
            file.write('\n{"file": "d", "comm')
    for name in ("a", "b", "c"):
        OutputFolder(tmp_path, "preview").write(tmp_path / name, b"new")
    assert {(tmp_path / name).read_bytes() for name in "abc"} == {b"new"}


OTHER_WORDS = {
    "generate": "generate {out} --images 1",
    "convert": "convert {data} {out}",
    "train": "train --out {out} --train s={data} --model tiny --epochs 1 --workers 0",
    "weights convert": "weights convert {weights} {out}/images.safetensors",
    "weights blend": "weights blend {weights} {weights} {out}/images.safetensors --alpha 0.5",
    "weights export": "weights export {weights} {out}/images.onnx",
}


@pytest.mark.parametrize("verb", OTHER_WORDS)
@pytest.mark.parametrize("kind", ["file", "link", "run.json"])
def test_commands_that_need_a_new_folder_refuse_a_users(run, tmp_path, verb, kind):
    out = tmp_path / "out"
    (out / "images").mkdir(parents=True)
    (out / "images" / "00000001.jpg").write_text("mine")
    for name in ("images.safetensors", "images.onnx"):
        if kind == "link":
            (out / name).symlink_to(tmp_path / "nothing")
        else:
            (out / name).write_text("mine")
    if kind == "run.json":
        (out / "run.json").write_text('{"config": {}}')
    before = everything(out)
    code, said = run(verb, out, OTHER_WORDS)
    assert code == 2
    assert said.startswith("repogen: error: ")
    assert everything(out) == before
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("verb", ["generate", "convert"])
def test_a_users_folder_of_our_work_folders_name_stays(run, tmp_path, verb):
    file = tmp_path / "out" / ".parts" / "precious.txt"
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    assert run(verb, tmp_path / "out", OTHER_WORDS)[0] == 2
    assert everything(tmp_path / "out") == {".parts/precious.txt": b"mine"}


@pytest.mark.skipif(not Path("/proc/self/mounts").exists(), reason="needs a read-only folder")
def test_a_read_only_folder_is_one_line(run, monkeypatch):
    code, said = run("preview", Path("/proc/self"))
    assert code == 2
    assert said.startswith("repogen: error: cannot write /proc/self/")


@pytest.mark.parametrize("name", ["index.html", "views.png"])
@pytest.mark.parametrize("moment", ["half", "before", "after"])
def test_a_command_killed_while_writing_can_be_given_again(tmp_path, name, moment):
    """Every file is the command's own, and its temporary files are gone."""
    out = tmp_path / "out"
    names = ("sheet.png", "views.png", "index.html")

    def write(number):
        folder = OutputFolder(out, "preview")
        for name in names:
            folder.write(out / name, f"{name} {number}".encode())

    write(0)

    def dying():
        die_writing(name, moment=moment)
        write(1)

    assert in_child(dying) == -signal.SIGKILL
    files._remove_dead_partials.cache_clear()  # as in a new process
    write(2)
    assert everything(out).keys() == {*names, RECORD}
    assert {(out / name).read_text() for name in names} == {f"{name} 2" for name in names}


def test_output_folders_can_be_moved(tmp_path):
    OutputFolder(tmp_path / "out", "preview").write(tmp_path / "out" / "a" / "b", b"old")
    shutil.move(tmp_path / "out", tmp_path / "moved")
    OutputFolder(tmp_path / "moved", "preview").write(tmp_path / "moved" / "a" / "b", b"new")
    assert (tmp_path / "moved/a/b").read_bytes() == b"new"
