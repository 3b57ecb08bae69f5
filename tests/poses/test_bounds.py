"""The paper's joint bounds, and files that replace some of them."""

import numpy as np
import pytest

from repogen.bodies.skeleton import BODY_JOINTS, mirrored
from repogen.errors import UserError
from repogen.poses import default_bounds, load_bounds


@pytest.mark.parametrize(
    ("joint", "x", "y", "z"),
    [
        ("left_hip", (-90, 45), (-50, 90), (-30, 90)),
        ("right_hip", (-90, 45), (-90, 50), (-90, 30)),
        ("spine1", (0, 0), (-40, 40), (-20, 20)),
        ("left_knee", (0, 150), (0, 0), (0, 0)),
        ("spine2", (0, 20), (-30, 30), (-30, 30)),
        ("left_ankle", (-20, 70), (-15, 5), (0, 20)),
        ("spine3", (0, 0), (-20, 20), (-10, 10)),
        ("left_foot", (0, 0), (0, 0), (0, 0)),
        ("neck", (-45, 45), (-40, 40), (-20, 20)),
        ("right_collar", (0, 0), (0, 0), (0, 0)),
        ("head", (-20, 20), (-30, 30), (-10, 10)),
        ("left_shoulder", (-30, 30), (-90, 20), (-10, 140)),
        ("right_shoulder", (-30, 30), (-20, 90), (-140, 10)),
        ("left_elbow", (0, 0), (-120, 0), (0, 0)),
        ("right_elbow", (0, 0), (0, 120), (0, 0)),
        ("left_wrist", (-30, 30), (-10, 10), (-70, 90)),
    ],
)
def test_default_bounds_are_the_papers(joint, x, y, z):
    assert default_bounds()[joint].tolist() == [list(x), list(y), list(z)]


def test_default_bounds_are_mirror_symmetric():
    bounds = default_bounds()
    assert set(bounds) == set(BODY_JOINTS)
    for joint in BODY_JOINTS:
        x, y, z = bounds[joint]
        swapped = np.stack([x, -y[::-1], -z[::-1]])
        assert (bounds[mirrored(joint)] == swapped).all(), joint


def test_a_file_replaces_only_the_axes_it_names(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[left_knee]\nx = [-5, 100.5]\n[neck]\ny = [0, 0]\n")
    expected = default_bounds()
    expected["left_knee"][0] = (-5, 100.5)
    expected["neck"][1] = (0, 0)
    loaded = load_bounds(path)
    assert set(loaded) == set(expected)
    assert all((loaded[joint] == expected[joint]).all() for joint in expected)
    assert default_bounds()["left_knee"][0].tolist() == [0, 150]  # the table itself is as before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[left_nee]\nx = [0, 1]", "left_nee"),
        ("[left_knee]\nw = [0, 1]", "'w'"),
        ("[left_knee]\nx = [10, 20]", "left_knee.x"),
        ("[left_knee]\nx = [20, -20]", "left_knee.x"),
        ("[left_knee]\nx = [0]", "left_knee.x"),
        ("[left_knee]\nx = [0, 1, 2]", "left_knee.x"),
        ("[left_knee]\nx = [-1000, 0]", "left_knee.x"),
        ("[left_knee]\nx = [nan, 10]", "left_knee.x"),
        ("[left_knee]\nx = ['0', '1']", "left_knee.x"),
        ("[left_knee]\nx = [false, true]", "left_knee.x"),
        ("[left_knee]\nx = 5", "left_knee.x"),
        ("left_knee = [0, 150]", "left_knee"),
        ("left_knee: 5", "TOML"),
        ("\x00", "TOML"),
    ],
)
def test_an_invalid_file_is_a_user_error_that_names_the_joint_and_axis(tmp_path, text, says):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        load_bounds(path)
    message = str(caught.value)
    assert says in message
    assert "mine.toml" in message
    assert "\n" not in message


def test_a_binary_file_is_a_user_error(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(UserError, match=r"picture\.png is not a TOML file"):
        load_bounds(path)


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read_is_a_user_error(tmp_path, name):
    with pytest.raises(UserError, match="cannot read the bounds file"):
        load_bounds(tmp_path / name)
