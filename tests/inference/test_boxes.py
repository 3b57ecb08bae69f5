"""`read_boxes` assigns the boxes of a file to the right images and frames."""

import json

import numpy as np
import pytest

from repogen import UserError
from repogen.inference.boxes import clip_boxes, read_boxes, whole_image_box
from repogen.inference.frames import list_media, read_frames

BOX = [1.0, 2.0, 10.0, 12.0]


@pytest.fixture
def boxed(tmp_path, picture, film):
    """Boxes by (name, frame number), and image ids by name, read for files of these names."""

    def look(names, data, inside="", min_score=0.5):
        for name in names:
            path = tmp_path / "in" / name
            film(path, [9, 9, 9]) if path.suffix == ".avi" else picture(path)
        (tmp_path / "boxes.json").write_text(data if isinstance(data, str) else json.dumps(data))
        _, sources = list_media((tmp_path / "in" / inside,), tmp_path / "o")
        file_boxes = read_boxes(tmp_path / "boxes.json", sources, min_score)
        frames = read_frames(sources, [])
        found = {(f.source.name, f.number): file_boxes(f).tolist() for f in frames}
        return {k: v for k, v in found.items() if v}, {s.name: i for s, i in file_boxes.ids.items()}

    return look


def coco(files, annotations, categories=({"id": 1, "name": "person"}, {"id": 2, "name": "dog"})):
    images = [{"id": k, "file_name": name} for k, name in enumerate(files, 50)]
    return {"images": images, "annotations": annotations, "categories": list(categories)}


def of(image_id, box=BOX, **more):
    return {"image_id": image_id, "bbox": box, "category_id": 1} | more


def test_a_coco_file_gives_person_boxes_and_image_ids(boxed):
    records = [of(50), of(51, category_id=2), of(51, iscrowd=1), of(50, [0, 0, 5, 5])]
    found, ids = boxed(["a.png", "b.png"], coco(["a.png", "b.png"], records))
    assert found == {("a.png", -1): [[*BOX, 1.0], [0, 0, 5, 5, 1]]}
    assert ids == {"a.png": 50, "b.png": 51}


def test_detections_below_the_minimum_score_are_left_out(boxed):
    records = [
        {"file_name": "a.png", "bbox": BOX, "score": 0.6},
        {"file_name": "a.png", "bbox": [0, 0, 9, 9], "score": 0.4},
        {"file_name": "a.png", "bbox": [0, 0, 9, 9], "score": 0.9, "category_id": 3},
        {"file_name": "a.png", "bbox": [0, 0, 7, 7]},
    ]
    assert boxed(["a.png"], records)[0] == {("a.png", -1): [[*BOX, 0.6], [0, 0, 7, 7, 1]]}
    assert len(boxed(["a.png"], records, min_score=0.1)[0]["a.png", -1]) == 3


def test_an_image_id_matches_a_file_named_by_the_number(boxed):
    found, _ = boxed(["000012.png", "3.png"], [of(12, score=0.7)])
    assert found == {("000012.png", -1): [[*BOX, 0.7]]}


@pytest.mark.parametrize(
    "name", ["a b.png", "a b", "x\\a b.png", "C:\\x\\a b.png", "https://h/x/a%20b.png"]
)
def test_an_image_is_named_by_its_file_its_stem_or_a_path_of_another_system(boxed, name):
    assert boxed(["x/a b.png"], [{"image_id": name, "box": BOX}])[0] == {
        ("x/a b.png", -1): [[*BOX, 1]]
    }


def test_results_of_alphapose_give_boxes(boxed):
    record = {"image_id": "a.png", "category_id": 1, "score": 2.9, "keypoints": [1.0, 2, 0.5] * 26}
    found, _ = boxed(["a.png"], [record | {"box": BOX, "idx": [0.0]}])
    assert found == {("a.png", -1): [[*BOX, 2.9]]}


def test_category_0_is_of_persons_where_categories_begin_at_0(boxed, capsys):
    records = [{"image_id": 1, "category_id": k, "bbox": [k, 0, 5, 5]} for k in (0, 1, 16)]
    assert boxed(["1.png"], records)[0] == {("1.png", -1): [[0, 0, 5, 5, 1]]}
    assert "category 0 is read as persons" in capsys.readouterr().err
    assert boxed(["1.png"], records[1:])[0] == {("1.png", -1): [[1, 0, 5, 5, 1]]}


def test_an_unknown_box_is_that_of_the_joints_or_counted(boxed, capsys):
    joints = {"keypoints": [10, 10, 2, 20, 15, 2]}
    records = [{"file_name": "a.png", "bbox": [0, 0, 0, 0]} | more for more in (joints, {})]
    assert boxed(["a.png"], records)[0] == {("a.png", -1): [[9, 9, 12, 7, 1]]}
    assert "1 boxes are empty and left out" in capsys.readouterr().err


def test_ids_of_a_coco_file_may_be_text_and_its_categories_human(boxed):
    data = coco(["a.png"], [of("u-1", category_id="2")], [{"id": 2, "name": "Human"}])
    data["images"][0]["id"] = "u-1"
    assert boxed(["a.png"], data) == ({("a.png", -1): [[*BOX, 1]]}, {"a.png": "u-1"})


