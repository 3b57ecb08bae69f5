"""Limbs follow the positions of a file's joints, whatever its rotations, rest pose and names."""

import re

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from skeletons import STYLES, bvh, joints_of, skeleton
from test_retarget import BONES, FRAMES, angle_deg, animation, pointing, read, still

from repogen.bodies.skeleton import COCO_KEYPOINTS
from repogen.errors import UserError
from repogen.poses.bvh import read_bvh
from repogen.poses.kinematics import joint_positions, world_rotations
from repogen.poses.limb_check import compare_limbs
from repogen.poses.motion import read_clip
from repogen.poses.rigs import find_joints

NAMES = ["optitrack", "rigify", "lowercase_lr", "mmd", "ue"]


def keypoints(body, clip):
    shape = {"age": 2 / 3}
    return np.array(
        [body.pose(shape, {}, clip.angles(f)).keypoints for f in range(len(clip.degrees))]
    )


def sources(path):
    """Positions of our joints in the file, by name."""
    skeleton, rotations, translations = read_bvh(path)
    world = world_rotations(skeleton, rotations)
    positions = joint_positions(skeleton, world, translations)
    joints = find_joints(skeleton, "a", positions).joints
    return {joint: positions[:, index] for joint, index in joints.items()}


def errors_deg(points, source):
    """Angles between the limbs, hips and shoulders of a body and of a file, for each frame, after
    the best rotation of the whole body."""
    bones = [*BONES, ("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")]
    bones += [(f"{side}_hip", f"{side}_shoulder") for side in ("left", "right")]
    out = []
    for frame, keypoint in enumerate(points):
        at = dict(zip(COCO_KEYPOINTS, keypoint, strict=True))
        ours = np.array([at[b] - at[a] for a, b in bones])
        theirs = np.array([source[b][frame] - source[a][frame] for a, b in bones])
        ours, theirs = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (ours, theirs))
        turn, _ = Rotation.align_vectors(ours, theirs)
        out.append(angle_deg(ours, turn.apply(theirs)))
    return np.array(out)


def test_zero_length_joints_may_have_any_rotation(body, shared_data):
    folder = shared_data("strangers/bvh_zero_length")
    clips = [read_clip(folder / f"{name}.bvh") for name in ("control", "same_positions")]
    first, second = (keypoints(body, clip) for clip in clips)
    assert np.abs(first - second).max() < 0.001
    assert errors_deg(second, sources(folder / "same_positions.bvh")).max() < 10


@pytest.mark.parametrize("name", [*NAMES, "bones_along_x"])
def test_strangers_names_and_rest_poses(body, shared_data, name):
    folder = shared_data("strangers/bvh_names")
    clip = read_clip(folder / f"{name}.bvh")
    assert errors_deg(keypoints(body, clip), sources(folder / f"{name}.bvh")).max() < 10


@pytest.mark.parametrize("name", NAMES)
def test_strangers_names_do_not_matter(shared_data, name):
    folder = shared_data("strangers/bvh_names")
    first, second = (read_clip(folder / f"{n}.bvh") for n in (name, "ue"))
    assert first.joints == second.joints
    assert first.degrees == pytest.approx(second.degrees, abs=1e-4)


def with_zero_length_joints(parents, offsets, world, seed):
    """The same positions, with joints of zero length before hips, spine, neck and collars, and any
    rotations of these and of the joints that move nothing else."""
    rng = np.random.default_rng(seed)
    parents, offsets, world = dict(parents), dict(offsets), dict(world)
    for joint in ("left_hip", "right_hip", "spine1", "neck", "left_collar", "right_collar"):
        parents[f"zero_{joint}"] = parents[joint]
        offsets[f"zero_{joint}"] = np.zeros(3)
        world[f"zero_{joint}"] = world[parents[joint]]
        parents[joint] = f"zero_{joint}"
    for joint in ("hips", "spine3"):
        world[joint] = Rotation.random(FRAMES, rng=rng).as_matrix()
    return parents, offsets, world


