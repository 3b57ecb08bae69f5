"""Work in several processes of this machine."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import parent_process
from multiprocessing.connection import wait
from typing import TypeVar

import cv2

from repogen.errors import UserError

T = TypeVar("T")
R = TypeVar("R")

_QUEUED = 2
"""Tasks that wait for each process, so that none is idle."""


def start_method(device: str) -> str:
    """The start method of worker processes: forkserver where possible, else spawn.

    Forks of a process that has imported everything start fastest, but a process that has
    initialised CUDA, as importing Warp does, cannot be forked.
    """
    forks = device == "cpu" and "forkserver" in multiprocessing.get_all_start_methods()
    return "forkserver" if forks else "spawn"


def check_not_in_worker(function: str) -> None:
    """Raise `UserError` in a worker process that imports the user's script, which calls the public
    function of this name again."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise UserError(
            f"a worker process imported your script and called {function}() again; put the call "
            'under `if __name__ == "__main__":`'
        )


@contextmanager
def torch_in_one_thread() -> Iterator[None]:
    """Let torch, if it is imported, use one thread while the block runs: sums depend on their
    number."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def exit_with_parent() -> None:
    """From now on this worker process exits when its parent does, and leaves Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def map_tasks(
    function: Callable[[T], R], tasks: Iterable[T], workers: int, device: str = "cpu"
) -> Iterator[R]:
    """The results of the tasks in their order, from this process or, with more `workers`, others.

    Only a few tasks and results are in memory at a time. `device` is where the tasks compute, cpu
    or cuda. Raises what `function` raises, and `UserError` where a process dies.
    """
    if workers <= 1:
        yield from map(function, tasks)
        return
    # Each process uses one core; threads of the linear algebra would only compete for it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    context = multiprocessing.get_context(start_method(device))
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload([function.__module__])
    tasks = iter(tasks)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
    try:
        running: deque[Future[R]] = deque()
        while True:
            for task in islice(tasks, (1 + _QUEUED) * workers - len(running)):
                running.append(pool.submit(function, task))
            if not running:
                return
            yield running.popleft().result()
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process died: out of memory, or a script without "
            '`if __name__ == "__main__":` called this; try again with workers=1'
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    exit_with_parent()
    cv2.setNumThreads(1)
