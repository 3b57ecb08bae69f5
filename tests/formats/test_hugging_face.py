"""The imagefolder of Hugging Face, by https://huggingface.co/docs/datasets/image_dataset."""

import json

import numpy as np
import yaml

from repogen import convert


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
