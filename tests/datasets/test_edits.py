"""`validate` finds every edit of a finished dataset, also one with new checksums."""

import json
import shutil

import cv2
import numpy as np
import pytest
from edits import KEPT, RECORDS, RERENDER, sign, tie
from folder_edits import CHECKSUM_EDITS, FOLDER_EDITS
from shard_edits import SHARD_EDITS, UNFORGED_EDITS, forge

from helpers import contents
from repogen import UserError, generate, validate

OPTIONS = {
    "images": 3, "seed": 12, "workers": 1, "image_size": 64, "people": (2, 3), "spread": 0.8,
    "occluders": (1, 1), "effects": "noise", "backgrounds": "builtin", "wardrobe": "painted",
    "views": "sphere",
}  # fmt: skip


@pytest.fixture(scope="module")
def datasets(body, tmp_path_factory):
    """A folder and shards, by the kind of their edits."""
    root = tmp_path_factory.mktemp("edits")
    maps = ("depth", "masks", "parts", "normals", "stick")
    shards = {"format": "webdataset", "shard_images": 2, "write": ("depth", "masks")}
    return {
        "folder": generate(root / "folder", keypoints="feet", write=maps, **OPTIONS),
        "shards": generate(root / "shards", **OPTIONS, **shards),
    }


@pytest.mark.parametrize("kind", ["coco", "webdataset"])
def test_datasets_of_pictures_that_are_not_square_are_valid(tmp_path, kind):
    maps = ("depth", "masks", "parts", "normals", "stick")
    options = {
        "images": 2, "image_size": (96, 48), "lens": "equidistant", "circle": (80, 80),
        "effects": "all", "format": kind, "write": maps,
    }  # fmt: skip
    root = generate(tmp_path / "set", **(OPTIONS | options))
    assert validate(root, "all") == []
    paths = [path for path in root.rglob("*") if path.suffix in (".jpg", ".png")]
    assert len(paths) == (2 * 7 if kind == "coco" else 0)  # shards hold theirs in tar files
    assert all(cv2.imread(str(path)).shape[:2] == (48, 96) for path in paths)


EDITS = {"folder": FOLDER_EDITS, "shards": SHARD_EDITS}

UNFORGED = {"folder": CHECKSUM_EDITS, "shards": UNFORGED_EDITS}


def problems(root, rerender):
    try:
        return validate(root, rerender)
    except UserError as error:
        return [str(error)]


def edited_names(before, after):
    return [name for name in before | after if before.get(name) != after.get(name)]


def edits(finder):
    """(kind, name) of the edits that this finds after they were forged."""
    return [(kind, name) for kind in EDITS for name, (_, by) in EDITS[kind].items() if by == finder]


@pytest.mark.parametrize("kind", EDITS)
def test_the_unchanged_dataset_is_valid(datasets, kind):
    assert validate(datasets[kind], "all") == []


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in EDITS for name in EDITS[kind] | UNFORGED[kind]]
)
def test_every_edit_is_found_and_its_file_named(datasets, tmp_path, kind, name):
    root = shutil.copytree(datasets[kind], tmp_path / "set")
    edit = UNFORGED[kind].get(name) or EDITS[kind][name][0]
    edit(root)
    names = edited_names(contents(datasets[kind], without=()), contents(root, without=()))
    assert names
    found = problems(root, rerender=0)
    for edited in names:
        assert any(edited in problem for problem in found), (edited, found)


def forged(datasets, tmp_path, kind, name):
    """A copy with the edit, and checksums and digests of what it holds now."""
    root = shutil.copytree(datasets[kind], tmp_path / "set")
    EDITS[kind][name][0](root)
    original = json.loads((datasets[kind] / "run.json").read_text())
    if kind == "shards":
        if (root / "shards.json").exists():
            forge(root, original)
    else:
        tie(root)
        sign(root, original)
    return root


@pytest.mark.parametrize(("kind", "name"), edits(RECORDS))
def test_a_forged_edit_contradicts_other_files(datasets, tmp_path, kind, name):
    assert problems(forged(datasets, tmp_path, kind, name), rerender=0)


QUICK = ("pictures exchanged", "v = 2 to 1", "joint bent", "run of other poses")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        pytest.param(*edit, marks=() if edit[1] in QUICK else pytest.mark.slow)
        for edit in edits(RERENDER)
    ],
)
def test_a_forged_edit_is_found_by_making_the_images_again(datasets, tmp_path, kind, name):
    root = forged(datasets, tmp_path, kind, name)
    assert problems(root, rerender=0) == []
    assert problems(root, rerender="all")


@pytest.mark.parametrize("kind", EDITS)
def test_several_processes_find_the_same(datasets, tmp_path, monkeypatch, kind):
    root = shutil.copytree(datasets[kind], tmp_path / "set")
    monkeypatch.setattr("repogen.datasets.validate.dataset._WORTH_PROCESSES", 1)
    assert validate(root, "all", workers=2) == []
    for path in root.glob("images/*.jpg" if kind == "folder" else "*.tar"):
        path.write_bytes(path.read_bytes() + b"x")
    found = validate(root, workers=2)
    assert len(found) > 1
    assert found == validate(root, workers=1)


def test_a_dataset_without_checksums_is_checked_further(datasets, tmp_path):
    root = shutil.copytree(datasets["folder"], tmp_path / "set")
    (root / "checksums.sha256").unlink()
    (problem,) = validate(root, 0)
    assert problem.startswith("checksums.sha256: is missing; only changes that contradict other")
    FOLDER_EDITS["iscrowd"][0](root)
    assert validate(root, 0) == [problem, "annotation 1: iscrowd is 1, repogen writes 0"]


def test_scenes_that_need_files_of_the_user_are_only_rendered_again(body, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    cv2.imwrite(str(tmp_path / "photos" / "a.png"), np.full((64, 64, 3), 90, np.uint8))
    backgrounds = {"backgrounds": str(tmp_path / "photos")}
    root = generate(tmp_path / "set", **OPTIONS | backgrounds | {"images": 1})
    assert validate(root, "all") == []
    assert "are not drawn again from its options: they need" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["none", -1, 1.5])
def test_a_wrong_number_of_images_to_make_again_is_refused(datasets, wrong):
    with pytest.raises(UserError, match="rerender"):
        validate(datasets["folder"], wrong)


def test_what_only_checksums_protect_is_nothing_that_data_depends_on():
    assert {name for _, name in edits(KEPT)} == {"run of other libraries", "run with a note"}


def test_there_are_at_least_120_kinds_of_edit():
    assert sum(len(found) for found in (*EDITS.values(), *UNFORGED.values())) >= 120
