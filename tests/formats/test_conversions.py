"""`repogen convert`: whole files, resuming, links and copies, bad input in one line."""

import json
import os
import tracemalloc
from typing import get_args

import pytest

from helpers import contents
from repogen import UserError, convert, generate
from repogen.formats import convert as module
from repogen.formats.options import FormatName
from repogen.formats.output import MARK
from repogen.formats.table import FORMATS

EVERY = sorted(FORMATS)


def test_the_choices_are_the_table():
    assert set(get_args(FormatName)) == set(FORMATS)


def test_pictures_are_linked_copied_or_left_out(people, tmp_path):
    linked = convert(people, tmp_path / "link", to="coco")
    copied = convert(people, tmp_path / "copy", to="coco", images="copy")
    none = convert(people, tmp_path / "none", to="coco", images="none")
    names = sorted(os.listdir(people / "images"))
    assert sorted(os.listdir(linked / "images")) == sorted(os.listdir(copied / "images")) == names
    for name in names:
        assert os.readlink(linked / "images" / name) == str(people / "images" / name)
        assert not (copied / "images" / name).is_symlink()
    assert contents(linked, {MARK}) == contents(copied, {MARK})
    assert not (none / "images").exists()
    assert contents(linked / "annotations") == contents(none / "annotations")


@pytest.mark.parametrize("to", EVERY)
def test_shards_and_folders_give_the_same_files(people, tmp_path, to):
    shards = convert(people, tmp_path / "shards", shard_images=4)
    one = convert(people, tmp_path / "one", to=to, images="copy")
    other = convert(shards, tmp_path / "other", to=to, images="copy")
    without = {MARK, "README.md"}  # they name the source, and its licences
    found = {
        name: data.replace(str(shards).encode(), str(people).encode())
        for name, data in contents(other, without).items()
    }
    assert found == contents(one, without)
    assert len(found) > 0


class Killed(BaseException):
    pass


@pytest.mark.parametrize("to", EVERY)
def test_a_stopped_conversion_resumes_and_leaves_no_half_file(people, tmp_path, monkeypatch, to):
    whole = contents(convert(people, tmp_path / "whole", to=to, images="copy"), {MARK})
    for stop in (0, 3):
        out = tmp_path / f"stopped-{stop}"
        with monkeypatch.context() as patch:
            patch.setattr(module, "tqdm", lambda images, stop=stop, **_: until(images, stop))
            with pytest.raises(Killed):
                convert(people, out, to=to, images="copy")
        left = {n: d for n, d in contents(out, {MARK}).items() if not n.startswith(".parts/")}
        assert left.items() <= whole.items()
        assert len(left) < len(whole)
        convert(people, out, to=to, images="copy")
        assert contents(out, {MARK}) == whole


def until(images, stop):
    for number, image in enumerate(images):
        if number == stop:
            raise Killed
        yield image


def test_a_finished_conversion_says_so_and_another_is_refused(people, tmp_path, convert_words):
    out = tmp_path / "out"
    assert convert_words(people, out, "--to", "coco")[0] == 0
    before = contents(out)
    assert convert_words(people, out, "--to", "coco") == (0, f"repogen: {out} is already finished")
    for words in (["--to", "yolo-pose"], ["--to", "coco", "--images", "copy"]):
        says = f"repogen: error: {out} holds another conversion; choose another folder"
        assert convert_words(people, out, *words) == (2, says)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note.txt").write_text("mine")
    says = f"repogen: error: {tmp_path / 'mine'} holds other files; choose another folder"
    assert convert_words(people, tmp_path / "mine", "--to", "coco") == (2, says)
    assert contents(out) == before


def test_memory_does_not_grow_with_the_number_of_images(people, tmp_path):
    def peak(to, count):
        source = larger(people, tmp_path / f"{to}-{count}", count)
        tracemalloc.start()
        convert(source, tmp_path / f"{to}-{count}-out", to=to, images="none")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    for to in ("coco", "human36m"):
        assert peak(to, 400) < 1.1 * peak(to, 130)  # 64 images are parsed together


def larger(people, root, count):
    """The dataset with its images again and again."""
    table = json.loads((people / "annotations" / "person_keypoints.json").read_text())
    lines = {"images": [], "annotations": []}
    for number in range(count):
        old = table["images"][number % len(table["images"])]
        lines["images"].append(old | {"id": number + 1})
        lines["annotations"] += [
            a | {"image_id": number + 1} for a in table["annotations"] if a["image_id"] == old["id"]
        ]
    (root / "annotations").mkdir(parents=True)
    (root / "run.json").write_bytes((people / "run.json").read_bytes())
    parts = [f'"{k}":{json.dumps(table[k])}' for k in ("info", "licenses", "categories")] + [
        f'"{name}":[\n' + ",\n".join(map(json.dumps, lines[name])) + "\n]" for name in lines
    ]
    path = root / "annotations" / "person_keypoints.json"
    path.write_text("{" + ",\n".join(parts) + "}\n")
    return root


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere", "out", "--to", "coco"], "nowhere is no dataset: give a folder"),
        (["{people}", "out", "--to", "yolo"], "unknown --to 'yolo'; choose from"),
        (["{people}", "out", "--to", "coco", "--images", "move"], "unknown --images 'move'"),
        (["{people}/images", "out", "--to", "coco"], "holds none of run.json, data.yaml"),
        (["{people}/run.json", "out", "--to", "coco"], "give the folder of its images, too"),
        (["a.json:/nowhere", "out", "--to", "coco"], "no folder /nowhere"),
        (["{people}/run.json:{people}", "out", "--to", "coco"], "is not a COCO file"),
        (["{people}", "out", "--to", "coco", "--shard-images", "0"], "must lie between 1 and"),
    ],
)
def test_bad_input_is_one_line(people, convert_words, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    code, line = convert_words(*(word.format(people=people) for word in words))
    assert code == 2
    assert line.startswith("repogen: error: ")
    assert says in line
    assert not (tmp_path / "out").exists()


def test_a_missing_picture_is_one_line(tmp_path, body):
    source = generate(
        tmp_path / "two", images=2, image_size=64, backgrounds="plain", wardrobe="painted",
        workers=1, keypoints="wholebody",
    )  # fmt: skip
    (source / "images" / "00000002.jpg").unlink()
    for to in sorted(name for name, one in FORMATS.items() if one.pictures):
        with pytest.raises(UserError, match=r"cannot read .*00000002\.jpg: No such file"):
            convert(source, tmp_path / to, to=to)
