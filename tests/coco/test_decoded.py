"""Decoded pictures: the same pixels from the file as from the decoder, in any process."""

import multiprocessing
import os

import numpy as np
import pytest

from repogen.coco import decoded as module
from repogen.coco.crops import FACTORS
from repogen.coco.decoded import DecodedPictures

SIZES = np.array([[40, 30], [33, 57], [8, 9]])


def pixels(picture, factor):
    width, height = -(-SIZES[picture] // factor)
    rng = np.random.default_rng([picture, factor])
    return rng.integers(0, 256, (height, width, 3), np.uint8)


def refuse():
    raise AssertionError("decoded again")


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.setenv("REPOGEN_CACHE", str(tmp_path / "cache"))
    return lambda most=10**6, wanted=(0, 1, 2): DecodedPictures(SIZES, np.array(wanted), most)


def test_each_picture_is_decoded_once_at_each_factor(made):
    kept = made()
    for decode_again in (True, False):
        for picture in (2, 0, 1):
            for factor in FACTORS:
                wanted = pixels(picture, factor)
                got = kept.read(picture, factor, (lambda w=wanted: w) if decode_again else refuse)
                assert np.array_equal(got, wanted)


def test_no_more_than_the_given_bytes_are_kept_and_only_of_wanted_pictures(made):
    kept = made(most=3 * 8 * 9, wanted=[2])
    kept.read(2, 1, lambda: pixels(2, 1))
    assert np.array_equal(kept.read(2, 1, refuse), pixels(2, 1))
    kept.read(2, 2, lambda: pixels(2, 2))
    with pytest.raises(AssertionError, match="decoded again"):
        kept.read(2, 2, refuse)


def test_half_of_the_free_disk_is_left(made, monkeypatch):
    usage = type("Usage", (), {"free": 2 * 3 * 40 * 30})
    monkeypatch.setattr(module, "disk_usage", lambda _: usage)
    kept = made()
    for picture in (0, 1):
        kept.read(picture, 1, lambda p=picture: pixels(p, 1))
    assert np.array_equal(kept.read(0, 1, refuse), pixels(0, 1))
    with pytest.raises(AssertionError, match="decoded again"):
        kept.read(1, 1, refuse)


@pytest.mark.parametrize("broken", ["folder", "disk"])
def test_a_folder_or_disk_that_takes_nothing_costs_time_only(tmp_path, made, monkeypatch, broken):
    if broken == "folder":
        (tmp_path / "cache").write_text("no folder")
    else:
        monkeypatch.setattr(os, "pwrite", lambda *_: 7)
    kept = made()
    for _ in range(2):
        assert np.array_equal(kept.read(0, 1, lambda: pixels(0, 1)), pixels(0, 1))


def child(kept, send):
    send.put(kept.read(0, 1, lambda: np.zeros((30, 40, 3), np.uint8)).sum())
    kept.read(1, 1, lambda: pixels(1, 1))
    send.put("done")


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="only Linux opens files by number")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_share_what_each_has_decoded(made, method):
    kept = made()
    kept.read(0, 1, lambda: pixels(0, 1))
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    process = context.Process(target=child, args=(kept, queue))
    process.start()
    assert queue.get(timeout=120) == pixels(0, 1).sum()
    assert queue.get(timeout=120) == "done"
    process.join()
    assert np.array_equal(kept.read(1, 1, refuse), pixels(1, 1))
