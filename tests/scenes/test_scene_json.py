"""`Scene.to_json` and `Scene.from_json`: exact round trips, and errors that name the field."""

import json
from dataclasses import replace

import pytest

from repogen.assets.sources import Source
from repogen.environment.backgrounds import Photo, Plain
from repogen.environment.rooms import Room
from repogen.errors import UserError
from repogen.scenes import SceneConfig, sample_scene
from repogen.scenes.scene import FORMAT, Scene

PHOTO = Photo(Source('süß "x".jpg', "0a" * 32), (0.1, 1 / 3, 0.30000000000000004, 0.6), True)


@pytest.fixture(scope="module")
def scene(body):
    return sample_scene(SceneConfig(image_size=64), 3, 8, body)


@pytest.mark.parametrize("background", [PHOTO, Plain("#12ab9f"), None])
@pytest.mark.parametrize("people", [0, 1, 2])
def test_round_trip_is_exact(scene, background, people):
    assert isinstance(scene.background, Room)
    background = background or scene.background
    scene = replace(scene, background=background, people=scene.people * people)
    line = scene.to_json()
    again = Scene.from_json(line)
    assert again == scene
    assert again.to_json() == line
    assert "\n" not in line


def changed(scene, **fields):
    return json.dumps(json.loads(scene.to_json()) | fields)


@pytest.mark.parametrize("line", ["", "{", "null", "[]", "5", '"scene"', "{}", "\x00", "[{}]"])
def test_text_that_is_no_scene_is_a_user_error(line):
    with pytest.raises(UserError) as caught:
        Scene.from_json(line)
    assert "\n" not in str(caught.value)


def test_the_error_for_another_format_names_both_formats(scene):
    with pytest.raises(UserError, match=f"of format {FORMAT}, not {FORMAT + 1}"):
        Scene.from_json(changed(scene, format=FORMAT + 1))


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
        Scene.from_json(changed(scene, **fields))


def test_the_error_names_a_missing_field(scene):
    data = json.loads(scene.to_json())
    del data["lights"]
    with pytest.raises(UserError, match="lights"):
        Scene.from_json(json.dumps(data))


PICTURE = {"name": "a.png", "sha256": "0" * 64}
OCCLUDER = {
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
    "picture": None,
}


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("people", 0, "outfit", "hair"), "mohawk", "unknown hair style 'mohawk'; choose"),
        (("people", 0, "outfit", "top"), "toga", "unknown top 'toga'"),
        (("people", 0, "outfit", "bottom"), "toga", "unknown bottom 'toga'"),
        (("people", 0, "outfit", "shoes"), "clogs", "unknown shoes 'clogs'"),
        (("people", 0, "outfit", "top_fabric", "pattern"), "tartan", "unknown pattern 'tartan'"),
        (("background", "floor_pattern"), "lava", "unknown floor pattern 'lava'"),
        (("occluders",), [OCCLUDER | {"shape": "cone"}], "unknown occluder shape 'cone'"),
        (("occluders",), [OCCLUDER | {"shape": "cutout"}], "a cut-out needs one"),
        (
            ("occluders",),
            [OCCLUDER | {"picture": PICTURE}],
            "other shapes have none",
        ),
        (("occluders",), [OCCLUDER | {"size": [0, 0, 0]}], "three lengths, none below 0"),
        (
            ("occluders",),
            [OCCLUDER | {"size": [1, float("nan"), 1]}],
            "occluders[0].size[1]: nan should be a number between 0 and 1,000",
        ),
        (("camera", "width"), 0, "camera.width: 0 should be a whole number between 1 and 8,192"),
        (("camera", "height"), 10**8, "camera.height: 100000000 should be a whole number"),
        (("camera", "fx"), 0.0, "camera.fx: 0.0 should be a number between 0.001 and 10000000"),
        (("camera", "cy"), float("inf"), "camera.cy: inf should be a number"),
    ],
)
def test_a_value_that_cannot_be_rendered_is_refused_by_name(scene, path, value, says):
    data = json.loads(scene.to_json())
    into = data
    for key in path[:-1]:
        into = into[key]
    assert path[-1] in into
    into[path[-1]] = value
    with pytest.raises(UserError, match="not a scene") as caught:
        Scene.from_json(json.dumps(data))
    assert says in str(caught.value)


def test_a_scene_with_an_occluder_is_read(scene):
    assert len(Scene.from_json(changed(scene, occluders=[OCCLUDER])).occluders) == 1
