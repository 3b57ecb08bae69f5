"""People of a scene in measured poses."""

import json

import pytest

from repogen import GenerateConfig, SceneConfig, generate, sample_scene, validate
from repogen.bodies.skeleton import HAND_JOINTS
from repogen.errors import UserError


@pytest.fixture
def poses(tmp_path):
    path = tmp_path / "poses.json"
    kick = {"left_hip": [-80.0, 0.0, 10.0], "left_index1": [0.0, 0.0, -33.0]}
    path.write_text(json.dumps({"format": "repogen-poses", "poses": [{"angles": kick}]}))
    return path


def person(body, **options):
    config = SceneConfig(image_size=64, **options)
    return sample_scene(config, seed=5, index=2, body=body).people[0]


def test_measured_hands_win_and_the_rest_stay_random(body, poses):
    measured = person(body, poses=poses, poses_mirror=False).angles
    assert measured["left_hip"] == (-80.0, 0.0, 10.0)
    assert measured["left_index1"] == (0.0, 0.0, -33.0)
    assert set(measured) == {"left_hip", *HAND_JOINTS}
    assert measured["right_index1"] == person(body).angles["right_index1"]


def test_nothing_else_of_the_person_changes(body, poses):
    first, second = person(body), person(body, poses=poses)
    assert (first.shape, first.face, first.outfit) == (second.shape, second.face, second.outfit)


def test_a_share_of_people_is_measured_and_the_others_are_as_without(body, poses):
    plain, mixed = (
        SceneConfig(image_size=64),
        SceneConfig(image_size=64, poses=poses, poses_share=0.3),
    )
    others = []
    for index in range(60):
        scene = sample_scene(mixed, 1, index, body)
        if len(scene.people[0].angles) > len(HAND_JOINTS) + 1:  # measured are the hip's alone
            others.append((scene, sample_scene(plain, 1, index, body)))
    assert 31 <= len(others) <= 52
    for scene, same in others:
        assert scene.to_json() == same.to_json()


def test_a_dataset_of_measured_poses(tmp_path, poses):
    config = GenerateConfig(
        images=2, workers=1, image_size=64, poses=poses, poses_noise=5, shadows=0
    )
    folder = generate(tmp_path / "out", config)
    assert validate(folder) == []
    assert json.loads((folder / "run.json").read_text())["config"]["pose"]["poses"].endswith(
        "poses.json"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"poses_share": 1.5}, "--poses-share 1.5 must lie between 0 and 1"),
        ({"poses_noise": -1}, "--poses-noise -1 must lie"),
        ({"pose": "sit"}, "give --pose or --poses, not both"),
    ],
)
def test_options_that_make_no_sense(poses, options, message):
    with pytest.raises(UserError, match=message):
        SceneConfig(poses=poses, **options)


def test_share_and_noise_need_poses():
    with pytest.raises(UserError, match="need --poses"):
        SceneConfig(poses_noise=3)
