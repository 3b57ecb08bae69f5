"""What a run draws on may not change while it is half made."""

import json

import cv2
import numpy as np
import pytest

from repogen import GenerateConfig, UserError
from repogen.generation.run_info import (
    check_same_run,
    config_to_json,
    run_info,
    warn_of_other_versions,
)

POSE = {"format": "repogen-poses", "poses": [{"angles": {"left_elbow": [0, -90, 0]}}]}


@pytest.fixture
def inputs(tmp_path):
    """Options that name a file, a folder of poses and a folder of cut-outs."""
    (tmp_path / "bounds.toml").write_text("[left_knee]\nx = [0, 10]\n")
    for folder in ("poses", "cutouts"):
        (tmp_path / folder).mkdir()
    (tmp_path / "poses" / "a.json").write_text(json.dumps(POSE))
    cv2.imwrite(str(tmp_path / "cutouts" / "a.png"), np.full((4, 4, 4), 200, np.uint8))
    return {
        "bounds": tmp_path / "bounds.toml",
        "poses": tmp_path / "poses",
        "cutouts": tmp_path / "cutouts",
    }


def record(**options):
    return json.loads(json.dumps(run_info(GenerateConfig(images=3, **options), "plain")))


def test_the_same_options_and_files_go_on(inputs, tmp_path):
    check_same_run(tmp_path, record(**inputs), record(workers=3, **inputs))
    assert set(record(**inputs)["files"]) == set(inputs)
    assert record()["files"] == {}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("bounds", lambda path: path.write_text("[left_knee]\nx = [0, 20]\n")),
        ("poses", lambda path: (path / "b.json").write_text(json.dumps(POSE))),
        ("poses", lambda path: (path / "a.json").rename(path / "c.json")),
        ("cutouts", lambda path: (path / "a.png").rename(path / "b.png")),
    ],
)
def test_files_that_have_changed_are_refused(inputs, tmp_path, name, change):
    before = record(**inputs)
    change(inputs[name])
    with pytest.raises(UserError, match=f"another content of --{name} .*{inputs[name].name}"):
        check_same_run(tmp_path, before, record(**inputs))


def test_another_option_is_named_with_both_values(tmp_path):
    with pytest.raises(UserError, match="begun with image_size = 512, not 64"):
        check_same_run(tmp_path, record(), record(image_size=64))
    with pytest.raises(UserError, match="begun with plain, now there are 3 photographs"):
        check_same_run(tmp_path, record(), record() | {"backgrounds_found": "3 photographs"})
    with pytest.raises(UserError, match="other files of the body anny"):
        check_same_run(tmp_path, record(), record() | {"body_files": {"a.npz": "0"}})


def test_other_libraries_are_only_warned_of(tmp_path, capsys):
    before = record()
    others = before | {"versions": {"numpy": "1"}}
    check_same_run(tmp_path, others, before)
    warn_of_other_versions(others, before)
    assert "other versions of the libraries" in capsys.readouterr().err


def test_files_are_recorded_by_their_whole_paths(inputs, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    relative = {name: path.relative_to(tmp_path) for name, path in inputs.items()}
    assert config_to_json(GenerateConfig(**relative)) == config_to_json(GenerateConfig(**inputs))
