"""Warp, set up once: quiet, without backward passes of our kernels, and with a writable folder for
what it compiles."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import warp as wp
from filelock import FileLock

from repogen.errors import UserError, first_line
from repogen.files import read_regular
from repogen.messages import warn


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
# Our few modules share so little that precompiled headers cost more than they save.
wp.config.use_precompiled_headers = False


def _init() -> None:
    """Start Warp; where its kernel cache cannot be written, with one that this process removes."""
    global _temporary_cache
    with _silent():
        try:
            wp.init()
        except OSError as error:
            why = first_line(error)
        else:
            if os.access(wp.config.kernel_cache_dir, os.W_OK):
                return
            why = f"{wp.config.kernel_cache_dir} is not writable"
    advice = "set WARP_CACHE_PATH to a writable folder"
    try:
        _temporary_cache = tempfile.TemporaryDirectory(prefix="repogen-kernels-")
    except OSError as error:
        raise UserError(f"no folder for compiled kernels: {first_line(error)}; {advice}") from error
    os.environ["WARP_CACHE_PATH"] = _temporary_cache.name  # for worker processes, too
    wp.config.kernel_cache_dir = _temporary_cache.name
    warn(f"compiled kernels cannot be kept: {why}; {advice}")
    with _silent():
        wp.init()


_temporary_cache: tempfile.TemporaryDirectory[str] | None = None
_init()


_ADDRESSES = 2**30
"""Bytes of address space that drawing takes; with fewer, native libraries abort the process."""


def load_modules(device: str, *modules: wp.Module) -> None:
    """Load Warp modules on a device. Modules that the kernel cache lacks are compiled, as many at a
    time as there are processors; of several processes one compiles and the others wait.

    Raises `UserError` where the address space is limited and too little of it is left.
    """
    _check_addresses()
    with FileLock(Path(wp.config.kernel_cache_dir) / "repogen.lock"):
        wp.force_load(device, list(modules), max_workers=os.cpu_count())


def _check_addresses() -> None:
    if sys.platform != "linux":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    used = int(read_regular("/proc/self/statm", 1024).split()[0]) * resource.getpagesize()
    if limit != resource.RLIM_INFINITY and limit - used < _ADDRESSES:
        raise UserError(
            f"out of memory: drawing takes {_ADDRESSES // 10**6:,} MB of address space, and this "
            f"process may have {max(limit - used, 0) // 10**6:,} MB more; allow more (ulimit -v)"
        )


def struct_dtype(struct: wp.struct) -> np.dtype[Any]:
    """The NumPy structured dtype of a Warp struct."""
    return np.dtype(struct.numpy_dtype())


__all__ = ["load_modules", "struct_dtype", "wp"]
