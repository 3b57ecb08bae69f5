"""How whole people are turned: orientations of files and random ones."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from skeletons import AXES, bvh, skeleton

from repogen.errors import UserError
from repogen.poses.motion import read_clip
from repogen.poses.orientation import (
    ORIENTATIONS,
    parse_orientations,
    sample_orientation,
    without_heading,
)

STANDING = {
    "AMASS": ((90, 0, 0), lambda root: {"poses": with_body(root, 153)}),
    "AMASS, SMPL-X": ((90, 0, 0), lambda root: {
        "root_orient": root, "pose_body": np.zeros((len(root), 63)),
        "pose_hand": np.zeros((len(root), 90))}),
    "4D-Humans": ((180, 0, 0), lambda root: {
        "global_orient": matrices(root)[:, None], "body_pose": np.zeros((len(root), 23, 3))}),
    "ROMP": ((180, 0, 0), lambda root: {"smpl_thetas": with_body(root)}),
    "AIST++": ((0, 0, 0), lambda root: {"smpl_poses": with_body(root)}),
}  # fmt: skip
"""The root rotation in degrees of a standing person in each kind of file, and the file's arrays."""


def matrices(vectors):
    return Rotation.from_rotvec(vectors).as_matrix()


def with_body(root, values=69):
    return np.hstack([root, np.zeros((len(root), values))])


def matrix(vector):
    return Rotation.from_rotvec(vector, degrees=True).as_matrix()


def up_of(orientation):
    return matrix(orientation)[:, 1]


def sample(name, count=300, of_pose=(0.0, 0.0, 0.0)):
    rng = np.random.default_rng(0)
    return np.array([sample_orientation(rng, ((name, 1.0),), of_pose) for _ in range(count)])


@pytest.mark.parametrize("kind", STANDING)
def test_files_of_smpl_keep_the_rotation_of_the_whole_body(tmp_path, kind):
    """A person who stands, then a handstand: the same file's person turned by half a turn."""
    standing, arrays = STANDING[kind]
    stands = Rotation.from_rotvec(standing, degrees=True)
    over = stands * Rotation.from_euler("x", 180, degrees=True)
    lies = stands * Rotation.from_euler("x", -90, degrees=True)
    root = np.stack([one.as_rotvec() for one in (stands, over, lies)])
    np.savez(tmp_path / "a.npz", **arrays(root))
    clip = read_clip(tmp_path / "a.npz")
    ups = [up_of(clip.pose(frame).orientation)[1] for frame in range(3)]
    assert ups == pytest.approx([1, -1, 0], abs=1e-5)
    front = matrix(clip.pose(2).orientation)[:, 2]
    assert front == pytest.approx([0, 1, 0], abs=1e-5)  # on the back


def test_a_file_without_the_rotation_of_the_whole_body_is_upright(tmp_path):
    np.savez(tmp_path / "a.npz", body_pose=np.zeros((2, 63)))
    assert read_clip(tmp_path / "a.npz").orientations.tolist() == [[0, 0, 0]] * 2


def test_a_rotation_of_the_whole_body_of_another_length_is_a_user_error(tmp_path):
    np.savez(tmp_path / "a.npz", pose_body=np.zeros((2, 63)), root_orient=np.zeros((3, 3)))
    with pytest.raises(UserError, match=r"shape \(3, 3\); expected \(2, 3\)"):
        read_clip(tmp_path / "a.npz")


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("turn", [(0, 0, 0), (170, 20, 0), (-80, 0, 0), (20, 130, 5)])
def test_bvh_files_keep_the_rotation_of_the_whole_body(tmp_path, axes, turn):
    parents, offsets = skeleton("tpose")
    world = {joint: matrix(turn)[None] for joint in parents}
    (tmp_path / "a.bvh").write_text(bvh("cmu", parents, offsets, world, axes))
    found = read_clip(tmp_path / "a.bvh").pose(0).orientation
    assert matrix(found) == pytest.approx(matrix(turn), abs=1e-3)


def test_orientations_are_as_their_names_say():
    assert (sample("upright") == 0).all()
    inverted = np.array([up_of(one)[1] for one in sample("inverted")])
    assert (inverted < -np.cos(np.radians(35)) + 1e-9).all()
    lying = sample("lying")
    assert (np.abs([up_of(one)[1] for one in lying]) < np.sin(np.radians(20)) + 1e-9).all()
    fronts = np.array([matrix(one)[1, 2] for one in lying])
    assert {"back": (fronts > 0.7).mean(), "face": (fronts < -0.7).mean()} == pytest.approx(
        {"back": 0.25, "face": 0.25}, abs=0.08
    )
    heights = np.array([up_of(one)[1] for one in sample("any", 2000)])
    assert np.histogram(heights, 4, (-1, 1))[0] / 2000 == pytest.approx([0.25] * 4, abs=0.04)


def test_the_orientation_of_the_pose_loses_only_its_heading():
    for vector in sample("any", 50):
        for heading in (-120, 0, 77):
            turned = matrix((0, heading, 0)) @ matrix(vector)
            of_pose = tuple(Rotation.from_matrix(turned).as_rotvec(degrees=True))
            assert sample("file", 1, of_pose)[0] == pytest.approx(vector, abs=1e-5)


@pytest.mark.parametrize(
    "turn", [(0, 0, 0), (30, 0, 0), (-60, 10, 0), (180, 0, 0), (0, 0, 180), (0, 0, 90), (150, 5, 8)]
)
def test_the_front_is_in_front_however_the_person_is_turned(turn):
    for heading in (0, 100, -170):
        x, _, z = matrix(without_heading(matrix((0, heading, 0)) @ matrix(turn)))[:, 2]
        assert abs(x) < 0.2
        assert z > 0.4


def test_who_lies_on_the_back_or_face_has_the_left_side_at_the_left():
    for x in (-90, 90):
        assert matrix(without_heading(matrix((0, 60, 0)) @ matrix((x, 0, 0))))[0, 0] == (
            pytest.approx(1, abs=1e-6)
        )


def test_mixes_are_drawn_by_weight():
    mix = parse_orientations(("upright=0.7", "inverted=0.3"))
    rng = np.random.default_rng(1)
    drawn = [sample_orientation(rng, mix, (0.0, 0.0, 0.0)) for _ in range(1000)]
    assert np.mean([one == (0, 0, 0) for one in drawn]) == pytest.approx(0.7, abs=0.05)


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        (("sideways",), f"unknown orientation 'sideways'; choose from {', '.join(ORIENTATIONS)}"),
        (("any", "any"), "orientation 'any' is given twice"),
        (("any=0.5", "lying"), "give every orientation a weight or none"),
        (("any=0.5", "lying=0.4"), "orientation weights sum to 0.9"),
        (("any=2",), "orientation weight 'any=2' must be a number in"),
        ((), "no orientations given; name at least one, e.g. --orientation upright any"),
    ],
)
def test_bad_mixes_are_user_errors(entries, says):
    with pytest.raises(UserError, match=says):
        parse_orientations(entries)
