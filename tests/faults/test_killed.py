"""Processes that are killed, the parent or a worker, anywhere in a file."""

import os
import signal
import subprocess
import sys
from functools import partial

import pytest
from faulty import (
    FORMATS,
    IMAGES,
    OPTIONS,
    Faulty,
    assert_nothing_lost,
    config_of,
    die_writing,
    faulty_workers,
    in_child,
    linger,
    wait_for,
)

from repogen import UserError, generate
from repogen.datasets.convert import convert
from repogen.generation.engines import make_chunks
from repogen.generation.loop import folder_of

HALF = [
    ("coco", "run.json"), ("coco", "00000003.jpg"), ("coco", "00000000.jsonl"),
    ("coco", "00000018.png"), ("coco", "scenes.jsonl"), ("coco", "person_keypoints.json"),
    ("webdataset", "run.json"), ("webdataset", "shard-000001.tar"), ("webdataset", "000001.json"),
    ("webdataset", "shards.json"),
]  # fmt: skip
ELSE = [
    (kind, name, moment)
    for kind, name in (HALF[2], HALF[5], HALF[7], HALF[9])
    for moment in ("before", "after")
]


@pytest.mark.parametrize(("kind", "name", "moment"), [(*each, "half") for each in HALF] + ELSE)
def test_killed_as_it_writes(undisturbed, tmp_path, kind, name, moment):
    out, config = tmp_path / "data", config_of(kind)

    def run():
        die_writing(name, signal.SIGKILL, moment)
        generate(out, config)

    assert in_child(run) == -signal.SIGKILL
    assert_nothing_lost(out, config, undisturbed[kind])


@pytest.mark.parametrize(
    ("kind", "name"),
    [("coco", "shard-000001.tar"), ("coco", "shards.json"), ("webdataset", "00000012.jpg"),
     ("webdataset", "person_keypoints.json")],
)  # fmt: skip
def test_a_conversion_killed_as_it_writes(whole, tmp_path, kind, name):
    def run():
        die_writing(name)
        convert(str(whole[kind]), tmp_path / "there", OPTIONS["shard_images"])

    assert in_child(run) == -signal.SIGKILL
    there = convert(str(whole[kind]), tmp_path / "there", OPTIONS["shard_images"])
    other = whole[FORMATS[1 - FORMATS.index(kind)]]
    assert {p.name: p.read_bytes() for p in there.rglob("*.jp*g")} == {
        p.name: p.read_bytes() for p in other.rglob("*.jp*g")
    }
    assert {p.name for p in there.rglob("*")} == {p.name for p in other.rglob("*")}


@pytest.mark.parametrize(
    ("kind", "name", "number"),
    [("coco", "00000018.jpg", signal.SIGKILL), ("webdataset", "shard-000002.tar", signal.SIGKILL),
     ("coco", "00000003.jpg", signal.SIGTERM)],
)  # fmt: skip
def test_a_worker_that_is_killed_is_one_line(undisturbed, tmp_path, kind, name, number):
    out, config = tmp_path / "data", config_of(kind, workers=2)
    with (
        faulty_workers(partial(die_writing, name, number)),
        pytest.raises(UserError, match=r"a worker process died .* run the same command again"),
    ):
        generate(out, config)
    assert_nothing_lost(out, config, undisturbed[kind])


@pytest.mark.parametrize(
    ("kind", "number", "code"),
    [("coco", signal.SIGKILL, -signal.SIGKILL), ("webdataset", signal.SIGTERM, 143),
     ("coco", signal.SIGINT, 130)],
)  # fmt: skip
def test_a_parent_that_is_killed_takes_its_workers_with_it(
    undisturbed, tmp_path, kind, number, code
):
    out = tmp_path / "data"
    words = (
        f"generate {out} --images {IMAGES} --image-size 64 --backgrounds plain --seed 7 "
        f"--wardrobe painted --shard-images 8 --write masks --workers 2 --format {kind}"
    ).split()
    run = subprocess.Popen(
        [sys.executable, "-m", "repogen", *words],
        stderr=subprocess.PIPE,
        text=True,
        # Shells start background jobs, as this test may be part of, deaf to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_for(lambda: len(list(out.rglob("*"))) > 3)  # run.json, .parts, the lock, and more
    workers = descendants(run.pid)
    assert len(workers) >= 2
    run.send_signal(number)
    _, said = run.communicate(timeout=300)
    assert run.returncode == code, said
    assert "Traceback" not in said
    told = "repogen: stopped; run the same command again to go on\n"
    assert said.endswith(told) == (number != signal.SIGKILL), said
    assert "resource_tracker" not in said
    wait_for(lambda: not any(map(alive, workers)))
    assert_nothing_lost(out, config_of(kind), undisturbed[kind])


def test_who_stops_begins_no_chunk_that_was_handed_out(tmp_path):
    signs = tmp_path / "signs"
    signs.mkdir()
    config = config_of("webdataset", shard_images=1, workers=2)
    folder = Faulty(folder_of(tmp_path / "data", config), partial(linger, signs))
    chunks = make_chunks(folder, config, list(range(IMAGES)))
    next(chunks)
    chunks.close()
    begun = {path.name for path in signs.iterdir()}
    assert len(begun) <= 3  # one is done, two were under way, of four that were handed out
    assert len(list((tmp_path / "data").glob("*.tar"))) == len(begun)


def descendants(pid):
    listing = subprocess.run(
        ["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True
    ).stdout.split()[2:]
    parents = dict(zip(map(int, listing[::2]), map(int, listing[1::2]), strict=True))
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
