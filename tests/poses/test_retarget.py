"""Retargeting: bones of our body point in the directions of the foreign skeleton's."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from skeletons import AXES, STYLES, bvh, joints_of, skeleton

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.errors import UserError
from repogen.poses.bvh import read_bvh
from repogen.poses.retarget import retarget

FRAMES = 6
BONES = [
    (f"{side}_{start}", f"{side}_{end}")
    for side in ("left", "right")
    for start, end in (
        ("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"),
    )
]  # fmt: skip


def shortest(sources, targets):
    axis = np.cross(sources, targets)
    sine = np.linalg.norm(axis, axis=-1, keepdims=True)
    angle = np.arctan2(sine, np.sum(sources * targets, axis=-1, keepdims=True))
    return Rotation.from_rotvec(axis / sine * angle).as_matrix()


def animation(parents, offsets, seed=0):
    """World rotations that point every limb in a random direction, the whole body turned at
    random; and those directions relative to the hips, by bone."""
    rng = np.random.default_rng(seed)
    root = Rotation.random(FRAMES, random_state=seed).as_matrix()
    world, wanted = {}, {}
    for joint, parent in parents.items():
        world[joint] = world[parent] if parent else root
        for bone in BONES:
            if bone[0] != joint:
                continue
            along = offsets[bone[1]] / np.linalg.norm(offsets[bone[1]])
            target = rng.normal(size=(FRAMES, 3))
            target /= np.linalg.norm(target, axis=1, keepdims=True)
            target = along + 0.8 * target  # nothing near the opposite direction
            target /= np.linalg.norm(target, axis=1, keepdims=True)
            wanted[bone] = target
            world[joint] = root @ shortest(np.tile(along, (FRAMES, 1)), target)
    return world, wanted


def angle_deg(a, b):
    a, b = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (a, b))
    return np.degrees(np.arccos(np.clip(np.sum(a * b, axis=-1), -1, 1)))


def pointing(body, angles):
    """Directions of our body's bones, with the body's axes."""
    points = body.pose({"age": 2 / 3}, {}, angles).keypoints
    at = dict(zip(COCO_KEYPOINTS, points[:, [0, 2, 1]] * (1, 1, -1), strict=True))
    return {bone: at[bone[1]] - at[bone[0]] for bone in BONES}


def read(path, text):
    path.write_text(text)
    return retarget(*read_bvh(path), str(path))


@pytest.mark.parametrize("rest", ["tpose", "apose"])
@pytest.mark.parametrize(
    ("style", "axes", "order"),
    [("cmu", "y up", "ZYX"), ("makehuman", "z up", "XYZ"), ("biovision", "x front", "ZXY"),
     ("mixamo", "z up", "YXZ")],
)  # fmt: skip
def test_bones_point_in_the_directions_of_the_file(body, tmp_path, rest, style, axes, order):
    parents, offsets = skeleton(rest)
    world, wanted = animation(parents, offsets)
    clip = read(tmp_path / "a.bvh", bvh(style, parents, offsets, world, axes, order))
    errors = []
    for frame in range(FRAMES):
        ours = pointing(body, clip.angles(frame))
        errors += [angle_deg(ours[bone], wanted[bone][frame]) for bone in BONES]
    # Keypoints are up to 6 degrees off the line between joint centres (the shoulder's).
    assert np.mean(errors) < 4
    assert np.max(errors) < 10


def still(parents):
    return {joint: np.tile(np.eye(3), (1, 1, 1)) for joint in parents}


@pytest.mark.parametrize("rest", ["tpose", "apose"])
def test_zero_rotations_give_the_files_rest_pose(body, tmp_path, rest):
    parents, offsets = skeleton(rest)
    clip = read(tmp_path / "a.bvh", bvh("cmu", parents, offsets, still(parents)))
    angles = clip.angles(0)
    down = {"tpose": 0, "apose": 50}[rest]
    assert angles["left_shoulder"] == pytest.approx((0, 0, -down), abs=1e-3)
    assert angles["right_shoulder"] == pytest.approx((0, 0, down), abs=1e-3)
    for joint in ("left_elbow", "left_wrist", "head", "spine2", "right_collar", "left_foot"):
        assert angles[joint] == pytest.approx((0, 0, 0), abs=1e-3)


@pytest.mark.parametrize("axes", AXES)
def test_rotating_the_whole_body_changes_nothing(tmp_path, axes):
    parents, offsets = skeleton("apose")
    world, _ = animation(parents, offsets)
    turn = Rotation.from_euler("xyz", (100, 20, -50), degrees=True).as_matrix()
    turned = {joint: turn @ matrices for joint, matrices in world.items()}
    first = read(tmp_path / "a.bvh", bvh("cmu", parents, offsets, world, axes))
    second = read(tmp_path / "b.bvh", bvh("cmu", parents, offsets, turned, axes))
    assert second.degrees == pytest.approx(first.degrees, abs=0.01)


def test_scale_and_axes_do_not_matter(tmp_path):
    parents, offsets = skeleton("apose")
    world, _ = animation(parents, offsets)
    small = {joint: offset / 100 for joint, offset in offsets.items()}
    first = read(tmp_path / "a.bvh", bvh("cmu", parents, offsets, world, "y up"))
    second = read(tmp_path / "b.bvh", bvh("cmu", parents, small, world, "z up", "XZY"))
    assert second.joints == first.joints
    assert second.degrees == pytest.approx(first.degrees, abs=0.02)


def test_rotations_of_head_spine_and_knee_are_kept(tmp_path):
    parents, offsets = skeleton("tpose", legs_apart_deg=5.0)
    world = still(parents)
    nod, bow, bend = (
        Rotation.from_euler("x", a, degrees=True).as_matrix()[None] for a in (30, 20, 70)
    )
    above = {"spine2", "spine3", "neck", "head"} | {
        f"{side}_{joint}"
        for side in ("left", "right")
        for joint in ("collar", "shoulder", "elbow", "wrist")
    }
    for joint in above:
        world[joint] = bow
    world["head"] = bow @ nod
    for joint in ("left_knee", "left_ankle", "left_foot"):
        world[joint] = bend
    angles = read(tmp_path / "a.bvh", bvh("cmu", parents, offsets, world)).angles(0)
    assert angles["spine2"] == pytest.approx((20, 0, 0), abs=1e-3)
    assert angles["head"] == pytest.approx((30, 0, 0), abs=1e-3)
    assert angles["left_knee"] == pytest.approx((70, 0, 0), abs=1e-3)
    assert angles["left_shoulder"] == pytest.approx((0, 0, 0), abs=1e-3)


def test_an_elbow_bent_at_rest_bends_about_the_vertical_axis(tmp_path):
    """In T-pose an elbow bends to the front: (0, -angle, 0) on the left."""
    parents, offsets = skeleton("apose")
    for side, sign in (("left", 1), ("right", -1)):
        hinge = Rotation.from_rotvec((0, -sign * np.radians(40), 0))
        offsets[f"{side}_wrist"] = hinge.apply(offsets[f"{side}_wrist"])
    angles = read(tmp_path / "a.bvh", bvh("cmu", parents, offsets, still(parents))).angles(0)
    for side, sign in (("left", -1), ("right", 1)):
        x, y, z = angles[f"{side}_elbow"]
        assert sign * y > 20
        assert (x, z) == pytest.approx((0, 0), abs=1e-3)


def test_a_bone_split_in_two_points_from_its_start_to_its_end(body, tmp_path):
    """MakeHuman's upper arms and thighs are split, and its poses bend both pieces."""
    parents, offsets = skeleton("apose")
    world, _ = animation(parents, offsets)
    twist = Rotation.from_rotvec(np.radians((10, 25, 5))).as_matrix()
    for side in ("left", "right"):
        parents[f"{side}_twist"] = f"{side}_shoulder"
        offsets[f"{side}_twist"] = offsets[f"{side}_elbow"] / 2
        offsets[f"{side}_elbow"] = offsets[f"{side}_elbow"] / 2
        parents[f"{side}_elbow"] = f"{side}_twist"
        world[f"{side}_twist"] = world[f"{side}_shoulder"] @ twist
    order = [j for j in parents if not j.endswith(("elbow", "wrist"))]
    order += [j for j in parents if j.endswith("elbow")] + [j for j in parents if "wrist" in j]
    parents = {joint: parents[joint] for joint in order}
    names = joints_of("makehuman")
    text = bvh("makehuman", parents, offsets, world, names=names | {
        "left_twist": "upperarm02.L", "right_twist": "upperarm02.R"})  # fmt: skip
    clip = read(tmp_path / "a.bvh", text)
    root_turned = world["hips"].swapaxes(1, 2)
    errors = []
    for frame in range(FRAMES):
        ours = pointing(body, clip.angles(frame))
        for side in ("left", "right"):
            half = offsets[f"{side}_elbow"]
            arm = world[f"{side}_shoulder"][frame] @ half + world[f"{side}_twist"][frame] @ half
            bone = (f"{side}_shoulder", f"{side}_elbow")
            errors.append(angle_deg(ours[bone], root_turned[frame] @ arm))
    assert np.max(errors) < 10


