"""Spreading the chunks of a run over processes, of this machine or of a Ray cluster."""

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from repogen.datasets.folder import DatasetFolder
from repogen.errors import UserError, first_line
from repogen.generation.config import GenerateConfig

_AHEAD = 2
"""Chunks that are handed out for each processor, so that none waits."""

_RETRIES = 5
"""How often Ray makes a chunk again whose node has died."""


def make_chunks(folder: DatasetFolder, config: GenerateConfig, todo: list[int]) -> Iterator[int]:
    """Make the chunks, yielding the size of each as it is finished, in any order.

    Raises `UserError` where workers die or the cluster cannot be reached.
    """
    if config.engine == "ray":
        yield from _on_ray(folder, config, todo)
        return
    workers = min(config.workers or os.cpu_count() or 1, len(todo))
    if workers > 1:
        yield from _in_processes(folder, config, todo, workers)
        return
    from repogen.generation.worker import Maker, write_chunk

    maker = Maker(config)
    for chunk in todo:
        yield write_chunk(folder, maker, chunk)


def start_method(device: str) -> str:
    """How worker processes begin: as forks of one that has imported everything, where that can
    be; but a process that has met CUDA, as Warp does when imported, cannot be forked."""
    forks = device == "cpu" and "forkserver" in multiprocessing.get_all_start_methods()
    return "forkserver" if forks else "spawn"


def _in_processes(
    folder: DatasetFolder, config: GenerateConfig, todo: list[int], workers: int
) -> Iterator[int]:
    from repogen.generation import worker

    # Each worker is one core's work; threads of the linear algebra would only spin.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Python's process that cleans up after one that was killed would say so at length.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")
    context = multiprocessing.get_context(start_method(config.device))
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload(["repogen.generation.worker"])
    stopping = context.RawValue("b", 0)  # a lock may be held by a worker that is killed
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=worker.start, initargs=(stopping,)
    )
    waiting = list(reversed(todo))
    running: set[Future[int]] = set()
    try:
        while waiting or running:
            while waiting and len(running) < _AHEAD * workers:
                running.add(
                    pool.submit(worker.write_chunk_in_worker, folder, config, waiting.pop())
                )
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process died (out of memory, if it says nothing above); run the same command "
            "again to go on, with fewer --workers if it happens again"
        ) from error
    finally:
        # Chunks under way are finished and kept; nothing new is begun, though handed out.
        stopping.value = 1
        pool.shutdown(wait=True, cancel_futures=True)


def _on_ray(folder: DatasetFolder, config: GenerateConfig, todo: list[int]) -> Iterator[int]:
    """Chunks as Ray tasks; every node must see the dataset's folder under the same path."""
    import ray

    from repogen.generation import worker

    folder = folder.moved(folder.root.resolve())
    _connect(ray, config)
    task = ray.remote(num_cpus=1, max_retries=_RETRIES)(worker.write_chunk_elsewhere)
    waiting = list(reversed(todo))
    running: list[Any] = []
    try:
        while waiting or running:
            # Nodes come and go: as many chunks as there are processors now, and some more to
            # follow, unless fewer are wanted than would be begun at once.
            processors = max(int(ray.cluster_resources().get("CPU", 1)), 1)
            fewer = config.workers if config.workers < processors else 0
            while waiting and len(running) < (fewer or _AHEAD * processors):
                running.append(task.remote(folder, config, waiting.pop()))
            finished, running = ray.wait(running, num_returns=1)
            yield from ray.get(finished)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise UserError(str(error.cause)) from error
        raise
    except ray.exceptions.RayError as error:
        raise UserError(
            f"Ray lost a chunk {_RETRIES} times ({first_line(error)}); run the same "
            "command again to go on"
        ) from error
    finally:
        for reference in running:
            ray.cancel(reference)
        ray.shutdown()


def _connect(ray: Any, config: GenerateConfig) -> None:
    address = config.ray_address or "local"  # without one, Ray would join whatever it finds
    if address not in ("auto", "local"):
        _knock(address)
    own = {"num_cpus": config.workers or os.cpu_count(), "include_dashboard": False}
    try:
        with _same_end():
            ray.init(
                address=address,
                runtime_env={"env_vars": {"OPENBLAS_NUM_THREADS": "1"}},
                log_to_driver=False,
                logging_level="ERROR",
                **(own if address == "local" else {}),
            )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _nobody(address, first_line(error)) from error


@contextmanager
def _same_end() -> Iterator[None]:
    """Leave SIGTERM its handler: Ray would put one in its place that says nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _knock(address: str) -> None:
    """Whether anybody listens: Ray itself would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError, OverflowError) as error:
        raise _nobody(address, str(error)) from error


def _nobody(address: str, why: str) -> UserError:
    return UserError(f"no Ray cluster at --ray-address {address}: {why}")
