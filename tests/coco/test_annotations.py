"""Reading COCO files: crowds, missing fields, both kinds of masks, boxes beyond the image."""

import json

import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO

from repogen import UserError
from repogen.bodies import COCO_KEYPOINTS
from repogen.coco.annotations import read_person_annotations

POLYGON = [[10.0, 10.0, 50.0, 10.0, 50.0, 90.0, 10.0, 90.0]]


def annotation(**changes):
    keypoints = np.zeros((17, 3))
    keypoints[5:9] = [[20, 30, 2], [40, 30, 2], [15, 50, 1], [45, 50, 2]]
    base = {
        "id": 7, "image_id": 3, "category_id": 1, "iscrowd": 0, "bbox": [10, 10, 40, 80],
        "area": 3000.0, "num_keypoints": 4, "keypoints": keypoints.ravel().tolist(),
    }  # fmt: skip
    return {k: v for k, v in (base | changes).items() if v is not None}


def write(folder, annotations, **changes):
    data = {
        "images": [{"id": 3, "file_name": "a.jpg", "width": 100, "height": 120}],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO_KEYPOINTS)}],
    }
    path = folder / "set.json"
    path.write_text(json.dumps(data | changes))
    return path


def read(folder, annotations, **changes):
    return read_person_annotations("set", write(folder, annotations, **changes), folder)


def test_a_complete_annotation_is_read_unchanged(tmp_path):
    people = read(tmp_path, [annotation()])
    assert people.ids.tolist() == [7]
    assert people.boxes.tolist() == [[10, 10, 40, 80]]
    assert people.areas.tolist() == [3000]
    assert people.keypoints[0, 5].tolist() == [20, 30, 2]
    assert people.path(0) == tmp_path / "a.jpg"
    assert np.isnan(people.views).all()


def test_boxes_are_clipped_to_the_image(tmp_path):
    people = read(tmp_path, [annotation(bbox=[-20, 100, 200, 90])])
    assert people.boxes.tolist() == [[0, 100, 100, 20]]


@pytest.mark.parametrize(
    "segmentation",
    [
        POLYGON,
        rle.frPyObjects(POLYGON, 120, 100)[0],
        {"size": [120, 100], "counts": [1210, 80, 40, 80, 40, 80]},
    ],
)
def test_a_missing_area_is_computed_from_the_mask(tmp_path, segmentation):
    mask = segmentation
    if isinstance(segmentation, dict) and isinstance(segmentation["counts"], bytes):
        mask = segmentation | {"counts": segmentation["counts"].decode()}
    people = read(tmp_path, [annotation(area=None, segmentation=mask)])
    if isinstance(mask, list):
        mask = rle.frPyObjects(mask, 120, 100)[0]
    elif isinstance(mask["counts"], list):
        mask = rle.frPyObjects(mask, 120, 100)
    assert people.areas[0] == rle.area(mask)


def test_missing_box_and_area_are_computed_from_the_keypoints(tmp_path):
    people = read(tmp_path, [annotation(area=None, bbox=None, num_keypoints=None)])
    assert people.boxes.tolist() == [[15, 30, 30, 20]]
    assert people.areas.tolist() == [600]


def test_crowds_and_unlabelled_persons_are_read_but_not_trainable(tmp_path):
    people = read(
        tmp_path,
        [
            annotation(id=1),
            annotation(id=2, iscrowd=1),
            annotation(id=3, keypoints=[0] * 51, num_keypoints=0),
            annotation(id=4, keypoints=None, num_keypoints=None),
            annotation(id=5, bbox=[10, 10, 0, 0]),
        ],
    )
    assert people.ids.tolist() == [1, 2, 3, 4, 5]
    assert people.trainable().ids.tolist() == [1]


def test_annotations_of_other_categories_are_ignored(tmp_path):
    categories = [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}]
    people = read(tmp_path, [annotation(), annotation(id=8, category_id=2)], categories=categories)
    assert people.ids.tolist() == [7]


@pytest.mark.parametrize(
    ("annotations", "changes", "words"),
    [
        ([annotation()], {"images": None}, "no list of images"),
        ([annotation()], {"images": [{"id": 3, "width": 100}]}, r"images\[0\] lacks 'height'"),
        ([annotation()], {"categories": [{"id": 1, "name": "cat"}]}, "no category named person"),
        (
            [annotation()],
            {"categories": [{"id": 1, "name": "person", "keypoints": ["head", "foot"]}]},
            "are not COCO's 17",
        ),
        ([annotation(image_id=9)], {}, r"annotations\[0\]"),
        ([annotation(keypoints=[1, 2, 3])], {}, "51 numbers, not 3"),
        ([annotation(), annotation(bbox=[1, 2])], {}, r"annotations\[1\]"),
    ],
)
def test_errors_of_invalid_files_name_the_record(tmp_path, annotations, changes, words):
    with pytest.raises(UserError, match=words):
        read(tmp_path, annotations, **changes)