@pytest.mark.parametrize("style", STYLES)
def test_a_missing_joint_is_a_user_error_that_lists_the_joints(tmp_path, style):
    """Neither names nor shape show a left leg."""
    parents, offsets = skeleton("tpose")
    offsets["left_knee"] *= 0.3
    text = bvh(style, parents, offsets, still(parents))
    text = text.replace(joints_of(style)["left_knee"] + "\n", "Bone7\n")
    with pytest.raises(
        UserError, match=r"no joint has a known name for left knee; its joints are .*Bone7"
    ):
        read(tmp_path / "a.bvh", text)


def lying_at_zero(parents, offsets, world):
    """The same motion of a skeleton that lies doubled up at zero: offsets and world rotations.
    Its first frame is the rest pose of the one given."""
    away = {joint: np.eye(3) for joint in parents}
    for i, joint in enumerate(parents):
        turn = (80, 10, 0) if joint == "hips" else (0, 35 * i, 60)
        away[joint] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
    moved = {
        joint: away[parent].T @ offsets[joint] if parent else offsets[joint]
        for joint, parent in parents.items()
    }
    frames = {
        joint: np.concatenate([away[joint][None], turns @ away[joint]])
        for joint, turns in world.items()
    }
    return moved, frames


@pytest.mark.parametrize("rest", ["tpose", "apose"])
def test_a_standing_first_frame_serves_as_rest_pose(body, tmp_path, rest):
    parents, offsets = skeleton(rest)
    world, _ = animation(parents, offsets)
    lying, frames = lying_at_zero(parents, offsets, world)
    clip = read(tmp_path / "a.bvh", bvh("cmu", parents, lying, frames, "z up", "YZX"))
    assert len(clip.degrees) == FRAMES + 1
    standing = read(tmp_path / "b.bvh", bvh("cmu", parents, offsets, world))
    assert clip.joints == standing.joints
    turns, same = (
        Rotation.from_rotvec(degrees.reshape(-1, 3), degrees=True)
        for degrees in (clip.degrees[1:], standing.degrees)
    )
    assert np.degrees((turns * same.inv()).magnitude()).max() < 0.05
    down = {"tpose": 0, "apose": 50}[rest]
    assert clip.angles(0)["left_shoulder"] == pytest.approx((0, 0, -down), abs=0.01)


