"""Any file gives a result or a one-line error, within the limits and without side effects."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readers import READERS
from sandbox import Outcome
from seeds import SEEDS


def test_every_reader_has_seeds():
    assert SEEDS.keys() == READERS.keys()


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_read_or_refused(sandbox, tried, name):
    valid, strategy = SEEDS[name]()
    for data in valid:
        assert sandbox.read(name, data) == Outcome("read", ""), data[:300]
    counts = tried.setdefault(name, Counter())

    @given(strategy)
    def is_read_or_refused(data):
        outcome = sandbox.read(name, data)
        counts[outcome.kind] += 1
        assert outcome.good, f"{outcome}, {len(data)} bytes: {data[:2000]!r}"

    is_read_or_refused()
    assert counts["refused"], "nothing was damaged"


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_random_bytes_are_read_or_refused(sandbox, tried, name):
    counts = tried.setdefault(f"{name}, random bytes", Counter())

    @given(st.binary(max_size=500))
    def is_read_or_refused(data):
        outcome = sandbox.read(name, data)
        counts[outcome.kind] += 1
        assert outcome.good, f"{outcome}: {data!r}"

    is_read_or_refused()
