"""Estimated poses in the formats of COCO's tools, CVAT and Label Studio."""

import json
import re
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
from pycocotools.coco import COCO

from repogen.bodies.skeleton import COCO_KEYPOINTS, COCO_SKELETON
from repogen.coco.annotations import read_person_annotations
from repogen.inference.cvat import skeleton_label, write_cvat
from repogen.inference.exports import FramePoses, write_people, write_results
from repogen.inference.label_studio import labelling_config, write_label_studio
from repogen.outputs import OutputFolder

MIN_SCORE = 0.3


def someone(rng, width, height, n=1):
    joints = np.concatenate(
        [rng.uniform(5, (width - 5, height - 5), (n, 17, 2)), rng.uniform(0.4, 1, (n, 17, 1))],
        axis=2,
    )
    boxes = np.tile([4.0, 5.0, width / 2, height / 3], (n, 1))
    return joints, boxes, rng.uniform(0.5, 1, n)


@pytest.fixture
def out(tmp_path):
    return OutputFolder(tmp_path, "predict")


@pytest.fixture
def found():
    """Poses in five images.

    Two people in the first, one with a low-scoring nose and an ear outside the image; nobody in
    the second; a low-scoring person in the third; and two frames of a video.
    """
    rng = np.random.default_rng(1)
    joints, boxes, scores = someone(rng, 200, 100, 2)
    joints[0, 0, 2] = 0.1
    joints[0, 3, :2] = [-20, 50]
    weak, *rest = someone(rng, 60, 80)
    weak[:, :, 2] = 0.2
    nobody = (np.empty((0, 17, 3)), np.empty((0, 4)), np.empty(0))
    return [
        FramePoses("x/a b.jpg", -1, 7, 200, 100, joints, boxes, scores),
        FramePoses("y/a b.jpg", -1, 8, 50, 40, *nobody),
        FramePoses("c.png", -1, 9, 60, 80, weak, *rest),
        FramePoses("v/w.mp4", 0, 10, 64, 48, *someone(rng, 64, 48)),
        FramePoses("v/w.mp4", 1, 11, 64, 48, *someone(rng, 64, 48)),
    ]


def test_results_hold_every_person_and_load_in_pycocotools(tmp_path, out, found):
    write_results(out, tmp_path / "results.json", found)
    write_people(out, tmp_path / "people.json", found, MIN_SCORE, "test")
    results = json.loads((tmp_path / "results.json").read_text())
    assert [(r["file_name"], r["image_id"], r.get("frame")) for r in results] == [
        ("x/a b.jpg", 7, None), ("x/a b.jpg", 7, None), ("c.png", 9, None),
        ("v/w.mp4", 10, 0), ("v/w.mp4", 11, 1),
    ]  # fmt: skip
    assert np.reshape(results[1]["keypoints"], (17, 3)) == pytest.approx(
        found[0].keypoints[1], abs=1e-3
    )
    detected = COCO(str(tmp_path / "people.json")).loadRes(str(tmp_path / "results.json"))
    assert len(detected.getAnnIds()) == 5


def test_results_without_persons_are_an_empty_list(tmp_path, out):
    write_results(out, tmp_path / "results.json", [])
    assert json.loads((tmp_path / "results.json").read_text()) == []


def test_people_json_reads_back_as_a_set(tmp_path, out, found):
    write_people(out, tmp_path / "people.json", found, MIN_SCORE, "poses of mine")
    people = read_person_annotations("p", tmp_path / "people.json", tmp_path)
    assert people.files == (
        "x/a b.jpg", "y/a b.jpg", "c.png", "v/w.mp4/frame_000000.jpg", "v/w.mp4/frame_000001.jpg",
    )  # fmt: skip
    assert people.sizes.tolist() == [[f.width, f.height] for f in found]
    assert people.image.tolist() == [0, 0, 3, 4]  # the low-scoring person is left out
    seen = people.keypoints[:, :, 2]
    assert (seen[0] == np.where(np.isin(np.arange(17), [0, 3]), 0, 2)).all()
    assert (seen[1:] == 2).all()
    assert (people.keypoints[0, [0, 3]] == 0).all()
    assert people.keypoints[1, :, :2] == pytest.approx(found[0].keypoints[1, :, :2], abs=1e-3)
    assert people.boxes[2] == pytest.approx([4, 5, 32, 16], abs=0.01)
    # CVAT's reader of COCO keypoints requires more of an annotation than the standard.
    data = json.loads((tmp_path / "people.json").read_text())
    assert data["info"]["description"] == "poses of mine"
    assert [a["id"] for a in data["annotations"]] == [1, 2, 3, 4]
    assert data["annotations"][0]["num_keypoints"] == 15
    for annotation in data["annotations"]:
        assert annotation["segmentation"] == []
        assert annotation["iscrowd"] == 0
        assert 0 < annotation["score"] <= 1


def test_cvat_has_one_file_for_the_images_and_one_for_each_video(tmp_path, out, found):
    write_cvat(out, tmp_path, found, MIN_SCORE)
    written = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("[!.]*.*"))
    assert written == ["images.xml", "labels.json", "v/w.mp4.xml"]
    root = ElementTree.parse(tmp_path / "images.xml").getroot()
    assert root.findtext("version") == "1.1"
    images = [(i.get("id"), i.get("name"), i.get("width"), len(i)) for i in root.iter("image")]
    assert images == [
        ("0", "x/a b.jpg", "200", 2),
        ("1", "y/a b.jpg", "50", 0),
        ("2", "c.png", "60", 0),
    ]
    video = ElementTree.parse(tmp_path / "v/w.mp4.xml").getroot()
    assert [i.get("name") for i in video.iter("image")] == ["frame_000000", "frame_000001"]


