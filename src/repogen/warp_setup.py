"""Warp, told once to be quiet and to compile only the forward pass of our kernels."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import warp as wp


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Its native code warns on stderr, below Python, where there is no NVIDIA driver."""
    try:
        kept = os.dup(2)
    except OSError:  # no stderr to silence
        yield
        return
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


wp.config.log_level = wp.LOG_ERROR
wp.config.enable_backward = False
with _silent():
    wp.init()


def records(struct: Any) -> np.dtype[Any]:
    """The NumPy record type of a Warp struct."""
    return struct.numpy_dtype()


__all__ = ["records", "wp"]
