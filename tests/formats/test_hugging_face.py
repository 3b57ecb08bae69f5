"""The imagefolder of Hugging Face, by https://huggingface.co/docs/datasets/image_dataset."""

import json
import shutil

import numpy as np
import pytest
import yaml

from helpers import contents
from repogen import UserError, convert
from repogen.formats.output import MARK
from repogen.formats.readers import open_labelled


def test_each_line_names_a_picture_and_has_lists_of_one_length(people, truth, tmp_path):
    out = convert(people, tmp_path / "out", to="huggingface")
    rows = [
        json.loads(line) for line in (out / "train" / "metadata.jsonl").read_text().splitlines()
    ]
    assert [row["file_name"] for row in rows] == [name for name, *_ in truth]
    for row, (name, joints, boxes, areas) in zip(rows, truth, strict=True):
        assert (out / "train" / name).exists()
        assert {len(values) for values in row["objects"].values()} == {len(joints)}
        np.testing.assert_allclose(row["objects"]["keypoints"], joints, atol=1e-3)
        np.testing.assert_allclose(row["objects"]["bbox"], boxes, atol=1e-3)
        assert row["objects"]["area"] == areas
        numbers = np.array(row["objects"]["keypoints"], object).ravel()
        assert {type(number) for number in numbers} == {float}  # a column of arrow has one type


def test_the_card_counts_and_names_the_licences(people, truth, tmp_path):
    out = convert(people, tmp_path / "out", to="huggingface")
    begin, head, text = (out / "README.md").read_text().split("---\n", 2)
    assert begin == ""
    card = yaml.safe_load(head)
    assert card["task_categories"] == ["keypoint-detection"]
    assert card["size_categories"] == ["n<1K"]
    count = sum(len(joints) for _, joints, _, _ in truth)
    assert f"6 images with {count} people" in text
    assert "are where COCO's annotators click them" in " ".join(text.split())
    assert card["label_convention"] == "annotators"


@pytest.fixture
def written(people, tmp_path):
    """The dataset as an imagefolder, without links."""
    return convert(people, tmp_path / "written", to="huggingface", images="copy")


def test_what_was_written_is_read_again(people, truth, written, tmp_path):
    back = convert(written, tmp_path / "back", to="coco")
    table = json.loads((back / "annotations" / "person_keypoints.json").read_text())
    assert [image["file_name"] for image in table["images"]] == [name for name, *_ in truth]
    for image, (name, joints, boxes, areas) in zip(table["images"], truth, strict=True):
        own = [a for a in table["annotations"] if a["image_id"] == image["id"]]
        found = np.array([a["keypoints"] for a in own]).reshape(-1, 17, 3)
        np.testing.assert_allclose(found, joints, atol=1e-3)
        np.testing.assert_allclose([a["bbox"] for a in own], boxes, atol=1e-3)
        assert [a["area"] for a in own] == areas
        picture = (back / "images" / name).read_bytes()
        assert picture == (people / "images" / name).read_bytes()
    again = convert(written, tmp_path / "again", to="huggingface", images="copy")
    kept = {MARK, "README.md"}  # which name their sources
    assert contents(again, kept) == contents(written, kept)


def test_a_card_says_where_shoulders_and_hips_are(written):
    assert open_labelled(str(written)).label_convention == "annotators"
    card = written / "README.md"
    card.write_text(card.read_text().replace("convention: annotators", "convention: anatomical"))
    assert open_labelled(str(written)).label_convention == "anatomical"
    card.write_text("---\nno end")
    assert open_labelled(str(written)).label_convention == "annotators"


def test_folders_of_others_need_only_names_and_keypoints(written, tmp_path):
    path = written / "train" / "metadata.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    short = [
        {"file_name": row["file_name"], "objects": {"keypoints": row["objects"]["keypoints"]}}
        for row in rows
    ]
    short[0]["objects"] = None
    path.write_text("\n".join(map(json.dumps, short)))
    shutil.copytree(written / "train", written / "test")
    images = list(open_labelled(str(written)).images())
    assert [image.id for image in images] == list(range(1, 13))
    assert [image.name for image in images[6:]] == [f"test/{row['file_name']}" for row in rows]
    assert [image.people for image in images[::6]] == [(), ()]
    for image, row in zip(images[1:6], rows[1:], strict=True):
        assert (image.width, image.height) == (row["width"], row["height"])
        for person in image.people:
            seen = person.keypoints[person.keypoints[:, 2] > 0, :2]
            np.testing.assert_allclose(person.box[:2], seen.min(axis=0))
            np.testing.assert_allclose(person.box[:2] + person.box[2:], seen.max(axis=0))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda row: row.pop("file_name"), "line 2: it has no 'file_name'"),
        (lambda row: row.update(image_id=1), "line 2: image_id 1 is not new"),
        (lambda row: row.update(image_id="two"), "image_id 'two' is no whole number"),
        (lambda row: row["objects"].pop("keypoints"), "line 2: it has no 'keypoints'"),
        (lambda row: row["objects"]["bbox"].append([0, 0, 1, 1]), "bbox and objects.keypoints dif"),
        (lambda row: row["objects"].update(keypoints=[[[1, 2, 3]]] * len(row["objects"]["bbox"])),
         "x, y, v of 17 joints"),
        (lambda row: row["objects"]["bbox"].__setitem__(0, [1, 2]), "bbox should be x, y, width"),
        (lambda row: row.update(objects=[1]), "line 2: "),
        (lambda row: row.update(width=0, file_name="gone.jpg"), "is missing or no picture"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_named(written, tmp_path, change, says):
    path = written / "train" / "metadata.jsonl"
    lines = path.read_text().splitlines()
    row = json.loads(lines[1])
    change(row)
    path.write_text("\n".join([lines[0], json.dumps(row), *lines[2:]]))
    with pytest.raises(UserError, match=says):
        convert(written, tmp_path / "out", to="coco")
