"""Generation: the same bytes for any number of workers, resuming, refusals, and validation."""

import json
import socket
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
from pycocotools import mask as rle

from helpers import contents
from repogen import GenerateConfig, UserError, generate, rerender, validate
from repogen.assets import Item, assets_dir, remove
from repogen.assets.packs import write_index
from repogen.datasets.folder import CHUNK_IMAGES, MAPS, DatasetFolder
from repogen.datasets.reading import read_coco, write_run_info
from repogen.files import sha256_of_bytes, write_atomic
from repogen.generation.engines import start_method
from repogen.generation.run_info import run_info
from repogen.generation.worker import write_chunk_on_node
from repogen.pictures import encode_png

SMALL = {"image_size": 96, "backgrounds": "builtin", "seed": 11, "workers": 1}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, body):
    return generate(
        tmp_path_factory.mktemp("data") / "set",
        GenerateConfig(images=2 * CHUNK_IMAGES + 4, write=("depth", "masks", "parts"), **SMALL),
    )


def test_a_dataset_folder_has_its_documented_files(dataset):
    names = set(contents(dataset))
    assert {"scenes.jsonl", "annotations/person_keypoints.json"} <= names
    assert "images/00000001.jpg" in names
    assert f"depth/{2 * CHUNK_IMAGES + 4:08d}.png" in names
    assert not any(name.startswith(".") or "partial" in name for name in names)
    coco = json.loads((dataset / "annotations/person_keypoints.json").read_text())
    assert [i["id"] for i in coco["images"]] == list(range(1, 2 * CHUNK_IMAGES + 5))
    assert {"K", "R", "t", "model"} <= set(coco["images"][0]["camera"])
    assert {"azimuth_deg", "elevation_deg", "roll_deg", "distance_m"} <= set(
        coco["images"][0]["view"]
    )
    assert {"config", "versions"} <= set(json.loads((dataset / "run.json").read_text()))


def test_a_generated_dataset_is_valid(dataset):
    assert validate(dataset, rerender=3) == []


def test_an_image_circle_is_recorded_validated_and_rendered_again(tmp_path):
    options = {"lens": "equidistant", "fov": (170, 190), "circle": (120, 150), "framing": "paper"}
    config = GenerateConfig(images=4, distance=(0.8, 1.2), people=(2, 2), **options, **SMALL)
    out = generate(tmp_path / "set", config)
    assert validate(out, rerender=4) == []
    path = out / "annotations/person_keypoints.json"
    coco = json.loads(path.read_text())
    assert all(120 <= image["camera"]["circle_deg"] <= 150 for image in coco["images"])
    for image in coco["images"]:
        image["camera"]["circle_deg"] = 10.0
    path.write_text(json.dumps(coco))
    problems = validate(out)
    assert any("does not mean outside the image" in problem for problem in problems)
    assert any("does not give the camera of the image record" in problem for problem in problems)


def test_four_workers_write_the_same_bytes(dataset, tmp_path):
    config = GenerateConfig(
        images=2 * CHUNK_IMAGES + 4, write=("depth", "masks", "parts"), **(SMALL | {"workers": 4})
    )
    assert contents(generate(tmp_path / "set", config)) == contents(dataset)


