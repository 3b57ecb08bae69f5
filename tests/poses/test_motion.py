"""Files and folders of measured poses, and frames drawn from them."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from skeletons import bvh, skeleton
from test_amass import arrays, random_poses, write

from repogen.bodies.skeleton import BODY_JOINTS, COCO_KEYPOINTS, JOINTS, mirrored
from repogen.errors import UserError
from repogen.poses.clips import Pose
from repogen.poses.motion import (
    load_motion,
    mirrored_pose,
    poses_of_pack,
    report_skipped,
    sample_motion,
)


def counted(path, count, first=0):
    """A pose file whose poses bend the head by first, first + 1, … degrees."""
    poses = [{"angles": {"head": [float(first + i), 0, 0]}} for i in range(count)]
    path.write_text(json.dumps({"format": "repogen-poses", "poses": poses}))
    return path


def draws(motion, count, **options):
    rng = np.random.default_rng(0)
    return [sample_motion(rng, motion, **options).angles for _ in range(count)]


def test_frames_of_a_folder_are_equally_likely(tmp_path):
    (tmp_path / "deep").mkdir()
    counted(tmp_path / "a.json", 2)
    counted(tmp_path / "deep" / "b.json", 8, first=2)
    motion = load_motion(tmp_path)
    assert motion.frames == 10
    heads = [int(angles["head"][0]) for angles in draws(motion, 3000)]
    counts = np.bincount(heads, minlength=10)
    assert counts == pytest.approx(np.full(10, 300), abs=4 * np.sqrt(300))


def test_files_of_all_three_formats_are_found(tmp_path):
    counted(tmp_path / "a.json", 3)
    write(tmp_path / "B.NPZ.npz", **arrays(random_poses(4), 156))
    np.savez(tmp_path / "shape.npz", betas=np.zeros(16))
    parents, offsets = skeleton("apose")
    world = {joint: np.tile(np.eye(3), (5, 1, 1)) for joint in parents}
    (tmp_path / "c.BVH").write_text(bvh("cmu", parents, offsets, world))
    (tmp_path / "readme.txt").write_text("hello")
    motion = load_motion(tmp_path)
    assert (motion.frames, len(motion.files), motion.found.bad) == (12, 3, ())
    for angles in draws(motion, 50):
        assert set(angles) <= set(JOINTS)
        assert np.isfinite(list(angles.values())).all()


def test_sampling_motion_is_deterministic(tmp_path):
    motion = load_motion(write(tmp_path / "a.npz", **arrays(random_poses(50), 156)))
    assert draws(motion, 20, noise_deg=3) == draws(motion, 20, noise_deg=3)


def test_half_of_the_poses_are_mirrored(tmp_path):
    poses = random_poses(1)
    motion = load_motion(write(tmp_path / "a.npz", **arrays(poses, 165)))
    knees = [angles["left_knee"][0] for angles in draws(motion, 400)]
    own = np.isclose(knees, poses[0]["left_knee"][0], atol=1e-3)
    other = np.isclose(knees, poses[0]["right_knee"][0], atol=1e-3)
    assert (own ^ other).all()
    assert own.mean() == pytest.approx(0.5, abs=0.1)
    knees = [angles["left_knee"][0] for angles in draws(motion, 40, mirror=False)]
    assert np.allclose(knees, poses[0]["left_knee"][0], atol=1e-3)


def test_mirrored_angles_give_the_mirrored_body(body):
    pose = random_poses(1)[0]
    first, second = (
        dict(zip(COCO_KEYPOINTS, body.pose({}, {}, angles).keypoints, strict=True))
        for angles in (pose, mirrored_pose(Pose(pose)).angles)
    )
    for name, point in first.items():
        assert second[mirrored(name)] == pytest.approx(point * (-1, 1, 1), abs=0.005)
    tilted = Pose(pose, (10.0, 20.0, 30.0))
    assert mirrored_pose(tilted).orientation == (10.0, -20.0, -30.0)
    assert mirrored_pose(mirrored_pose(tilted)) == tilted


def test_noise_has_the_given_standard_deviation(tmp_path):
    pose = random_poses(1)[0]
    motion = load_motion(write(tmp_path / "a.npz", **arrays([pose], 156)))
    noisy = draws(motion, 500, noise_deg=4.0, mirror=False)
    body = np.array([[a[j] for j in BODY_JOINTS] for a in noisy]) - [pose[j] for j in BODY_JOINTS]
    assert body.std(axis=0) == pytest.approx(np.full((21, 3), 4.0), rel=0.2)
    assert np.abs(body.mean(axis=0)).max() < 1.0
    assert noisy[0]["left_thumb2"] == pytest.approx(pose["left_thumb2"], abs=1e-3)


def test_files_are_cached(tmp_path):
    motion = load_motion(write(tmp_path / "a.npz", **arrays(random_poses(300), 156)))
    draws(motion, 1)
    start = time.process_time()
    draws(motion, 200, noise_deg=2)
    assert (time.process_time() - start) / 200 < 2e-3


def test_a_few_unusable_files_are_skipped_and_reported_once(tmp_path, capsys):
    for name in "abc":
        counted(tmp_path / f"{name}.json", 2)
    (tmp_path / "d.bvh").write_text("hello")
    np.savez(tmp_path / "e.npz", poses=np.zeros((5, 71)))
    motion = load_motion(tmp_path)
    assert motion.frames == 6
    assert len(motion.found.bad) == 2
    report_skipped(motion)
    report_skipped(motion)
    said = capsys.readouterr().err
    assert said.count("2 of 5 files left out") == 1
    assert "d.bvh is not a BVH file" in said


def test_one_good_file_among_bad_ones_is_used_and_only_bad_ones_are_a_user_error(tmp_path):
    good = counted(tmp_path / "a.json", 2)
    for name in "bc":
        (tmp_path / f"{name}.bvh").write_text("hello")
    assert load_motion(tmp_path).files == (good,)
    good.unlink()
    with pytest.raises(UserError, match=r"2 of 2 files cannot be used .*b.bvh is not a BVH"):
        load_motion(tmp_path)


def test_a_path_names_an_asset_pack_if_there_is_no_such_file(tmp_path, monkeypatch):
    pack = tmp_path / "assets" / "makehuman"
    (pack / "poses").mkdir(parents=True)
    monkeypatch.setenv("REPOGEN_ASSETS", str(pack.parent))
    monkeypatch.chdir(tmp_path)
    item = {"kind": "poses", "name": "a", "uuid": "", "licence": "CC0", "files": {}, "tags": []}
    index = {"name": "makehuman", "version": "1", "source": "npm", "items": [item]}
    (pack / "pack.json").write_text(json.dumps(index))
    counted(pack / "poses" / "a.json", 3)
    assert load_motion(Path("makehuman")).frames == 3
    assert poses_of_pack(Path("makehuman")) == pack / "poses"
    (tmp_path / "makehuman").mkdir()
    own = counted(tmp_path / "makehuman" / "own.json", 5)
    assert load_motion(Path("makehuman")).frames == 5
    assert poses_of_pack(Path("makehuman")) is None
    own.unlink()
    own.parent.rmdir()
    (pack / "pack.json").write_text(json.dumps(index | {"items": []}))
    with pytest.raises(UserError, match="nor an asset pack with poses"):
        load_motion(Path("makehuman"))


def test_paths_without_motion_are_user_errors(tmp_path):
    with pytest.raises(UserError, match=r"no such file or folder, nor an asset pack"):
        load_motion(tmp_path / "missing")
    with pytest.raises(UserError, match="holds no motion"):
        load_motion(tmp_path)
    np.savez(tmp_path / "shape.npz", betas=np.zeros(16))
    with pytest.raises(UserError, match="holds no motion"):
        load_motion(tmp_path)
    with pytest.raises(UserError, match="holds no motion"):
        load_motion(tmp_path / "shape.npz")
    (tmp_path / "walk.fbx").write_text("hello")
    with pytest.raises(UserError, match=r"ends in \.npz, \.npy, \.pkl, \.bvh, \.json"):
        load_motion(tmp_path / "walk.fbx")


def test_a_single_file_is_checked_completely(tmp_path):
    values = arrays(random_poses(3), 156)
    values["poses"][2, 9] = np.inf
    with pytest.raises(UserError, match="frame 2"):
        load_motion(write(tmp_path / "a.npz", **values))
