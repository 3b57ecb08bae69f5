"""Files that users bring: one bad file among good ones never ends a run, before or during it."""

import json
import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from helpers import contents
from repogen import GenerateConfig, UserError, generate
from repogen.assets.panoramas import write_panorama
from repogen.cli import main
from repogen.environment.occluders import CUTOUT
from repogen.generation.worker import SampleMaker
from repogen.scenes.sample.scene import sample_scene
from repogen.scenes.scene import Scene

SMALL = {"image_size": 64, "seed": 3, "wardrobe": "painted", "images": 8, "workers": 1}


def write_photo(path, value):
    pixels = np.random.default_rng(value).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    cv2.imwrite(str(path), pixels)


def write_cutout(path, value):
    Image.new("RGBA", (40, 30), (value, 0, 0, 200)).save(path)


def write_sky(path, value):
    write_panorama(path, np.full((16, 32, 3), 0.1 + value / 99, np.float32))


def write_poses(path, value):
    poses = [{"angles": {"head": [float(value), 0, 0]}}]
    path.write_text(json.dumps({"format": "repogen-poses", "poses": poses}))


KINDS = {
    "photographs": ("jpg", write_photo, {}, "backgrounds"),
    "panoramas": ("exr", write_sky, {}, "backgrounds"),
    "poses": ("json", write_poses, {"backgrounds": "plain"}, "poses"),
    "cut-outs": ("png", write_cutout, {"backgrounds": "plain", "occluders": (3, 4)}, "cutouts"),
    "textures": ("png", write_photo, {"backgrounds": "plain"}, "textures"),
}


def make_folder(tmp_path, kind, count=3):
    """A folder of files of a kind, and a config of a run that uses it."""
    suffix, write, options, option = KINDS[kind]
    folder = tmp_path / "files"
    folder.mkdir()
    for value in range(count):
        write(folder / f"f{value}.{suffix}", value)
    return folder, SMALL | options | {option: str(folder)}


def spoil(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_file_is_left_out_named_once_and_the_dataset_finished(tmp_path, kind, capfd, body):
    folder, options = make_folder(tmp_path, kind)
    bad = sorted(folder.iterdir())[1]
    spoil(bad)
    out = generate(tmp_path / "out", GenerateConfig(**options))
    said = capfd.readouterr().err
    assert said.count(str(bad)) == 1
    assert "1 of 3 files left out, the first because" in said
    scenes = (out / "scenes.jsonl").read_text()
    assert len(scenes.splitlines()) == 8
    assert bad.name not in scenes
    two = generate(tmp_path / "two", GenerateConfig(**(options | {"workers": 2})))
    assert contents(two) == contents(out)


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_bad_files_is_a_user_error_that_names_one(tmp_path, kind):
    folder, options = make_folder(tmp_path, kind)
    for path in folder.iterdir():
        spoil(path)
    with pytest.raises(UserError, match=r"the first because .*f0\."):
        generate(tmp_path / "out", GenerateConfig(**options))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["truncated", "removed"])
def test_a_file_that_goes_bad_during_a_run_is_drawn_again(tmp_path, kind, fault, body, capfd):
    folder, options = make_folder(tmp_path, kind)
    config = GenerateConfig(**options)
    maker = SampleMaker(config)
    maker.make(0)  # the run has begun
    bad = sorted(folder.iterdir())[1]
    before = [sample_scene(config, 3, index, maker.body) for index in range(1, 8)]
    if fault == "truncated":
        spoil(bad)
    else:
        bad.unlink()
    forget_files()
    scenes = [Scene.from_json(maker.make(index).scene) for index in range(1, 8)]
    assert any(scene.unreadable for scene in scenes)
    for scene, old in zip(scenes, before, strict=True):
        assert bad.name not in str(scene.background)
        assert all(bad.name not in str(item.picture) for item in scene.occluders)
        assert all(bad.name in reason for reason in scene.unreadable)
        assert scene.unreadable or scene == old
    assert capfd.readouterr().err.count("another file is drawn in its place") <= 2
    again = SampleMaker(config)
    assert [Scene.from_json(again.make(index).scene) for index in range(1, 8)] == scenes


def forget_files():
    """Drop the files that this process has kept, as one that starts now would not have them."""
    from repogen.environment import backgrounds, panoramas
    from repogen.poses import motion

    backgrounds.load_photo.cache_clear()
    panoramas.panorama_pixels.cache_clear()
    motion.read_clip.cache_clear()


def test_strangers_folders_finish_with_the_bad_file_named_at_most_once(
    tmp_path, shared_data, capfd, body
):
    source = shared_data("strangers/one_bad_file")
    for kind, option in (("bvh", "poses"), ("panoramas", "backgrounds")):
        options = SMALL | {"backgrounds": "plain"} | {option: str(source / kind)}
        out = generate(tmp_path / kind, GenerateConfig(**options))
        assert len((out / "scenes.jsonl").read_text().splitlines()) == 8
        name = {"bvh": "zz_vrm_names.bvh", "panoramas": "bad.exr"}[kind]
        # Once, whether it is clamped, or left out; joints may be known by the tree.
        assert capfd.readouterr().err.count(name) <= 1


def test_the_command_line_names_a_bad_file_once(tmp_path, body, capsys):
    folder, _ = make_folder(tmp_path, "poses")
    spoil(folder / "f1.json")
    words = "--images 2 --image-size 64 --workers 1 --wardrobe painted --backgrounds plain"
    assert main(["generate", str(tmp_path / "out"), *words.split(), "--poses", str(folder)]) == 0
    said = capsys.readouterr().err
    assert said.count("1 of 3 files left out, the first because") == 1


def test_an_infinite_sun_is_said_once_and_used(tmp_path, shared_data, capfd, body):
    folder = tmp_path / "sky"
    folder.mkdir()
    shutil.copyfile(shared_data("strangers/panoramas/sun_inf.exr"), folder / "sun.exr")
    options = SMALL | {"backgrounds": str(folder), "workers": 2, "images": 20}
    out = generate(tmp_path / "out", GenerateConfig(**options))
    said = capfd.readouterr().err
    assert said.count("sun.exr: 1 infinite pixels are clamped") == 1
    scene = Scene.from_json((out / "scenes.jsonl").read_text().splitlines()[0])
    assert scene.background.file.name == "sun.exr"
    assert len(scene.lights) >= 1


def test_scenes_of_good_files_say_nothing(tmp_path, body):
    config = GenerateConfig(**make_folder(tmp_path, "cut-outs")[1])
    scenes = [sample_scene(config, 3, index, body) for index in range(12)]
    assert not any("unreadable" in scene.to_json() for scene in scenes)
    assert any(item.shape == CUTOUT for scene in scenes for item in scene.occluders)
