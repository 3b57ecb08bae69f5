"""Measured bodies keep their height above the floor."""

import numpy as np
import pytest
from skeletons import bvh, skeleton

from repogen.bodies.skeleton import BODY_JOINTS
from repogen.errors import UserError
from repogen.people.posing import pose_person
from repogen.poses.amass import read_amass
from repogen.poses.clearance import clearances
from repogen.poses.clips import Pose
from repogen.poses.motion import mirrored_pose, read_clip
from repogen.scenes import SceneConfig, sample_scene

FRAMES = 60
JUMP = 0.6 * np.sin(np.linspace(0, np.pi, 21))
"""Metres of the feet above the floor in the last third of `jump`."""


def jump():
    """Rotation vectors of the knees and hips, and heights of the pelvis: standing, a squat, and a
    jump with straight legs."""
    vectors = np.zeros((FRAMES, len(BODY_JOINTS), 3))
    bend = np.radians(60.0)
    vectors[20:39, [BODY_JOINTS.index(f"{s}_hip") for s in ("left", "right")], 0] = -bend
    vectors[20:39, [BODY_JOINTS.index(f"{s}_knee") for s in ("left", "right")], 0] = 2 * bend
    vectors[20:39, [BODY_JOINTS.index(f"{s}_ankle") for s in ("left", "right")], 0] = -bend
    heights = np.full(FRAMES, 0.93)
    heights[20:39] -= 2 * 0.43 * (1 - np.cos(bend))
    heights[39:] += JUMP
    return vectors, heights


def upright(frames):
    return np.zeros((frames, 3))


def expected():
    out = np.zeros(FRAMES)
    out[39:] = np.where(JUMP < 0.1, 0, JUMP)
    return out


def test_a_jump_is_above_the_floor_and_a_squat_is_on_it():
    vectors, heights = jump()
    found = clearances(vectors, upright(FRAMES), heights + 4.2)
    assert found == pytest.approx(expected(), abs=0.03)


def test_lying_down_and_a_handstand_are_on_the_floor():
    turned = upright(3)
    turned[1, 0], turned[2, 2] = -np.pi / 2, np.pi
    vectors = np.zeros((3, len(BODY_JOINTS), 3))
    for side, sign in (("left", 1), ("right", -1)):
        vectors[2, BODY_JOINTS.index(f"{side}_shoulder"), 2] = sign * np.pi / 2
    reach = 0.1 + 0.12 + 0.1 + 0.13 + 0.03 + 0.29 + 0.27 + 0.17 + 0.01
    found = clearances(vectors, turned, np.array([0.96, 0.12, reach]))
    assert found == pytest.approx([0, 0, 0])


def test_files_whose_height_never_changes_have_none():
    vectors, _ = jump()
    assert not clearances(vectors, upright(FRAMES), np.zeros(FRAMES)).any()


def write_amass(path, **changes):
    vectors, heights = jump()
    poses = np.zeros((FRAMES, 156))
    poses[:, :3] = [np.pi / 2, 0, 0]
    poses[:, 3:66] = vectors.reshape(FRAMES, -1)
    trans = np.stack([np.linspace(0, 3, FRAMES), np.zeros(FRAMES), heights], axis=1)
    np.savez(path, **({"poses": poses, "trans": trans} | changes))
    return path


def test_amass_files_have_heights(tmp_path):
    clip = read_amass(write_amass(tmp_path / "a.npz"))
    assert clip.clearances == pytest.approx(expected(), abs=0.03)
    assert clip.pose(49).clearance == pytest.approx(0.6, abs=0.03)
    assert mirrored_pose(clip.pose(49)) == clip.pose(49)
    wrong = write_amass(tmp_path / "b.npz", trans=np.zeros((7, 3)))
    with pytest.raises(UserError, match=r"positions of the whole body have the shape \(7, 3\)"):
        read_amass(wrong)


@pytest.mark.parametrize("axes", ["y up", "z up"])
def test_bvh_files_have_heights_in_any_unit(tmp_path, axes):
    parents, offsets = skeleton("tpose")
    world = {joint: np.tile(np.eye(3), (FRAMES, 1, 1)) for joint in offsets}
    rows = bvh("cmu", parents, offsets, world, axes).splitlines()
    column = 1 if axes == "y up" else 2
    first = next(i for i, row in enumerate(rows) if row.startswith("Frame Time")) + 1
    for frame in range(FRAMES):
        values = rows[first + frame].split()
        up = 100 * (JUMP[frame - 39] if frame >= 39 else 0.0)
        values[column] = str(float(values[column]) + up)
        rows[first + frame] = " ".join(values)
    (tmp_path / "a.bvh").write_text("\n".join(rows) + "\n")
    # The file is in centimetres, and its legs are as long as ours.
    assert read_clip(tmp_path / "a.bvh").clearances == pytest.approx(expected(), abs=0.03)


def test_a_jumping_person_is_above_the_floor(body, tmp_path):
    poses = str(write_amass(tmp_path / "a.npz"))
    above = []
    for index in range(24):
        config = SceneConfig(
            poses=poses, poses_share=1.0, ground="floor", wardrobe="painted", people=(2, 2),
            backgrounds="builtin",
        )  # fmt: skip
        scene = sample_scene(config, 3, index, body)
        floor = scene.background.floor_z
        above += [pose_person(body, person).lowest - floor for person in scene.people]
    above = np.array(above)
    assert above.min() > -1e-5
    assert np.isclose(above, 0, atol=1e-5).mean() == pytest.approx(41 / FRAMES, abs=0.2)
    assert 0.5 < above.max() < 0.65


def test_a_pose_is_on_the_floor_unless_it_says_otherwise():
    assert Pose({}).clearance == 0
