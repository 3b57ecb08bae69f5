"""Joints of CrowdPose, MPII and LSP: pycocotools reads them, in the order of those datasets."""

import json

import numpy as np
import pytest
from pycocotools.coco import COCO

from repogen import convert
from repogen.bodies.skeleton import COCO_KEYPOINTS

# https://github.com/Jeff-sjtu/CrowdPose; http://human-pose.mpi-inf.mpg.de/#download, with ids 0 to
# 15; https://github.com/axelcarlier/lsp, with ids 1 to 14
ORDERS = {
    "crowdpose": "left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist "
    "left_hip right_hip left_knee right_knee left_ankle right_ankle head neck",
    "mpii": "right_ankle right_knee right_hip left_hip left_knee left_ankle pelvis thorax "
    "upper_neck head_top right_wrist right_elbow right_shoulder left_shoulder left_elbow "
    "left_wrist",
    "lsp": "right_ankle right_knee right_hip left_hip left_knee left_ankle right_wrist "
    "right_elbow right_shoulder left_shoulder left_elbow left_wrist neck head_top",
}


@pytest.mark.parametrize("to", ORDERS)
def test_the_joints_are_those_of_the_set_in_its_order(people, truth, tmp_path, to):
    out = convert(people, tmp_path / "out", to=to)
    coco = COCO(str(out / "annotations.json"))
    names = coco.cats[1]["keypoints"]
    assert names == ORDERS[to].split()
    limbs = [{names[i - 1] for i in limb} for limb in coco.cats[1]["skeleton"]]
    assert set.union(*limbs) == set(names)
    found = np.array([a["keypoints"] for a in coco.anns.values()]).reshape(-1, len(names), 3)
    expected = np.concatenate([joints for _, joints, _, _ in truth])
    assert len(found) == len(expected)
    for i, name in enumerate(names):
        column = expected[:, COCO_KEYPOINTS.index(name)] if name in COCO_KEYPOINTS else found[:, i]
        np.testing.assert_allclose(found[:, i], column, atol=1e-3)
        assert (found[:, i, 2] > 0).any(), name
    for image in coco.imgs.values():
        assert (out / "images" / image["file_name"]).exists()
        assert ("crowdIndex" in image) == (to == "crowdpose")


def test_further_joints_lie_between_their_neighbours(people, tmp_path):
    out = convert(people, tmp_path / "out", to="mpii", images="none")
    coco = COCO(str(out / "annotations.json"))
    names = ORDERS["mpii"].split()
    spines = []
    for annotation in coco.anns.values():
        joints = np.array(annotation["keypoints"]).reshape(-1, 3)
        at = dict(zip(names, joints, strict=True))
        chain = [at[n] for n in ("pelvis", "thorax", "upper_neck", "head_top")]
        if all(point[2] > 0 for point in chain):
            spines.append(np.array(chain)[:, :2])
    assert len(spines) >= 4
    for pelvis, thorax, upper_neck, top in spines:
        assert np.linalg.norm(top - thorax) > np.linalg.norm(upper_neck - thorax)
        assert np.linalg.norm(top - pelvis) > 1


def test_people_without_space_have_no_head_and_neck(coco, tmp_path):
    data = json.loads(coco.read_text())
    data["annotations"][1]["keypoints"] = [
        v for k in range(17) for v in ((k, 2 * k, 2) if k != 11 else (0, 0, 0))
    ]
    coco.write_text(json.dumps(data))
    out = convert(f"{coco}:{coco.parent / '2017'}", tmp_path / "out", to="mpii", images="none")
    found = json.loads((out / "annotations.json").read_text())["annotations"][1]["keypoints"]
    at = dict(zip(ORDERS["mpii"].split(), np.array(found).reshape(-1, 3).tolist(), strict=True))
    assert at["thorax"] == [5.5, 11, 2]  # of shoulders 5 and 6
    assert at["pelvis"] == at["upper_neck"] == at["head_top"] == [0, 0, 0]


def test_a_file_of_crowdpose_is_read_by_the_names_of_its_joints(people, truth, tmp_path):
    there = convert(people, tmp_path / "there", to="crowdpose")
    back = convert(there, tmp_path / "back", to="coco")
    table = json.loads((back / "annotations" / "person_keypoints.json").read_text())
    found = np.array([a["keypoints"] for a in table["annotations"]]).reshape(-1, 17, 3)
    expected = np.concatenate([joints for _, joints, _, _ in truth])
    np.testing.assert_allclose(found[:, 5:], expected[:, 5:], atol=1e-3)
    assert not found[:, :5].any()


def test_the_crowd_index_counts_others_joints_in_a_box(coco, tmp_path):
    data = json.loads(coco.read_text())
    for k, x in ((1, 10.0), (3, 45.0)):  # of the second, no joint is in the first one's box
        data["annotations"][k] |= {"image_id": 1, "keypoints": [x, 10.0, 2] * 17}
    for k in (5, 7):  # each has 17 joints in the other's box
        data["annotations"][k]["image_id"] = 5
    coco.write_text(json.dumps(data))
    out = convert(f"{coco}:{coco.parent / '2017'}", tmp_path / "out", to="crowdpose", images="none")
    images = json.loads((out / "annotations.json").read_text())["images"]
    found = {image["id"]: image["crowdIndex"] for image in images}
    assert found == {1: 0.5, 5: 1.0} | dict.fromkeys((0, 2, 3, 4, 6, 7, 8, 9), 0.0)
