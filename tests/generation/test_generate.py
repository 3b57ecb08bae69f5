"""Datasets: the same whatever the number of workers, resumable, refused where they must be."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from repogen import GenerateConfig, UserError, generate, rerender, validate
from repogen.datasets.folder import CHUNK, DatasetFolder, write_whole
from repogen.generation.loop import start_method

SMALL = {"image_size": 96, "backgrounds": "builtin", "seed": 11, "workers": 1}


def contents(root: Path) -> dict[str, bytes]:
    """Every file of a dataset but run.json, which says how many workers there were."""
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in sorted(root.rglob("*"))
        if p.is_file() and p.name != "run.json"
    }


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, body):
    return generate(
        tmp_path_factory.mktemp("data") / "set",
        GenerateConfig(images=2 * CHUNK + 4, write=("depth", "masks", "parts"), **SMALL),
    )


def test_the_folder_is_laid_out_as_promised(dataset):
    names = set(contents(dataset))
    assert {"scenes.jsonl", "annotations/person_keypoints.json"} <= names
    assert "images/00000001.jpg" in names
    assert f"depth/{2 * CHUNK + 4:08d}.png" in names
    assert not any(name.startswith(".") or "partial" in name for name in names)
    coco = json.loads((dataset / "annotations/person_keypoints.json").read_text())
    assert [i["id"] for i in coco["images"]] == list(range(1, 2 * CHUNK + 5))
    assert {"K", "R", "t", "model"} <= set(coco["images"][0]["camera"])
    assert {"azimuth_deg", "elevation_deg", "roll_deg", "distance_m"} <= set(
        coco["images"][0]["view"]
    )
    assert {"config", "versions"} <= set(json.loads((dataset / "run.json").read_text()))


def test_validate_finds_nothing_wrong(dataset):
    assert validate(dataset, rerender=3) == []


def test_an_image_circle_is_kept_validated_and_made_again(tmp_path):
    options = {"lens": "equidistant", "fov": (170, 190), "circle": (120, 150), "framing": "paper"}
    config = GenerateConfig(images=4, distance=(0.8, 1.2), people=(2, 2), **options, **SMALL)
    out = generate(tmp_path / "set", config)
    assert validate(out, rerender=4) == []
    path = out / "annotations/person_keypoints.json"
    coco = json.loads(path.read_text())
    assert all(120 <= image["camera"]["circle_deg"] <= 150 for image in coco["images"])
    for image in coco["images"]:
        image["camera"]["circle_deg"] = 10.0
    path.write_text(json.dumps(coco))
    problems = validate(out)
    assert any("does not mean outside the image" in problem for problem in problems)
    assert any("its camera is not that of the image record" in problem for problem in problems)


def test_four_workers_write_the_same_bytes(dataset, tmp_path):
    config = GenerateConfig(
        images=2 * CHUNK + 4, write=("depth", "masks", "parts"), **(SMALL | {"workers": 4})
    )
    assert contents(generate(tmp_path / "set", config)) == contents(dataset)


def test_processes_that_use_cuda_are_not_forks():
    assert start_method("cuda") == start_method("cuda:1") == "spawn"
    if sys.platform == "linux":
        assert start_method("cpu") == "forkserver"


def test_another_seed_writes_other_bytes(dataset, tmp_path):
    other = generate(tmp_path / "set", GenerateConfig(images=2, **(SMALL | {"seed": 12})))
    assert (other / "images/00000001.jpg").read_bytes() != (
        dataset / "images/00000001.jpg"
    ).read_bytes()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_goes_on_to_the_same_dataset(dataset, tmp_path, workers):
    out = tmp_path / "set"
    words = (
        f"generate {out} --images {2 * CHUNK + 4} --image-size 96 --backgrounds builtin --seed 11 "
        f"--workers {workers} --write depth masks parts"
    ).split()
    run = subprocess.Popen([sys.executable, "-m", "repogen", *words], stderr=subprocess.DEVNULL)
    parts, deadline = out / ".parts", time.monotonic() + 120
    while not list(parts.glob("*.jsonl")):
        assert time.monotonic() < deadline
        assert run.poll() is None, "it finished before it could be killed"
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    assert not (out / "annotations").exists()
    time.sleep(0.5)  # orphaned workers see their parent gone
    (out / "images" / ".00000036.jpg.1.partial").write_bytes(b"half a fi")
    config = GenerateConfig(
        images=2 * CHUNK + 4, write=("depth", "masks", "parts"), **(SMALL | {"workers": workers})
    )
    assert contents(generate(out, config)) == contents(dataset)


def test_ctrl_c_ends_cleanly_and_resumably(dataset, tmp_path):
    out = tmp_path / "set"
    words = (
        f"generate {out} --images {2 * CHUNK + 4} --image-size 96 --backgrounds builtin --seed 11 "
        "--workers 2 --write depth masks parts"
    ).split()
    run = subprocess.Popen(
        [sys.executable, "-m", "repogen", *words],
        stderr=subprocess.PIPE,
        text=True,
        # Shells start background jobs, as this test may be part of, deaf to it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while not (out / "images").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130, said
    assert "Traceback" not in said
    assert "run the same command again" in said
    config = GenerateConfig(
        images=2 * CHUNK + 4, write=("depth", "masks", "parts"), **(SMALL | {"workers": 2})
    )
    assert contents(generate(out, config)) == contents(dataset)


def test_a_run_that_may_not_write_goes_on_once_it_may(dataset, tmp_path):
    sizes = sorted(p.stat().st_size for p in (dataset / "images").iterdir())
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "import sys; from repogen.cli import main; sys.exit(main({words!r}))"
    )
    out = tmp_path / "set"
    words = (
        f"generate {out} --images {2 * CHUNK + 4} --image-size 96 --backgrounds builtin --seed 11 "
        "--workers 1 --write depth masks parts"
    ).split()
    run = subprocess.run(
        [sys.executable, "-c", script.format(limit=sizes[-5], words=words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2, run.stderr
    assert "cannot write" in run.stderr
    assert "Traceback" not in run.stderr
    assert list((out / "images").glob("*.jpg"))
    assert not list(out.rglob("*.partial"))
    config = GenerateConfig(images=2 * CHUNK + 4, write=("depth", "masks", "parts"), **SMALL)
    assert contents(generate(out, config)) == contents(dataset)


def test_rerender_makes_the_same_bytes_from_the_scene_alone(dataset, tmp_path):
    (path,) = rerender(dataset, (17,), tmp_path / "again")
    assert path.read_bytes() == (dataset / "images/00000017.jpg").read_bytes()
    depth = DatasetFolder(tmp_path / "again").map("depth", 17)
    assert depth.read_bytes() == (dataset / "depth/00000017.png").read_bytes()
    with pytest.raises(UserError, match="no image 999"):
        rerender(dataset, (999,), tmp_path / "again")
    with pytest.raises(UserError, match="choose another folder"):
        rerender(dataset, (1,), dataset)


def test_what_is_in_the_way_is_refused_and_left_alone(dataset, tmp_path):
    before = contents(dataset)
    config = GenerateConfig(images=2 * CHUNK + 4, write=("depth", "masks", "parts"), **SMALL)
    with pytest.raises(UserError, match="finished dataset"):
        generate(dataset, config)
    assert contents(dataset) == before

    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match=r"thesis\.tex"):
        generate(tmp_path / "foreign", config)
    assert contents(tmp_path / "foreign") == {"thesis.tex": b"mine"}

    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="is a file"):
        generate(tmp_path / "file", config)


def test_a_half_made_folder_of_other_options_is_refused(tmp_path, dataset):
    out = tmp_path / "set"
    out.mkdir()
    (out / "run.json").write_bytes((dataset / "run.json").read_bytes())
    config = GenerateConfig(
        images=2 * CHUNK + 4, write=("depth", "masks", "parts"), **(SMALL | {"seed": 99})
    )
    with pytest.raises(UserError, match="seed = 11, not 99"):
        generate(out, config)


def test_a_second_run_into_the_same_folder_is_refused(tmp_path):
    from filelock import FileLock

    folder = DatasetFolder(tmp_path / "set")
    folder.lock.parent.mkdir(parents=True)
    with FileLock(folder.lock), pytest.raises(UserError, match="another run"):
        generate(folder.root, GenerateConfig(images=1, **SMALL))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_one_clear_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot write"):
        generate(tmp_path / "set", GenerateConfig(images=1, **SMALL))


def test_a_full_disk_leaves_no_half_file(tmp_path):
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from repogen.datasets.folder import write_whole\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_whole(Path(sys.argv[1]), b'x' * 5000)\n"
    )
    target = tmp_path / "big.bin"
    run = subprocess.run(
        [sys.executable, "-c", code, str(target)], capture_output=True, text=True, check=False
    )
    assert "cannot write" in run.stderr
    assert list(tmp_path.iterdir()) == []
    write_whole(target, b"small")
    assert target.read_bytes() == b"small"


def damage_missing_image(root):
    (root / "images/00000002.jpg").unlink()


def damage_truncated_image(root):
    path = root / "images/00000003.jpg"
    path.write_bytes(path.read_bytes()[:100])


def edit_first(root, **changes):
    path = root / "annotations/person_keypoints.json"
    coco = json.loads(path.read_text())
    coco["annotations"][0] |= changes
    path.write_text(json.dumps(coco))


def damage_area(root):
    edit_first(root, area=1.0)


def damage_box(root):
    edit_first(root, bbox=[0.0, 0.0, 5.0, 5.0])


def damage_count(root):
    edit_first(root, num_keypoints=3)


def damage_keypoint(root):
    path = root / "annotations/person_keypoints.json"
    coco = json.loads(path.read_text())
    coco["annotations"][0]["keypoints"][0] += 2.0
    path.write_text(json.dumps(coco))


def damage_scene_order(root):
    path = root / "scenes.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[1], lines[0], *lines[2:]]))


def damage_scene_text(root):
    (root / "scenes.jsonl").write_text("{}\n")


def damage_ids(root):
    path = root / "annotations/person_keypoints.json"
    coco = json.loads(path.read_text())
    coco["images"][0]["id"] = 77
    path.write_text(json.dumps(coco))


def damage_other_picture(root):
    (root / "images/00000001.jpg").write_bytes((root / "images/00000002.jpg").read_bytes())


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (damage_missing_image, "images/00000002.jpg"),
        (damage_truncated_image, "images/00000003.jpg"),
        (damage_area, "area is 1.0"),
        (damage_box, "bbox"),
        (damage_count, "num_keypoints is 3"),
        (damage_keypoint, "keypoints_3d project"),
        (damage_scene_order, "is of image 2"),
        (damage_scene_text, "scenes.jsonl line 1"),
        (damage_ids, "image ids"),
        (damage_other_picture, "made again from its scene"),
    ],
)
def test_validate_names_each_broken_promise(tmp_path, body, damage, says):
    root = generate(tmp_path / "set", GenerateConfig(images=4, **SMALL))
    assert validate(root) == []
    damage(root)
    problems = validate(root)
    assert any(says in problem for problem in problems), problems