def test_groups_of_views_cross_chunks_and_keep_their_bytes(tmp_path):
    """Whatever the number of workers, after a resume, and as the beginning of a longer run."""
    options = SMALL | {"views_per_pose": 3, "image_size": 48}
    config = GenerateConfig(images=CHUNK_IMAGES + 4, **options)
    out = generate(tmp_path / "set", config)
    assert validate(out, rerender=2) == []
    whole = contents(out)
    images = json.loads(DatasetFolder(out).annotations.read_text())["images"]
    assert [image["group"] for image in images] == [k // 3 + 1 for k in range(len(images))]
    assert contents(generate(tmp_path / "two", replace(config, workers=2))) == whole
    longer = contents(generate(tmp_path / "longer", replace(config, images=CHUNK_IMAGES + 6)))
    pictures = [name for name in whole if name.startswith("images/")]
    assert all(longer[name] == whole[name] for name in pictures)
    DatasetFolder(out).annotations.unlink()
    (out / pictures[-1]).unlink()
    assert contents(generate(out, config)) == whole


def test_processes_that_use_cuda_are_spawned():
    assert start_method("cuda") == start_method("cuda:1") == "spawn"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is known to have fork servers")
def test_processes_without_cuda_are_forks_on_linux():
    assert start_method("cpu") == "forkserver"


def test_another_seed_gives_other_images(dataset, tmp_path):
    other = generate(tmp_path / "set", GenerateConfig(images=2, **(SMALL | {"seed": 12})))
    assert (other / "images/00000001.jpg").read_bytes() != (
        dataset / "images/00000001.jpg"
    ).read_bytes()


def test_rerender_gives_the_same_bytes(dataset, tmp_path):
    (path,) = rerender(dataset, (17,), tmp_path / "again")
    assert path.read_bytes() == (dataset / "images/00000017.jpg").read_bytes()
    depth = DatasetFolder(tmp_path / "again").map("depth", 17)
    assert depth.read_bytes() == (dataset / "depth/00000017.png").read_bytes()
    lines = (tmp_path / "again/checksums.sha256").read_text().splitlines()
    digests = {line[66:]: line[:64] for line in lines}
    written = {
        n: d
        for n, d in contents(tmp_path / "again").items()
        if n[0] != "." and n != "checksums.sha256"
    }
    assert digests == {name: sha256_of_bytes(data) for name, data in written.items()}
    with pytest.raises(UserError, match="no image 999"):
        rerender(dataset, (999,), tmp_path / "again")
    before = contents(dataset)
    with pytest.raises(UserError, match="choose another folder"):
        rerender(dataset, (1,), dataset)
    assert contents(dataset) == before


@pytest.fixture(scope="module")
def crowd(tmp_path_factory, body):
    """A dataset of several people per image, with no label option at its default."""
    config = GenerateConfig(
        images=3, people=(2, 4), spread=1.0, occluders=(0, 2), occluded="drop",
        keypoints="wholebody",
        write=MAPS, **SMALL,
    )  # fmt: skip
    return generate(tmp_path_factory.mktemp("crowd") / "set", config)


def test_rerendered_labels_agree_with_the_dataset(crowd, tmp_path):
    rerender(crowd, (3, 1), tmp_path / "again")
    folder, again = DatasetFolder(crowd), DatasetFolder(tmp_path / "again")
    theirs, ours = read_coco(again), read_coco(folder)
    assert theirs["images"] == [ours["images"][0], ours["images"][2]]
    assert theirs["categories"] == ours["categories"]
    assert [a["id"] for a in theirs["annotations"]] == [*range(1, len(theirs["annotations"]) + 1)]
    kept = [a | {"id": 0} for a in ours["annotations"] if a["image_id"] in (1, 3)]
    assert [a | {"id": 0} for a in theirs["annotations"]] == kept
    assert {"lefthand_kpts", "foot_3d", "amodal_bbox", "view"} <= set(kept[0])
    for kind in ("masks", "stick/all", "stick/visible", "normals"):
        assert again.map(kind, 3).read_bytes() == folder.map(kind, 3).read_bytes()


def test_masks_number_the_annotations_of_an_image(crowd):
    folder = DatasetFolder(crowd)
    most = 0
    for image in read_coco(folder)["images"]:
        numbered = cv2.imread(str(folder.map("masks", image["id"])), cv2.IMREAD_UNCHANGED)
        own = [a for a in read_coco(folder)["annotations"] if a["image_id"] == image["id"]]
        assert numbered.max() == len(own)
        for number, annotation in enumerate(own, start=1):
            assert ((numbered == number) == rle.decode(annotation["segmentation"])).all()
        most = max(most, len(own))
    assert most > 1


def test_folders_with_other_content_are_refused_and_left_unchanged(dataset, tmp_path):
    before = contents(dataset)
    config = GenerateConfig(images=2 * CHUNK_IMAGES + 4, write=("depth", "masks", "parts"), **SMALL)
    assert generate(dataset, config) == dataset
    with pytest.raises(UserError, match=r"finished dataset .*differs in seed"):
        generate(dataset, replace(config, seed=config.seed + 1))
    assert contents(dataset) == before

    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match=r"thesis\.tex"):
        generate(tmp_path / "foreign", config)
    assert contents(tmp_path / "foreign") == {"thesis.tex": b"mine"}

    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="is a file"):
        generate(tmp_path / "file", config)


def test_resuming_with_other_options_is_refused(tmp_path, dataset):
    out = tmp_path / "set"
    out.mkdir()
    (out / "run.json").write_bytes((dataset / "run.json").read_bytes())
    config = GenerateConfig(
        images=2 * CHUNK_IMAGES + 4, write=("depth", "masks", "parts"), **(SMALL | {"seed": 99})
    )
    with pytest.raises(UserError, match="seed = 11, not 99"):
        generate(out, config)


def install(version, *names):
    """Install a pack called hats with these empty items, replacing any other."""
    folder = assets_dir() / "hats"
    folder.mkdir(parents=True, exist_ok=True)
    items = [Item("skins", name, name, "CC0", {}, ()) for name in names]
    write_index(folder, "hats", version, "here", items)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda: install("2", "bowler"), "started with hats 1, which have changed"),
        (lambda: install("1", "bowler", "fez"), "started with hats 1, which have changed"),
        (lambda: remove("hats"), "no asset pack 'hats' is installed"),
    ],
    ids=["upgraded", "other items", "removed"],
)
def test_resuming_with_other_asset_packs_is_refused(tmp_path, monkeypatch, body, change, says):
    monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path / "assets"))
    install("1", "bowler")
    config = GenerateConfig(images=2, packs="hats", **SMALL)
    out = generate(tmp_path / "set", config)
    whole = contents(out)
    DatasetFolder(out).annotations.unlink()
    half = contents(out)
    change()
    with pytest.raises(UserError, match=says):
        generate(out, config)
    assert contents(out) == half
    install("1", "bowler")
    assert contents(generate(out, config)) == whole


