"""Tasks of mining over processes of this machine, or over a Ray cluster."""

import json
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Generic, TypeVar

import cv2

from repogen.errors import UserError
from repogen.files import cannot_read, sha256_of, sha256_of_bytes
from repogen.generation.config import GenerateConfig
from repogen.generation.engines import map_on_ray
from repogen.generation.run_info import check_same_run, run_info
from repogen.models.packaged import packaged
from repogen.processes import map_tasks
from repogen.worker_server import start_worker_server

_WEIGHTS = (".safetensors", ".pth", ".bin", ".onnx")
"""Kinds of files of weights in a folder."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class _Inputs:
    """What a run depends on besides its options, as the machine sees it where it was started."""

    root: Path
    config: GenerateConfig
    weights: tuple[str, ...]
    run_info: str
    """JSON of `run_info`."""
    digests: tuple[str, ...]
    """SHA-256 of each of the weights."""


@dataclass(frozen=True)
class _NodeTask(Generic[T, R]):
    function: Callable[[T], R]
    inputs: _Inputs
    task: T


def map_spread(
    function: Callable[[T], R],
    tasks: Iterable[T],
    root: Path,
    config: GenerateConfig,
    weights: tuple[str, ...] = (),
) -> Iterator[R]:
    """The results of the tasks in their order, from where the options say: processes, or a Ray
    cluster whose nodes see the same files, those of `weights` included. `root` is the run's folder,
    for messages.

    Raises what `function` raises, and `UserError` where a process dies, the cluster cannot be
    reached, or a node sees other files.
    """
    if config.engine == "ray":
        info = json.dumps(run_info(config, config.backdrop[1]))
        digests = tuple(weights_digest(one) for one in weights)
        inputs = _Inputs(root, config, weights, info, digests)
        yield from map_on_ray(_on_node, map(partial(_NodeTask, function, inputs), tasks), config)
        return
    if config.worker_count > 1 and config.device == "cpu":
        start_worker_server()
    yield from map_tasks(function, tasks, config.worker_count, config.device)


def _on_node(one: _NodeTask[T, R]) -> R:
    """The result of a task, on one core of a node. Raises `UserError`, naming the node, where it
    sees other files than the machine where the run was started."""
    cv2.setNumThreads(1)
    try:
        _check_same_inputs(one.inputs)
    except UserError as error:
        raise UserError(f"on {socket.gethostname()}: {error}") from error
    return one.function(one.task)


@lru_cache(maxsize=1)
def _check_same_inputs(inputs: _Inputs) -> None:
    info = run_info(inputs.config, inputs.config.backdrop[1])
    check_same_run(inputs.root, json.loads(inputs.run_info), info)
    for weights, digest in zip(inputs.weights, inputs.digests, strict=True):
        if weights_digest(weights) != digest:
            raise UserError(
                f"{inputs.root} was started with another content of {weights}; every node of the "
                "cluster must see the same"
            )


def absolute(weights: tuple[str, ...]) -> tuple[str, ...]:
    """The weights, paths as absolute ones: nodes of a cluster work in other folders."""
    return tuple(
        one if packaged(one) or not Path(one).exists() else str(Path(one).absolute())
        for one in weights
    )


def weights_digest(weights: str) -> str:
    """SHA-256 of the weights' file, or of a folder's files of weights; empty for names. Raises
    `UserError` where it cannot be read."""
    path = Path(weights)
    if packaged(weights) or not path.exists():
        return ""
    if path.is_file():
        return file_digest(path)
    files = sorted(f for f in path.iterdir() if f.suffix in _WEIGHTS and f.is_file())
    return sha256_of_bytes(json.dumps([(f.name, file_digest(f)) for f in files]).encode())


def file_digest(path: Path | None) -> str:
    """SHA-256 of a file; empty without one. Raises `UserError` where it cannot be read."""
    if path is None:
        return ""
    try:
        return sha256_of(path)
    except OSError as error:
        raise cannot_read(path, error) from error
