"""Files are looked at once, bad ones are left out, and a draw goes on to the next file."""

import os

import numpy as np
import pytest

from repogen import usable_files
from repogen.errors import UserError
from repogen.usable_files import draw_readable, find_usable, recorded_unreadable, report_bad


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("REPOGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(usable_files, "_CACHED_BYTES", 0)
    READ.clear()
    return tmp_path / "cache" / "usable"


READ = []


def read(path):
    READ.append(path.name)
    text = path.read_text()
    if text == "bad":
        raise UserError(f"{path} is bad")
    return len(text)


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for name, text in {"a": "1", "b": "bad", "c": "333"}.items():
        (folder / name).write_text(text)
    return sorted(folder.iterdir())


def test_bad_files_are_left_out_with_their_reasons(files):
    found = find_usable(files, read, "x")
    assert [path.name for path in found.files] == ["a", "c"]
    assert found.values == (1, 3)
    assert found.bad == (f"{files[1]} is bad",)
    assert found.count == 3


def test_files_are_read_again_only_when_they_change(files):
    first = find_usable(files, read, "x")
    READ.clear()
    assert find_usable(files, read, "x") == first
    assert READ == []
    files[1].write_text("good")
    assert find_usable(files, read, "x").values == (1, 4, 3)
    assert READ == ["b"]
    status = files[0].stat()
    os.utime(files[0], ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    READ.clear()
    find_usable(files[::-1], read, "x")
    assert READ == ["a"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}', '{"a": [1]}'])
def test_a_damaged_cache_only_costs_time(files, cache, text):
    first = find_usable(files, read, "x")
    (kept,) = cache.iterdir()
    kept.write_text(text)
    assert find_usable(files, read, "x") == first
    READ.clear()
    assert find_usable(files, read, "x") == first
    assert READ == []


def test_a_file_that_was_changed_with_its_time_set_back_is_read_again(files):
    find_usable(files, read, "x")
    status = files[2].stat()
    files[2].write_text("bad")
    os.utime(files[2], ns=(status.st_atime_ns, status.st_mtime_ns))
    assert find_usable(files, read, "x").values == (1,)


def test_small_folders_are_read_each_time(files, cache, monkeypatch):
    monkeypatch.setattr(usable_files, "_CACHED_BYTES", 100)
    find_usable(files, read, "x")
    find_usable(files, read, "x")
    assert sorted(READ) == ["a", "a", "b", "b", "c", "c"]
    assert not cache.exists()


def test_large_folders_are_read_by_the_quick_reader(files, monkeypatch):
    monkeypatch.setattr(usable_files, "_DEEP_BYTES", 3)
    found = find_usable(files, read, "x", quick=lambda path: path.stat().st_size)
    assert found.values == (1, 3, 3)
    assert READ == []


def test_a_missing_file_is_bad(files):
    def opened(path):
        try:
            return path.stat().st_size
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from error

    gone = files[0].with_name("gone")
    found = find_usable([gone, *files], opened, "x")
    assert found.files == tuple(files)
    assert "gone: No such file" in found.bad[0]


def test_the_warning_counts_and_names_the_first_once(files, capsys):
    found = find_usable(files, read, "x")
    report_bad("--cutouts", found)
    report_bad("--cutouts", found)
    said = capsys.readouterr().err
    assert said == (
        f"repogen: warning: --cutouts: 1 of 3 files left out, the first because {files[1]} is bad\n"
    )


def test_a_draw_goes_on_in_the_same_stream(capsys):
    rng = np.random.default_rng(0)
    expected = np.random.default_rng(0).integers(4, size=20).tolist()
    index = next(i for i, value in enumerate(expected) if value != expected[0])

    def draw():
        value = int(rng.integers(4))
        if value == expected[0]:
            raise UserError(f"file {value} is away")
        return value

    with recorded_unreadable() as reasons:
        assert draw_readable(draw) == expected[index]
    assert reasons == [f"file {expected[0]} is away"]
    assert capsys.readouterr().err.count("is away; another file is drawn in its place") == 1


def test_a_draw_ends_where_nothing_can_be_read():
    def draw():
        raise UserError("the disk is gone")

    with pytest.raises(UserError, match="the disk is gone"):
        draw_readable(draw)
