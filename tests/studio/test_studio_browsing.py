"""Browsing a dataset: filters, marks, and scenes that open in the editor."""

import json

import numpy as np
import pytest

from repogen import generate
from repogen.errors import UserError
from repogen.generation.config import GenerateConfig
from repogen.studio.browser import HARDEST, LEAST_OKS, NUMBER, Browser, Filter
from repogen.studio.model import Model
from repogen.studio.state import draw, opened_scene


@pytest.fixture(scope="module", params=["coco", "webdataset"])
def dataset(request, tmp_path_factory):
    return generate(
        tmp_path_factory.mktemp("browsed") / "set", images=8, image_size=64, workers=1,
        views=("front=0.5", "top=0.5"), backgrounds="builtin", format=request.param,
    )  # fmt: skip


def test_filters_agree_with_the_labels(dataset):
    from repogen.datasets.reading import open_dataset, read_entries

    browser = Browser(dataset)
    entries = dict(enumerate(read_entries(open_dataset(dataset)), start=1))
    assert browser.ids(Filter()) == [*range(1, 9)]

    def ids(passes):
        return [i for i, (image, (first,)) in entries.items() if passes(image, first)]

    def visible(first):
        return first["keypoints"][2::3].count(2)

    def share(first):
        return max(first["bbox"][2:]) / 64

    top = ids(lambda image, first: image["view"]["name"] == "top")
    assert 0 < len(top) < 8
    assert browser.ids(Filter(view="top")) == top
    high = ids(lambda image, first: image["view"]["elevation_deg"] >= 45)
    assert browser.ids(Filter(elevation=(45, 90))) == high
    middle = int(np.median([visible(first) for _, (first,) in entries.values()]))
    few = ids(lambda image, first: visible(first) <= middle)
    assert 0 < len(few) <= 8
    assert browser.ids(Filter(visible=(0, middle))) == few
    size = float(np.median([share(first) for _, (first,) in entries.values()]))
    large = ids(lambda image, first: share(first) >= size)
    assert 0 < len(large) < 8
    assert browser.ids(Filter(side=(size, 1))) == large
    assert browser.ids(Filter(view="top", side=(size, 1))) == sorted({*top} & {*large})


def test_marked_ids_are_exported(dataset, tmp_path):
    browser = Browser(dataset)
    with pytest.raises(UserError, match="no image is marked"):
        browser.export(tmp_path)
    browser.marks |= {7, 2}
    assert browser.ids(Filter(marked=True)) == [2, 7]
    path = browser.export(tmp_path)
    assert path.read_text() == "2\n7\n"
    assert browser.export(tmp_path) != path


def test_the_scene_of_an_image_opens_in_the_editor(dataset, body):
    browser = Browser(dataset)
    scene = browser.scene(3)
    assert scene.index == 2
    state = opened_scene(scene, GenerateConfig())
    assert draw(state, body).scene == scene
    with pytest.raises(UserError, match="has no image 9"):
        browser.scene(9)


def test_records_of_another_program_are_one_line(dataset, tmp_path):
    if not (dataset / "annotations").exists():
        pytest.skip("shards")
    import shutil

    other = tmp_path / "other"
    shutil.copytree(dataset, other)
    path = other / "annotations" / "person_keypoints.json"
    coco = json.loads(path.read_text())
    del coco["images"][2]["view"]
    path.write_text(json.dumps(coco))
    with pytest.raises(UserError, match="is not repogen's: 'view'"):
        Browser(other)


def test_a_mined_set_is_filtered_and_ordered_by_its_own_difficulty(dataset, tmp_path):
    import shutil

    mined = tmp_path / "mined"
    shutil.copytree(dataset, mined)
    assert not Browser(mined).is_mined
    values = {number: (number * 3 % 8) / 10 for number in range(1, 8)}
    lines = [json.dumps({"image_id": n, "difficulty": v}) for n, v in values.items()]
    (mined / "mining").mkdir()
    (mined / "mining" / "mine.json").write_text("{}")
    (mined / "mining" / "mining.jsonl").write_text("\n".join(lines) + "\n")
    browser = Browser(mined)
    assert browser.is_mined
    hard = [number for number, value in values.items() if value >= 0.4]
    assert 0 < len(hard) < 7
    assert browser.ids(Filter(difficulty=(0.4, 1))) == hard
    ordered = browser.ordered(browser.ids(Filter()), HARDEST)
    assert ordered == [*sorted(values, key=values.get, reverse=True), 8]
    assert browser.ordered(ordered, NUMBER) == [*range(1, 9)]
    assert browser.caption(2) == "2: difficulty 0.60"
    (mined / "mining" / "mining.jsonl").write_text('{"image_id": 1}\n')
    with pytest.raises(UserError, match=r"mining.jsonl:1 is no record of repogen mine"):
        Browser(mined)


def test_a_model_ranks_the_images(dataset):
    """The OKS of an image is that of its labels and its picture; the hardest come first."""
    from pathlib import Path

    import cv2

    from repogen.datasets.folder import PICTURE
    from repogen.datasets.reading import read_entries, read_files

    browser, model = Browser(dataset), Model(Path("lightning"))
    assert browser.ids(Filter(similarity=(0.0, 0.99))) == []
    assert [*browser.ask(model, [2, 3, 5])] == [1, 2, 3]
    wanted = {}
    for image, annotations in read_entries(browser.dataset, [2, 3, 5]):
        data = read_files(browser.dataset, image["id"], (PICTURE,))[PICTURE]
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        (wanted[image["id"]],) = model.find_in(np.ascontiguousarray(picture), annotations)[1]
    middle = sorted(wanted.values())[1]
    low = [number for number in (2, 3, 5) if wanted[number] <= middle]
    assert browser.ids(Filter(similarity=(0.0, middle))) == low
    hardest = browser.ordered(browser.ids(Filter()), LEAST_OKS)
    assert hardest[:3] == sorted(wanted, key=wanted.get)
    assert sorted(hardest) == [*range(1, 9)]
    assert browser.caption(2) == f"2: OKS {wanted[2]:.2f}"
    assert browser.caption(1) == "1"
