"""Datasets of scenes that the user gives, which have all that a dataset of drawn scenes has."""

import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from helpers import contents
from repogen import GenerateConfig, convert, generate, rerender, sample_scene, validate
from repogen.cli import main
from repogen.datasets.checksums import CHECKSUMS
from repogen.datasets.folder import CHUNK_IMAGES, DatasetFolder
from repogen.errors import UserError
from repogen.generation.own_scenes import read_own_scenes, scenes_of_chunk

OPTIONS = {"image_size": 48, "wardrobe": "painted", "backgrounds": "plain", "views": "sphere"}
COUNT = CHUNK_IMAGES + 3


@pytest.fixture(scope="module")
def drawn(body, tmp_path_factory):
    """A dataset of scenes that repogen drew."""
    root = tmp_path_factory.mktemp("drawn") / "set"
    return generate(root, images=COUNT, seed=8, workers=1, write="masks", **OPTIONS)


@pytest.fixture
def lines(drawn):
    return (drawn / "scenes.jsonl").read_text().splitlines()


@pytest.fixture
def scene(body):
    return sample_scene(**OPTIONS)


def pictures_and_labels(root):
    """All bytes but those of run.json and what names its SHA-256."""
    return contents(root, without=("run.json", "person_keypoints.json", CHECKSUMS))


def labels(root):
    coco = json.loads((root / "annotations" / "person_keypoints.json").read_text())
    return coco["images"], coco["annotations"]


def test_the_scenes_of_a_dataset_give_it_again(drawn, lines, tmp_path):
    once = generate(tmp_path / "once", scenes=iter(lines), write="masks", workers=1)
    assert pictures_and_labels(once) == pictures_and_labels(drawn)
    assert labels(once) == labels(drawn)
    assert validate(once, "all") == []
    file = tmp_path / "scenes.jsonl"
    file.write_text("\n".join(lines) + "\n\n")
    words = ["generate", str(tmp_path / "twice"), "--write", "masks", "--workers", "2"]
    assert main([*words, "--scenes", str(file)]) == 0
    assert contents(tmp_path / "twice") == contents(once)


def test_scenes_get_the_number_of_their_image(scene, tmp_path):
    root = generate(tmp_path / "set", scenes=[scene, replace(scene, group=7), scene], workers=1)
    stored = [json.loads(line) for line in (root / "scenes.jsonl").read_text().splitlines()]
    assert [(one["index"], one["group"]) for one in stored] == [(0, 0), (1, 7), (2, 0)]
    images = contents(root / "images").values()
    assert len(images) == 3
    assert len(set(images)) == 1
    (again,) = rerender(root, ids=2, out=tmp_path / "again")
    assert again.read_bytes() in images


