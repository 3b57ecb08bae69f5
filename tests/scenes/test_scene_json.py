"""A scene comes back from its line of JSON the same to the last digit."""

import json
from dataclasses import replace

import pytest

from repogen.environment.backgrounds import Photo, Plain, Room
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
    assert isinstance(scene.background, Room)
    background = background or scene.background
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


THING = {
    "shape": "box",
    "position": [0, 0, 0],
    "size": [1, 1, 1],
    "rotation": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "fabric": {
        "color": "#000000",
        "accent": "#000000",
        "pattern": "plain",
        "scale": 1,
        "wrinkles": 0,
    },
    "path": None,
}


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (("people", 0, "outfit", "hair"), "mohawk", "unknown hair style 'mohawk'; choose"),
        (("people", 0, "outfit", "top"), "toga", "unknown top 'toga'"),
        (("people", 0, "outfit", "bottom"), "toga", "unknown bottom 'toga'"),
        (("people", 0, "outfit", "shoes"), "clogs", "unknown shoes 'clogs'"),
        (("people", 0, "outfit", "top_fabric", "pattern"), "tartan", "unknown pattern 'tartan'"),
        (("background", "floor_pattern"), "lava", "unknown floor pattern 'lava'"),
        (("occluders",), [THING | {"shape": "cone"}], "unknown occluder shape 'cone'"),
        (("occluders",), [THING | {"shape": "cutout"}], "a cut-out needs one"),
        (("occluders",), [THING | {"path": "a.png"}], "other shapes have none"),
        (("occluders",), [THING | {"size": [0, 0, 0]}], "three lengths, none below 0"),
        (("occluders",), [THING | {"size": [1, float("nan"), 1]}], "three lengths, none below 0"),
        (("camera", "width"), 0, "a picture of 0 x 64 pixels"),
        (("camera", "height"), 10**8, "pixels: give 1 to"),
        (("camera", "fx"), 0.0, "focal lengths above 0"),
        (("camera", "cy"), float("inf"), "give finite numbers"),
    ],
)
def test_what_could_not_be_drawn_is_refused_by_name(scene, place, value, says):
    data = json.loads(scene_to_json(scene))
    into = data
    for key in place[:-1]:
        into = into[key]
    assert place[-1] in into
    into[place[-1]] = value
    with pytest.raises(UserError, match="not a scene") as caught:
        scene_from_json(json.dumps(data))
    assert says in str(caught.value)


def test_things_that_can_be_drawn_are_read(scene):
    assert len(scene_from_json(changed(scene, occluders=[THING])).occluders) == 1