@pytest.mark.parametrize("on_a_line", [False, True])
def test_a_joint_that_only_moves_joints_at_its_place_is_not_believed(tmp_path, on_a_line):
    parents, offsets = skeleton("tpose")
    if on_a_line:  # hips beside the pelvis do not say how it tips
        for side in ("left", "right"):
            offsets[f"{side}_hip"] = offsets[f"{side}_hip"] * (1, 0, 0)
    world, _ = animation(parents, offsets)
    expected = read(tmp_path / "a.bvh", bvh("cmu", parents, offsets, world))
    parents, offsets, world = with_zero_length_joints(parents, offsets, world, seed=2)
    names = joints_of("cmu") | {j: f"Zero{i}" for i, j in enumerate(parents) if "zero" in j}
    clip = read(tmp_path / "b.bvh", bvh("cmu", parents, offsets, world, names=names))
    assert clip.joints == expected.joints
    turns, same = (
        Rotation.from_rotvec(c.degrees.reshape(-1, 3), degrees=True) for c in (clip, expected)
    )
    assert np.degrees((turns * same.inv()).magnitude()).max() < 0.1


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "sides", [("L", "R"), ("gauche_", "droite_"), ("Links", "Rechts"), ("左", "右"), ("sx", "dx")]
)
def test_unknown_names_are_matched_by_shape_and_words_for_sides(tmp_path, style, sides):
    parents, offsets = skeleton("apose")
    world, _ = animation(parents, offsets)
    expected = read(tmp_path / "a.bvh", bvh(style, parents, offsets, world))
    words = dict(zip(("left", "right"), sides, strict=True))
    names = {}
    for joint in parents:
        side, _, plain = joint.rpartition("_")
        names[joint] = f"{words.get(side, '')}b{sum(map(ord, plain))}"
    clip = read(tmp_path / "b.bvh", bvh(style, parents, offsets, world, names=names))
    assert set(expected.joints) <= set(clip.joints)
    for joint in expected.joints:
        first, second = (c.degrees[:, c.joints.index(joint)] for c in (clip, expected))
        assert first == pytest.approx(second, abs=1e-3)


@pytest.mark.parametrize("right_first", [False, True])
def test_without_words_the_feet_show_left_and_right(tmp_path, right_first):
    parents, offsets = skeleton("apose")
    world, _ = animation(parents, offsets)
    expected = read(tmp_path / "a.bvh", bvh("cmu", parents, offsets, world))
    order = sorted(parents, key=lambda j: j.startswith("left")) if right_first else list(parents)
    parents = {joint: parents[joint] for joint in order}
    names = {joint: f"Bone{number}" for number, joint in enumerate(parents)}
    clip = read(tmp_path / "b.bvh", bvh("cmu", parents, offsets, world, names=names))
    assert clip.degrees == pytest.approx(expected.degrees, abs=1e-3)


@pytest.mark.parametrize("word", ["Twist", "捩"])
def test_bones_split_by_twist_joints_are_whole(tmp_path, word):
    """As in Daz's (lThighBend, lThighTwist) and MikuMikuDance's skeletons (左腕捩)."""
    parents, offsets = skeleton("apose")
    world, _ = animation(parents, offsets)
    expected = read(tmp_path / "a.bvh", bvh("cmu", parents, offsets, world))
    for side in ("left", "right"):
        for joint, end in (("hip", "knee"), ("shoulder", "elbow"), ("elbow", "wrist")):
            middle, start, end = f"{side}_{joint}_split", f"{side}_{joint}", f"{side}_{end}"
            parents[middle], parents[end] = start, middle
            offsets[middle] = offsets[end] * 0.5
            offsets[end] = offsets[end] * 0.5
            world[middle] = world[start]
    names = {joint: f"Bone{number}" for number, joint in enumerate(parents)}
    names |= {joint: f"{name}{word}" for joint, name in names.items() if "split" in joint}
    clip = read(tmp_path / "b.bvh", bvh("cmu", parents, offsets, world, names=names))
    assert clip.joints == expected.joints
    assert clip.degrees == pytest.approx(expected.degrees, abs=1e-3)


