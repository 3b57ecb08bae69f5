"""What is written in the camera's frame, and with whole-body points: compared with the dataset's
scenes, its depth maps, and what OpenCV projects."""

import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import yaml

from repogen import UserError, convert, generate
from repogen.cameras.calibration import read_calibrations
from repogen.datasets.reading import open_dataset, read_scenes
from repogen.datasets.validate.annotations import camera_of
from repogen.formats.camera_files import camchain_to_yaml
from repogen.formats.human36m import HUMAN36M_JOINTS
from repogen.people.posing import pose_person

# In the order of Human3.6M's 17; its spine and thorax are no joints of COCO.
OF_COCO = {
    1: 12, 2: 14, 3: 16, 4: 11, 5: 13, 6: 15, 9: 0, 11: 5, 12: 7, 13: 9, 14: 6, 15: 8, 16: 10,
}  # fmt: skip


def images_of(people):
    return json.loads((people / "annotations" / "person_keypoints.json").read_text())["images"]


@pytest.fixture(scope="module")
def fisheyes(body, tmp_path_factory):
    return generate(
        tmp_path_factory.mktemp("fisheyes") / "data", images=2, image_size=96, lens="equidistant",
        fov=(160, 180), backgrounds="plain", wardrobe="painted", workers=1, write="depth",
    )  # fmt: skip


def test_joints_in_space_are_the_centres_of_the_bodys_joints(people, body, tmp_path):
    out = convert(people, tmp_path / "out", to="human36m")
    with np.load(out / "joints.npz") as arrays:
        joints, ids, names = arrays["joints"], arrays["image_id"], arrays["names"]
    assert tuple(names) == HUMAN36M_JOINTS
    assert joints.dtype == np.float32
    expected = [
        (scene.index + 1, scene.camera.to_camera(pose_person(body, person).body.keypoints))
        for scene in read_scenes(open_dataset(people))
        for person in scene.people
    ]
    assert ids.tolist() == [number for number, _ in expected]
    for found, (_, points) in zip(joints, expected, strict=True):
        np.testing.assert_allclose(found[list(OF_COCO)], points[list(OF_COCO.values())], atol=1e-5)
        np.testing.assert_allclose(found[0], (found[1] + found[4]) / 2, atol=1e-5)
        np.testing.assert_allclose(found[8], (found[11] + found[14]) / 2, atol=1e-5)
        np.testing.assert_allclose(found[7], (found[0] + found[8]) / 2, atol=1e-5)
        assert np.linalg.norm(found[10] - found[8]) > np.linalg.norm(found[9] - found[8])
    lines = [json.loads(line) for line in (out / "images.jsonl").read_text().splitlines()]
    assert [line["file_name"] for line in lines] == [i["file_name"] for i in images_of(people)]


def read_ply(path):
    """x, y, z and the colours of a binary PLY file."""
    head, _, data = path.read_bytes().partition(b"end_header\n")
    lines = head.decode().splitlines()
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"]
    kinds = {"float": "<f4", "uchar": "u1"}
    fields = [line.split()[1:] for line in lines if line.startswith("property")]
    (count,) = (int(line.split()[2]) for line in lines if line.startswith("element vertex"))
    points = np.frombuffer(data, [(name, kinds[kind]) for kind, name in fields])
    assert len(points) == count
    return (
        np.stack([points[a] for a in "xyz"], 1),
        np.stack([points[c] for c in ("red", "green", "blue")], 1),
    )


@pytest.mark.parametrize("lens", ["pinhole", "fisheye"])
def test_a_point_cloud_projects_to_the_pixels_of_its_depth_map(people, fisheyes, tmp_path, lens):
    source = fisheyes if lens == "fisheye" else people
    out = convert(source, tmp_path / "out", to="point-clouds")
    for image in images_of(source):
        camera = camera_of(image)
        xyz, colors = read_ply(out / "clouds" / image["file_name"].replace("jpg", "ply"))
        depth = cv2.imread(str(source / "depth" / image["file_name"].replace("jpg", "png")), -1)
        picture = cv2.imread(str(source / "images" / image["file_name"]))[..., ::-1]
        assert len(xyz) == (depth > 0).sum() > 50
        pixels = camera.to_pixels(xyz)
        columns, rows = np.floor(pixels).astype(int).T
        np.testing.assert_allclose(pixels - np.stack([columns, rows], 1), 0.5, atol=0.01)
        np.testing.assert_allclose(camera.depth_of(xyz), depth[rows, columns] / 1000, rtol=1e-5)
        np.testing.assert_array_equal(colors, picture[rows, columns])


