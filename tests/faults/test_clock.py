"""Clock jumps: no result depends on the time or on the dates of files."""

import itertools
import os
import time

import pytest
import tqdm.std
from faulty import FORMATS, OPTIONS, assert_resumes, config_of, die_writing, in_child

from repogen import generate
from repogen.datasets.convert import convert

YEAR = 365 * 86_400.0


@pytest.fixture
def jumping(monkeypatch):
    """A clock that is a year ahead and a year behind in turn."""
    started, looks = time.time(), itertools.count()

    def now():
        return started + (-1) ** next(looks) * YEAR

    monkeypatch.setattr(time, "time", now)
    monkeypatch.setattr(tqdm.std, "time", now)


@pytest.mark.parametrize("kind", FORMATS)
def test_clock_jumps_do_not_change_a_resumed_run(expected, tmp_path, kind, jumping):
    out, config = tmp_path / "data", config_of(kind)

    def run():
        die_writing({"coco": "00000018.jpg", "webdataset": "shard-000001.tar"}[kind])
        generate(out, config)

    in_child(run)
    ages = itertools.cycle([0, time.time() + 100 * YEAR, 1])
    for path, age in zip(sorted(out.rglob("*")), ages, strict=False):
        os.utime(path, (age, age))
    assert_resumes(out, config, expected[kind])


def test_clock_jumps_do_not_change_a_conversion(datasets, expected, tmp_path, jumping):
    shards = convert(str(datasets["coco"]), tmp_path / "there", OPTIONS["shard_images"])
    back = convert(str(shards), tmp_path / "back")
    for name, data in expected["coco"].items():
        assert (back / name).read_bytes() == data
