"""Distribution of a run's chunks over processes of this machine or a Ray cluster."""

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from ctypes import c_byte
from itertools import islice
from typing import Any, TypeVar

from repogen import limits
from repogen.datasets.folder import DatasetFolder
from repogen.errors import UserError, first_line
from repogen.garbage import collect_seldom
from repogen.generation.config import GenerateConfig
from repogen.generation.own_scenes import ChunkOfScenes, OwnScenes, scenes_of_chunk
from repogen.network import no_answer
from repogen.processes import exit_with_parent, start_method
from repogen.worker_server import has_early_server, start_worker_server

T = TypeVar("T")
R = TypeVar("R")

_CHUNKS_PER_PROCESSOR = 2
"""Chunks, or other tasks, queued for each processor, so that none is idle."""

_RETRIES = 5
"""How often Ray repeats a chunk whose node died."""

_CLUSTERS = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Ray's variable, on every system: with 0 its processes listen on the loopback address only."""

_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""How an HTTP/2 client begins, as Ray's do; a server answers at once."""

_SET_UP = (
    "set RAY_AUTH_MODE=token and the same token on every machine (docs/clusters.md), or "
    "RAY_AUTH_MODE=disabled in a network that nobody else can reach"
)


def make_chunks(
    folder: DatasetFolder, config: GenerateConfig, todo: list[int], own: OwnScenes | None = None
) -> Iterator[int]:
    """Generate the chunks `todo`, of the user's own scenes if given; yields the number of images of
    each as it finishes, in any order.

    Raises `UserError` where workers die or the cluster cannot be reached.
    """
    if config.engine == "ray":
        yield from _on_ray(folder, config, todo, own)
        return
    workers = min(config.worker_count, len(todo))
    if workers > 1 or (has_early_server() and start_method(config.device) == "forkserver"):
        yield from _in_processes(folder, config, todo, own, workers)
        return
    from repogen.generation.worker import SampleMaker, write_chunk

    maker = SampleMaker(config)
    for chunk in todo:
        yield write_chunk(folder, maker, chunk, scenes_of_chunk(own, chunk))


def _in_processes(
    folder: DatasetFolder,
    config: GenerateConfig,
    todo: list[int],
    own: OwnScenes | None,
    workers: int,
) -> Iterator[int]:
    method = start_method(config.device)
    if method == "forkserver":
        start_worker_server()
    context = multiprocessing.get_context(method)
    stop_flag = context.RawValue("b", 0)  # no lock: a killed worker might hold it
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_start_worker, initargs=(stop_flag,)
    )
    waiting = list(reversed(todo))
    running: set[Future[int]] = set()
    try:
        while waiting or running:
            while waiting and len(running) < _CHUNKS_PER_PROCESSOR * workers:
                chunk = waiting.pop()
                scenes = scenes_of_chunk(own, chunk)
                running.add(pool.submit(_write_chunk, folder, config, chunk, scenes))
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process died (out of memory, if no error stands above); run the same command "
            "again to resume, with fewer --workers if it happens again"
        ) from error
    finally:
        # Running chunks are finished and kept; queued chunks do not start.
        stop_flag.value = 1
        pool.shutdown(wait=True, cancel_futures=True)


_stop_flag: Any = None
"""In a worker process: a shared number; its `value` is 1 once the run is stopping."""


def _start_worker(stop_flag: c_byte) -> None:
    """Initialise a worker process: it exits with its parent and starts no chunk once the flag is
    set."""
    global _stop_flag
    _stop_flag = stop_flag
    collect_seldom()
    exit_with_parent()


def _write_chunk(
    folder: DatasetFolder, config: GenerateConfig, chunk: int, own: ChunkOfScenes | None
) -> int:
    """`write_chunk` in a worker process; 0 where the run is stopping.

    The renderer is imported here, not by the process that waits for the workers: what goes wrong
    then is raised there.
    """
    if _stop_flag.value:
        return 0
    import cv2

    from repogen.generation.worker import sample_maker, write_chunk

    cv2.setNumThreads(1)
    return write_chunk(folder, sample_maker(config), chunk, own)


def _on_ray(
    folder: DatasetFolder, config: GenerateConfig, todo: list[int], own: OwnScenes | None
) -> Iterator[int]:
    """Chunks as Ray tasks; every node must see the dataset's folder under the same path."""
    with _cluster(config) as (ray, running):
        from repogen.generation import worker

        folder = folder.with_root(folder.root.resolve())
        waiting = list(reversed(todo))
        task = ray.remote(num_cpus=1, max_retries=_RETRIES)(worker.write_chunk_on_node)
        while waiting or running:
            while waiting and len(running) < _most_running(ray, config):
                chunk = waiting.pop()
                running.append(task.remote(folder, config, chunk, scenes_of_chunk(own, chunk)))
            finished, running[:] = ray.wait(running, num_returns=1)
            yield from ray.get(finished)


