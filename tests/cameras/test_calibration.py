"""Calibration files of every kind give the camera that cv2 projects with."""

import json

import cv2
import numpy as np
import pytest

from repogen.cameras.calibration import mounted, read_calibrations
from repogen.cameras.config import CameraConfig
from repogen.errors import UserError

K = np.array([[620.0, 0, 470.2], [0, 622.0, 301.7], [0, 0, 1]])
SIZE = (960, 600)
BARREL = [-0.32, 0.12, 0.001, -0.0007, -0.02]
RATIONAL = [0.52, -2.6, 0.0004, -0.0002, 1.5, 0.4, -2.43, 1.42]
FISHEYE = [0.02, -0.008, 0.002, -0.0004]


def storage(path, coefficients, **more):
    """A file of cv2.FileStorage, which is also valid JSON where its name says so."""
    file = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    file.write("image_width", SIZE[0])
    file.write("image_height", SIZE[1])
    file.write("camera_matrix", K)
    file.write("distortion_coefficients", np.array([coefficients]))
    for key, value in more.items():
        file.write(key, value)
    file.release()


def opencv_yaml(path):
    storage(path / "c.yaml", BARREL)
    return "c.yaml", BARREL, False


def opencv_json(path):
    storage(path / "c.json", RATIONAL)
    return "c.json", RATIONAL, False


def opencv_fisheye(path):
    storage(path / "c.yml", FISHEYE, fisheye=1)
    return "c.yml", FISHEYE, True


def old_yaml(path):
    """As OpenCV 2 to 4 wrote it."""
    rows = ", ".join(map(str, K.ravel()))
    (path / "c.yaml").write_text(
        f"%YAML:1.0\n---\nimage_width: 960\nimage_height: 600\nCamera_Matrix: !!opencv-matrix\n"
        f"   rows: 3\n   cols: 3\n   dt: d\n   data: [ {rows[:30]}\n       {rows[30:]} ]\n"
        f'Distortion_Coefficients: !!opencv-matrix\n   rows: 5\n   cols: 1\n   dt: "d"\n'
        f"   data: {BARREL}\n"
    )
    return "c.yaml", BARREL, False


def plain_json(path):
    table = {"K": K.tolist(), "dist": [BARREL], "image_size": SIZE}
    (path / "c.json").write_text(json.dumps(table))
    return "c.json", BARREL, False


def npz(path):
    np.savez(path / "c.npz", mtx=K, dist=np.array([RATIONAL]), width=960, height=600, rvecs=[[1]])
    return "c.npz", RATIONAL, False


def ros(path):
    (path / "c.yaml").write_text(
        "image_width: 960\nimage_height: 600\ncamera_name: head\ncamera_matrix:\n  rows: 3\n"
        f"  cols: 3\n  data: {K.ravel().tolist()}\ndistortion_model: plumb_bob\n"
        f"distortion_coefficients:\n  rows: 1\n  cols: 5\n  data: {BARREL}\n"
    )
    return "c.yaml", BARREL, False


CHAIN = """cam0:
  cam_overlaps: [1]
  camera_model: pinhole
  distortion_coeffs: [-0.3, 0.1, 0.001, -0.0007]
  distortion_model: radtan
  intrinsics: [620.0, 622.0, 470.2, 301.7]
  resolution: [960, 600]
  rostopic: /cam0/image_raw
cam1:
  T_cn_cnm1:
  - [1.0, 0.0, 0.0, -0.1]
  - [0.0, 1.0, 0.0, 0.0]
  - [0.0, 0.0, 1.0, 0.0]
  - [0.0, 0.0, 0.0, 1.0]
  camera_model: pinhole
  distortion_coeffs: [0.02, -0.008, 0.002, -0.0004]
  distortion_model: equidistant  # pinhole-equi
  intrinsics: [620.0, 622.0, 470.2, 301.7]
  resolution: [960, 600]
cam2:
  camera_model: omni
  distortion_coeffs: [0, 0, 0, 0]
  distortion_model: radtan
  intrinsics: [1.5, 620.0, 622.0, 470.2, 301.7]
  resolution: [960, 600]
"""


def kalibr(path):
    (path / "c.yaml").write_text(CHAIN)
    return "c.yaml:cam0", [-0.3, 0.1, 0.001, -0.0007], False


def kalibr_equi(path):
    (path / "c.yaml").write_text(CHAIN)
    return "c.yaml:cam1", FISHEYE, True