def test_skirts_hair_tails_and_inverse_kinematics_are_no_limbs(tmp_path):
    """As MikuMikuDance's and VRoid's skeletons have them."""
    parents, offsets = skeleton("apose")
    world, _ = animation(parents, offsets)
    expected = read(tmp_path / "a.bvh", bvh("cmu", parents, offsets, world))
    for side, sign in (("left", 1), ("right", -1)):
        for chain, start, first, rest, count in (
            ("skirt", "hips", (8, -5, 8), (0, -15, 2), 4),
            ("hair", "head", (6, 10, -4), (0, -14, -2), 4),
            ("ik", "hips", (9, -92, 0), (0, 0, 12), 2),
            ("eye", "head", (3, 6, 8), (0, 0, 2), 1),
        ):
            above = start
            for number in range(count):
                name = f"{side}_{chain}{number}"
                parents[name], above = above, name
                offsets[name] = np.multiply(rest if number else first, (sign, 1, 1)).astype(float)
    above = "hips"
    for number in range(6):
        name = f"tail{number}"
        parents[name], above = above, name
        offsets[name] = np.array([0.0, -2, -15])
    for joint in parents:
        if joint not in world:
            world[joint] = world[parents[joint]]
    names = {joint: f"Bone{number}" for number, joint in enumerate(parents)}
    clip = read(tmp_path / "b.bvh", bvh("cmu", parents, offsets, world, names=names))
    assert clip.joints == expected.joints
    assert clip.degrees == pytest.approx(expected.degrees, abs=1e-3)


def collapsed(parents, offsets, world):
    """The same motion of a skeleton with all bones along x at rest, twisted at random."""
    along = {}
    for joint in parents:
        child = next((c for c, above in parents.items() if above == joint), joint)
        bone = offsets[child]
        across = np.cross(bone, (0.3, 0.2, 1.0))
        axes = np.stack([bone, across, np.cross(bone, across)], axis=1)
        along[joint] = axes / np.linalg.norm(axes, axis=0)
    turned = {joint: turns @ along[joint] for joint, turns in world.items()}
    moved = {
        joint: along[parent].T @ offsets[joint] if parent else offsets[joint]
        for joint, parent in parents.items()
    }
    return moved, turned


def test_bends_of_elbows_and_knees_show_how_bones_are_twisted(tmp_path):
    parents, offsets = skeleton("tpose", legs_apart_deg=5.0)
    rng = np.random.default_rng(1)
    limbs = Rotation.from_rotvec(rng.normal(0, 0.5, (4, FRAMES, 3)).reshape(-1, 3)).as_matrix()
    limbs = limbs.reshape(4, FRAMES, 3, 3)
    bends = {"left_elbow": "y", "right_elbow": "y", "left_knee": "x", "right_knee": "x"}
    local = {joint: np.tile(np.eye(3), (FRAMES, 1, 1)) for joint in parents}
    for limb, (joint, axis) in zip(limbs, bends.items(), strict=True):
        local[parents[joint]] = limb
        angles = rng.uniform(20, 110, FRAMES) * (-1 if joint == "left_elbow" else 1)
        local[joint] = Rotation.from_euler(axis, angles[:, None], degrees=True).as_matrix()
    world = {}
    for joint, parent in parents.items():
        world[joint] = world[parent] @ local[joint] if parent else local[joint]
    moved, turned = collapsed(parents, offsets, world)
    clip = read(tmp_path / "a.bvh", bvh("cmu", parents, moved, turned))
    off = {
        joint: (
            Rotation.from_rotvec(clip.degrees[:, clip.joints.index(joint)], degrees=True).inv()
            * Rotation.from_matrix(local[joint])
        )
        for joint in clip.joints
    }
    worst = {joint: np.degrees(turns.magnitude()).max() for joint, turns in off.items()}
    assert max(worst["left_elbow"], worst["right_elbow"]) < 1
    assert max(worst.values()) < 12  # the skeleton's neck leans by 11 degrees


def test_a_rest_pose_collapsed_along_one_axis_follows_positions(body, tmp_path):
    """As LaFAN1's and Kimodo's files; here no frame stands straight either."""
    parents, offsets = skeleton("tpose")
    world, wanted = animation(parents, offsets)
    moved, turned = collapsed(parents, offsets, world)
    path = tmp_path / "a.bvh"
    clip = read(path, bvh("cmu", parents, moved, turned))
    for frame in range(FRAMES):
        ours = pointing(body, clip.angles(frame))
        errors = [angle_deg(ours[bone], wanted[bone][frame]) for bone in BONES]
        assert np.max(errors) < 12


