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
from repogen.files import read_regular, write_atomic
from repogen.messages import warn
from repogen.package_data import package_data_dir, read_package_data


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
# Warp's own flags without the processor at hand: the shipped kernels run and round alike on all.
wp.config.cpu_compiler_flags = (
    "-mllvm=-inline-threshold=9000 -mllvm=-inline-cold-callsite-threshold=3000"
    " -mllvm=-slp-recursion-max-depth=4"
)

SHIPPED = "kernels-warp-"
"""Folders of kernels in `rendering/data`: this, then the version of Warp that compiled them."""


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
    if not _shipped_kernels().exists():
        warn(f"compiled kernels cannot be kept: {why}; {advice}")
    with _silent():
        wp.init()


def _shipped_kernels() -> Path:
    return package_data_dir("rendering") / (SHIPPED + wp.config.version)


def _install_shipped_kernels() -> None:
    """Copy the kernels that ship with the package into the kernel cache, unless they are there as
    they should be.

    Warp finds a module by the hash of its source, so it compiles what was changed, and where the
    platform or the version of Warp is another, everything.
    """
    shipped = _shipped_kernels()
    for path in shipped.glob("*/*"):
        data = read_package_data("rendering", str(path.relative_to(shipped.parent)))
        cached = Path(wp.config.kernel_cache_dir) / path.relative_to(shipped)
        if not _holds(cached, data):
            write_atomic(cached, data)


def _holds(path: Path, data: bytes) -> bool:
    try:
        return read_regular(path, limit=len(data)) == data
    except OSError:  # not there, longer, or no regular file
        return False


_temporary_cache: tempfile.TemporaryDirectory[str] | None = None
_init()
_install_shipped_kernels()


_ADDRESSES = 2**30
"""Bytes of address space that drawing takes; with fewer, native libraries abort the process."""


def load_modules(device: str, *modules: wp.Module) -> None:
    """Load Warp modules on a device. Modules that the kernel cache lacks are compiled, as many at a
    time as there are processors; of several processes one compiles and the others wait.

    Raises `UserError` where the address space is limited and too little of it is left.
    """
    _check_addresses()
    if device == "cpu":
        wp.get_cpu_kernel_cache_key()  # starts LLVM; threads that did so would race for file names
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
