"""The distilled file is built once, also by concurrent and interrupted processes."""

import contextlib
import multiprocessing
import resource
import time

import numpy as np
import pytest

from repogen.bodies import anny_data
from repogen.errors import UserError


def load_with_a_slow_build(cache, log, start):
    """The work of each process, with a stub for `_distil` that logs its calls."""

    def build():
        with open(log, "a") as file:
            file.write("built\n")
        time.sleep(0.3)
        return {"answer": np.arange(3)}

    anny_data._distil = build
    anny_data._temporary_anny_cache = contextlib.nullcontext  # it would import anny, for seconds
    anny_data.os.environ["REPOGEN_CACHE"] = str(cache)
    start.wait(60)
    assert anny_data.load_anny_data()["answer"].tolist() == [0, 1, 2]


def test_processes_that_start_together_build_the_file_once(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(3)
    log = tmp_path / "builds.txt"
    processes = [
        spawn.Process(target=load_with_a_slow_build, args=(tmp_path, log, start)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert log.read_text() == "built\n"


def test_a_failed_build_leaves_no_file(tmp_path, monkeypatch, capsys):
    def fail():
        raise RuntimeError("disk full")

    monkeypatch.setenv("REPOGEN_CACHE", str(tmp_path))
    monkeypatch.setattr(anny_data, "_temporary_anny_cache", contextlib.nullcontext)
    monkeypatch.setattr(anny_data, "_distil", fail)
    with pytest.raises(RuntimeError, match="disk full"):
        anny_data.load_anny_data()
    monkeypatch.setattr(anny_data, "_distil", lambda: {"answer": np.arange(3)})
    assert anny_data.load_anny_data()["answer"].tolist() == [0, 1, 2]
    assert [p.suffix for p in sorted((tmp_path / "bodies").iterdir()) if p.suffix != ".lock"] == [
        ".cache"
    ]
    assert "building the body model" in capsys.readouterr().err


def test_a_partially_written_file_is_never_loaded(tmp_path, monkeypatch):
    monkeypatch.setenv("REPOGEN_CACHE", str(tmp_path))
    monkeypatch.setattr(anny_data, "_temporary_anny_cache", contextlib.nullcontext)
    monkeypatch.setattr(anny_data, "_distil", lambda: {"answer": np.arange(300)})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # bytes that a file may grow to
    try:
        with pytest.raises(UserError, match=r"cannot write .*too large; set REPOGEN_CACHE to"):
            anny_data.load_anny_data()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.suffix for path in (tmp_path / "bodies").iterdir()] in ([], [".lock"])
    assert anny_data.load_anny_data()["answer"][-1] == 299


def test_the_file_has_default_permissions(tmp_path, monkeypatch):
    monkeypatch.setenv("REPOGEN_CACHE", str(tmp_path))
    monkeypatch.setattr(anny_data, "_temporary_anny_cache", contextlib.nullcontext)
    monkeypatch.setattr(anny_data, "_distil", lambda: {"answer": np.arange(3)})
    (tmp_path / "other").touch()
    assert anny_data.ensure_anny_data().stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_cache_folder_that_cannot_be_written_is_a_user_error(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("REPOGEN_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UserError, match=r"cannot write .*Not a directory.*; set REPOGEN_CACHE to"):
        anny_data.load_anny_data()