def test_trimesh_reads_the_point_cloud(people, tmp_path):
    trimesh = pytest.importorskip("trimesh")
    out = convert(people, tmp_path / "out", to="point-clouds")
    path = out / "clouds" / "00000001.ply"
    cloud = trimesh.load(path)
    xyz, colors = read_ply(path)
    np.testing.assert_array_equal(cloud.vertices, xyz)
    np.testing.assert_array_equal(np.asarray(cloud.colors)[:, :3], colors)


@pytest.mark.parametrize("lens", ["pinhole", "fisheye"])
def test_opencv_projects_the_labels_with_the_cameras(people, fisheyes, tmp_path, lens):
    source = fisheyes if lens == "fisheye" else people
    out = convert(source, tmp_path / "out", to="cameras")
    table = json.loads((source / "annotations" / "person_keypoints.json").read_text())
    for annotation in table["annotations"]:
        image = table["images"][annotation["image_id"] - 1]
        path = out / "cameras" / image["file_name"].replace("jpg", "yaml")
        store = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
        k, d, r, t = (
            store.getNode(n).mat() for n in ("camera_matrix", "distortion_coefficients", "R", "t")
        )
        assert store.getNode("image_width").real() == image["width"]
        points = np.array(annotation["keypoints_3d"])[:, None]
        project = cv2.fisheye.projectPoints if lens == "fisheye" else cv2.projectPoints
        zero = np.zeros(3)
        found = project(points, zero, zero, k, d)[0].reshape(-1, 2)
        keypoints = np.array(annotation["keypoints"]).reshape(-1, 3)
        seen = keypoints[:, 2] > 0
        assert seen.any()
        np.testing.assert_allclose(found[seen], keypoints[seen, :2] - 0.5, atol=0.01)
        np.testing.assert_allclose(r, image["camera"]["R"])
        np.testing.assert_allclose(t.ravel(), image["camera"]["t"])


def test_repogen_reads_the_cameras(people, fisheyes, tmp_path):
    for source in (people, fisheyes):
        out = convert(source, tmp_path / source.parent.name, to="cameras")
        for image in images_of(source):
            spec = str(out / "cameras" / image["file_name"].replace("jpg", "yaml"))
            (found,) = read_calibrations(spec, None, mount=(2, 30, 0))
            camera = camera_of(image)
            assert found.camera.model == camera.model
            np.testing.assert_allclose(found.camera.matrix, camera.matrix, rtol=1e-9)


@pytest.mark.parametrize("lens", ["pinhole", "fisheye"])
def test_camchains_are_read_again_and_say_how_cameras_of_a_pose_stand(
    body, fisheyes, tmp_path, lens
):
    options = {"lens": "equidistant", "fov": (160, 180)} if lens == "fisheye" else {}
    source = generate(
        tmp_path / "data", images=4, image_size=64, views_per_pose=2, backgrounds="plain",
        wardrobe="painted", workers=1, **options,
    )  # fmt: skip
    out = convert(source, tmp_path / "out", to="camchains")
    images = images_of(source)
    paths = sorted((out / "camchains").iterdir())
    assert [path.stem for path in paths] == ["00000001", "00000003"]
    for path, pair in zip(paths, (images[:2], images[2:]), strict=True):
        chain = yaml.safe_load(path.read_text())
        assert [one["rostopic"] for one in chain.values()] == [f"/{i['file_name']}" for i in pair]
        found = read_calibrations(str(path), None, mount=(2, 30, 0))
        for calibration, image in zip(found, pair, strict=True):
            camera = camera_of(image)
            assert calibration.camera.model == camera.model
            np.testing.assert_allclose(calibration.camera.matrix, camera.matrix, rtol=1e-9)
        # Kalibr's T_cn_cnm1 takes points in cam0's frame to cam1's.
        first, second = (image["camera"] for image in pair)
        points = np.random.default_rng(0).normal(size=(5, 3))
        world = (points - first["t"]) @ np.array(first["R"])
        between = np.array(chain["cam1"]["T_cn_cnm1"])
        expected = world @ np.array(second["R"]).T + second["t"]
        np.testing.assert_allclose(points @ between[:3, :3].T + between[:3, 3], expected, atol=1e-9)