def test_a_run_resumes_with_the_same_scenes_only(lines, tmp_path, monkeypatch):
    root = tmp_path / "set"
    with monkeypatch.context() as patch:
        patch.setattr(DatasetFolder, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            generate(root, scenes=lines, workers=1)
    (root / ".parts" / "00000001.jsonl").unlink()
    first = root / "images" / "00000001.jpg"
    before = first.stat().st_mtime_ns
    with pytest.raises(UserError, match="was started with other scenes of your own; give the same"):
        generate(root, scenes=lines[::-1])
    with pytest.raises(UserError, match="was started with other scenes of your own"):
        generate(root, images=COUNT)
    generate(root, scenes=(line for line in lines), workers=1)
    assert first.stat().st_mtime_ns == before
    assert contents(root) == contents(generate(tmp_path / "at-once", scenes=lines, workers=1))
    with pytest.raises(UserError, match=r"finished dataset of 19 images.*it differs in scenes"):
        generate(root, scenes=lines[:5])
    assert generate(root, scenes=lines) == root


def test_shards_hold_them_too(lines, tmp_path):
    options = {"format": "webdataset", "shard_images": 8, "workers": 1}
    shards = generate(tmp_path / "shards", scenes=lines, **options)
    assert validate(shards) == []
    folder = convert(shards, tmp_path / "folder")
    assert validate(folder) == []
    assert (folder / "scenes.jsonl").read_text().splitlines() == lines


def test_validate_finds_other_scenes_than_those_given(lines, tmp_path):
    root = generate(tmp_path / "set", scenes=lines[:3], workers=1)
    (root / CHECKSUMS).unlink()
    scenes = root / "scenes.jsonl"
    scenes.write_text(scenes.read_text().replace('"ambient":0.', '"ambient":1.', 1))
    assert any("not those of scenes_sha256" in problem for problem in validate(root, 0))


def test_workers_find_the_files_that_scenes_show(body, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (60, 60, 3), np.uint8)
    cv2.imwrite(str(photos / "a.png"), noise)
    options = OPTIONS | {"backgrounds": str(photos)}
    scenes = [sample_scene(seed=1, index=i, **options) for i in range(COUNT)]
    root = generate(tmp_path / "set", scenes=scenes, workers=2, embed_sources=True)
    assert validate(root) == []
    assert (root / "sources").is_dir()


def test_a_file_that_nobody_named_is_looked_for_in_the_folder_given(body, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    noise = np.random.default_rng(1).integers(0, 255, (60, 60, 3), np.uint8)
    cv2.imwrite(str(photos / "b.png"), noise)
    line = sample_scene(**OPTIONS | {"backgrounds": str(photos)}).to_json()
    stranger = line.replace(json.loads(line)["background"]["file"]["sha256"], "0" * 64)
    with pytest.raises(UserError, match=r"scene 1: shows 'b.png', a file that nobody named; give"):
        generate(tmp_path / "set", scenes=[stranger])
    with pytest.raises(UserError, match="another content"):
        generate(tmp_path / "set", scenes=[stranger], backgrounds=photos)
    shutil.rmtree(photos)
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    ("items", "options", "says"),
    [
        (lambda s: [s, 5], {}, "scene 2: 5 is neither a Scene nor a line of JSON"),
        (lambda s: [s, s, "{"], {}, "scene 3: is not JSON"),
        (lambda s: [replace(s, people=())], {}, "scene 1: has no people"),
        (lambda s: [s, replace(s, ambient=float("nan"))], {}, "scene 2: ambient: "),
        (lambda s: [replace(s, ambient=1j)], {}, "scene 1: cannot be written as JSON"),
        (lambda _: [], {}, "there are no scenes"),
        (lambda s: s.to_json(), {}, "should be several scenes, or a file of them"),
        (lambda s: s, {}, "should be several scenes, or a file of them"),
        (lambda _: "/no/such/file", {}, "cannot read /no/such/file: No such file"),
        (lambda s: [s], {"images": 7}, "--images 7, but there are 1 scenes"),
        (lambda s: [s], {"views": "top"}, "--views is for scenes that repogen draws"),
        (lambda s: [s], {"seed": 3}, "--seed is for scenes that repogen draws"),
        (lambda s: [s], {"preset": "rare-views"}, "--views is for scenes that repogen draws"),
    ],
)
def test_bad_scenes_and_options_are_one_line(scene, tmp_path, items, options, says):
    with pytest.raises(UserError, match=says) as error:
        generate(tmp_path / "set", scenes=items(scene), **options)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "set").exists()


def test_scenes_that_cannot_be_rendered_are_named(scene, tmp_path):
    person = replace(scene.people[0], angles={"left_wing": (0.0, 0.0, 0.0)})
    bad = replace(scene, people=(person,))
    with pytest.raises(UserError, match=r"^scene 2: .*left_wing"):
        generate(tmp_path / "set", scenes=[scene, bad], workers=1)


def test_chunks_hold_all_scenes_in_order(lines):
    given = [lines[i % COUNT] for i in range(50)]
    own = read_own_scenes(iter(given), GenerateConfig(), CHUNK_IMAGES)
    chunks = [scenes_of_chunk(own, k).lines for k in (3, 1, 0, 2)]
    assert [len(chunk) for chunk in chunks] == [2, 16, 16, 16]
    found = [json.loads(line) for k in (2, 1, 3, 0) for line in chunks[k]]
    assert found == [json.loads(line) | {"index": i} for i, line in enumerate(given)]
