"""Presets of `repogen generate`."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from helpers import contents
from repogen import PRESETS, GenerateConfig, UserError, generate, render, sample_scene
from repogen.assets import Item
from repogen.assets.packs import write_index
from repogen.assets.panoramas import write_panorama
from repogen.config import config_from_table
from repogen.files import sha256_of

PAPER = sorted(name for name in PRESETS if name.startswith("paper-"))


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_builds_a_config(options_of, name):
    config = options_of("generate", "out", "--preset", name)
    assert isinstance(config, GenerateConfig)
    assert config != GenerateConfig()
    assert options_of("generate", "out", "--preset", name) == config


def test_options_win_over_a_preset(options_of):
    words = ("generate", "out", "--preset", "paper-no-texture")
    assert options_of(*words, "--images", "7") != options_of(*words)
    assert options_of(*words, "--images", "1000") == options_of(*words)
    with pytest.raises(UserError, match="unknown preset 'paper-tob'"):
        options_of("generate", "out", "--preset", "paper-tob")


def test_acrobatic_poses_need_no_variance_of_a_preset(options_of, tmp_path):
    words = ("generate", "out", "--preset", "gymnastics")
    file = tmp_path / "options.toml"
    file.write_text('[pose]\npose_distribution = "acrobatic"\n')
    assert options_of(*words).pose.pose_variance == 1.2
    for acrobatic in (("--pose-distribution", "acrobatic"), ("--config", str(file))):
        config = options_of(*words, *acrobatic)
        assert (config.pose.pose_distribution, config.pose.pose_variance) == ("acrobatic", 1.0)
        assert config.pose.orientation == options_of(*words).pose.orientation
    uniform = options_of(*words, "--config", str(file), "--pose-distribution", "uniform")
    assert uniform.pose.pose_variance == 1.2
    with pytest.raises(UserError, match="has bounds of its own"):
        options_of(*words, "--pose-distribution", "acrobatic", "--pose-variance", "1.2")


@pytest.mark.parametrize("value", ["true", "false"])
def test_a_toml_file_may_hold_booleans(options_of, tmp_path, value):
    path = tmp_path / "options.toml"
    path.write_text(f"[people]\npatterns = {value}\n")
    flag = "--patterns" if value == "true" else "--no-patterns"
    assert options_of("generate", "out", "--config", path) == options_of("generate", "out", flag)


@pytest.mark.parametrize("line", ["[people]\npatterns = 1", "images = true"])
def test_a_toml_file_may_not_mix_booleans_and_numbers(options_of, tmp_path, line):
    path = tmp_path / "options.toml"
    path.write_text(line + "\n")
    with pytest.raises(UserError, match=r"options\.toml: "):
        options_of("generate", "out", "--config", path)


def preset(name, **options):
    return replace(config_from_table(GenerateConfig, PRESETS[name], name), **options)


def install_pack(folder):
    """A pack of everything that outfits and backgrounds choose from."""
    (folder / "environment").mkdir(parents=True)
    write_panorama(folder / "environment/sky.exr", np.full((32, 64, 3), 0.5, np.float32))
    digest = sha256_of(folder / "environment/sky.exr")
    contents = (
        ("clothes", "suit", ()), ("clothes", "boots", ("shoes",)), ("clothes", "cap", ("hats",)),
        ("hair", "bob", ()), ("eyebrows", "thick", ()), ("eyelashes", "long", ()),
        ("skins", "freckles", ()), ("environment", "sky", ()),
    )  # fmt: skip
    items = tuple(
        Item(kind, name, "", "CC0", {"environment/sky.exr": digest} if name == "sky" else {}, tags)
        for kind, name, tags in contents
    )
    write_index(folder, folder.name, "1", "a test", items)


@pytest.mark.parametrize("name", PAPER)
def test_scenes_of_the_paper_do_not_depend_on_installed_packs(body, tmp_path, monkeypatch, name):
    monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path))
    before = [sample_scene(preset(name), 3, index, body) for index in range(3)]
    install_pack(tmp_path / "mine")
    assert GenerateConfig(packs="mine").backdrop[1] == "1 panoramas"
    assert [sample_scene(preset(name), 3, index, body) for index in range(3)] == before


def test_a_dataset_of_the_paper_has_the_same_bytes_whatever_is_installed(
    body, tmp_path, monkeypatch
):
    monkeypatch.setenv("REPOGEN_ASSETS", str(tmp_path / "assets"))
    config = preset("paper-topbottom", images=3, image_size=96, workers=1)
    without = generate(tmp_path / "without", config)
    install_pack(tmp_path / "assets" / "mine")
    assert contents(generate(tmp_path / "with", config), ()) == contents(without, ())


@pytest.mark.parametrize("name", PAPER)
def test_lights_of_the_paper_are_five_equal_white_ones(body, name):
    scene = sample_scene(preset(name), 3, 0, body)
    assert len(scene.lights) == 5
    assert {light.color for light in scene.lights} == {(0.4, 0.4, 0.4)}
    assert not any(light.shadow for light in scene.lights)
    assert (scene.ambient, scene.tinted) == (0.05, False)


def difference(scene, other):
    """The dotted names of what differs between two scenes."""

    def leaves(value, at=""):
        if isinstance(value, dict | list):
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            return {k: v for name, item in pairs for k, v in leaves(item, f"{at}.{name}").items()}
        return {at: value}

    one, two = (leaves(json.loads(s.to_json())) for s in (scene, other))
    return {key for key in one.keys() | two.keys() if one.get(key) != two.get(key)}


def test_without_texture_only_the_patterns_go(body):
    seen = set()
    for index in range(12):
        full, plain = (
            sample_scene(preset(name), 3, index, body)
            for name in ("paper-pair-of-gaussians", "paper-no-texture")
        )
        seen |= difference(full, plain)
    ends = ("top_fabric.pattern", "bottom_fabric.pattern")
    assert seen == {f".people.0.outfit.{end}" for end in ends}


def test_without_background_only_the_background_goes(body):
    names = ("paper-pair-of-gaussians", "paper-no-background")
    for index in range(4):
        scenes = [sample_scene(preset(name, image_size=256), 3, index, body) for name in names]
        assert all(key.startswith(".background") for key in difference(*scenes))
        full, plain = (render(scene, body=body) for scene in scenes)
        inside = cv2.erode(full.masks[0].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        assert inside.any()
        same = (full.image[inside] == plain.image[inside]).all(axis=1)
        assert same.mean() > 0.99, "a few pixels see the background through gaps"