def test_bop_cameras_project_the_labels_and_are_read_again(people, tmp_path):
    out = convert(people, tmp_path / "out", to="bop-cameras")
    cameras = json.loads((out / "scene_camera.json").read_text())
    table = json.loads((people / "annotations" / "person_keypoints.json").read_text())
    assert [int(number) for number in cameras] == [image["id"] for image in table["images"]]
    for annotation in table["annotations"]:
        one = cameras[str(annotation["image_id"])]
        camera = camera_of(table["images"][annotation["image_id"] - 1])
        rotation = np.array(one["cam_R_w2c"]).reshape(3, 3)
        world = (np.array(annotation["keypoints_3d"]) - camera.translation) @ rotation
        at = (1000 * world @ rotation.T + one["cam_t_w2c"]) @ np.array(one["cam_K"]).reshape(3, 3).T
        keypoints = np.array(annotation["keypoints"]).reshape(-1, 3)
        seen = keypoints[:, 2] > 0
        np.testing.assert_allclose(
            (at[:, :2] / at[:, 2:])[seen], keypoints[seen, :2] - 0.5, atol=0.01
        )
    for image in table["images"]:
        camera = camera_of(image)
        spec = f"{out / 'scene_camera.json'}:{image['id']}"
        (found,) = read_calibrations(spec, None, mount=(2, 30, 0))
        np.testing.assert_allclose(found.camera.matrix, camera.matrix, rtol=1e-9)


def test_bop_translations_are_millimetres(tmp_path):
    level = [1, 0, 0, 0, 0, -1, 0, 1, 0]  # looks along y
    table = {"7": {"cam_K": [90, 0, 49.5, 0, 90, 49.5, 0, 0, 1], "cam_R_w2c": level,
                   "cam_t_w2c": [0, 1500, 0]}}  # fmt: skip
    (tmp_path / "scene_camera.json").write_text(json.dumps(table))
    (found,) = read_calibrations(str(tmp_path / "scene_camera.json"), (100, 100))
    assert found.is_placed
    np.testing.assert_allclose(found.camera.position(), [0, 0, 1.5], atol=1e-9)


def test_lenses_that_a_format_lacks_are_named(fisheyes, tmp_path):
    with pytest.raises(UserError, match="BOP's cameras are pinholes, not equidistant"):
        convert(fisheyes, tmp_path / "bop", to="bop-cameras")
    camera = replace(camera_of(images_of(fisheyes)[0]), model="opencv", distortion=(0.1,) * 5)
    with pytest.raises(UserError, match=r"camera of a\.jpg: Kalibr's radtan has k1 k2 p1 p2"):
        camchain_to_yaml([("a.jpg", camera)])


def test_wholebody_has_the_fields_of_coco_wholebody(people, tmp_path):
    out = convert(people, tmp_path / "out", to="coco-wholebody")
    path = "annotations/person_keypoints.json"
    before, after = (json.loads((f / path).read_text())["annotations"] for f in (people, out))
    assert len(before) == len(after)
    # https://github.com/jin-s13/COCO-WholeBody/blob/master/data_format.md
    for group, count in (("foot", 6), ("face", 68), ("lefthand", 21), ("righthand", 21)):
        for old, new in zip(before, after, strict=True):
            points, ours = (np.array(a[f"{group}_kpts"]).reshape(count, 3) for a in (new, old))
            seen = ours[:, 2] > 0
            np.testing.assert_allclose(points[seen, :2], ours[seen, :2] - 0.5, atol=1e-3)
            np.testing.assert_array_equal(points[:, 2], ours[:, 2])
            assert new[f"{group}_valid"] == seen.any()
            box = new.get(f"{group}_box", [0, 0, 0, 0])
            inside = points[seen, :2] - box[:2]
            assert group == "foot" or (inside <= np.add(box[2:], 1e-3)).all()
            assert not seen.any() or group == "foot" or max(box[2:]) > 0


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("coco-wholebody", "its people have no foot_kpts; generate with --keypoints wholebody"),
        ("human36m", "its people have no joints in space"),
        ("point-clouds", "has no depth map; generate with --write depth"),
        ("cameras", "have no camera; give the folder of a dataset of repogen"),
        ("camchains", "have no camera; give the folder of a dataset of repogen"),
        ("bop-cameras", "have no camera; give the folder of a dataset of repogen"),
        ("gltf", "has no scenes; give the folder of a dataset of repogen"),
    ],
)
def test_labels_that_are_not_there_are_named(coco, tmp_path, to, says):
    with pytest.raises(UserError, match=says):
        convert(f"{coco}:{coco.parent / '2017'}", tmp_path / "out", to=to)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("R", "turned", "rotation: 'turned' should be a list"),
        ("K", [[1, 0], [0, 1]], "camera of .*jpg: it lacks an entry or cannot be read"),
        ("t", [0, 0, 1e300], r"translation\[2\]"),
        ("model", "fishbowl", "fishbowl"),
    ],
)
def test_a_camera_that_cannot_be_read_is_named(people, tmp_path, name, value, says):
    shutil.copytree(people, tmp_path / "people")
    path = tmp_path / "people" / "annotations" / "person_keypoints.json"
    table = json.loads(path.read_text())
    table["images"][0]["camera"][name] = value
    path.write_text(json.dumps(table))
    with pytest.raises(UserError, match=says):
        convert(tmp_path / "people", tmp_path / "out", to="cameras")