def colmap(path):
    """COLMAP's principal point is half a pixel further than OpenCV's, like ours."""
    (path / "cameras.txt").write_text(
        "# Camera list\n3 FULL_OPENCV 960 600 620 622 470.7 302.2 "
        + " ".join(map(str, RATIONAL)) + "\n"
    )  # fmt: skip
    return "cameras.txt", RATIONAL, False


def ros2(path):
    """As `ros2 topic echo` prints a camera_info, whose R and P are of the rectified picture."""
    (path / "c.yaml").write_text(
        f"height: 600\nwidth: 960\ndistortion_model: rational_polynomial\nd: {RATIONAL}\n"
        f"k: {K.ravel().tolist()}\nr: [1.0, 0, 0, 0, 1, 0, 0, 0, 1]\n"
        "p: [600.0, 0, 470, 0, 0, 600, 300, 0, 0, 0, 1, 0]\n"
    )
    return "c.yaml", RATIONAL, False


def mmpose(path):
    k1, k2, p1, p2, k3 = BARREL
    table = {
        "R": np.eye(3).tolist(), "f": [[620.0], [622.0]], "c": [[470.2], [301.7]],
        "k": [[k1], [k2], [k3]], "p": [[p1], [p2]], "w": 960, "h": 600, "name": "S1",
    }  # fmt: skip
    (path / "c.json").write_text(json.dumps(table))
    return "c.json", BARREL, False


WRITERS = (opencv_yaml, opencv_json, opencv_fisheye, old_yaml, plain_json, npz, ros, ros2, kalibr,
           kalibr_equi, colmap, mmpose)  # fmt: skip


def points_in_view(count=400):
    rng = np.random.default_rng(0)
    points = rng.uniform([-0.7, -0.45, 1], [0.7, 0.45, 1], (count, 3))
    return points * rng.uniform(0.5, 5, (count, 1))


def projected(points, distortion, fisheye):
    """cv2's pixels, whose centres are whole numbers."""
    zero, d = np.zeros(3), np.array(distortion)
    if fisheye:
        return cv2.fisheye.projectPoints(points[:, None], zero, zero, K, d)[0][:, 0]
    return cv2.projectPoints(points, zero, zero, K, d)[0][:, 0]


@pytest.mark.parametrize("writer", WRITERS)
def test_every_kind_of_file_gives_cv2s_pixels(tmp_path, writer):
    name, distortion, fisheye = writer(tmp_path)
    (found,) = read_calibrations(str(tmp_path / name), (1, 1))
    assert (found.camera.width, found.camera.height) == SIZE
    points = points_in_view()
    ours = found.camera.to_pixels(points)
    assert np.abs(ours - 0.5 - projected(points, distortion, fisheye)).max() < 1e-6
    assert (
        np.abs(found.camera.rays(ours) * np.linalg.norm(points, axis=1)[:, None] - points).max()
        < 1e-6
    )
    assert not found.is_placed


def test_a_file_without_a_size_takes_that_of_the_option(tmp_path):
    np.savez(tmp_path / "c.npz", K=K, D=BARREL)
    (found,) = read_calibrations(str(tmp_path / "c.npz"), SIZE)
    assert (found.camera.width, found.camera.height) == SIZE
    with pytest.raises(UserError, match="has no image size; give the calibrated --image-size W H"):
        CameraConfig(camera=str(tmp_path / "c.npz"))
    with pytest.raises(UserError, match=r"has no image size.*give the calibrated --image-size W H"):
        read_calibrations(str(tmp_path / "c.npz"), (512, 512))


def placed(tmp_path, table):
    (tmp_path / "p.json").write_text(
        json.dumps({"K": K.tolist(), "width": 960, "height": 600} | table)
    )
    return read_calibrations(str(tmp_path / "p.json"), (1, 1))[0]


