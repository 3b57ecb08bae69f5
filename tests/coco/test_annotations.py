"""Reading COCO files: crowds, missing fields, both kinds of masks, boxes beyond the image."""

import json

import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO

from repogen import UserError
from repogen.bodies import COCO_KEYPOINTS
from repogen.coco.annotations import read_person_annotations
from repogen.coco.images import with_true_sizes

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
    assert people.boxes.tolist() == [[12, 27, 36, 26]]  # a margin of 0.1 of the longer side
    assert people.areas.tolist() == pytest.approx([0.53 * 36 * 26])


def test_crowds_and_unlabelled_persons_are_read_but_not_trainable(tmp_path):
    people = read(
        tmp_path,
        [
            annotation(id=1),
            annotation(id=2, iscrowd=1),
            annotation(id=3, keypoints=[0] * 51, num_keypoints=0),
            annotation(id=4, keypoints=None, num_keypoints=None),
            annotation(id=5, bbox=[200, 10, 20, 20]),
        ],
    )
    assert people.ids.tolist() == [1, 2, 3, 4, 5]
    assert people.trainable().ids.tolist() == [1]


UNKNOWN = [{"area": 0}, {"area": -1}, {"area": None}, {"area": float("nan")}, {"area": "0"}]


@pytest.mark.parametrize("unknown", UNKNOWN)
def test_an_unknown_area_is_that_of_the_mask_else_a_share_of_the_box(tmp_path, unknown, capsys):
    people = read(tmp_path, [annotation(**unknown), annotation(id=8)])
    assert people.areas.tolist() == pytest.approx([0.53 * 40 * 80, 3000])
    assert read(tmp_path, [annotation(segmentation=POLYGON, **unknown)]).areas.tolist() == [3200]
    said = capsys.readouterr().err
    assert "1 of 2 persons have no bbox or area above 0" in said
    assert said.count("warning") == 2  # one for each file


@pytest.mark.parametrize("box", [[0, 0, 0, 0], [10, 10, -4, 5], [10, 10, 20, 0], [], None])
def test_an_unknown_box_is_that_of_the_mask_else_of_the_joints(tmp_path, box, capsys):
    record = annotation() | {"bbox": box}
    people = read(tmp_path, [record, record | {"segmentation": POLYGON}])
    assert people.boxes.tolist() == [[12, 27, 36, 26], [10, 10, 40, 80]]
    assert people.areas.tolist() == [3000, 3000]
    assert len(people.trainable()) == 2
    assert "2 of 2 persons have no bbox or area above 0" in capsys.readouterr().err


def test_persons_that_are_not_scored_are_not_counted_as_unknown(tmp_path, capsys):
    read(tmp_path, [annotation(area=0, iscrowd=1), annotation(area=0, keypoints=[0] * 51)])
    assert capsys.readouterr().err == ""


def test_annotations_of_other_categories_are_ignored(tmp_path):
    categories = [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}]
    people = read(tmp_path, [annotation(), annotation(id=8, category_id=2)], categories=categories)
    assert people.ids.tolist() == [7]


@pytest.mark.parametrize(
    ("annotations", "changes", "words"),
    [
        ([annotation()], {"images": None}, "no list of images"),
        ([annotation()], {"images": [{"id": 3, "width": 100}]}, r"images\[0\] lacks 'file_name'"),
        ([annotation()], {"categories": [{"id": 1, "name": "cat"}]}, "no category named person"),
        (
            [annotation()],
            {"categories": [{"id": 1, "name": "person", "keypoints": ["head", "foot"]}]},
            "are none of COCO's 17",
        ),
        ([annotation(image_id=9)], {}, r"annotations\[0\].*image_id '9' is none of the images"),
        ([annotation(keypoints=[1, 2, 3])], {}, "3 numbers, 1 joints, and the header names 17"),
        ([annotation(keypoints=[float("nan")] * 51)], {}, "a number that is not finite"),
        ([annotation(), annotation(bbox=[1, 2])], {}, r"annotations\[1\]"),
    ],
)
def test_errors_of_invalid_files_name_the_record(tmp_path, annotations, changes, words):
    with pytest.raises(UserError, match=words):
        read(tmp_path, annotations, **changes)