IMAGE = {"id": 3, "file_name": "a.jpg", "width": 100, "height": 120}
PERSON = {"id": 1, "name": "person"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"images": [IMAGE | {"view": "top"}]}, r"images\[0\] cannot be read"),
        ({"images": [IMAGE | {"view": {"azimuth_deg": None}}]}, r"images\[0\] cannot be read"),
        ({"images": [IMAGE | {"width": 1e999}]}, r"images\[0\] cannot be read"),
        ({"images": [3]}, r"images\[0\] cannot be read"),
        ({"categories": [{"name": "person"}]}, r"categories\[0\] lacks 'id'"),
        ({"categories": ["person"]}, r"categories\[0\] cannot be read"),
        ({"categories": [PERSON | {"keypoints": []}]}, "are not COCO's 17"),
        ({"categories": [PERSON | {"keypoints": 17}]}, r"categories\[0\] cannot be read"),
        ({"annotations": [annotation(id="abc")]}, r"annotations\[0\] cannot be read"),
        ({"annotations": [annotation(id=[1])]}, r"annotations\[0\] cannot be read"),
        ({"annotations": [annotation(id=2**70)]}, r"annotations\[0\] cannot be read"),
        ({"annotations": ["none"]}, r"annotations\[0\] cannot be read"),
        ({"annotations": [annotation(view="top")]}, r"annotations\[0\] cannot be read"),
        (
            {"annotations": [annotation(area=None, segmentation=[[]])]},
            r"annotations\[0\] .*segmentation is neither polygons",
        ),
        (
            {"annotations": [annotation(area=None, segmentation=[[1, 2, 3]])]},
            r"annotations\[0\] .*segmentation is neither polygons",
        ),
    ],
)
def test_errors_of_records_with_wrong_types_name_the_record(tmp_path, changes, words):
    with pytest.raises(UserError, match=words):
        read(tmp_path, **({"annotations": [annotation()]} | changes))


def test_an_invalid_mask_is_ignored_where_box_and_area_are_given(tmp_path):
    people = read(tmp_path, [annotation(segmentation=[[1, 2, 3]])])
    assert people.areas.tolist() == [3000]


def test_a_persons_view_defaults_to_its_images_view(tmp_path):
    def view(azimuth, elevation):
        return {"azimuth_deg": azimuth, "elevation_deg": elevation, "roll_deg": 5}

    people = read(
        tmp_path, [annotation(view=view(20, -60)), annotation(id=8), annotation(id=9, view={})],
        images=[IMAGE | {"view": view(10, 30)}],
    )  # fmt: skip
    assert people.views.tolist() == [[20, -60, 5], [10, 30, 5], [10, 30, 5]]
    assert people.take([1, 0]).views[:, 0].tolist() == [10, 20]


def test_a_null_view_is_read_as_nan(tmp_path):
    people = read(tmp_path, [annotation()], images=[IMAGE | {"view": None}])
    assert np.isnan(people.views).all()


def test_images_with_a_camera_are_synthetic(tmp_path):
    images = [IMAGE, IMAGE | {"id": 4, "camera": {}}]
    people = read(tmp_path, [annotation(), annotation(id=8, image_id=4)], images=images)
    assert people.pixel_centers.ravel().tolist() == [0, 0.5]


def test_files_that_are_missing_or_not_json_are_refused(tmp_path):
    (tmp_path / "x.json").write_text("{nope")
    with pytest.raises(UserError, match="not a JSON file"):
        read_person_annotations("x", tmp_path / "x.json", tmp_path)
    with pytest.raises(UserError, match="cannot read"):
        read_person_annotations("x", tmp_path / "y.json", tmp_path)


def test_real_coco_annotations_agree_with_pycocotools(capsys, shared_data):
    sample = shared_data("data/coco_sample")
    people = read_person_annotations("coco", sample / "annotations.json", sample / "images")
    coco = COCO(sample / "annotations.json")
    known = coco.loadAnns(coco.getAnnIds(catIds=[1]))
    assert sorted(people.ids) == sorted(a["id"] for a in known)
    assert (people.keypoints[:, :, 2] == 0).all(axis=1).any()
    for i, record in enumerate(people.records):
        assert people.areas[i] == coco.anns[record["id"]]["area"]
