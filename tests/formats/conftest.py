"""A dataset that all formats are written from, and their readers."""

import json

import numpy as np
import pytest

from repogen import generate


@pytest.fixture(scope="session")
def people(body, tmp_path_factory):
    """A dataset of one or two people in each of six images."""
    return generate(
        tmp_path_factory.mktemp("formats") / "people", images=6, image_size=96, people=(1, 2),
        backgrounds="plain", wardrobe="painted", workers=1, seed=8, write="depth",
        keypoints="wholebody", occluders=(0, 1),
    )  # fmt: skip


@pytest.fixture(scope="session")
def truth(people):
    """File name, and the keypoints with whole-number pixel centres, boxes and areas of each image
    of the dataset, read without repogen."""
    table = json.loads((people / "annotations" / "person_keypoints.json").read_text())
    out = []
    for image in table["images"]:
        own = [a for a in table["annotations"] if a["image_id"] == image["id"]]
        joints = np.array([a["keypoints"] for a in own]).reshape(-1, 17, 3)
        joints[..., :2] = np.where(joints[..., 2:] > 0, joints[..., :2] - 0.5, 0)
        boxes = np.array([a["bbox"] for a in own]).reshape(-1, 4)
        out.append((image["file_name"], joints, boxes, [a["area"] for a in own]))
    assert {len(joints) for _, joints, _, _ in out} == {1, 2}
    return out


@pytest.fixture
def convert_words(capfd):
    """Runs `repogen convert`; returns the exit code and the last line on stderr."""
    from repogen.cli import main

    def run(*words):
        code = main(["convert", *map(str, words)])
        return code, (capfd.readouterr().err.splitlines() or [""])[-1]

    return run
