"""Functions that cause faults, in this process, a fork or the workers, and check the result."""

import multiprocessing
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from helpers import contents
from repogen import GenerateConfig, generate
from repogen.datasets.folder import CHUNK_IMAGES, DatasetFolder, Sample, partial_files
from repogen.datasets.shards import SHARD_IMAGES
from repogen.generation import engines, loop
from repogen.generation.own_scenes import OwnScenes

FORMATS = ("coco", "webdataset")

IMAGES = CHUNK_IMAGES + 4

OPTIONS: dict[str, Any] = {
    "images": IMAGES, "image_size": 64, "backgrounds": "plain", "wardrobe": "painted", "seed": 7,
    "shard_images": 8, "write": ("masks",),
}  # fmt: skip


def config_of(kind: str, **more: Any) -> GenerateConfig:
    """A run of 20 small images: two chunks of a folder, or three shards."""
    options = OPTIONS if kind == "webdataset" else OPTIONS | {"shard_images": SHARD_IMAGES}
    return GenerateConfig(**({"workers": 1} | options | {"format": kind} | more))


def finished_files(root: Path) -> dict[str, bytes]:
    """The contents of a dataset folder without work in progress."""
    return {
        name: data
        for name, data in contents(root).items()
        if not name.startswith(".parts") and not name.endswith(".partial")
    }


def assert_resumes(out: Path, config: GenerateConfig, expected: dict[str, bytes]) -> None:
    """Finished files are complete, and the same call resumes to the expected dataset."""
    finished = finished_files(out)
    assert finished.items() <= expected.items()
    left = []
    if not loop.folder_of(out, config).complete:
        generate(out, config)
        left = [*contents(out).keys() - expected.keys(), *partial_files(DatasetFolder(out))]
    assert finished_files(out) == expected
    assert not left


def in_child(action: Callable[[], object], seconds: float = 300) -> int:
    """The exit code of a forked process that runs `action`; minus the signal that ended it."""
    child = start_child(action)
    child.join(seconds)
    assert child.exitcode is not None
    return child.exitcode


def start_child(action: Callable[[], object]) -> Any:
    child = multiprocessing.get_context("fork").Process(target=action)
    child.start()
    return child


def die_writing(name: str, number: int = signal.SIGKILL, moment: str = "half") -> None:
    """From now on, this process sends itself a signal when it writes the file `name`.

    `moment` is half (half of the data is on the disk), before or after (the rename).
    """

    def dying(partial: Path, target: Path) -> None:
        if moment == "half":
            os.truncate(partial, partial.stat().st_size // 2)
        if moment == "after":
            os.rename(partial, target)
        os.kill(os.getpid(), number)

    _at_file(name, dying)


def wait_writing(name: str, signals: Path) -> None:
    """From now on, this process waits before it writes the file `name`.

    It creates the file `signals`/waiting and continues once `signals`/go exists.
    """

    def waiting(partial: Path, target: Path) -> None:
        (signals / "waiting").touch()
        wait_for((signals / "go").exists)
        os.rename(partial, target)

    _at_file(name, waiting)


def _at_file(name: str, instead: Callable[[Path, Path], None]) -> None:
    replace = Path.replace

    def replaced(partial: Path, target: Path) -> Any:
        return (instead if Path(target).name == name else replace)(partial, target)

    Path.replace = replaced  # type: ignore[assignment, method-assign]


def wait_for(condition: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "too slow"
        time.sleep(0.01)


def descendants(pid: int) -> list[int]:
    """The processes below a process: its children, their children and so on."""
    listing = subprocess.run(
        ["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True
    ).stdout.split()[2:]
    parents = dict(zip(map(int, listing[::2]), map(int, listing[1::2]), strict=True))
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


@contextmanager
def limit(kind: int, value: int) -> Iterator[None]:
    """Set a resource limit of this process while the block runs."""
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))


def memory_now() -> int:
    """Bytes of address space that this process uses."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


_HOARD: list[bytearray] = []


def exhaust_memory(smallest: int = 2**14) -> None:
    """From now on, this process gets no memory, and has no free block of `smallest` bytes left."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_now(), resource.RLIM_INFINITY))
    for size in (2**22, 2**18, 2**14):
        with suppress(MemoryError):
            while size >= smallest:
                _HOARD.append(bytearray(size))


def release_memory() -> None:
    """Undo `exhaust_memory`."""
    _HOARD.clear()
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def limit_file_size(most: int) -> None:
    """From now on, this process cannot write files larger than `most` bytes, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def mark_and_wait(signals: Path) -> None:
    """Create a numbered file per call; all calls but the first wait for a second."""
    for number in count():
        with suppress(FileExistsError):
            (signals / str(number)).touch(exist_ok=False)
            time.sleep(min(number, 1))
            return


@dataclass(frozen=True)
class FaultyFolder:
    """A dataset folder with a fault in `write_chunk`; workers get it in place of the folder."""

    folder: DatasetFolder
    fault: Callable[[], None]

    @property
    def chunk(self) -> int:
        return self.folder.chunk

    def write_chunk(self, chunk: int, samples: Iterable[Sample]) -> None:
        self.fault()
        self.folder.write_chunk(chunk, samples)


@contextmanager
def faulty_workers(fault: Callable[[], None]) -> Iterator[None]:
    """While the block runs, every worker of `generate` starts each chunk with this fault."""

    def made(
        folder: DatasetFolder, config: GenerateConfig, todo: list[int], own: OwnScenes | None
    ) -> Iterator[int]:
        return engines.make_chunks(FaultyFolder(folder, fault), config, todo, own)  # type: ignore[arg-type]

    loop.make_chunks = made
    try:
        yield
    finally:
        loop.make_chunks = engines.make_chunks
