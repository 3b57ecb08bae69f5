"""The COCO files that `convert` writes, read by pycocotools, and COCO files of others."""

import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO

from repogen import UserError, convert
from repogen.coco.annotations import read_person_annotations


def check(coco, root, truth):
    """The file holds the truth, in order."""
    assert [coco.imgs[i]["file_name"] for i in sorted(coco.imgs)] == [name for name, *_ in truth]
    for image_id, (name, joints, boxes, areas) in zip(sorted(coco.imgs), truth, strict=True):
        own = coco.loadAnns(coco.getAnnIds(image_id))
        assert (root / name).exists()
        np.testing.assert_allclose([a["keypoints"] for a in own], joints.reshape(-1, 51), atol=1e-3)
        np.testing.assert_allclose([a["bbox"] for a in own], boxes, atol=1e-3)
        assert [a["area"] for a in own] == areas == [coco.annToMask(a).sum() for a in own]
        assert [a["num_keypoints"] for a in own] == (joints[..., 2] > 0).sum(axis=1).tolist()


def test_pycocotools_reads_the_file(people, truth, tmp_path):
    out = convert(people, tmp_path / "out", to="coco")
    coco = COCO(str(out / "annotations" / "person_keypoints.json"))
    check(coco, out / "images", truth)
    assert sorted(coco.anns) == list(range(1, len(coco.anns) + 1))


def test_fiftyone_finds_data_labels_and_skeleton(people, truth, tmp_path):
    # By https://docs.voxel51.com/user_guide/import_datasets.html#cocodetectiondataset
    out = convert(people, tmp_path / "out", to="fiftyone")
    assert sorted(p.name for p in out.iterdir() if p.name[0] != ".") == ["data", "labels.json"]
    coco = COCO(str(out / "labels.json"))
    check(coco, out / "data", truth)
    (category,) = coco.dataset["categories"]
    assert len(category["keypoints"]) == 17
    assert {j for limb in category["skeleton"] for j in limb} == set(range(1, 18))
    # By COCOObject of fiftyone 1.22.1: other fields become attributes, but for `visible`.
    fields = ["id", "image_id", "category_id", "bbox", "segmentation", "keypoints", "area"]
    fields += ["iscrowd", "num_keypoints"]
    assert all(sorted(a) == sorted(fields) for a in coco.anns.values())


@pytest.mark.parametrize("to", ["coco", "fiftyone"])
def test_what_was_written_is_read_again(people, truth, tmp_path, to):
    there = convert(people, tmp_path / "there", to=to)
    back = convert(there, tmp_path / "back", to="coco")
    check(COCO(str(back / "annotations" / "person_keypoints.json")), back / "images", truth)


def test_a_coco_file_of_others_keeps_ids_and_crowds(coco, tmp_path):
    data = json.loads(coco.read_text())
    data["annotations"][1]["iscrowd"] = 1
    data["images"][3]["id"] = data["annotations"][3]["image_id"] = 70
    coco.write_text(json.dumps(data))
    out = convert(f"{coco}:{coco.parent / '2017'}", tmp_path / "out", to="coco")
    found = COCO(str(out / "annotations" / "person_keypoints.json"))
    assert list(found.imgs) == [0, 1, 2, 70, 4, 5, 6, 7, 8, 9]
    assert [a["iscrowd"] for a in found.anns.values()] == [k == 1 for k in range(10)]
    labelled = read_person_annotations(
        "", out / "annotations" / "person_keypoints.json", out / "images"
    ).labelled()
    assert labelled.tolist() == [3, 5, 7, 9]


def test_names_that_lead_out_of_the_folder_stay_in_it(coco, tmp_path):
    data = json.loads(coco.read_text())
    data["images"][0]["file_name"] = "../2017/0.jpg"
    coco.write_text(json.dumps(data))
    out = convert(f"{coco}:{coco.parent / '2017'}", tmp_path / "a" / "out", to="coco")
    assert sorted(Path(p).name for p in (tmp_path / "a").iterdir()) == ["out"]
    assert (out / "images" / "2017" / "0.jpg").exists()


@pytest.mark.parametrize("name", ["..", "a\0.jpg", "\ud800.jpg"])
def test_a_name_that_no_file_can_have_is_refused(coco, tmp_path, name):
    data = json.loads(coco.read_text())
    data["images"][0]["file_name"] = name
    coco.write_text(json.dumps(data))
    with pytest.raises(UserError, match=r"file_name .* names no file"):
        convert(f"{coco}:{coco.parent / '2017'}", tmp_path / "out", to="coco")


def test_two_images_of_one_name_are_refused(coco, tmp_path):
    data = json.loads(coco.read_text())
    data["images"][1]["file_name"] = "0.jpg"
    coco.write_text(json.dumps(data))
    with pytest.raises(UserError, match=r"0\.jpg and another of its images have the same name"):
        convert(f"{coco}:{coco.parent / '2017'}", tmp_path / "out", to="coco")


def test_labels_in_stored_pixels_are_refused(tmp_path, write_turned):
    (tmp_path / "images").mkdir()
    write_turned(tmp_path / "images" / "0.jpg", np.zeros((40, 80, 3), np.uint8))
    table = {
        "images": [{"id": 1, "file_name": "0.jpg", "width": 80, "height": 40}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 80, 40],
             "keypoints": [70, 10, 2] * 17}
        ],
        "categories": [{"id": 1, "name": "person"}],
    }  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(table))
    with pytest.raises(UserError, match="in the pixels before EXIF orientation"):
        convert(f"{tmp_path}/a.json:{tmp_path}/images", tmp_path / "out", to="coco")
