"""Clocks that jump: nothing depends on the time of day or on when a file was written."""

import itertools
import os
import time

import pytest
import tqdm.std
from faulty import FORMATS, OPTIONS, assert_nothing_lost, config_of, die_writing, in_child

from repogen import generate
from repogen.datasets.convert import convert

YEAR = 365 * 86_400.0


@pytest.fixture
def jumping(monkeypatch):
    """Every look at the clock finds it a year ahead of, or behind, the one before."""
    started, looks = time.time(), itertools.count()

    def now():
        return started + (-1) ** next(looks) * YEAR

    monkeypatch.setattr(time, "time", now)
    monkeypatch.setattr(tqdm.std, "time", now)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_run_and_its_resumption_do_not_ask_the_clock(undisturbed, tmp_path, kind, jumping):
    out, config = tmp_path / "data", config_of(kind)

    def run():
        die_writing({"coco": "00000018.jpg", "webdataset": "shard-000001.tar"}[kind])
        generate(out, config)

    in_child(run)
    ages = itertools.cycle([0, time.time() + 100 * YEAR, 1])
    for path, age in zip(sorted(out.rglob("*")), ages, strict=False):
        os.utime(path, (age, age))
    assert_nothing_lost(out, config, undisturbed[kind])


def test_neither_does_a_conversion(whole, undisturbed, tmp_path, jumping):
    there = convert(str(whole["coco"]), tmp_path / "there", OPTIONS["shard_images"])
    back = convert(str(there), tmp_path / "back")
    for name, data in undisturbed["coco"].items():
        assert (back / name).read_bytes() == data
