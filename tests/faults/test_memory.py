"""Processes that get no more memory."""

import pytest
from faulty import (
    FORMATS,
    assert_nothing_lost,
    config_of,
    faulty_workers,
    memory_again,
    no_memory,
)

from repogen import UserError, generate


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", FORMATS)
def test_out_of_memory_is_one_line(undisturbed, tmp_path, kind, workers):
    out, config = tmp_path / "data", config_of(kind, workers=workers)
    try:
        with (
            faulty_workers(no_memory),
            pytest.raises(UserError, match=r"out of memory.* run the same command again .*fewer"),
        ):
            generate(out, config)
    finally:
        memory_again()
    assert_nothing_lost(out, config, undisturbed[kind])
