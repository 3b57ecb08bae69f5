"""A scene comes back from its line of JSON the same to the last digit."""

import json
from dataclasses import replace

import pytest

from repogen.appearance.backgrounds import Photo, Place, Plain
from repogen.errors import UserError
from repogen.scenes import SceneConfig, sample_scene
from repogen.scenes.scene import FORMAT, scene_from_json, scene_to_json

PHOTO = Photo("/pictures/süß \"x\".jpg", (0.1, 1 / 3, 0.30000000000000004, 0.7), True)  # fmt: skip


@pytest.fixture(scope="module")
def scene(body):
    return sample_scene(SceneConfig(image_size=64), 3, 8, body)


@pytest.mark.parametrize("background", [PHOTO, Plain("#12ab9f"), None])
@pytest.mark.parametrize("people", [0, 1, 2])
def test_round_trip_is_exact(scene, background, people):
    if background is None:
        assert isinstance(scene.background, Place)
        background = scene.background
    scene = replace(scene, background=background, people=scene.people * people)
    line = scene_to_json(scene)
    again = scene_from_json(line)
    assert again == scene
    assert scene_to_json(again) == line
    assert "\n" not in line


def changed(scene, **fields):
    return json.dumps(json.loads(scene_to_json(scene)) | fields)


@pytest.mark.parametrize("line", ["", "{", "null", "[]", "5", '"scene"', "{}", "\x00", "[{}]"])
def test_garbage_is_a_user_error(line):
    with pytest.raises(UserError) as caught:
        scene_from_json(line)
    assert "\n" not in str(caught.value)


def test_another_format_is_a_user_error_that_says_so(scene):
    with pytest.raises(UserError, match=f"format {FORMAT + 1}"):
        scene_from_json(changed(scene, format=FORMAT + 1))


@pytest.mark.parametrize(
    "fields",
    [
        {"people": 5},
        {"people": [{}]},
        {"camera": None},
        {"background": {"kind": "painting"}},
        {"background": {"kind": "plain"}},
        {"ambient": "bright"},
        {"surprise": 1},
    ],
)
def test_a_scene_with_a_bad_field_is_a_user_error(scene, fields):
    with pytest.raises(UserError, match="not a scene"):
        scene_from_json(changed(scene, **fields))


def test_the_error_names_a_missing_field(scene):
    data = json.loads(scene_to_json(scene))
    del data["lights"]
    with pytest.raises(UserError, match="lights"):
        scene_from_json(json.dumps(data))