def test_a_video_has_boxes_by_frame(boxed):
    records = [{"file_name": "w.avi", "frame": k, "bbox": [k, 0, 5, 5]} for k in (0, 2)]
    found, _ = boxed(["w.avi"], records)
    assert found == {("w.avi", 0): [[0, 0, 5, 5, 1]], ("w.avi", 2): [[2, 0, 5, 5, 1]]}
    with pytest.raises(UserError, match=r"w\.avi has no frame number"):
        boxed(["w.avi"], [{"file_name": "w.avi", "bbox": BOX}])


def test_folders_distinguish_images_of_the_same_file_name(boxed):
    files = ["x/a.png", "y/a.png"]
    records = [of(50, [0, 0, 5, 5]), of(51, [0, 0, 6, 6])]
    whole = {("x/a.png", -1): [[0, 0, 5, 5, 1]], ("y/a.png", -1): [[0, 0, 6, 6, 1]]}
    assert boxed(files, coco(files, records))[0] == whole
    assert boxed(files, coco(["set/x/a.png", "set/y/a.png"], records))[0] == whole
    # Of one folder alone, and with a file that lists less or more than is there.
    assert boxed(files, coco(files, records), "y")[0] == {("a.png", -1): [[0, 0, 6, 6, 1]]}
    assert boxed(files, coco(files[:1], records[:1]))[0] == {("x/a.png", -1): [[0, 0, 5, 5, 1]]}
    more = ["a.png", *files]
    found, _ = boxed(more, coco(["a.png"], [of(50)]))
    assert found == {("a.png", -1): [[*BOX, 1]]}


@pytest.mark.parametrize(
    ("names", "inside", "data", "words"),
    [
        (["x/a.png", "y/a.png"], "", [{"file_name": "a.png", "bbox": BOX}], "fits both"),
        (["x/1.png", "y/1.png"], "", [of(1)], "fits both"),
        (["a.png"], "", coco(["x/a.png", "y/a.png"], [of(50)]), "both fit"),
        (["a.png"], "", [], "holds no boxes of persons"),
        (
            ["a.png"],
            "",
            [{"file_name": "b.png", "bbox": BOX}],
            "names none of the 1 input files: it names b.png, and the first of them is a.png",
        ),
        (["a.png"], "", coco(["z.png"], []), "names none of the 1 input files"),
        (["a.png"], "", {"images": []}, "a COCO file: it has no list of annotations"),
        (
            ["a.png"],
            "",
            "3",
            "nor a COCO file: it has no list of images or annotations",
        ),
        (["a.png"], "", "{", "not a JSON file"),
        (
            ["a.png"],
            "",
            coco(["a.png"], [], [{"id": 1, "name": "cat"}]),
            "no category named person",
        ),
        (["a.png"], "", coco(["a.png"], [of(7)]), r"annotations\[0\].*7"),
        (["a.png"], "", coco(["a.png"], [{"image_id": 50, "category_id": 1}]), "bbox"),
        (["a.png"], "", {"images": [{"id": 1}], "annotations": []}, r"images\[0\].*file_name"),
        (["a.png"], "", [{"file_name": "a.png", "bbox": [1, 2, 3]}], r"detections\[0\]"),
        (["a.png"], "", '[{"file_name": "a.png", "bbox": [1, 2, Infinity, 4]}]', "finite"),
        (["a.png"], "", [{"file_name": "a.png", "bbox": BOX, "score": 1e999}], "finite"),
        (
            ["a.png"],
            "",
            [{"file_name": "a.png", "bbox": BOX, "category_id": 7}],
            "holds no persons: its category_id is 7",
        ),
        (["a.png"], "", [{"bbox": BOX}], "image_id"),
        (["a.png"], "", ["a.png"], r"detections\[0\]"),
        (["a.png"], "", coco(["a.png"], [], ["person"]), r"categories\[0\]"),
        (
            ["a.png"],
            "",
            coco(["a.png"], []) | {"categories": {"id": 1}},
            "categories is not a list",
        ),
        (["a.png"], "", [{"file_name": "a.png", "bbox": BOX, "frame": 1e999}], r"detections\[0\]"),
    ],
)
def test_a_bad_file_of_boxes_is_one_line(boxed, names, inside, data, words):
    with pytest.raises(UserError, match=words) as error:
        boxed(names, data, inside)
    assert "\n" not in str(error.value)
    assert "boxes.json" in str(error.value)


def test_a_missing_file_of_boxes_is_an_error(tmp_path):
    with pytest.raises(UserError, match="cannot read --boxes"):
        read_boxes(tmp_path / "no.json", [], 0.5)


def test_boxes_are_clipped_to_the_image():
    boxes = np.array([[-5, -5, 20, 10, 0.9], [30, 2, 10, 10, 0.8], [60, 0, 5, 5, 0.7]])
    assert clip_boxes(boxes, 40, 8).tolist() == [[0, 0, 15, 5, 0.9], [30, 2, 10, 6, 0.8]]


def test_the_whole_image_is_one_box_of_score_one(tmp_path, picture):
    picture(tmp_path / "a.png", 30, 20)
    (frame,) = read_frames(list_media((tmp_path,), tmp_path / "o")[1], [])
    assert whole_image_box(frame).tolist() == [[0, 0, 30, 20, 1]]