IMAGE = {"id": 3, "file_name": "a.jpg", "width": 100, "height": 120}
PERSON = {"id": 1, "name": "person"}


def unknown_area(segmentation):
    return {"annotations": [annotation(area=None, segmentation=segmentation)]}


BROKEN = [
    ({"images": 3}, " is not a COCO file: it has no list of images"),
    ({"categories": {"id": 1}}, " is not a COCO file: its categories are not a list"),
    ({"images": [3]}, ": images[0] is 3, not a record with fields"),
    ({"images": [{"id": 3}]}, ": images[0] lacks 'file_name'"),
    ({"images": [IMAGE | {"width": "wide"}]}, ": images[0]: width 'wide' is not a number"),
    (
        {"images": [IMAGE | {"width": 1e999}]},
        ": images[0]: width x height inf x 120 must lie between 0 and 2147483647",
    ),
    (
        {"images": [IMAGE | {"view": {"azimuth_deg": "west"}}]},
        ": images[0]: azimuth_deg 'west' is not a number",
    ),
    ({"categories": [{"name": "person"}]}, ": categories[0] lacks 'id'"),
    ({"categories": ["person"]}, ": categories[0] is 'person', not a record with fields"),
    (
        {"categories": [PERSON | {"keypoints": 17}]},
        ": categories[0]: keypoints 17 is not a list of names",
    ),
    (
        {"categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]},
        " has no category named person, but cat, dog; rename the one that means people",
    ),
    ({"annotations": ["none"]}, ": annotations[0] is 'none', not a record with fields"),
    (
        {"annotations": [annotation(id=2**70)]},
        ": annotations[0]: id 1180591620717411303424 has more than 64 bits",
    ),
    ({"annotations": [annotation(area="big")]}, ": annotations[0]: area 'big' is not a number"),
    (
        {"annotations": [annotation(bbox=[1, 2])]},
        ": annotations[0]: bbox [1, 2] must be x, y, w, h",
    ),
    (
        {"annotations": [annotation(bbox="wide")]},
        ": annotations[0]: bbox 'wide' is not a list of numbers",
    ),
    (
        {"annotations": [annotation(keypoints=[1.0, 2.0])]},
        ": annotations[0]: keypoints has 2 numbers; x, y, v of each joint are needed",
    ),
    (
        {"annotations": [annotation(keypoints={"nose": 1})]},
        ": annotations[0]: keypoints {'nose': 1} is not a list of numbers",
    ),
    (
        {"annotations": [annotation(keypoints=[1, 2, 3])]},
        ": annotations[0]: keypoints has 3 numbers, 1 joints, and the header names 17; give as "
        "many of both",
    ),
    (
        {"annotations": [annotation(image_id=9)]},
        ": annotations[0]: its image_id '9' is none of the images",
    ),
    (unknown_area([[]]), ": annotations[0]: segmentation has a polygon without corners"),
    (
        unknown_area([[1, 2, 3]]),
        ": annotations[0]: segmentation has a polygon of 3 numbers: an x without a y",
    ),
    (
        unknown_area([[1, 2, 3, float("inf")]]),
        ": annotations[0]: segmentation has a corner that is not finite",
    ),
    (
        unknown_area([[0, 0, 1e6, 0, 1e6, 1]]),
        ": annotations[0]: segmentation has an outline of 2000001 pixels around 100 x 120; the "
        "limit is 1000000",
    ),
    (
        unknown_area("mask.png"),
        ": annotations[0]: segmentation 'mask.png' is neither polygons nor an RLE (size, counts)",
    ),
    (
        unknown_area({"size": [120, 0], "counts": "abc"}),
        ": annotations[0]: segmentation's size [120, 0] must be height and width above 0",
    ),
    (
        unknown_area({"size": [120, 100], "counts": None}),
        ": annotations[0]: segmentation's counts None must be text or a list",
    ),
    (
        unknown_area({"size": [120, 100], "counts": "ab`"}),
        ": annotations[0]: segmentation's counts are truncated",
    ),
]


@pytest.mark.parametrize(("changes", "said"), BROKEN)
def test_each_cause_has_its_own_message(tmp_path, changes, said):
    with pytest.raises(UserError) as caught:
        read(tmp_path, **({"annotations": [annotation()]} | changes))
    assert str(caught.value) == f"{tmp_path / 'set.json'}{said}"


def test_fields_that_mean_something_else_in_other_files_are_ignored(tmp_path):
    images = [IMAGE | {"view": "top", "camera": "cam_01"}]
    people = read(tmp_path, [annotation(view="front", segmentation=None)], images=images)
    assert np.isnan(people.views).all()
    assert people.pixel_centers.ravel().tolist() == [0]


def test_a_mask_in_an_image_of_unknown_size_is_no_reason_to_refuse_the_file(tmp_path):
    images = [{"id": 3, "file_name": "a.jpg"}]
    people = read(tmp_path, [annotation(area=0, segmentation=POLYGON)], images=images)
    assert people.areas.tolist() == pytest.approx([0.53 * 40 * 80])


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


def header(names, **more):
    return [{"id": 1, "name": "person", "keypoints": list(names), **more}]


@pytest.mark.parametrize(
    "spell",
    [
        str.title,
        str.upper,
        lambda name: name.replace("_", " ").title(),
        lambda name: name.replace("_", "-"),
        lambda name: "_".join(reversed(name.split("_"))),
        lambda name: name.replace("left_", "L").replace("right_", "R"),
        lambda name: name.replace("left_", "l.").replace("right_", "r."),
    ],
)
def test_joints_may_be_spelled_in_other_ways_and_in_another_order(tmp_path, spell):
    order = np.random.default_rng(0).permutation(17)
    joints = np.arange(51.0).reshape(17, 3)
    names = [spell(COCO_KEYPOINTS[i]) for i in order]
    record = annotation(keypoints=joints[order].ravel().tolist())
    people = read(tmp_path, [record], categories=header(names))
    assert people.keypoints[0].tolist() == joints.tolist()


@pytest.mark.parametrize("names", [None, [], COCO_KEYPOINTS])
@pytest.mark.parametrize("count", [17, 23, 26, 133, 136])
def test_the_first_17_of_known_longer_layouts_are_cocos(tmp_path, names, count):
    joints = np.arange(3.0 * count)
    categories = [{"id": 1, "name": "person"} | ({} if names is None else {"keypoints": names})]
    people = read(tmp_path, [annotation(keypoints=joints.tolist())], categories=categories)
    assert people.keypoints[0].ravel().tolist() == joints[:51].tolist()


def test_a_header_may_list_more_names_than_its_records_have(tmp_path):
    names = [*COCO_KEYPOINTS, "left_finger", "right_finger", "left_toe", "right_toe"]
    people = read(tmp_path, [annotation()], categories=header(names))
    assert people.keypoints[0].ravel().tolist() == annotation()["keypoints"]
    with pytest.raises(UserError, match="51 numbers, 17 joints, and the header names 18"):
        read(tmp_path, [annotation()], categories=header(["neck", *COCO_KEYPOINTS]))


def test_a_named_neck_is_left_out_and_joints_without_a_name_are_not_labelled(tmp_path, capsys):
    names = ["neck", *COCO_KEYPOINTS[5:]]
    joints = np.arange(39.0)
    people = read(tmp_path, [annotation(keypoints=joints.tolist())], categories=header(names))
    assert people.keypoints[0, 5:].ravel().tolist() == joints[3:].tolist()
    assert not people.keypoints[0, :5].any()
    assert "lack 5 of COCO's 17" in capsys.readouterr().err


def test_layouts_that_are_not_certain_are_refused(tmp_path):
    with pytest.raises(UserError, match="54 numbers, 18 joints, and the header names none"):
        read(tmp_path, [annotation(keypoints=[1.0] * 54)], categories=header([]))
    with pytest.raises(UserError, match="name left_eye more than once"):
        read(tmp_path, [annotation()], categories=header(["l_eye", *COCO_KEYPOINTS]))


def test_joints_without_coordinates_are_not_labelled(tmp_path):
    keypoints = annotation()["keypoints"]
    people = read(tmp_path, [annotation(keypoints=[None, None, 0, *keypoints[3:]])])
    assert people.keypoints[0].ravel().tolist() == keypoints


@pytest.mark.parametrize(
    "category",
    [
        {"id": 1, "name": "Person"},
        {"id": 1, "name": " human"},
        {"id": "1", "name": "people"},
        {"id": 0, "name": "person"},
        {"id": 1, "name": "skeleton", "keypoints": list(COCO_KEYPOINTS)},
    ],
)
def test_categories_of_persons_have_other_names_and_ids(tmp_path, category):
    records = [annotation(category_id=category["id"]), annotation(category_id=5)]
    assert len(read(tmp_path, records, categories=[category, {"id": 5, "name": "dog"}])) == 1


@pytest.mark.parametrize("number", [0, 1, None])
def test_a_file_without_categories_is_of_persons(tmp_path, number):
    records = [annotation(category_id=number), annotation(category_id=17)]
    assert len(read(tmp_path, records, categories=[])) == 1


@pytest.mark.parametrize("image_id", ["3", 3.0, "a.jpg", "a", "images\\a.jpg"])
def test_image_ids_may_be_text_file_names_or_stems(tmp_path, image_id):
    assert read(tmp_path, [annotation(image_id=image_id)]).image.tolist() == [0]


def test_ids_may_be_text(tmp_path):
    uuids = ["6f1c0b9e-0f0e-4a53-a9c1-0e4f2a9b7c11", "c0ffee00-0f0e-4a53-a9c1-0e4f2a9b7c11"]
    images = [IMAGE | {"id": uuids[0]}, IMAGE | {"id": uuids[1], "file_name": "b.jpg"}]
    records = [annotation(id=uuids[k], image_id=uuids[k]) for k in (1, 0)]
    people = read(tmp_path, records, images=images)
    assert people.image_ids.tolist() == uuids
    assert people.image.tolist() == [1, 0]
    assert people.ids.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("sub\\a.jpg", "sub/a.jpg"),
        ("C:\\Users\\me\\set\\sub\\a.jpg", "sub/a.jpg"),
        ("D:/set/a.jpg", "a.jpg"),
        ("..\\..\\media\\a.jpg", "a.jpg"),
        ("/home/me/img/a.jpg", "a.jpg"),
        ("https://host/bucket/sub/a.jpg?sign=1", "sub/a.jpg"),
        ("s3://bucket/sub/a%20b.jpg", "sub/a b.jpg"),
        ("/data/local-files/?d=set/sub/a.jpg", "sub/a.jpg"),
        ("cafe\u0301.jpg", "caf\u00e9.jpg"),
        ("caf\u00e9.jpg", "cafe\u0301.jpg"),
    ],
)
def test_file_names_of_other_systems_are_found(tmp_path, written, stored):
    (tmp_path / stored).parent.mkdir(exist_ok=True)
    (tmp_path / stored).touch()
    people = read(tmp_path, [annotation()], images=[IMAGE | {"file_name": written}])
    assert with_true_sizes(people).path(0) == tmp_path / stored


def test_a_missing_image_is_not_replaced_by_another_images_file(tmp_path):
    (tmp_path / "a.jpg").touch()
    images = [IMAGE, IMAGE | {"id": 4, "file_name": "other\\a.jpg"}]
    people = with_true_sizes(read(tmp_path, [annotation()], images=images))
    assert people.files == ("a.jpg", "other\\a.jpg")


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
