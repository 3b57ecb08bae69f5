"""AMASS files, written here: the real ones may not be redistributed."""

import numpy as np
import pytest

from repogen.bodies.skeleton import BODY_JOINTS, HAND_JOINTS, JOINTS
from repogen.errors import UserError
from repogen.poses import DISTRIBUTIONS, default_bounds, sample_body_pose
from repogen.poses.amass import amass_frames, read_amass
from repogen.poses.sampling import sample_hands


def random_poses(count, seed=0):
    rng = np.random.default_rng(seed)
    uniform = DISTRIBUTIONS["uniform"]
    return [
        sample_body_pose(rng, default_bounds(), uniform, 1.0) | sample_hands(rng)
        for _ in range(count)
    ]


def radians(poses, joints):
    return np.radians([np.ravel([pose[joint] for joint in joints]) for pose in poses])


def arrays(poses, width):
    """The poses as SMPL-H's 156 or SMPL-X's 165 values, all else at 7 radians."""
    out = np.full((len(poses), width), 7.0)
    out[:, 3:66] = radians(poses, BODY_JOINTS)
    out[:, -90:] = radians(poses, HAND_JOINTS)
    return {"poses": out, "trans": np.zeros((len(poses), 3)), "gender": np.array("female")}


def separate(poses, hands=True):
    """The arrays of AMASS's newer SMPL-X files."""
    out = {"pose_body": radians(poses, BODY_JOINTS), "root_orient": np.ones((len(poses), 3))}
    return out | ({"pose_hand": radians(poses, HAND_JOINTS)} if hands else {})


def write(path, **values):
    np.savez(path, **values)
    return path


@pytest.mark.parametrize(
    "layout", [lambda p: arrays(p, 156), lambda p: arrays(p, 165), separate], ids=["h", "x", "new"]
)
def test_angles_of_every_layout_are_read(tmp_path, layout):
    poses = random_poses(4)
    path = write(tmp_path / "walk.npz", **layout(poses))
    clip = read_amass(path)
    assert amass_frames(path) == 4
    for frame, pose in enumerate(poses):
        angles = clip.angles(frame)
        assert set(angles) == set(JOINTS)
        for joint in JOINTS:
            assert angles[joint] == pytest.approx(pose[joint], abs=1e-4)


def test_compressed_and_single_precision_files_are_read(tmp_path):
    values = arrays(random_poses(2), 156)
    np.savez_compressed(tmp_path / "a.npz", **(values | {"poses": np.float32(values["poses"])}))
    assert read_amass(tmp_path / "a.npz").degrees == pytest.approx(
        read_amass(write(tmp_path / "b.npz", **values)).degrees, abs=1e-3
    )


def test_hands_that_were_not_measured_are_left_out(tmp_path):
    poses = random_poses(3)
    body_alone = read_amass(write(tmp_path / "body.npz", **separate(poses, hands=False)))
    assert body_alone.joints == BODY_JOINTS
    values = arrays(poses, 165)
    values["poses"][:, -90:-45] = 0
    right = read_amass(write(tmp_path / "right.npz", **values))
    assert set(JOINTS) - set(right.joints) == {j for j in HAND_JOINTS if j.startswith("left")}
    assert right.angles(1)["right_index1"] == pytest.approx(poses[1]["right_index1"], abs=1e-4)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"poses": np.zeros((5, 71))},
            r"71 values a frame; expected one of 72 \(SMPL\), 156 \(SMPL-H",
        ),
        ({"poses": np.zeros((0, 156))}, "no frames"),
        ({"poses": np.zeros((5, 24, 4))}, "has the shape"),
        ({"pose_body": np.zeros((5, 66))}, r"66 values a frame; expected one of 63 \(SMPL-X\)"),
        ({"pose_body": np.zeros((5, 63)), "pose_hand": np.zeros((5, 24))}, r"expected \(5, 90\)"),
        ({"poses": np.array([["a"] * 156])}, "not numbers"),
        ({"poses": np.array([[{}] * 156], dtype=object)}, "not numbers"),
    ],
)
def test_other_shapes_are_user_errors_found_in_the_header(tmp_path, values, message):
    path = write(tmp_path / "walk.npz", **values)
    for read in (amass_frames, read_amass):
        with pytest.raises(UserError, match=message):
            read(path)


def test_a_file_of_body_shapes_holds_no_motion(tmp_path):
    path = write(tmp_path / "shape.npz", betas=np.zeros(16), gender=np.array("male"))
    assert amass_frames(path) is None
    with pytest.raises(UserError, match="no motion"):
        read_amass(path)


def test_values_that_are_not_finite_are_user_errors_with_their_frame(tmp_path):
    values = arrays(random_poses(3), 156)
    values["poses"][2, 50] = np.nan
    with pytest.raises(UserError, match="frame 2"):
        read_amass(write(tmp_path / "walk.npz", **values))


def test_truncated_and_damaged_files_are_user_errors(tmp_path):
    whole = write(tmp_path / "whole.npz", **arrays(random_poses(3), 156)).read_bytes()
    for name, data in {"cut": whole[: len(whole) // 2], "text": b"hello"}.items():
        path = tmp_path / f"{name}.npz"
        path.write_bytes(data)
        with pytest.raises(UserError, match=r"cannot read motion from .*: File is not a zip file"):
            read_amass(path)
    for suffix in ("npz", "npy", "pkl"):
        (tmp_path / f"empty.{suffix}").write_bytes(b"")
        with pytest.raises(UserError, match=rf"empty\.{suffix} is empty"):
            read_amass(tmp_path / f"empty.{suffix}")
    (tmp_path / "text.pkl").write_bytes(b"hello")
    with pytest.raises(UserError, match="it is truncated or no pickle"):
        read_amass(tmp_path / "text.pkl")
    flipped = bytearray(whole)
    flipped[len(whole) // 4] ^= 0xFF
    (tmp_path / "flipped.npz").write_bytes(flipped)
    with pytest.raises(UserError, match="cannot read motion from"):
        read_amass(tmp_path / "flipped.npz")
    with pytest.raises(UserError, match="cannot read motion from"):
        amass_frames(tmp_path / "missing.npz")


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_damaged_compressed_files_are_user_errors(tmp_path, share):
    """Damage at the start makes the array's header unreadable; later, its checksum differs."""
    path = tmp_path / "a.npz"
    np.savez_compressed(path, poses=arrays(random_poses(400), 156)["poses"])
    data = bytearray(path.read_bytes())
    at = max(60, int(share * len(data)))
    data[at : at + 40] = b"\xff" * 40
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"cannot read motion from .*a\.npz"):
        read_amass(path)