@pytest.mark.parametrize("kind", ["replace", "add", "no offsets"])
def test_position_channels_of_all_joints_move_them(tmp_path, kind):
    """Blender and 100STYLE write positions that take the place of the offsets; some files have no
    offsets beside them, and some add to them."""
    parents, offsets = skeleton("apose")
    world, _ = animation(parents, offsets)
    text = bvh("cmu", parents, offsets, world)
    expected = read(tmp_path / "a.bvh", text)
    order = [line.split()[-1] for line in text.splitlines() if re.match(r"\s*(ROOT|JOINT)", line)]
    back = {name: joint for joint, name in joints_of("cmu").items()}
    text = text.replace("CHANNELS 3 ", "CHANNELS 6 Xposition Yposition Zposition ")
    head, rows = text.split("Frame Time: 0.0083333\n")
    if kind == "no offsets":
        head = re.sub(r"OFFSET .*", "OFFSET 0 0 0", head)
    lines = []
    for row in rows.splitlines():
        numbers = row.split()
        line = numbers[:6]
        for k, name in enumerate(order[1:]):
            at = np.zeros(3) if kind == "add" else offsets[back[name]]
            line += [f"{v:.6f}" for v in at] + numbers[6 + 3 * k : 9 + 3 * k]
        lines.append(" ".join(line))
    clip = read(tmp_path / "b.bvh", f"{head}Frame Time: 0.0083333\n" + "\n".join(lines))
    assert clip.degrees == pytest.approx(expected.degrees, abs=0.01)


def test_a_foot_that_points_down_at_rest_is_not_taken_for_a_flat_one(tmp_path):
    """Feet along the shin at rest, bent to the front by 80 degrees, are nearly flat feet."""
    parents, offsets = skeleton("tpose", legs_apart_deg=5.0)
    world = still(parents)
    for side in ("left", "right"):
        offsets[f"{side}_foot"] = np.array([0.0, -15, 0])
        turn = Rotation.from_euler("x", -70, degrees=True).as_matrix()[None]
        world[f"{side}_ankle"] = world[f"{side}_foot"] = turn
    angles = read(tmp_path / "a.bvh", bvh("cmu", parents, offsets, world)).angles(0)
    assert np.abs(angles["left_ankle"]).max() < 10


def test_a_limb_above_25_degrees_off_is_reported_once(capsys):
    at = {"left_hip": (9, 0, 0), "right_hip": (-9, 0, 0), "left_knee": (9, -30, 30),
          "left_shoulder": (18, 50, 0), "right_shoulder": (-18, 50, 0)}  # fmt: skip
    source = {joint: np.tile(np.array(point, float), (3, 1)) for joint, point in at.items()}
    source["left_knee"][1:] = (11, -45, 0)
    joints = ("pelvis", "spine1", "spine2", "spine3", "left_hip")
    ours = dict.fromkeys(joints, np.tile(np.eye(3), (3, 1, 1)))
    compare_limbs(ours, source, "a.bvh")
    compare_limbs(ours, source, "a.bvh")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(
        "a.bvh: in 1 of 3 frames its limbs are more than 25 degrees off the file's joint "
        "positions: left thigh by up to 45 degrees"
    )
    ours["spine3"] = ours["pelvis"] = Rotation.from_euler("x", 90, degrees=True).as_matrix()[None]
    compare_limbs(ours, source, "b.bvh")
    assert "degrees, left thigh by up to 45 degrees; the trunk bends" in capsys.readouterr().err


@pytest.mark.parametrize("style", STYLES)
def test_known_files_cause_no_warning(tmp_path, style, capsys):
    parents, offsets = skeleton("apose")
    world, _ = animation(parents, offsets)
    read(tmp_path / "a.bvh", bvh(style, parents, offsets, world))
    assert capsys.readouterr().err == ""


def test_a_skeleton_of_no_human_shape_is_a_user_error(tmp_path):
    parents, offsets = skeleton("apose")
    parents = {j: p for j, p in parents.items() if not j.startswith("right")}
    names = {joint: f"Bone{number}" for number, joint in enumerate(parents)}
    with pytest.raises(UserError, match="no joint has a known name"):
        read(tmp_path / "a.bvh", bvh("cmu", parents, offsets, still(parents), names=names))