def map_on_ray(
    function: Callable[[T], R], tasks: Iterable[T], config: GenerateConfig
) -> Iterator[R]:
    """The results of the tasks in their order, from the nodes of the options' Ray cluster.

    Raises what `function` raises, and `UserError` where the cluster cannot be reached.
    """
    with _cluster(config) as (ray, running):
        task = ray.remote(num_cpus=1, max_retries=_RETRIES)(function)
        tasks = iter(tasks)
        while True:
            for one in islice(tasks, max(_most_running(ray, config) - len(running), 0)):
                running.append(task.remote(one))
            if not running:
                return
            yield ray.get(running.pop(0))


_is_connected = False


@contextmanager
def ray_cluster(config: GenerateConfig) -> Iterator[None]:
    """While the block runs, all that works on the options' Ray cluster, if they name one, shares a
    connection: a cluster of this machine starts once.

    Raises `UserError` where the cluster cannot be reached.
    """
    global _is_connected
    if config.engine != "ray" or _is_connected:
        yield
        return
    ray = _import_ray(config)
    try:
        _connect(ray, config)
        _is_connected = True
        yield
    finally:
        _is_connected = False
        ray.shutdown()  # also of a cluster that is refused: Ray ends this process with the cluster


@contextmanager
def _cluster(config: GenerateConfig) -> Iterator[tuple[Any, list[Any]]]:
    """The module ray, connected to the options' cluster, and a list for what runs there: it is
    cancelled at the end."""
    with ray_cluster(config):
        import ray

        running: list[Any] = []
        try:
            yield ray, running
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, UserError):
                raise UserError(str(error.cause)) from error
            raise
        except ray.exceptions.RayError as error:
            raise UserError(
                f"Ray lost a task {_RETRIES} times ({first_line(error)}); run the same "
                "command again to resume"
            ) from error
        finally:
            for reference in running:
                ray.cancel(reference)


def _most_running(ray: Any, config: GenerateConfig) -> int:
    """The tasks that may run or wait at a time. Nodes join and leave, so the number of processors
    is read again each time; fewer --workers than processors limit the tasks."""
    processors = max(int(ray.cluster_resources().get("CPU", 1)), 1)
    fewer = config.workers if config.workers < processors else 0
    return fewer or _CHUNKS_PER_PROCESSOR * processors


def _import_ray(config: GenerateConfig) -> Any:
    """The module ray; it reads these variables when it is imported."""
    os.environ.setdefault("RAY_AUTH_MODE", "token")  # without, whoever connects can run code
    if config.ray_address is None:
        os.environ.setdefault(
            _CLUSTERS, "0"
        )  # without, it listens on all of the machine's networks
    import ray

    return ray


def _connect(ray: Any, config: GenerateConfig) -> None:
    address = config.ray_address or "local"  # without an address Ray joins any cluster it finds
    host = os.environ.get("RAY_ADDRESS", "auto") if address == "auto" else address
    if host not in ("auto", "local"):
        _check_answers(host)
    own = {"num_cpus": config.worker_count, "include_dashboard": False}
    try:
        with _keep_sigterm_handler():
            ray.init(
                address=address,
                runtime_env={"env_vars": {"OPENBLAS_NUM_THREADS": "1"}},
                log_to_driver=False,
                logging_level="ERROR",
                **(own if address == "local" else {}),
            )
    except (ConnectionError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        raise _no_cluster(address, f"{first_line(error)}; {_SET_UP}") from error
    if address == "local":
        if ray.util.get_node_ip_address() not in ("127.0.0.1", "::1"):
            raise UserError(
                "ray was imported before repogen could make it listen on this machine only; set "
                f"{_CLUSTERS}=0 before the import, or use --engine local"
            )
    elif os.environ["RAY_AUTH_MODE"] == "token":
        asked = ray.remote(num_cpus=0)(os.getenv).remote("RAY_AUTH_MODE")
        if ray.get(asked) != "token":
            raise UserError(
                f"the Ray cluster at --ray-address {address} runs code for whoever connects; "
                f"{_SET_UP}"
            )


@contextmanager
def _keep_sigterm_handler() -> Iterator[None]:
    """Restore the SIGTERM handler afterwards: Ray installs one that prints nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _check_answers(address: str) -> None:
    """Raises `UserError` where nothing listens at the address, or what listens says nothing: Ray
    would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        with socket.create_connection((host, int(port)), limits.NETWORK_SECONDS) as server:
            server.sendall(_HELLO)
            server.recv(1)
    except TimeoutError as error:
        raise no_answer(f"--ray-address {address}") from error
    except (OSError, ValueError, OverflowError) as error:
        raise _no_cluster(address, str(error)) from error


def _no_cluster(address: str, why: str) -> UserError:
    return UserError(f"no Ray cluster at --ray-address {address}: {why}")
