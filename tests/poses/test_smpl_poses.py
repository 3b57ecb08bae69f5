"""SMPL's 72 values and rotation matrices, as estimators of body poses write them."""

import pickle
import sys
import types
import zlib

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from test_amass import radians, random_poses

from repogen.bodies.skeleton import BODY_JOINTS
from repogen.errors import UserError
from repogen.poses.amass import amass_frames, read_amass
from repogen.poses.motion import load_motion

FRAMES = 4
POSES = random_poses(FRAMES)


def thetas():
    """SMPL's 72 values: root, body, and two joints of the hands that we do not have."""
    out = np.full((FRAMES, 72), 0.5)
    out[:, 3:66] = radians(POSES, BODY_JOINTS)
    return out


def matrices(vectors):
    return Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix().reshape(len(vectors), -1, 3, 3)


def npz(**arrays):
    return "npz", lambda path: np.savez(path, **arrays)


def npy(array):
    return "npy", lambda path: np.save(path, array)


def pkl(content):
    return "pkl", lambda path: path.write_bytes(pickle.dumps(content))


class _Joblib(pickle._Pickler):
    """Writes arrays as joblib does: a description, a byte that counts the padding, the bytes."""

    def __init__(self, file):
        super().__init__(file, protocol=4)
        self.file = file

    def save(self, obj, save_persistent_id=True):
        if type(obj) is not np.ndarray:
            return super().save(obj, save_persistent_id)
        wrapper = sys.modules["joblib.numpy_pickle"].NumpyArrayWrapper()
        wrapper.__dict__ = {"subclass": np.ndarray, "shape": obj.shape, "order": "C",
                            "dtype": obj.dtype, "numpy_array_alignment_bytes": 16}  # fmt: skip
        super().save(wrapper, save_persistent_id)
        self.framer.commit_frame(force=True)
        self.file.write(b"\x03" + b"\xff" * 3 + obj.tobytes())


def joblib(content, compress):
    def write(path):
        module = types.ModuleType("joblib.numpy_pickle")
        module.NumpyArrayWrapper = type(
            "NumpyArrayWrapper", (), {"__module__": "joblib.numpy_pickle"}
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "joblib", types.ModuleType("joblib"))
            patch.setitem(sys.modules, "joblib.numpy_pickle", module)
            with path.open("wb") as file:
                _Joblib(file).dump(content)
        if compress:
            path.write_bytes(zlib.compress(path.read_bytes()))

    return "pkl", write


def phalp():
    """A dict of frames, each with a list of people; `pose` is no pose there."""
    turns = matrices(thetas())
    return {
        f"{k}.jpg": {"pose": [np.zeros(229)], "smpl": [{"global_orient": turns[k, :1],
                     "body_pose": turns[k, 1:], "betas": np.zeros(10)}]}
        for k in range(FRAMES)
    }  # fmt: skip


BODY = thetas()[:, 3:]
KINDS = {
    "poses of 72": npz(poses=thetas(), betas=np.zeros(10)),
    "poses of 24 x 3": npz(poses=thetas().reshape(-1, 24, 3)),
    "ROMP, without a dict": npz(smpl_thetas=thetas().astype(np.float32), cam=np.zeros((4, 3))),
    "ROMP": npz(results={"smpl_thetas": thetas(), "smpl_betas": np.zeros((4, 10))}),
    "ROMP, a video": npz(results={f"{k}.jpg": {"smpl_thetas": thetas()[k : k + 1]}
                                  for k in range(FRAMES)}),
    "body_pose of 69": npz(body_pose=BODY, global_orient=np.ones((FRAMES, 3))),
    "body_pose of 23 x 3": npz(body_pose=BODY.reshape(-1, 23, 3)),
    "body_pose of matrices": npz(body_pose=matrices(BODY), global_orient=matrices(np.ones((4, 3)))),
    "matrices with root": npy(matrices(thetas())),
    "matrices without root": npy(matrices(BODY)),
    "an array of 72": npy(thetas()),
    "an array of 69": npy(BODY),
    "SMPL-X without hands": npy(thetas()[:, :66]),
    "a pickled array": pkl(thetas()),
    "a pickled dict": pkl({"pose": thetas(), "trans": np.zeros((FRAMES, 3))}),
    "a pickled array of a dict": npy(np.array({"thetas": thetas()})),
    "VIBE": joblib({1: {"pred_cam": np.zeros((4, 3)), "pose": thetas()}}, compress=False),
    "4D-Humans": joblib(phalp(), compress=True),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_body_joints_of_every_layout_are_read(tmp_path, kind):
    suffix, write = KINDS[kind]
    path = tmp_path / f"a.{suffix}"
    write(path)
    clip = read_amass(path)
    assert amass_frames(path) == FRAMES
    assert clip.joints == BODY_JOINTS
    for frame, pose in enumerate(POSES):
        turns, expected = (
            Rotation.from_rotvec(np.array([angles[j] for j in BODY_JOINTS]), degrees=True)
            for angles in (clip.angles(frame), pose)
        )
        assert np.degrees((turns * expected.inv()).magnitude()).max() < 0.01


@pytest.mark.parametrize("single", [thetas()[0], thetas()[0].reshape(24, 3), matrices(BODY)[0]])
def test_a_single_pose_needs_no_frames(tmp_path, single):
    np.save(tmp_path / "a.npy", single)
    assert load_motion(tmp_path).frames == 1
    assert read_amass(tmp_path / "a.npy").degrees.shape == (1, 21, 3)


class _Evil:
    def __reduce__(self):
        return print, ("executed",)


@pytest.mark.parametrize("suffix", ["pkl", "npz", "npy"])
def test_no_code_of_a_pickle_is_executed(tmp_path, suffix, capsys):
    path = tmp_path / f"a.{suffix}"
    content = {"poses": thetas(), "more": _Evil()}
    {"pkl": pkl(content), "npz": npz(results=content), "npy": npy(np.array(content))}[suffix][1](
        path
    )
    capsys.readouterr()
    with pytest.raises(UserError, match=r"asks for builtins\.print.*no code was executed"):
        read_amass(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (npz(poses=np.zeros((5, 144))), r"poses has 144 values a frame; expected one of 72 \(SMPL"),
        (npz(body_pose=np.zeros((1, 32))), r"body_pose has 32 values.*63 \(SMPL-X\), 69 \(SMPL\)"),
        (npy(np.zeros((3, 70))), "the array has 70 values a frame"),
        (npy(np.zeros((2, 23, 3, 3))), "holds no rotations"),
        (npy(np.full((2, 72), np.nan)), "frame 0 has values that are not finite"),
        (pkl({"betas": np.zeros(10)}), "holds no motion"),
        (pkl("hello"), "holds no motion"),
        (("pkl", lambda path: path.write_bytes(b"hello")), "cannot read motion from"),
        (("pkl", lambda path: path.write_bytes(b"\x78\x9c\x00")), "cannot read motion from"),
        (("npy", lambda path: path.write_bytes(b"hello")), "cannot read motion from"),
    ],
)
def test_other_files_are_user_errors(tmp_path, kind, message):
    suffix, write = kind
    path = tmp_path / f"a.{suffix}"
    write(path)
    with pytest.raises(UserError, match=message):
        read_amass(path)


def test_pickles_without_poses_beside_motion_are_ignored(tmp_path):
    np.save(tmp_path / "a.npy", thetas())
    (tmp_path / "model.pkl").write_bytes(pickle.dumps({"v_template": np.zeros((5, 3))}))
    motion = load_motion(tmp_path)
    assert (motion.frames, motion.found.bad) == (FRAMES, ())
