"""YOLO-pose, read back by its description: https://docs.ultralytics.com/datasets/pose."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from repogen import UserError, convert
from repogen.bodies.skeleton import COCO_KEYPOINTS, mirrored

SIDE = 96


def read(root):
    """The picture's name, and the boxes (centre, size) and keypoints of its people in pixels, of
    each picture of the split train."""
    data = yaml.safe_load((root / "data.yaml").read_text())
    assert data["kpt_shape"] == [17, 3]
    assert data["names"] == {0: "person"}
    out = []
    for picture in sorted((root / data["train"]).rglob("*.jpg")):
        path = Path(str(picture).replace("/images/", "/labels/").replace(".jpg", ".txt"))
        lines = [line.split() for line in path.read_text().splitlines()]
        assert {len(line) for line in lines} <= {56}
        assert {line[0] for line in lines} <= {"0"}
        values = np.array(lines, float).reshape(-1, 56)[:, 1:]
        assert ((values[:, :4] >= 0) & (values[:, :4] <= 1)).all()
        joints = values[:, 4:].reshape(-1, 17, 3)
        out.append((picture.name, values[:, :4] * SIDE, joints * [SIDE, SIDE, 1]))
    return data, out


def test_a_reader_of_the_description_finds_the_truth(people, truth, tmp_path):
    _, found = read(convert(people, tmp_path / "out", to="yolo-pose"))
    assert len(found) == len(truth)
    for (name, boxes, joints), (own, keypoints, xywh, _) in zip(found, truth, strict=True):
        assert name == own
        np.testing.assert_allclose(boxes[:, :2], xywh[:, :2] + xywh[:, 2:] / 2, atol=1e-4)
        np.testing.assert_allclose(boxes[:, 2:], xywh[:, 2:], atol=1e-4)
        inside = np.clip(keypoints[..., :2], 0, SIDE)
        np.testing.assert_allclose(joints[..., :2], inside, atol=1e-4)
        np.testing.assert_array_equal(joints[..., 2], keypoints[..., 2])


def test_a_flip_exchanges_the_sides(people, tmp_path):
    data, _ = read(convert(people, tmp_path / "out", to="yolo-pose", images="link"))
    names = data["kpt_names"][0]
    assert names == list(COCO_KEYPOINTS)
    assert [names[i] for i in data["flip_idx"]] == [mirrored(name) for name in names]


def test_there_and_back_is_the_truth(people, truth, tmp_path):
    there = convert(people, tmp_path / "there", to="yolo-pose")
    for source in (there, there / "data.yaml"):
        back = convert(source, tmp_path / f"back-{source.name}", to="coco")
        table = json.loads((back / "annotations" / "person_keypoints.json").read_text())
        assert [i["file_name"] for i in table["images"]] == [f"train/{name}" for name, *_ in truth]
        joints = np.concatenate([joints for _, joints, _, _ in truth]).reshape(-1, 51)
        kept = np.array([a["keypoints"] for a in table["annotations"]])
        np.testing.assert_allclose(kept, np.where(joints < 0, 0, joints), atol=2e-3)
        boxes = np.concatenate([boxes for _, _, boxes, _ in truth])
        np.testing.assert_allclose([a["bbox"] for a in table["annotations"]], boxes, atol=2e-3)


@pytest.fixture
def yolo(people, tmp_path):
    """A copy of the dataset in YOLO's format, and a function that changes its data.yaml."""
    root = convert(people, tmp_path / "yolo", to="yolo-pose")
    data = yaml.safe_load((root / "data.yaml").read_text())

    def change(**new):
        kept = {k: v for k, v in (data | new).items() if v is not None}
        (root / "data.yaml").write_text(yaml.safe_dump(kept))

    return root, change


def keypoints_of(root, out):
    coco = convert(root, out, to="coco", images="none") / "annotations" / "person_keypoints.json"
    return np.array([a["keypoints"] for a in json.loads(coco.read_text())["annotations"]])


def test_other_layouts_of_the_same_labels_are_read(yolo, tmp_path):
    root, change = yolo
    expected = keypoints_of(root, tmp_path / "expected")
    pictures = sorted((root / "images" / "train").iterdir())
    (root / "train.txt").write_text("".join(f"./images/train/{p.name}\n" for p in pictures))
    for number, new in enumerate(
        (
            {"train": "train.txt"},
            {"train": ["images/train"], "val": None},
            {"path": str(root), "names": ["person"]},
            {"path": "datasets/elsewhere", "kpt_names": None},
            {"names": {0: "worker"}},
        )
    ):
        change(**new)
        np.testing.assert_array_equal(keypoints_of(root, tmp_path / str(number)), expected)