def test_packs_that_are_not_named_may_change(tmp_path, monkeypatch, body):
    monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path / "assets"))
    config = GenerateConfig(images=1, **SMALL)
    out = generate(tmp_path / "set", config)
    whole = contents(out)
    DatasetFolder(out).annotations.unlink()
    install("1", "bowler")
    assert contents(generate(out, config)) == whole


def test_files_that_options_name_are_read_again_for_every_run(tmp_path, body):
    photos = tmp_path / "photos"
    photos.mkdir()
    config = GenerateConfig(images=1, **(SMALL | {"backgrounds": str(photos), "image_size": 32}))
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(photos / name), np.full((64, 64, 3), 90, np.uint8))
        out = generate(tmp_path / name, config)
        assert f'"name":"{name}"' in (out / "scenes.jsonl").read_text()
        (photos / name).unlink()


@pytest.mark.parametrize("seen", [True, False])
def test_other_machines_must_see_the_inputs_of_the_run(tmp_path, monkeypatch, body, seen):
    monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path / "assets"))
    install("1", "bowler")
    config = GenerateConfig(images=1, packs="hats", **(SMALL | {"image_size": 32}))
    folder = DatasetFolder(tmp_path / "set")
    if seen:
        write_run_info(folder, run_info(config, "built-in places"))
    else:
        folder.root.mkdir()
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("REPOGEN_ASSETS", str(tmp_path / "none"))
        says = "no asset pack 'hats' is installed" if seen else "has no readable run.json"
        with pytest.raises(UserError, match=f"on {socket.gethostname()}: .*{says}"):
            write_chunk_on_node(folder, config, 0)
    assert not folder.chunk_file(0).exists()
    if not seen:
        write_run_info(folder, run_info(config, "built-in places"))
    assert write_chunk_on_node(folder, config, 0) == 1
    assert folder.chunk_file(0).exists()


def test_a_script_without_a_main_guard_gets_an_error_that_says_so(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from repogen import GenerateConfig, generate\n"
        "config = GenerateConfig(images=40, image_size=64, workers=2, packs=())\n"
        f"generate({str(tmp_path / 'set')!r}, config)"
    )
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert 'put the call under `if __name__ == "__main__":`' in run.stderr


def damage_missing_image(root):
    (root / "images/00000002.jpg").unlink()


def damage_truncated_image(root):
    path = root / "images/00000003.jpg"
    path.write_bytes(path.read_bytes()[:100])


def edit_first(root, **changes):
    path = root / "annotations/person_keypoints.json"
    coco = json.loads(path.read_text())
    coco["annotations"][0] |= changes
    path.write_text(json.dumps(coco))


def damage_area(root):
    edit_first(root, area=1.0)


def damage_box(root):
    edit_first(root, bbox=[0.0, 0.0, 5.0, 5.0])


def damage_count(root):
    edit_first(root, num_keypoints=3)


def damage_keypoint(root):
    path = root / "annotations/person_keypoints.json"
    coco = json.loads(path.read_text())
    coco["annotations"][0]["keypoints"][0] += 2.0
    path.write_text(json.dumps(coco))


def damage_scene_order(root):
    path = root / "scenes.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[1], lines[0], *lines[2:]]))


def damage_scene_text(root):
    (root / "scenes.jsonl").write_text("{}\n")


def damage_ids(root):
    path = root / "annotations/person_keypoints.json"
    coco = json.loads(path.read_text())
    coco["images"][0]["id"] = 77
    path.write_text(json.dumps(coco))


def damage_a_depth_map(root):
    path = DatasetFolder(root).map("depth", 1)
    depth = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    write_atomic(path, encode_png(depth + (depth > 0).astype(depth.dtype)))


def damage_a_record(root):
    edit_first(root, iscrowd=1)


def damage_other_picture(root):
    (root / "images/00000001.jpg").write_bytes((root / "images/00000002.jpg").read_bytes())


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (damage_missing_image, "images/00000002.jpg"),
        (damage_truncated_image, "images/00000003.jpg"),
        (damage_area, "area is 1.0"),
        (damage_box, "bbox"),
        (damage_count, "num_keypoints is 3"),
        (damage_keypoint, "keypoints_3d projects"),
        (damage_scene_order, "is of image 2"),
        (damage_scene_text, "scenes.jsonl line 1: cannot be read: not a scene: {} has no format"),
        (damage_ids, "image ids"),
        (damage_other_picture, "images/00000001.jpg: has another SHA-256 than"),
        (damage_a_depth_map, "depth/00000001.png: has another SHA-256 than"),
        (damage_a_record, "annotation 1: iscrowd is 1"),
    ],
)
def test_validate_finds_each_kind_of_damage(tmp_path, body, damage, says):
    root = generate(tmp_path / "set", GenerateConfig(images=4, write=("depth",), **SMALL))
    assert validate(root) == []
    damage(root)
    problems = validate(root)
    assert any(says in problem for problem in problems), problems
