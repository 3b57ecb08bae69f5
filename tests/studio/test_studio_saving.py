"""Saved files: the scene renders the same bytes, the options draw the same scene."""

import json
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest

from repogen import Scene, View, render
from repogen.cli import main
from repogen.coco.annotations import read_person_annotations
from repogen.config import config_from_table
from repogen.errors import UserError
from repogen.generation.config import PRESETS, GenerateConfig
from repogen.labels import Rendering
from repogen.scenes.sample.scene import sample_posed_scene
from repogen.studio.options import Likeness, changed_options, options_to_command, options_to_toml
from repogen.studio.picture import Layers, draw_layers, render_sampled
from repogen.studio.saving import save
from repogen.studio.state import State, draw, opened_scene, with_joint, with_orientation, with_view
from repogen.toml_files import read_config

VIEW = View(-130.0, -35.0, 12.5, 2.25)


@pytest.fixture
def saved(tmp_path, body, renderer):
    """Saves what a state shows; returns the folder, the scene and the picture (BGR)."""

    def make(state, like=Likeness(), images=100):  # noqa: B008
        rendering = Rendering(renderer.render(draw(state, body).scene))
        result = save(tmp_path / "out", state, rendering, rendering.image, like, images)
        return result, rendering.scene, rendering.result.image

    return make


def states(body):
    config = GenerateConfig(
        views="front", image_size=96, backgrounds="builtin", people=(1, 1), seed=3, effects="noise"
    )
    plain = State(config, index=4)
    person = draw(plain, body).scene.people[0]
    posed = with_joint(plain, person, 0, "left_hip", (-33.3, 12.1, 0.7))
    turned = with_orientation(posed, person, 0, (80.0, 33.0, -12.0))
    moved = with_view(turned, VIEW)
    return {"drawn": plain, "posed": posed, "turned": turned, "moved": moved}


@pytest.mark.parametrize("name", ["drawn", "posed", "turned", "moved"])
def test_saved_options_draw_the_scene_and_its_scene_renders_the_same_bytes(saved, body, name):
    state = states(body)[name]
    result, scene, picture = saved(state)
    text = (result.folder / "scene.json").read_text()
    assert Scene.from_json(text) == scene
    assert np.array_equal(render(Scene.from_json(text), body=body).image, picture[..., ::-1])
    assert np.array_equal(cv2.imread(str(result.folder / "picture.png")), picture)
    table = read_config(result.folder / "options.toml")
    config = config_from_table(GenerateConfig, table, "options.toml")
    assert sample_posed_scene(config, config.seed, state.index, body).scene == scene


def test_the_command_has_the_options_of_the_file(saved, body, options_of):
    result, _, _ = saved(states(body)["moved"], Likeness(pose_deg=5, view_deg=20), images=7)
    words = shlex.split(result.command)
    assert words[:2] == ["repogen", "generate"]
    config = options_of(*words[1:])
    assert config == GenerateConfig(**read_config(result.folder / "options.toml"))
    assert config.images == 7
    assert config.camera.elevation == (-55, -15)
    assert config.pose.poses_noise == 5


def test_generate_makes_a_dataset_like_the_image(saved, body, tmp_path):
    """Image 5 of the options is the picture: its scene is in the dataset, and so is its pose in
    all."""
    state = states(body)["moved"]
    result, scene, _ = saved(state, images=5)
    words = shlex.split(result.command)[1:]
    assert main([*words, "--workers", "1"]) == 0
    lines = (result.folder / "dataset" / "scenes.jsonl").read_text().splitlines()
    scenes = [Scene.from_json(line) for line in lines]
    assert scenes[4] == scene
    hips = {one.people[0].angles["left_hip"] for one in scenes}
    assert hips == {scene.people[0].angles["left_hip"]}
    assert len({json.dumps(one.people[0].outfit, default=vars) for one in scenes}) == 5