def test_extrinsics_take_the_world_to_the_camera(tmp_path):
    up = mounted(placed(tmp_path, {}).camera, 2.5, 30, 5)
    rotation, translation = np.array(up.rotation), np.array(up.translation)
    assert up.position() == pytest.approx([0, 0, 2.5])
    for table in (
        {"R": rotation.tolist(), "t": translation.tolist()},
        {"R": rotation.tolist(), "t": (1000 * translation).tolist(), "unit": "mm"},
        {"rvec": cv2.Rodrigues(rotation)[0].tolist(), "tvec": translation.tolist()},
        {"height_m": 2.5, "tilt_deg": 30, "roll_deg": 5},
        {  # mmpose: from the camera to the world
            "K": None, "f": [620, 622], "c": [470.2, 301.7], "R": rotation.T.tolist(),
            "T": [[0.0], [0.0], [2.5]],
        },
    ):  # fmt: skip
        found = placed(tmp_path, table)
        assert found.is_placed
        assert np.array(found.camera.rotation) == pytest.approx(rotation, abs=1e-6)
        assert np.array(found.camera.translation) == pytest.approx(translation, abs=1e-6)


def test_a_mount_looks_down_by_its_tilt_and_rolls_clockwise(tmp_path):
    camera = mounted(placed(tmp_path, {}).camera, 3.0, 30, 0)
    ahead = camera.rays(np.array([[camera.cx, camera.cy]]))[0] @ np.array(camera.rotation)
    assert ahead == pytest.approx([0, np.cos(np.radians(30)), -0.5])
    up = np.array([[0.0, 3.0, 2.0]])
    assert camera.to_pixels(camera.to_camera(up))[0, 0] == pytest.approx(camera.cx)
    rolled = mounted(camera, 3.0, 0, 10)
    point = rolled.to_pixels(rolled.to_camera(np.array([[0.0, 3.0, 3.5]])))[0]
    assert point[0] < rolled.cx  # the picture turns anticlockwise


BAD = [
    ({"K": None}, "has no camera matrix"),
    ({"K": [[0, 0, 470], [0, 622, 301], [0, 0, 1]]}, "camera matrix is singular"),
    ({"K": [[620, 3, 470], [0, 622, 301], [0, 0, 1]]}, r"should be \[\[fx, 0, cx\]"),
    ({"K": [1, 2, 3]}, "has 3 numbers; it should be 3 x 3"),
    ({"K": [[620, 0, float("nan")], [0, 622, 301], [0, 0, 1]]}, "K should be finite numbers"),
    ({"K": [[620, 0, "x"], [0, 622, 301], [0, 0, 1]]}, "K should be finite numbers"),
    ({"width": 0}, "picture of 0 x 600 pixels"),
    ({"width": 1e9}, "picture of 1e\\+09 x 600 pixels"),
    ({"dist": [0.1, 0.1, 0, 0, 0, 0, 0, 0, 0.1]}, "at most 8 may differ from 0"),
    ({"dist": [-0.6, 0, 0, 0, 0]}, "folds inside the picture"),
    ({"dist": [0.1, 0.2, 0.0, 0.1]}, "say which with --lens opencv or --lens kannala-brandt"),
    ({"dist": [0.1, None]}, "dist should be finite numbers"),
    ({"D": FISHEYE, "model": "omni"}, "camera model 'omni' is not supported"),
    ({"R": [[1, 0, 0], [0, 1, 0], [0, 0, 2]], "t": [0, 0, 3]}, "is not a rotation"),
    (
        {"R": [[1, 0, 0], [0, -1, 0], [0, 0, -1]], "t": [0, 0, -3]},
        "put the camera at .* give metres",
    ),
    (
        {"R": [[1, 0, 0], [0, -1, 0], [0, 0, -1]], "t": [0, 0, 3000]},
        "put the camera at .* give metres",
    ),
    ({"R": [1, 2], "t": [0, 0, 3]}, "R has 2 numbers; it should have 9"),
    ({"K": [[0.65, 0, 0.49], [0, 1.04, 0.5], [0, 0, 1]]}, "too short for 960 x 600 pixels"),
    (
        {"K": [*(2 * K[:2]).tolist(), [0, 0, 1]]},
        r"principal point \(940.9, 603.9\) is far from the middle",
    ),
    (
        {"dist": [-0.3, 0, 0, 0], "fisheye": True, "K": [[320, 0, 480], [0, 320, 300], [0, 0, 1]]},
        "or give --circle 120 120",
    ),
]


