"""run.json, and the refusal to resume a run whose inputs have changed."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from repogen import GenerateConfig, UserError
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.reading import parse_run_info, write_run_info
from repogen.datasets.validate.files import check_run_file
from repogen.generation.run_info import (
    check_same_run,
    config_to_json,
    run_info,
    warn_of_other_versions,
)

POSE = {"format": "repogen-poses", "poses": [{"angles": {"left_elbow": [0, -90, 0]}}]}
OTHER_POSE = {"format": "repogen-poses", "poses": [{"angles": {"left_elbow": [0, -80, 0]}}]}


@pytest.fixture
def inputs(tmp_path):
    """Options that name a file, and folders of poses, cut-outs, textures and photographs."""
    (tmp_path / "bounds.toml").write_text("[left_knee]\nx = [0, 10]\n")
    for folder in ("poses", "cutouts", "textures", "backgrounds"):
        (tmp_path / folder).mkdir()
    (tmp_path / "poses" / "a.json").write_text(json.dumps(POSE))
    cv2.imwrite(str(tmp_path / "cutouts" / "a.png"), np.full((4, 4, 4), 200, np.uint8))
    (tmp_path / "cutouts" / "more.txt").write_text("an alphabet, and more than twenty letters")
    cv2.imwrite(str(tmp_path / "textures" / "a.png"), np.full((9, 9, 3), 200, np.uint8))
    cv2.imwrite(str(tmp_path / "textures" / "a.bmp"), np.full((9, 9, 3), 200, np.uint8))
    cv2.imwrite(str(tmp_path / "backgrounds" / "b.bmp"), np.full((9, 9, 3), 200, np.uint8))
    return {
        "bounds": tmp_path / "bounds.toml",
        "poses": tmp_path / "poses",
        "cutouts": tmp_path / "cutouts",
        "textures": tmp_path / "textures",
        "backgrounds": str(tmp_path / "backgrounds"),
    }


def change_silently(path):
    """Change one byte of a file, and set its time back."""
    status, data = path.stat(), path.read_bytes()
    path.write_bytes(data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def saved_run_info(**options):
    return json.loads(json.dumps(run_info(GenerateConfig(images=3, **options), "plain")))


def test_a_run_from_before_the_option_packs_drew_from_all_that_were_installed(tmp_path):
    run = saved_run_info()
    assert run["config"].pop("packs") == []
    run["assets"] = [
        {"name": name, "version": "1", "source": "npm", "licences": [], "sha256": "0" * 64}
        for name in ("environments", "makehuman")
    ]
    assert parse_run_info(json.dumps(run).encode(), "it")["config"]["packs"] == [
        "environments", "makehuman"
    ]  # fmt: skip
    write_run_info(DatasetFolder(tmp_path), run)
    assert list(check_run_file(DatasetFolder(tmp_path))) == []


def test_packs_are_recorded_and_must_be_the_same(tmp_path):
    run = saved_run_info(packs="core")
    assert run["config"]["packs"] == ["core"]
    (pack,) = run["assets"]
    assert (pack["name"], pack["licences"]) == ("core", ["CC0-1.0"])
    assert [pack["name"] for pack in saved_run_info(poses="core")["assets"]] == ["core"]
    assert saved_run_info()["assets"] == []
    with pytest.raises(UserError, match=r"packs = \['core'\], not \[\]"):
        check_same_run(tmp_path, run, saved_run_info())


def test_a_run_resumes_with_the_same_options_and_files(inputs, tmp_path):
    check_same_run(tmp_path, saved_run_info(**inputs), saved_run_info(workers=3, **inputs))
    assert set(saved_run_info(**inputs)["files"]) == set(inputs)
    assert saved_run_info()["files"] == {}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("bounds", lambda path: path.write_text("[left_knee]\nx = [0, 20]\n")),
        ("poses", lambda path: (path / "b.json").write_text(json.dumps(POSE))),
        ("poses", lambda path: (path / "a.json").rename(path / "c.json")),
        ("poses", lambda path: (path / "a.json").write_text(json.dumps(OTHER_POSE))),
        ("cutouts", lambda path: change_silently(path / "more.txt")),
        ("textures", lambda path: change_silently(path / "a.bmp")),
        ("backgrounds", lambda path: change_silently(path / "b.bmp")),
        ("cutouts", lambda path: (path / "a.png").rename(path / "b.png")),
    ],
)
def test_changed_files_are_refused(inputs, tmp_path, name, change):
    before = saved_run_info(**inputs)
    change(Path(inputs[name]))
    with pytest.raises(UserError, match=f"another content of --{name} .*{name}"):
        check_same_run(tmp_path, before, saved_run_info(**inputs))


def test_the_error_names_a_changed_option_with_both_values(tmp_path):
    with pytest.raises(UserError, match="started with image_size = 512, not 64"):
        check_same_run(tmp_path, saved_run_info(), saved_run_info(image_size=64))
    with pytest.raises(UserError, match="started with plain, now there are 3 photographs"):
        check_same_run(
            tmp_path, saved_run_info(), saved_run_info() | {"backgrounds_found": "3 photographs"}
        )
    with pytest.raises(UserError, match="other files of the body anny"):
        check_same_run(
            tmp_path, saved_run_info(), saved_run_info() | {"body_files": {"a.npz": "0"}}
        )


def test_other_library_versions_only_give_a_warning(tmp_path, capsys):
    before = saved_run_info()
    others = before | {"versions": {"numpy": "1"}}
    check_same_run(tmp_path, others, before)
    warn_of_other_versions(others, before)
    assert "other library versions" in capsys.readouterr().err


def test_files_are_recorded_with_absolute_paths(inputs, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    relative = {name: os.path.relpath(path) for name, path in inputs.items()}
    assert config_to_json(GenerateConfig(**relative)) == config_to_json(GenerateConfig(**inputs))


def test_options_that_do_not_change_the_data_are_not_recorded():
    there = GenerateConfig(workers=3, engine="ray", ray_address="auto")
    assert config_to_json(there) == config_to_json(GenerateConfig())