def test_classes_are_found_by_name_and_joints_too(yolo, tmp_path):
    root, change = yolo
    expected = keypoints_of(root, tmp_path / "expected")
    for path in (root / "labels" / "train").iterdir():
        lines = []
        for line in path.read_text().splitlines():
            _, *rest = line.split()
            box, joints = rest[:4], np.array(rest[4:]).reshape(17, 3)[::-1].ravel().tolist()
            lines += [" ".join(["1", *box, *joints]), " ".join(["0", *box, *joints])]
        path.write_text("\n".join(lines))
    names = list(COCO_KEYPOINTS)[::-1]
    change(names={0: "dog", 1: "Person"}, kpt_names={0: ["snout"] * 17, 1: names})
    np.testing.assert_array_equal(keypoints_of(root, tmp_path / "found"), expected)


def test_other_numbers_than_v_become_v(yolo, tmp_path):
    root, _ = yolo
    for path in (root / "labels" / "train").iterdir():
        path.write_text("0 0.5 0.5 0.2 0.2" + " 0.5 0.5 0.3" + " 0.5 0.5 7" * 16)
    found = keypoints_of(root, tmp_path / "found")
    assert found[:, 2::3].tolist() == [[1] + [2] * 16] * 6
    np.testing.assert_allclose(found[:, :2], SIDE / 2)


def test_points_without_v_are_visible_where_they_are_not_zero(yolo, tmp_path):
    root, change = yolo
    expected = keypoints_of(root, tmp_path / "expected").reshape(-1, 17, 3)
    for path in (root / "labels" / "train").iterdir():
        rows = np.array([line.split() for line in path.read_text().splitlines()])
        points = rows[:, 5:].reshape(-1, 17, 3)[..., :2].reshape(-1, 34)
        path.write_text("\n".join(" ".join(r) for r in np.hstack([rows[:, :5], points])))
    change(kpt_shape=[17, 2])
    found = keypoints_of(root, tmp_path / "found").reshape(-1, 17, 3)
    np.testing.assert_array_equal(found[..., 2], np.where((expected[..., :2] > 0).all(2), 2, 0))


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ({"train": None, "val": None}, "names no folder of pictures"),
        ({"kpt_shape": None}, r"needs kpt_shape: \[17, 3\]"),
        ({"kpt_shape": [5, 3], "kpt_names": None}, "has 5 keypoints; name them in kpt_names"),
        ({"names": {0: "cat", 1: "dog"}}, "none of its classes is called person"),
        ({"names": 3, "path": "x" * 5000, "train": "images/gone"}, "images/gone: no such folder"),
        ({"train": "images/gone"}, "images/gone: no such folder; data.yaml names it"),
        ({"kpt_names": {0: ["a", "b"]}}, "are none of COCO's 17"),
        ({"kpt_shape": [17, 2]}, r"00000001\.txt: 56 numbers; a person has 39: class, box"),
    ],
)
def test_bad_input_is_one_line(yolo, tmp_path, new, says):
    root, change = yolo
    change(**new)
    with pytest.raises(UserError, match=says):
        convert(root, tmp_path / "out", to="coco")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0 1 2", r"3 numbers; a person has 56"),
        ("0 " + "nan " * 55, "a number is not finite"),
        ("0 48 48 20 20" + " 50 120 2" * 17, "120 is no share of the picture's width or height"),
        ("x y", "could not convert string to float"),
    ],
)
def test_a_bad_line_names_its_file(yolo, tmp_path, text, says):
    root, _ = yolo
    (root / "labels" / "train" / "00000003.txt").write_text(text)
    with pytest.raises(UserError, match=rf"00000003\.txt: {says}"):
        convert(root, tmp_path / "out", to="coco")


def test_a_broken_picture_is_named(yolo, tmp_path):
    root, _ = yolo
    (root / "images" / "train" / "00000002.jpg").unlink()
    (root / "images" / "train" / "00000002.jpg").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"00000002\.jpg is missing or no picture"):
        convert(root, tmp_path / "out", to="coco")
