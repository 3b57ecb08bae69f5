"""Warp, set up once: quiet, and without backward passes of our kernels."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import warp as wp


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Discards stderr below Python: Warp's native code warns there without an NVIDIA driver."""
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


def struct_dtype(struct: wp.struct) -> np.dtype[Any]:
    """The NumPy structured dtype of a Warp struct."""
    return np.dtype(struct.numpy_dtype())


__all__ = ["struct_dtype", "wp"]
