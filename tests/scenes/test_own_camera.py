"""Scenes before a calibrated camera: labels are cv2's, people stand on the floor in view."""

import json

import cv2
import numpy as np
import pytest

from repogen import generate, validate
from repogen.labels.annotation import annotate
from repogen.people.posing import pose_person
from repogen.scenes import SceneConfig, sample_scene

K = [[300.0, 0, 250.2], [0, 302.0, 141.7], [0, 0, 1]]
SIZE = {"width": 480, "height": 300}
LENSES = {
    "barrel": {"dist": [-0.32, 0.12, 0.001, -0.0007, -0.02]},
    "rational": {"dist": [9.1, 6.8, 0.0006, -0.0003, 0.3, 9.4, 9.5, 1.9]},
    "fisheye": {"dist": [0.02, -0.008, 0.002, -0.0004], "fisheye": True},
}
QUICK = {"wardrobe": "painted", "backgrounds": "plain"}


def camera_file(path, **table):
    path.write_text(json.dumps({"K": K} | SIZE | table))
    return str(path)


def cv2_pixels(points, lens):
    zero, d, k = np.zeros(3), np.array(LENSES[lens]["dist"]), np.array(K)
    if lens == "fisheye":
        return cv2.fisheye.projectPoints(points[:, None], zero, zero, k, d)[0][:, 0]
    return cv2.projectPoints(points, zero, zero, k, d)[0][:, 0]


@pytest.mark.parametrize("mount", [None, (2.6, 40.0, 5.0)])
@pytest.mark.parametrize("lens", LENSES)
def test_labels_agree_with_cv2(body, renderer, tmp_path, lens, mount):
    path = camera_file(tmp_path / "c.json", **LENSES[lens])
    config = SceneConfig(camera=path, camera_mount=mount, views="sphere", people=(2, 2), **QUICK)
    flat, space = [], []
    for index in range(3):
        rendering = renderer.render(sample_scene(config, 1, index, body))
        assert rendering.image.shape == (300, 480, 3)
        for annotation in annotate(rendering):
            flat += np.array(annotation["keypoints"]).reshape(17, 3).tolist()
            space += annotation["keypoints_3d"]
    flat, space = np.array(flat), np.array(space)
    labelled = flat[:, 2] > 0
    assert labelled.sum() > 50
    away = flat[labelled, :2] - 0.5 - cv2_pixels(space[labelled], lens)
    assert np.abs(away).max() < 0.01


@pytest.mark.parametrize("lens", LENSES)
def test_masks_and_depth_agree_with_cv2(body, renderer, tmp_path, lens):
    """Every visible vertex lies in the picture where cv2 puts it: the person's mask is there."""
    path = camera_file(tmp_path / "c.json", **LENSES[lens])
    config = SceneConfig(camera=path, camera_mount=(2.2, 30, 0), **QUICK)
    rendering = renderer.render(sample_scene(config, 2, 0, body))
    faces = rendering.mesh.faces[rendering.gbuffer.seen_faces]
    pixels = cv2_pixels(rendering.vertices[np.unique(faces)].astype(float), lens) + 0.5
    inside = (pixels >= 1).all(axis=1) & (pixels < [479, 299]).all(axis=1)
    shown = rendering.gbuffer.to_image((rendering.gbuffer.counts > 0).astype(np.uint8))
    shown = cv2.dilate(shown, np.ones((3, 3), np.uint8))
    columns, rows = pixels[inside].astype(int).T
    assert len(rows) > 100
    assert shown[rows, columns].mean() > 0.999
    ys, xs = np.nonzero(shown)
    low, high = pixels[inside].min(axis=0), pixels[inside].max(axis=0)
    assert np.abs(low - [xs.min(), ys.min()]).max() < 4
    assert np.abs(high - [xs.max(), ys.max()]).max() < 4


def test_everybody_stands_on_the_floor_and_the_first_person_is_in_view(body, tmp_path):
    path = camera_file(tmp_path / "c.json", **LENSES["barrel"])
    config = SceneConfig(camera=path, camera_mount=(2.6, 30, 0), people=(3, 3), **QUICK)
    cameras, places = set(), []
    for index in range(12):
        scene = sample_scene(config, 3, index, body)
        cameras.add(scene.camera)
        for person in scene.people:
            lowest = pose_person(body, person).outer_points[:, 2].min()
            assert lowest == pytest.approx(0, abs=1e-3)
        points = pose_person(body, scene.people[0]).outer_points
        assert scene.camera.shows(scene.camera.to_camera(points)).mean() > 0.4
        places.append(scene.people[0].position[:2])
    assert len(cameras) == 1
    assert np.ptp(places, axis=0).min() > 1  # metres: all over the floor


