"""Full disks and read-only folders."""

import os
import resource
import subprocess
from contextlib import contextmanager
from functools import partial

import pytest
from faulty import (
    FORMATS,
    OPTIONS,
    assert_resumes,
    config_of,
    contents,
    die_writing,
    faulty_workers,
    in_child,
    limit,
    limit_file_size,
)

from repogen import UserError, generate
from repogen.datasets.convert import convert
from repogen.datasets.folder import DatasetFolder, partial_files
from repogen.files import write_atomic

ROOT = os.geteuid() == 0
NOBODY = 65534
FULL = "cannot write .*File too large; files written so far are valid.* run the same command again"
LAST = {"coco": "person_keypoints.json", "webdataset": "shards.json"}
LARGE = {"coco": "00000018.jpg", "webdataset": "shard-000001.tar"}


def test_a_full_disk_leaves_no_partial_file(tmp_path):
    with limit(resource.RLIMIT_FSIZE, 1000), pytest.raises(UserError, match="cannot write"):
        write_atomic(tmp_path / "big.bin", b"x" * 5000)
    assert list(tmp_path.iterdir()) == []
    write_atomic(tmp_path / "big.bin", b"small")
    assert (tmp_path / "big.bin").read_bytes() == b"small"


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", [LARGE, LAST], ids=["a large file", "the last file"])
def test_a_run_resumes_after_a_file_did_not_fit(expected, tmp_path, kind, name):
    out, config = tmp_path / "data", config_of(kind)

    def run():
        die_writing(name[kind], moment="before")
        generate(out, config)

    in_child(run)
    (size,) = (len(data) for file, data in expected[kind].items() if file.endswith(name[kind]))
    with limit(resource.RLIMIT_FSIZE, size - 1), pytest.raises(UserError, match=FULL):
        generate(out, config)
    assert not list(partial_files(DatasetFolder(out)))
    assert_resumes(out, config, expected[kind])


def test_a_full_disk_in_a_worker_is_one_line(expected, tmp_path):
    out, config = tmp_path / "data", config_of("webdataset", workers=2)
    with (
        faulty_workers(partial(limit_file_size, 1000)),
        pytest.raises(UserError, match=r"cannot write .*\.tar: File too large"),
    ):
        generate(out, config)
    assert_resumes(out, config, expected["webdataset"])


@pytest.mark.parametrize("kind", FORMATS)
def test_a_conversion_resumes_after_a_file_did_not_fit(datasets, tmp_path, kind):
    out = tmp_path / "out"
    with limit(resource.RLIMIT_FSIZE, 1500), pytest.raises(UserError, match=FULL):
        convert(str(datasets[kind]), out, OPTIONS["shard_images"])
    again = convert(str(datasets[kind]), out, OPTIONS["shard_images"])
    assert contents(again) == contents(
        convert(str(datasets[kind]), tmp_path / "other", OPTIONS["shard_images"])
    )


@pytest.fixture
def small_disk(tmp_path):
    """A file system with space for half a dataset."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(disk)]
    if not ROOT or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_run_resumes_once_a_full_disk_has_space(expected, small_disk, kind):
    config = config_of(kind)
    with pytest.raises(UserError, match=r"cannot write .*No space left on device"):
        generate(small_disk / "data", config)
    assert not list(partial_files(DatasetFolder(small_disk / "data")))
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    assert_resumes(small_disk / "data", config, expected[kind])


@contextmanager
def as_nobody(*paths):
    """Run the block as user nobody, who can read these paths but not write them."""
    if not ROOT:
        yield
        return
    modes = {folder: folder.stat().st_mode for path in paths for folder in path.parents}
    closed = {folder: mode for folder, mode in modes.items() if not mode & 0o001}
    for folder in closed:
        folder.chmod(0o755)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        for folder, mode in closed.items():
            folder.chmod(mode)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("state", ["new", "unfinished"])
def test_a_read_only_folder_is_one_line(datasets, expected, tmp_path, kind, state):
    out, config = tmp_path / "data", config_of(kind)

    def run():
        die_writing(LARGE[kind])
        generate(out, config)

    if state == "unfinished":
        in_child(run)
    folders = [tmp_path, *(p for p in tmp_path.rglob("*") if p.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    before = contents(tmp_path)
    denied = r"cannot write .*Permission denied"
    with as_nobody(out), pytest.raises(UserError, match=denied):
        generate(out, config)
    with as_nobody(out, datasets[kind]), pytest.raises(UserError, match=denied):
        convert(str(datasets[kind]), tmp_path / "there")
    assert contents(tmp_path) == before
    for folder in folders:
        folder.chmod(0o755)
    assert_resumes(out, config, expected[kind])
