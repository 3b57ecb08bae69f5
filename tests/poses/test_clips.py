"""Our own pose files."""

import json

import pytest

from repogen.errors import UserError
from repogen.poses.clips import UPRIGHT, Pose, read_pose_file


def write(path, poses, kind="repogen-poses"):
    path.write_text(json.dumps({"format": kind, "poses": poses}))
    return path


def test_a_pose_has_only_the_joints_of_the_file(tmp_path):
    poses = [
        {"name": "kick", "angles": {"left_hip": [-80, 0, 5], "left_index2": [0, 0, -30]}},
        {"angles": {"head": [1.5, 2, 3]}},
    ]
    clip = read_pose_file(write(tmp_path / "poses.json", poses))
    assert clip.angles(0) == {"left_hip": (-80, 0, 5), "left_index2": (0, 0, -30)}
    assert clip.angles(1) == {"head": (1.5, 2, 3)}


def test_a_pose_may_say_how_the_body_is_turned(tmp_path):
    poses = [{"angles": {}}, {"orientation": [180, 0, 5], "angles": {}}]
    clip = read_pose_file(write(tmp_path / "poses.json", poses))
    assert clip.pose(0) == Pose({}, UPRIGHT)
    assert clip.pose(1) == Pose({}, (180, 0, 5))


@pytest.mark.parametrize(
    ("pose", "message"),
    [
        ({"angles": {"left_nee": [1, 2, 3]}}, "pose 0 'left_nee'; choose from left_hip"),
        ({"angles": {"left_knee": [1, 2]}}, r"left_knee = \[1, 2\] must be three"),
        (
            {"angles": {"left_knee": [1, 2, float("nan")]}},
            "must be three numbers from -10000",
        ),
        ({"angles": {"left_knee": [1, 2, True]}}, "must be three numbers from -10000"),
        ({"angels": {}}, "pose 0 must hold"),
        ("kick", "pose 0 must hold"),
        ({"angles": {}, "orientation": "up"}, "pose 0: orientation = 'up' must be three numbers"),
        ({"angles": {}, "orientatoin": [0, 0, 0]}, "unknown key .*did you mean orientation"),
        (
            {"angles": {}, "frame": 3},
            "unknown key in .*pose 0: 'frame'; choose from name, angles",
        ),
    ],
)
def test_an_invalid_pose_is_a_user_error_that_names_it(tmp_path, pose, message):
    with pytest.raises(UserError, match=message):
        read_pose_file(write(tmp_path / "poses.json", [pose]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"poses": []}', "not a pose file"),
        ('{"format": "repogen-poses", "poses": []}', "holds no poses"),
        ('{"format": "repogen-poses"}', "holds no poses"),
        ("[1]", "not a pose file"),
        ("{", "is not a JSON file"),
        (
            '{"format": "repogen-poses", "poses": [{"angles": {}}], "fps": 30}',
            "unknown key .*'fps'",
        ),
    ],
)
def test_files_of_other_formats_are_user_errors(tmp_path, text, message):
    (tmp_path / "poses.json").write_text(text)
    with pytest.raises(UserError, match=message):
        read_pose_file(tmp_path / "poses.json")


def test_deeply_nested_json_is_a_user_error(tmp_path):
    (tmp_path / "poses.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match="nested too deeply"):
        read_pose_file(tmp_path / "poses.json")