def test_a_camera_may_hang_so_high_that_people_are_small(body, tmp_path):
    path = camera_file(tmp_path / "c.json", **LENSES["barrel"])
    config = SceneConfig(camera=path, camera_mount=(12, 80, 0), **QUICK)
    person = sample_scene(config, 0, 0, body).people[0]
    assert np.hypot(*person.position[:2]) < 14


def test_a_camera_that_sees_no_floor_is_one_line(body, tmp_path):
    path = camera_file(tmp_path / "c.json", **LENSES["barrel"])
    config = SceneConfig(camera=path, camera_mount=(3, -80, 0), **QUICK)
    with pytest.raises(ValueError, match="nobody on the floor within 20 m"):
        sample_scene(config, 0, 0, body)


def tilted(x, y, angle):
    """Extrinsics of a camera 2.4 m above (x, y), turned about the vertical, 20 degrees down."""
    turn, tilt = np.radians([angle, 20])
    ahead = np.array([-np.sin(turn) * np.cos(tilt), np.cos(turn) * np.cos(tilt), -np.sin(tilt)])
    right = np.array([np.cos(turn), np.sin(turn), 0])
    rotation = np.stack([right, np.cross(ahead, right), ahead])
    return {"R": rotation.tolist(), "t": (-rotation @ [x, y, 2.4]).tolist()}


def test_several_cameras_see_the_same_people_and_the_set_is_valid(body, tmp_path, capfd):
    files = (
        camera_file(tmp_path / "a.json", **LENSES["barrel"], **tilted(0, -4, 0)),
        camera_file(tmp_path / "b.json", **LENSES["fisheye"], **tilted(4, 0, 90)),
    )
    root = generate(
        tmp_path / "set", images=4, camera=files, people=(2, 2), spread=1.0, workers=1, seed=2,
        views="sphere", write=("depth", "masks"), **QUICK,
    )  # fmt: skip
    assert "camera: " in (said := capfd.readouterr().err)
    assert "(250.7, 142.2) from the picture's corner" in said  # half a pixel more than K says
    assert validate(root, "all") == []
    path = root / "annotations" / "person_keypoints.json"
    text = path.read_text()
    path.write_text(text.replace('"person":2', '"person":1', 1))
    assert any("should be of person 2" in problem for problem in validate(root, 0))
    coco = json.loads(text)
    assert [image["group"] for image in coco["images"]] == [1, 1, 2, 2]
    names = [image["view"]["name"] for image in coco["images"]]
    assert names == ["camera-1", "camera-2"] * 2
    for first, second in ((1, 2), (3, 4)):
        one, two = (
            {a["person"]: world_points(coco, a) for a in coco["annotations"] if a["image_id"] == k}
            for k in (first, second)
        )
        assert one.keys() & two.keys()
        for person in one.keys() & two.keys():
            assert np.abs(one[person] - two[person]).max() < 1e-4


def world_points(coco, annotation):
    camera = coco["images"][annotation["image_id"] - 1]["camera"]
    points = np.array(annotation["keypoints_3d"]) - camera["t"]
    return points @ np.array(camera["R"])


def test_exact_backgrounds_are_the_photographs_of_the_camera(body, renderer, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    picture = np.random.default_rng(0).integers(0, 255, (300, 480, 3), np.uint8)
    cv2.imwrite(str(photos / "a.png"), picture)
    path = camera_file(tmp_path / "c.json", **LENSES["barrel"])
    options = QUICK | {"camera": path, "camera_mount": (3, 30, 0), "background_fit": "exact"}
    config = SceneConfig(**(options | {"backgrounds": str(photos)}))
    rendering = renderer.render(sample_scene(config, 0, 0, body))
    covered = rendering.gbuffer.to_image((rendering.gbuffer.counts > 0).astype(np.uint8))
    assert 0 < covered.mean() < 0.5
    same = (rendering.image == picture).all(axis=2)
    assert (rendering.image[covered == 0] <= picture[covered == 0]).all()  # in shadow
    assert same[covered == 0].mean() > 0.5
    several = [camera_file(tmp_path / f"{n}.json", **tilted(n, -4, 0)) for n in (0, 1)]
    for more, says in (
        ({}, "exact needs photographs, not --backgrounds plain"),
        ({"camera": several, "camera_mount": None, "backgrounds": str(photos)}, "takes one camera"),
    ):
        with pytest.raises(ValueError, match=says):
            SceneConfig(**(options | more))
