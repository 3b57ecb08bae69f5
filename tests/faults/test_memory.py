"""Processes that get no more memory."""

import resource

import pytest
from faulty import (
    FORMATS,
    assert_nothing_lost,
    config_of,
    contents,
    faulty_workers,
    limit,
    little_memory,
    memory_now,
)

from repogen import UserError, generate

LARGE = {"image_size": 512, "images": 2}
SAYS = "out of memory.* run the same command again .*fewer --workers"


@pytest.fixture(scope="module")
def large(body, tmp_path_factory):
    """The files of two larger pictures, by format."""
    root = tmp_path_factory.mktemp("large")
    return {kind: contents(generate(root / kind, config_of(kind, **LARGE))) for kind in FORMATS}


@pytest.mark.parametrize("kind", FORMATS)
def test_a_single_process_without_memory_is_one_line(large, tmp_path, kind):
    out, config = tmp_path / "data", config_of(kind, **LARGE)
    with limit(resource.RLIMIT_AS, memory_now()), pytest.raises(UserError, match=SAYS):
        generate(out, config)
    assert_nothing_lost(out, config, large[kind])


@pytest.mark.parametrize("kind", FORMATS)
def test_a_worker_without_memory_is_one_line(undisturbed, tmp_path, kind):
    out, config = tmp_path / "data", config_of(kind, workers=2)
    with faulty_workers(little_memory), pytest.raises(UserError, match=SAYS):
        generate(out, config)
    assert_nothing_lost(out, config, undisturbed[kind])
