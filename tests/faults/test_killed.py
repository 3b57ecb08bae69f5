"""The parent or a worker is killed at any point of writing a file."""

import os
import signal
import socket
import subprocess
import sys
from functools import partial

import pytest
from faulty import (
    FORMATS,
    IMAGES,
    OPTIONS,
    FaultyFolder,
    assert_resumes,
    config_of,
    descendants,
    die_writing,
    faulty_workers,
    in_child,
    mark_and_wait,
    start_child,
    wait_for,
)

from repogen import UserError, generate
from repogen.datasets.convert import convert
from repogen.files import write_atomic
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
def test_a_run_killed_while_writing_resumes(expected, tmp_path, kind, name, moment):
    out, config = tmp_path / "data", config_of(kind)

    def run():
        die_writing(name, signal.SIGKILL, moment)
        generate(out, config)

    assert in_child(run) == -signal.SIGKILL
    assert_resumes(out, config, expected[kind])


@pytest.mark.parametrize(
    ("kind", "name"),
    [("coco", "shard-000001.tar"), ("coco", "shards.json"), ("webdataset", "00000012.jpg"),
     ("webdataset", "person_keypoints.json")],
)  # fmt: skip
def test_a_conversion_killed_while_writing_resumes(datasets, tmp_path, kind, name):
    def run():
        die_writing(name)
        convert(str(datasets[kind]), tmp_path / "out", OPTIONS["shard_images"])

    assert in_child(run) == -signal.SIGKILL
    converted = convert(str(datasets[kind]), tmp_path / "out", OPTIONS["shard_images"])
    other = datasets[FORMATS[1 - FORMATS.index(kind)]]
    assert {p.name: p.read_bytes() for p in converted.rglob("*.jp*g")} == {
        p.name: p.read_bytes() for p in other.rglob("*.jp*g")
    }
    assert {p.name for p in converted.rglob("*")} == {p.name for p in other.rglob("*")}


@pytest.mark.parametrize(
    ("kind", "name", "number"),
    [("coco", "00000018.jpg", signal.SIGKILL), ("webdataset", "shard-000002.tar", signal.SIGKILL),
     ("coco", "00000003.jpg", signal.SIGTERM)],
)  # fmt: skip
def test_a_killed_worker_is_one_line(expected, tmp_path, kind, name, number):
    out, config = tmp_path / "data", config_of(kind, workers=2)
    with (
        faulty_workers(partial(die_writing, name, number)),
        pytest.raises(UserError, match=r"a worker process died .* run the same command again"),
    ):
        generate(out, config)
    assert_resumes(out, config, expected[kind])


@pytest.mark.parametrize(
    ("kind", "number", "code"),
    [("coco", signal.SIGKILL, -signal.SIGKILL), ("webdataset", signal.SIGTERM, 143),
     ("coco", signal.SIGINT, 130)],
)  # fmt: skip
def test_workers_end_when_their_parent_is_killed(expected, tmp_path, kind, number, code):
    out = tmp_path / "data"
    words = (
        f"generate {out} --images {IMAGES} --image-size 64 --backgrounds plain --seed 7 "
        f"--wardrobe painted --packs --write masks --workers 2 --format {kind}"
        + " --shard-images 8"
        * (kind == "webdataset")
    ).split()
    run = subprocess.Popen(
        [sys.executable, "-m", "repogen", *words],
        stderr=subprocess.PIPE,
        text=True,
        # Shells start background jobs with Ctrl-C ignored, and this test may be in one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_for(lambda: len(list(out.rglob("*"))) > 3)  # run.json, .parts, the lock, and more
    workers = descendants(run.pid)
    assert len(workers) >= 2
    run.send_signal(number)
    _, said = run.communicate(timeout=300)
    assert run.returncode == code, said
    assert "Traceback" not in said
    message = "repogen: stopped; run the same command again to resume\n"
    assert said.endswith(message) == (number != signal.SIGKILL), said
    assert "resource_tracker" not in said
    wait_for(lambda: not any(map(alive, workers)))
    assert_resumes(out, config_of(kind), expected[kind])


def test_queued_chunks_do_not_start_once_a_run_stops(tmp_path):
    signals = tmp_path / "signals"
    signals.mkdir()
    config = config_of("webdataset", shard_images=1, workers=2)
    folder = FaultyFolder(folder_of(tmp_path / "data", config), partial(mark_and_wait, signals))
    chunks = make_chunks(folder, config, list(range(IMAGES)))
    next(chunks)
    chunks.close()
    started = {path.name for path in signals.iterdir()}
    assert len(started) <= 3  # one finished and two running, of four queued
    assert len(list((tmp_path / "data").glob("*.tar"))) == len(started)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    dead = start_child(lambda: None)
    dead.join()
    host = socket.gethostname()
    names = [f".a.json.{host}.{pid}.partial" for pid in (dead.pid, os.getpid())]
    names += [f".a.json.elsewhere.{dead.pid}.partial", "mine.partial"]
    for name in names:
        (tmp_path / name).touch()
    write_atomic(tmp_path / "b.json", b"{}")
    assert {path.name for path in tmp_path.iterdir()} == {"b.json", *names[1:]}