@pytest.mark.parametrize(("table", "says"), BAD)
def test_a_bad_calibration_is_one_line(tmp_path, table, says):
    with pytest.raises(UserError, match=says) as caught:
        placed(tmp_path, table)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("c.yaml", "K: [1, 2", "line 1: expected ',' or ']'"),
        ("c.yaml", "a: 1\n   b: 2", "line 2: mapping values"),
        ("c.yaml", "[" * 5000, "nested too deeply"),
        ("c.yaml", "a: &a [1]\nK: *a", "line 2: aliases are not supported"),
        ("c.yaml", "\xff\xfe", "has no camera matrix|not a YAML file"),
        ("c.json", "{", "not a JSON file"),
        ("c.json", "[]", "has no camera matrix"),
        ("c.npz", "PK", "not an npz file"),
        ("cameras.txt", "1 PINHOLE 640", "not COLMAP's cameras.txt"),
        ("cameras.txt", "1 PINHOLE 640 480 1 2 3", "PINHOLE has 4 parameters"),
        ("cameras.txt", "1 FOV 640 480 1 2 3 4 5", "'FOV' is not supported"),
        ("c.yaml", CHAIN, "camera model 'omni' is not supported"),
        ("c.yaml:cam7", CHAIN, "has no camera 'cam7'; choose from cam0, cam1, cam2"),
        ("c.xml", "<a/>", "give a .yaml"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path, name, content, says):
    (tmp_path / name.split(":")[0]).write_text(content)
    with pytest.raises(UserError, match=says) as caught:
        read_calibrations(str(tmp_path / name), (640, 480))
    assert "\n" not in str(caught.value)


def test_what_the_file_says_of_its_lens_wins_over_the_option(tmp_path):
    for table, lens, model in (
        ({"dist": BARREL[:4], "distortion_model": "plumb_bob"}, "kannala-brandt", "opencv"),
        ({"dist": FISHEYE, "fisheye": True}, "opencv", "kannala-brandt"),
        ({"dist": FISHEYE, "model": "pinhole"}, "kannala-brandt", "kannala-brandt"),
        ({"dist": FISHEYE}, "kannala-brandt", "kannala-brandt"),
        ({"dist": BARREL[:4]}, "opencv", "opencv"),
    ):
        (tmp_path / "c.json").write_text(
            json.dumps({"K": K.tolist(), "width": 960, "height": 600} | table)
        )
        (found,) = read_calibrations(str(tmp_path / "c.json"), None, lens)
        assert found.camera.model == model


def test_the_description_says_where_the_camera_stands(tmp_path):
    assert "placed by --views, since it has no --camera-mount" in placed(tmp_path, {}).description
    assert "mounted 2.5 m above" in placed(tmp_path, {"height_m": 2.5, "tilt_deg": 30}).description


def test_options_that_contradict_a_calibration_are_one_line(tmp_path):
    plain_json(tmp_path)
    path, other = str(tmp_path / "c.json"), str(tmp_path / "d.json")
    (tmp_path / "d.json").write_bytes((tmp_path / "c.json").read_bytes())
    for options, says in (
        ({"camera": path, "image_size": (640, 480)}, "calibrated for 960 x 600 pixels, not"),
        ({"camera": (path, other)}, "cameras without R and t"),
        ({"camera_mount": (2, 0, 0)}, "--camera-mount needs --camera"),
        ({"camera": path, "camera_mount": (-1, 0, 0)}, "--camera-mount HEIGHT -1"),
        ({"camera": path, "camera_mount": (2, 9, 0), "views_per_pose": 2}, "--views-per-pose 2"),
        ({"camera": path, "circle": (180, 180)}, "has no image circle"),
        ({"camera": str(tmp_path / "none.yaml")}, "cannot read .*none.yaml: No such file"),
    ):
        with pytest.raises(UserError, match=says):
            CameraConfig(**options)
    with pytest.raises(UserError, match="not 512 x 512: give --image-size 960 600, or leave"):
        CameraConfig(camera=path, image_size=512)
    assert CameraConfig(camera=path).size == CameraConfig(camera=path, image_size=SIZE).size == SIZE
    assert CameraConfig().size == (512, 512)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_damaged_file_is_a_camera_or_one_line(tmp_path, writer):
    name, _, _ = writer(tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        data = bytearray(whole[: rng.integers(1, len(whole))] if rng.random() < 0.3 else whole)
        for at in rng.integers(0, len(data), rng.integers(1, 4)):
            data[at] = rng.choice(list(b"[]{}:,-#\"'\n 0e9\xff"))
        path.write_bytes(data)
        said = complaint(tmp_path / name)
        assert "\n" not in said
        refused += bool(said)
    assert refused > 10


def complaint(path):
    """Why a file is refused; empty if it is not."""
    try:
        read_calibrations(str(path), SIZE)
    except UserError as error:
        return str(error)
    return ""