def test_a_cvat_skeleton_holds_all_joints(tmp_path, out, found):
    write_cvat(out, tmp_path, found, MIN_SCORE)
    skeleton = ElementTree.parse(tmp_path / "images.xml").find("image/skeleton")
    assert skeleton.get("label") == "person"
    points = skeleton.findall("points")
    assert [p.get("label") for p in points] == list(COCO_KEYPOINTS)
    assert [k for k, p in enumerate(points) if p.get("outside") == "1"] == [0, 3]
    positions = np.array([p.get("points").split(",") for p in points], dtype=float)
    # In CVAT (0, 0) is the image's corner; joints outside are moved to the edge.
    assert positions[4:] == pytest.approx(found[0].keypoints[0, 4:, :2] + 0.5, abs=0.006)
    assert positions[3].tolist() == [0, 50.5]
    assert float(skeleton.findtext("attribute")) == pytest.approx(found[0].scores[0], abs=1e-3)


def test_the_cvat_skeleton_label_is_consistent():
    label = skeleton_label()
    assert [s["name"] for s in label["sublabels"]] == list(COCO_KEYPOINTS)
    assert "<svg" not in label["svg"]
    drawing = ElementTree.fromstring(f"<svg>{label['svg']}</svg>")
    nodes = drawing.findall("circle")
    assert [n.get("data-label-name") for n in nodes] == list(COCO_KEYPOINTS)
    numbers = [str(k) for k in range(1, 18)]
    assert [n.get("data-node-id") for n in nodes] == numbers
    assert [n.get("data-element-id") for n in nodes] == numbers
    assert {n.get("data-type") for n in nodes} == {"element node"}
    at = {n.get("data-node-id"): (n.get("cx"), n.get("cy")) for n in nodes}
    assert len(set(at.values())) == 17
    edges = drawing.findall("line")
    ends = [(int(e.get("data-node-from")) - 1, int(e.get("data-node-to")) - 1) for e in edges]
    assert ends == list(COCO_SKELETON)
    for edge in edges:
        assert at[edge.get("data-node-from")] == (edge.get("x1"), edge.get("y1"))
        assert at[edge.get("data-node-to")] == (edge.get("x2"), edge.get("y2"))


def test_label_studio_tasks_fit_the_labelling_configuration(tmp_path, out, found):
    write_label_studio(out, tmp_path / "ls", found[:3], MIN_SCORE, tmp_path / "my pics", "tiny")
    config = ElementTree.parse(tmp_path / "ls/config.xml").getroot()
    controls = {c.get("name"): c for c in config if c.get("toName")}
    kinds = {name: c.tag.lower() for name, c in controls.items()}
    labels = {name: [v.get("value") for v in c] for name, c in controls.items()}
    assert labels["joint"] == list(COCO_KEYPOINTS)
    tasks = json.loads((tmp_path / "ls/tasks.json").read_text())
    image = tasks[0]["data"][config.find("Image").get("value").strip("$")]
    assert unquote(re.fullmatch(r"/data/local-files/\?d=(\S+)", image)[1]) == "my pics/x/a b.jpg"
    assert [len(t["predictions"][0]["result"]) for t in tasks] == [2 + 15 + 17, 0, 0]
    prediction = tasks[0]["predictions"][0]
    assert prediction["model_version"] == "tiny"
    regions = {r["id"]: r for r in prediction["result"]}
    assert len(regions) == len(prediction["result"])
    for region in regions.values():
        assert region["type"] == kinds[region["from_name"]]
        assert set(region["value"][region["type"]]) <= set(labels[region["from_name"]])
        assert region["to_name"] == config.find("Image").get("name")
        assert (region["original_width"], region["original_height"]) == (200, 100)
    joints = [region for region in regions.values() if region["from_name"] == "joint"]
    assert len(joints) == 15 + 17
    for joint in joints:
        assert regions[joint["parentID"]]["type"] == "rectanglelabels"


def test_label_studio_lengths_are_percent_of_the_image(tmp_path, out, found):
    write_label_studio(out, tmp_path, found[:1], MIN_SCORE, tmp_path, "tiny")
    (task,) = json.loads((tmp_path / "tasks.json").read_text())
    regions = {r["id"]: r for r in task["predictions"][0]["result"]}
    box = regions["person2"]["value"]
    assert [box[k] for k in ("x", "y", "width", "height")] == pytest.approx(
        [2, 5, 50, 33.33], abs=0.01
    )
    wrist = regions["person2_left_wrist"]["value"]
    position = (found[0].keypoints[1, 9, :2] + 0.5) / [200, 100] * 100
    assert [wrist["x"], wrist["y"]] == pytest.approx(position, abs=1e-4)


def test_label_studio_numbers_the_joints_as_coco():
    config = ElementTree.fromstring("".join(labelling_config()))
    numbers = {v.get("value"): int(v.get("model_index")) for v in config.find("KeyPointLabels")}
    assert numbers == {name: k for k, name in enumerate(COCO_KEYPOINTS)}