def test_an_opened_scene_gives_options_with_its_pose_and_view(saved, body):
    scene = draw(states(body)["turned"], body).scene
    result, _, _ = saved(opened_scene(scene, GenerateConfig()))
    config = GenerateConfig(**read_config(result.folder / "options.toml"))
    again = sample_posed_scene(config, config.seed, scene.index, body).scene.people[0]
    for joint, angles in scene.people[0].angles.items():
        assert np.allclose(again.angles[joint], angles, atol=1e-4)
    assert np.allclose(again.orientation, scene.people[0].orientation, atol=1e-4)


def test_every_save_has_a_folder_of_its_own(saved, body):
    state = states(body)["drawn"]
    folders = [saved(state)[0].folder.name for _ in range(2)]
    assert folders == ["0001", "0002"]


def test_the_labels_are_a_coco_file(saved, body):
    result, scene, picture = saved(states(body)["drawn"])
    coco = json.loads((result.folder / "labels.json").read_text())
    (annotation,) = coco["annotations"]
    assert coco["images"][0]["id"] == annotation["image_id"] == scene.index + 1
    assert coco["images"][0]["file_name"] == "picture.png"
    people = read_person_annotations("x", result.folder / "labels.json", result.folder)
    assert len(people.boxes) == 1
    assert picture.shape[:2] == (96, 96)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_go_through_file_and_command(preset, tmp_path, options_of):
    config = GenerateConfig(**PRESETS[preset])
    path = tmp_path / "a.toml"
    path.write_text(options_to_toml(config, "two\nlines"))
    assert config_from_table(GenerateConfig, read_config(path), "a") == config
    assert options_of(*shlex.split(options_to_command(config, "out"))[1:]) == config


def test_odd_words_go_through_file_and_command(tmp_path, options_of, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path('a "b" \\ ö\x7f\n c')
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), np.zeros((32, 32, 3), np.uint8))
    config = GenerateConfig(backgrounds=str(folder), poses_mirror=True, max_intersection=0.015)
    Path("a.toml").write_text(options_to_toml(config))
    assert config_from_table(GenerateConfig, read_config(Path("a.toml")), "a") == config
    assert options_of(*shlex.split(options_to_command(config, "out"))[1:]) == config


def test_default_options_are_left_out():
    assert changed_options(GenerateConfig()) == {}
    assert options_to_command(GenerateConfig(), "a b") == "repogen generate 'a b'"


def test_a_range_that_options_refuse_is_refused(saved, body):
    with pytest.raises(UserError, match="range of the view 181"):
        saved(states(body)["moved"], Likeness(view_deg=181))


def test_layers(body, renderer):
    sampled = draw(states(body)["moved"], body)
    rendering = render_sampled(renderer, sampled, None)
    off = Layers(skeleton=False, predictions=False)
    plain = draw_layers(rendering, off)
    assert np.array_equal(plain, rendering.image)
    drawn = {
        "skeleton": Layers(), "visible joints": Layers(occluded=False),
        "boxes": Layers(skeleton=False, boxes=True), "masks": Layers(skeleton=False, masks=True),
    }  # fmt: skip
    pictures = [plain, *(draw_layers(rendering, layers) for layers in drawn.values())]
    for i, one in enumerate(pictures):
        assert all(not np.array_equal(one, other) for other in pictures[i + 1 :])
    changed = (pictures[-1] != plain).any(axis=2)
    assert np.array_equal(changed | rendering.masks[0], rendering.masks[0])


def test_a_small_picture_shows_the_same(body, renderer):
    sampled = draw(states(body)["moved"], body)
    small = render_sampled(renderer, sampled, 48)
    assert small.image.shape == (48, 48, 3)
    whole = render_sampled(renderer, sampled, 200)
    assert whole.image.shape == (96, 96, 3)
    points = [np.array(one.annotations[0]["keypoints"]).reshape(17, 3) for one in (small, whole)]
    seen = (points[0][:, 2] > 0) & (points[1][:, 2] > 0)
    assert np.allclose(2 * points[0][seen, :2], points[1][seen, :2], atol=0.01)
