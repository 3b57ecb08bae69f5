"""The process that worker processes are forked from, started early: it imports the renderer while
the command line is read."""

import multiprocessing
import os
import signal
import threading
from contextlib import suppress
from multiprocessing.forkserver import ensure_running, set_forkserver_preload

_PRELOADED = "repogen.generation.preload"

_has_early_server = False


def start_early() -> None:
    """Start the server of worker processes before the work is known: a single worker is forked from
    it, too, and not this process, which need not import the renderer.

    Where it cannot start, as in a working directory that is gone, this process does the work."""
    global _has_early_server
    with suppress(OSError):
        start_worker_server()
        _has_early_server = True


def has_early_server() -> bool:
    """Whether `start_early` was called in this process."""
    return _has_early_server


def start_worker_server() -> None:
    """Start the server of worker processes, unless it runs. On systems without one, nothing."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return
    # Each worker uses one core; threads of the linear algebra would only compete for it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Python's resource tracker would print long warnings after a worker was killed.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")
    set_forkserver_preload([_PRELOADED])
    if threading.current_thread() is not threading.main_thread():
        ensure_running()
    else:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited: Ctrl-C is not for it
        try:
            ensure_running()
        finally:
            signal.signal(signal.SIGINT, before)