@pytest.mark.parametrize("bent", ["left_elbow", "right_knee", "hips"])
def test_limbs_of_a_skeleton_that_never_stands_straight_follow_positions(body, tmp_path, bent):
    """Neither at zero nor in the first frame, where a limb is bent or it leans."""
    parents, offsets = skeleton("tpose")
    world, wanted = animation(parents, offsets)
    lying, frames = lying_at_zero(parents, offsets, world)
    axis = "y" if bent == "left_elbow" else "x"
    turn = Rotation.from_euler(axis, 45, degrees=True).as_matrix()
    for joint in parents if bent == "hips" else [bent]:
        frames[joint][0] = turn @ frames[joint][0]
    clip = read(tmp_path / "a.bvh", bvh("cmu", parents, lying, frames))
    for frame in range(FRAMES):
        ours = pointing(body, clip.angles(frame + 1))
        errors = [angle_deg(ours[bone], wanted[bone][frame]) for bone in BONES]
        assert np.max(errors) < 12


def test_a_knee_with_another_parent_than_the_hip_is_a_user_error(tmp_path):
    parents, offsets = skeleton("tpose")
    parents["left_knee"] = "hips"
    with pytest.raises(UserError, match="LeftLeg must be below LeftUpLeg"):
        read(tmp_path / "a.bvh", bvh("cmu", parents, offsets, still(parents)))


@pytest.mark.parametrize("end", ["left_wrist", "right_ankle"])
def test_a_bone_of_zero_length_is_a_user_error(tmp_path, end):
    parents, offsets = skeleton("tpose")
    offsets[end] = np.zeros(3)
    with pytest.raises(UserError, match=f"{end} have the same position"):
        read(tmp_path / "a.bvh", bvh("cmu", parents, offsets, still(parents)))
