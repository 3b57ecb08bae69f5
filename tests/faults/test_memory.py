"""Processes that get no more memory."""

from functools import partial

import pytest
from faulty import (
    FORMATS,
    assert_nothing_lost,
    config_of,
    contents,
    faulty_workers,
    memory_again,
    no_memory,
)

from repogen import UserError, generate

SAYS = r"out of memory.* run the same command again .*fewer --workers"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", FORMATS)
def test_out_of_memory_is_one_line(undisturbed, tmp_path, kind, workers):
    out, config = tmp_path / "data", config_of(kind, workers=workers)
    try:
        with (
            faulty_workers(no_memory),
            pytest.raises(UserError, match=SAYS),
        ):
            generate(out, config)
    finally:
        memory_again()
    assert_nothing_lost(out, config, undisturbed[kind])


def test_a_picture_that_the_renderer_has_no_room_for_is_one_line(body, tmp_path):
    config = config_of("coco", images=1, image_size=1024)
    try:
        with faulty_workers(partial(no_memory, 2**22)), pytest.raises(UserError, match=SAYS):
            generate(tmp_path / "data", config)
    finally:
        memory_again()
    fresh = contents(generate(tmp_path / "fresh", config))
    assert_nothing_lost(tmp_path / "data", config, fresh)
