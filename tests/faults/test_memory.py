"""Processes without free memory."""

from functools import partial

import pytest
from faulty import (
    FORMATS,
    assert_resumes,
    config_of,
    contents,
    exhaust_memory,
    faulty_workers,
    release_memory,
)

from repogen import UserError, generate

SAYS = r"out of memory.* run the same command again .*fewer --workers"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", FORMATS)
def test_out_of_memory_is_one_line(expected, tmp_path, kind, workers):
    out, config = tmp_path / "data", config_of(kind, workers=workers)
    try:
        with (
            faulty_workers(exhaust_memory),
            pytest.raises(UserError, match=SAYS),
        ):
            generate(out, config)
    finally:
        release_memory()
    assert_resumes(out, config, expected[kind])


def test_out_of_memory_in_the_renderer_is_one_line(body, tmp_path):
    config = config_of("coco", images=1, image_size=1024)
    try:
        with faulty_workers(partial(exhaust_memory, 2**22)), pytest.raises(UserError, match=SAYS):
            generate(tmp_path / "data", config)
    finally:
        release_memory()
    fresh = contents(generate(tmp_path / "fresh", config))
    assert_resumes(tmp_path / "data", config, fresh)
