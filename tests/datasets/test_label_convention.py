"""The COCO file and the manifest record the label convention; anatomical sets give a warning."""

import json

import pytest

from repogen import convert, generate
from repogen.datasets.sets import parse_set, read_set
from repogen.datasets.shards import read_manifest
from repogen.training.sources import open_source

SMALL = {"images": 2, "image_size": 64, "wardrobe": "painted", "backgrounds": "plain", "workers": 1}
WARNING = "repogen: warning: set poses has anatomical labels"


@pytest.fixture(scope="module")
def anatomical(tmp_path_factory):
    folder = tmp_path_factory.mktemp("anatomical") / "out"
    return generate(folder, label_convention="anatomical", occluded="drop", **SMALL)


def test_the_coco_file_and_the_shards_record_how_they_are_labelled(anatomical, tmp_path):
    recorded = {"label_convention": "anatomical", "occluded": "drop", "pixel_centers": 0.5}
    info = json.loads((anatomical / "annotations/person_keypoints.json").read_text())["info"]
    assert recorded.items() <= info.items()
    shards = convert(anatomical, tmp_path / "shards")
    theirs = read_manifest(str(shards)).header["info"]
    assert theirs.pop("run_sha256") != info.pop("run_sha256")  # run.json names the format
    assert theirs == info


def test_reading_an_anatomical_set_gives_one_warning(anatomical, capsys):
    read_set(f"poses={anatomical}")
    assert capsys.readouterr().err.count(WARNING) == 1


@pytest.mark.parametrize("kind", ["coco", "shards", "live"])
def test_training_on_an_anatomical_set_gives_one_warning(anatomical, tmp_path, capsys, kind):
    options = tmp_path / "live.toml"
    options.write_text('[output]\nlabel_convention = "anatomical"\n')
    spec = {"coco": anatomical, "live": f"live:{options}"}.get(kind)
    if kind == "shards":
        spec = convert(anatomical, tmp_path / "shards")
    text = f"poses={spec}"
    open_source(parse_set(text), text)
    assert capsys.readouterr().err.count(WARNING) == 1


@pytest.mark.parametrize("info", [None, "text", {"label_convention": "annotators"}, {}])
def test_other_sets_give_no_warning(anatomical, tmp_path, capsys, info):
    file = tmp_path / "poses.json"
    coco = json.loads((anatomical / "annotations/person_keypoints.json").read_text())
    file.write_text(json.dumps(coco | {"info": info}))
    read_set(f"poses={file}:{anatomical / 'images'}")
    assert "warning" not in capsys.readouterr().err
