"""The BVH parser."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from repogen.errors import UserError
from repogen.poses.bvh import bvh_frames, read_bvh

TEXT = """HIERARCHY
ROOT Bip01
{
\tOFFSET 0.0 90.5 0
\tCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
\tJOINT Bip01 L Thigh
\t{
\t\tOFFSET 10 -5.5e0 0
\t\tCHANNELS 3 Yrotation Zrotation Xrotation
\t\tEnd Site
\t\t{
\t\t\tOFFSET 0 -40 0
\t\t}
\t}
\tJOINT Tail
\t{
\t\tOFFSET 0 0 -10
\t\tCHANNELS 1 Xrotation
\t\tEnd Site
\t\t{
\t\t\tOFFSET 0 0 -10
\t\t}
\t}
}
MOTION
Frames: 2
Frame Time: 0.00833
1 2 3 10 20 30 40 50 60 70
1 2 3 -10 0 170 0 0 0 1e1
"""


def write(path, text):
    path.write_text(text)
    return path


@pytest.mark.parametrize("before", ["\n", "\n\n  \n", "\ufeff", "\ufeff\r\n", " \t"])
def test_blank_lines_before_the_hierarchy_are_skipped(tmp_path, before):
    skeleton, rotations, _ = read_bvh(write(tmp_path / "a.bvh", before + TEXT))
    plain, expected, _ = read_bvh(write(tmp_path / "b.bvh", TEXT))
    assert skeleton.names == plain.names == ("Bip01", "Bip01 L Thigh", "Tail")
    assert (rotations == expected).all()


def test_joints_offsets_and_rotations_are_read(tmp_path):
    path = write(tmp_path / "a.bvh", TEXT)
    skeleton, turns, _ = read_bvh(path)
    assert bvh_frames(path) == 2
    assert skeleton.names == ("Bip01", "Bip01 L Thigh", "Tail")
    assert skeleton.parents == (-1, 0, 0)
    assert skeleton.offsets.tolist() == [[0, 90.5, 0], [10, -5.5, 0], [0, 0, -10]]
    expected = Rotation.from_euler("ZXY", [[10, 20, 30], [-10, 0, 170]], degrees=True)
    assert turns[:, 0] == pytest.approx(expected.as_matrix())
    expected = Rotation.from_euler("YZX", [[40, 50, 60], [0, 0, 0]], degrees=True)
    assert turns[:, 1] == pytest.approx(expected.as_matrix())
    expected = Rotation.from_euler("X", [[70], [10]], degrees=True)
    assert turns[:, 2] == pytest.approx(expected.as_matrix())


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\t", "    ").replace("\n        OFFSET", "\n  offset\t"),
        lambda text: text.replace("\n{", " {").replace("\n\t{", " {"),
        lambda text: text.replace("MOTION", "MOTION  ").replace("Frames: 2", "Frames:\t2"),
        lambda text: text.replace("Zrotation", "ZROTATION"),
        lambda text: "\ufeff" + text + "\n\n",
        lambda text: "\n \n" + text,
    ],
)
def test_layout_and_case_do_not_matter(tmp_path, change):
    skeleton, turns, _ = read_bvh(write(tmp_path / "a.bvh", TEXT))
    other, same, _ = read_bvh(write(tmp_path / "b.bvh", change(TEXT)))
    assert other.names == skeleton.names
    assert (other.offsets == skeleton.offsets).all()
    assert (same == turns).all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("HIERARCHY", "HIER", "is not a BVH file: it begins with 'HIER.*', not HIERARCHY"),
        ("MOTION", "", "has no line MOTION after the hierarchy"),
        ("Frames: 2", "Frames: two", "must begin with Frames: COUNT .*, not 'Frames: two"),
        ("Frames: 2", "Frames: 0", "no frames"),
        ("Frames: 2", "Frames: 3", "20 numbers; expected 30: 3 frames of 10 channels"),
        ("70\n", "70 7\n", "21 numbers; expected 20"),
        ("70\n", "seventy\n", "not a number"),
        ("1e1\n", "nan\n", "frame 1 has values that are not finite"),
        ("CHANNELS 1 Xrotation", "CHANNELS 1 Wrotation", "joint Tail: CHANNELS"),
        ("CHANNELS 1 Xrotation", "CHANNELS 2 Xrotation", "joint Tail: CHANNELS"),
        ("CHANNELS 1 Xrotation", "CHANNELS", "joint Tail: CHANNELS"),
        ("OFFSET 0 0 -10\n\t\tCH", "OFFSET 0 0\n\t\tCH", "joint Tail: OFFSET 0 0 must be three"),
        ("OFFSET 0 0 -10\n\t\tCH", "OFFSET 0 0 1e9\n\t\tCH", "OFFSET .* must be below 1000000000"),
        ("1e1\n", "1e9\n", "the motion has numbers of 1000000000 or more"),
        ("\t}\n}\nMOTION", "}\nMOTION", "1 brackets of the hierarchy are not closed"),
        (TEXT[: TEXT.index("MOTION")], "HIERARCHY\n", "the hierarchy has no joints"),
        (TEXT[: TEXT.index("MOTION")], "HIERARCHY\nROOT a\n{\n}\n", "no joint has channels"),
        (
            "CHANNELS 1 Xrotation",
            f"CHANNELS 40{' Xrotation' * 40}",
            "more than 9 channels for each joint",
        ),
        ("JOINT Tail", "JOINT Tail\n" * 1001, "more than 1000 joints"),
        ("}\nMOTION", "}}\nMOTION", "without an opening one"),
        ("JOINT Tail", "TAIL Tail", "cannot read 'TAIL Tail'"),
    ],
)
def test_an_invalid_file_is_a_user_error_that_names_the_problem(tmp_path, old, new, message):
    assert old in TEXT
    with pytest.raises(UserError, match=message):
        read_bvh(write(tmp_path / "a.bvh", TEXT.replace(old, new)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a.bvh is empty"),
        (b"\x00\xff\xfe" * 50, "not a BVH file"),
        (b"hello", "not a BVH file: it begins with 'hello', not HIERARCHY"),
    ],
)
def test_files_of_other_formats_are_user_errors(tmp_path, data, message):
    (tmp_path / "a.bvh").write_bytes(data)
    with pytest.raises(UserError, match=message):
        bvh_frames(tmp_path / "a.bvh")


def test_rotations_multiply_in_the_order_of_the_channels(tmp_path):
    text = TEXT.replace(
        "CHANNELS 1 Xrotation", "CHANNELS 4 Xrotation Yposition Xrotation Zrotation"
    )
    text = text.replace("60 70\n", "60 70 1 -20 35\n").replace("0 1e1\n", "0 1e1 1 0 0\n")
    _, turns, _ = read_bvh(write(tmp_path / "a.bvh", text))
    expected = Rotation.from_euler("XZ", [[50, 35], [10, 0]], degrees=True)
    assert turns[:, 2] == pytest.approx(expected.as_matrix())


def test_frames_are_counted_from_the_header(tmp_path):
    """A folder of captured motion has thousands of files, of megabytes each."""
    assert bvh_frames(write(tmp_path / "a.bvh", TEXT.split("1 2 3")[0])) == 2


def test_a_missing_file_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="cannot read motion from"):
        bvh_frames(tmp_path / "a.bvh")


def test_every_frame_of_a_long_file_is_read(tmp_path):
    rows = "\n".join(["1 2 3 10 20 30 40 50 60 70"] * 5000)
    head = TEXT.split("1 2 3")[0].replace("Frames: 2", "Frames: 5000")
    _, turns, _ = read_bvh(write(tmp_path / "a.bvh", head + rows))
    assert turns.shape == (5000, 3, 3, 3)
    assert np.ptp(turns, axis=0).max() == 0
