"""The command line: every bad input is one line and exit code 2, with nothing written."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from repogen.cli import main

SHORT = ["--images", "2", "--image-size", "64", "--workers", "1"]


def run(capsys, *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--views", "abov"], "unknown view 'abov'; choose from sphere"),
        (["--views", "top=0.5", "bottom=0.6"], "sum to 1.1"),
        (["--views", "top=0.5", "bottom"], "every view a weight or none"),
        (["--views", "top", "top"], "twice"),
        (["--pose-distribution", "gauss"], "choose from pair_of_gaussians"),
        (["--preset", "paper-topp"], "choose from paper-top"),
        (["--pose", "kneel"], "choose from bridge, cartwheel"),
        (["--framing", "wide"], "choose from fit, paper"),
        (["--ages", "teens"], "choose from children"),
        (["--occluded", "x"], "choose from keep, drop"),
        (["--occluded", "dorp"], "(did you mean drop?)"),
        (["--views", "botom"], "(did you mean bottom?)"),
        (["--preset", "paper-topp"], "(did you mean paper-top?)"),
        (["--label-convention", "x"], "choose from annotators, anatomical"),
        (["--write", "depths"], "choose from depth"),
        (["--images", "0"], "--images 0 must lie between"),
        (["--images", "-5"], "--images -5 must lie between"),
        (["--images", "ten"], "--images 'ten' should be a whole number"),
        (["--distance", "1", "x"], "--distance"),
        (["--imges", "3"], "--imges, 3 (did you mean --images?)"),
        (["--rotation", "3"], "--rotation"),
        (["--image-size", "1000000"], "--image-size 1000000 must lie between"),
        (["--workers", "-1"], "--workers -1"),
        (["--seed", "-1"], "--seed -1"),
        (["--pose-variance", "nan"], "--pose-variance nan"),
        (["--pose-variance", "any"], "--pose-variance 'any' should be a number or random"),
        (["--gender", "boy"], "unknown --gender 'boy'; choose from male, female, neutral"),
        (["--wardrobe", "none", "--ages", "children"], "leave children out of --ages"),
        (["--distance", "5", "1"], "lower value first"),
        (["--distance", "0", "1"], "--distance 0"),
        (["--elevation", "0", "120"], "--elevation"),
        (["--crop", "0.5"], "--crop 0.5"),
        (["--truncate", "2"], "--truncate 2"),
        (["--backgrounds", "/no/such/folder"], "no such folder"),
        (["--backgrounds", "#12"], "#rrggbb"),
        (["--backgrounds", "coco:x.json"], "coco:ANNOTATIONS.json:IMAGES_DIR"),
        (["--backgrounds", "coco:/no/x.json:/tmp"], "cannot read /no/x.json"),
        (["--bounds", "/no/bounds.toml"], "cannot read the bounds file"),
        (["--config", "/no/config.toml"], "cannot read --config"),
        (["--device", "cuda:99"], "cuda:99"),
    ],
)
def test_bad_options_are_one_line_and_write_nothing(capsys, tmp_path, flags, says):
    code, out, err = run(capsys, "generate", str(tmp_path / "out"), *SHORT, *flags)
    assert code == 2
    assert says in err
    assert err.startswith("repogen: error: ")
    assert err.count("\n") == 1, err
    assert out == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("imagez = 3", "no option 'imagez'; did you mean images?"),
        ("[camera]\nvews = ['top']", "no option 'vews'; did you mean views?"),
        ("[camer]\nviews = ['top']", "no option 'camer'; did you mean camera?"),
        ("images = '3'", "images = '3' should be a whole number"),
        ("images = 1.5", "images = 1.5 should be a whole number"),
        ("[camera]\nviews = 3", "views = 3 should be text, or several"),
        ("[camera]\nfov = 90", "fov = 90 should be 2 values, each a number"),
        ("views = ['top']", "views belongs in the table [camera]"),
        ("pose = 'sit'", "pose belongs in the table [pose]"),
        ("sensor = 3", "sensor = 3 should be a SensorConfig or a table of its options"),
        ("images = ", "not a TOML file"),
        ("images = -1", "--images -1"),
    ],
)
def test_bad_config_files(capsys, tmp_path, text, says):
    path = tmp_path / "c.toml"
    path.write_text(text)
    code, _, err = run(capsys, "generate", str(tmp_path / "out"), "--config", str(path))
    assert (code, err.count("\n")) == (2, 1)
    assert says in err


def test_flags_win_over_the_file_and_the_file_over_the_preset(tmp_path, capsys, body):
    path = tmp_path / "c.toml"
    path.write_text(
        "seed = 5\n[camera]\nimage-size = 80\nviews = ['front']\n"
        "[environment]\nbackgrounds = '#204060'\n"
    )
    out = tmp_path / "out"
    code, _, err = run(
        capsys, "generate", str(out), "--preset", "paper-top", "--config", str(path), "--seed", "6",
        "--images", "1", "--workers", "1",
    )  # fmt: skip
    assert code == 0, err
    config = json.loads((out / "run.json").read_text())["config"]
    camera = config["camera"]
    assert (config["seed"], camera["image_size"], camera["views"]) == (6, 80, ["front"])
    assert (camera["framing"], camera["crop"]) == ("paper", 1.25)
    assert config["output"]["occluded"] == "drop"


def test_background_folders(tmp_path, capsys, body):
    folder = tmp_path / "photos"
    folder.mkdir()
    code, _, err = run(capsys, "generate", str(tmp_path / "a"), "--backgrounds", str(folder))
    assert (code, "no image files" in err) == (2, True)
    (folder / "bad.jpg").write_text("this is no picture")
    code, _, err = run(capsys, "generate", str(tmp_path / "a"), "--backgrounds", str(folder))
    assert (code, "none of its 1 image files can be read" in err) == (2, True)
    rng = np.random.default_rng(0)
    cv2.imwrite(str(folder / "good.jpg"), rng.integers(0, 255, (90, 120, 3), dtype=np.uint8))
    code, _, err = run(
        capsys, "generate", str(tmp_path / "a"), "--backgrounds", str(folder), *SHORT
    )
    assert code == 0
    assert "1 photographs (1 unreadable files skipped)" in err


def test_coco_backgrounds_use_only_images_without_people(tmp_path, capsys, body):
    rng = np.random.default_rng(0)
    for name in ("people.png", "empty.png"):
        cv2.imwrite(str(tmp_path / name), rng.integers(0, 255, (80, 80, 3), dtype=np.uint8))
    coco = {
        "images": [{"id": 1, "file_name": "people.png"}, {"id": 2, "file_name": "empty.png"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 7},
            {"id": 2, "image_id": 2, "category_id": 8},
        ],
        "categories": [{"id": 7, "name": "person"}, {"id": 8, "name": "dog"}],
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps(coco))
    spec = f"coco:{path}:{tmp_path}"
    code, _, _ = run(capsys, "generate", str(tmp_path / "out"), "--backgrounds", spec, *SHORT)
    assert code == 0
    scenes = (tmp_path / "out/scenes.jsonl").read_text()
    assert "empty.png" in scenes
    assert "people.png" not in scenes
    path.write_text("[]")
    code, _, err = run(capsys, "generate", str(tmp_path / "b"), "--backgrounds", spec, *SHORT)
    assert (code, "is not a COCO file" in err) == (2, True)


@pytest.mark.parametrize("names", [[3], [None], [{}], [["a.jpg"]], ["a.jpg", 3], ["a\0.jpg"]])
def test_coco_backgrounds_whose_file_names_are_none(capsys, tmp_path, names):
    images = [{"id": k, "file_name": name} for k, name in enumerate(names)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"images": images, "annotations": [], "categories": []}))
    code, out, err = run(
        capsys, "generate", str(tmp_path / "out"), "--backgrounds", f"coco:{path}:{tmp_path}"
    )
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"{path}" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("count", ["0", "-3", "1000000"])
def test_shards_of_absurd_sizes(capsys, tmp_path, count):
    words = ["convert", str(tmp_path), str(tmp_path / "out"), "--shard-images", count]
    code, _, err = run(capsys, *words)
    assert (code, err.count("\n")) == (2, 1)
    assert f"--shard-images {count} must lie between 1 and" in err


def test_a_path_that_the_system_refuses_is_one_line(capsys, tmp_path):
    code, _, err = run(capsys, "generate", str(tmp_path / ("x" * 300)), *SHORT)
    assert (code, err.count("\n")) == (2, 1)
    assert "File name too long" in err


@pytest.mark.parametrize("verb", ["preview", "validate", "info", "rerender"])
def test_a_folder_that_is_not_ours(capsys, tmp_path, verb):
    extra = ["--ids", "1"] if verb == "rerender" else []
    code, _, err = run(capsys, verb, str(tmp_path), *extra)
    assert (code, err.count("\n")) == (2, 1)
    assert "is not a repogen dataset" in err


def test_unknown_command_and_help(capsys):
    assert "did you mean generate?" in run(capsys, "generat")[2]
    assert "did you mean add?" in run(capsys, "assets", "ad")[2]
    assert "generate" in run(capsys, "--help")[1]
    assert run(capsys, "--version")[1].startswith("repogen ")


def test_validate_exits_1_and_lists(capsys, tmp_path, body):
    out = tmp_path / "out"
    assert run(capsys, "generate", str(out), *SHORT, "--backgrounds", "plain")[0] == 0
    assert run(capsys, "validate", str(out))[:2] == (0, "no problems found\n")
    (out / "images/00000001.jpg").unlink()
    code, text, _ = run(capsys, "validate", str(out))
    assert (code, "00000001.jpg" in text) == (1, True)


def test_info_names_what_there_is(capsys, body):
    code, out, _ = run(capsys, "info")
    assert code == 0
    assert "topbottom" in out
    assert "pair_of_gaussians" in out


def test_help_does_not_wait_for_the_renderer():
    code = (
        "import sys; from repogen.cli import main; main(['--help']);"
        "heavy = {'numpy', 'torch', 'warp', 'cv2', 'anny', 'tyro'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", ["train --out run --train", "evaluate --weights run --data"])
def test_a_set_that_is_not_there_is_reported_before_torch_is_imported(words, tmp_path):
    code = (
        f"import sys; from repogen.cli import main; code = main({[*words.split(), 's=nowhere']});"
        'sys.exit(f\'{code} {sys.modules.keys() & {"torch", "warp"}}\')'
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stderr.splitlines() == [
        "repogen: error: set 's=nowhere': nowhere is not a finished repogen dataset", "2 set()"
    ]  # fmt: skip


def test_output_that_nobody_reads_ends_quietly():
    command = f"({sys.executable} -m repogen info; echo code $? >&2) | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr.split() == ["code", "141"]


def test_help_describes_each_option_once(capsys):
    with pytest.raises(SystemExit):
        main(["generate", "--help"])
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for text in ("Where the camera stands, its lens", "Named views, equally likely"):
        assert shown.count(text) == 1
