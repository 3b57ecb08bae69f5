"""Faults to order, in this process, in a forked one or in the workers, and what must hold after."""

import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from dataset_files import contents
from repogen import GenerateConfig, generate
from repogen.datasets.folder import CHUNK, DatasetFolder, Record, partial_files
from repogen.generation import engines, loop

FORMATS = ("coco", "webdataset")

IMAGES = CHUNK + 4

OPTIONS: dict[str, Any] = {
    "images": IMAGES, "image_size": 64, "backgrounds": "plain", "wardrobe": "painted", "seed": 7,
    "shard_images": 8, "write": ("masks",),
}  # fmt: skip


def config_of(kind: str, **more: Any) -> GenerateConfig:
    """Twenty small pictures: two chunks of a folder, or three shards."""
    return GenerateConfig(**({"workers": 1} | OPTIONS | {"format": kind} | more))


def in_the_open(root: Path) -> dict[str, bytes]:
    """`contents` without work in progress."""
    return {
        name: data
        for name, data in contents(root).items()
        if not name.startswith(".parts") and not name.endswith(".partial")
    }


def assert_nothing_lost(out: Path, config: GenerateConfig, undisturbed: dict[str, bytes]) -> None:
    """What lies in the open is whole, and the same call makes the dataset that no fault saw."""
    there = in_the_open(out)
    assert there.items() <= undisturbed.items()
    left = []
    if not loop.folder_of(out, config).complete:
        generate(out, config)
        left = [*contents(out).keys() - undisturbed.keys(), *partial_files(DatasetFolder(out))]
    assert in_the_open(out) == undisturbed
    assert not left


def in_child(action: Callable[[], object], seconds: float = 300) -> int:
    """Exit code of a forked process that does this: minus the signal that ended it."""
    child = start_child(action)
    child.join(seconds)
    assert child.exitcode is not None
    return child.exitcode


def start_child(action: Callable[[], object]) -> Any:
    child = multiprocessing.get_context("fork").Process(target=action)
    child.start()
    return child


def die_writing(name: str, number: int = signal.SIGKILL, moment: str = "half") -> None:
    """From now on this process gets a signal as it writes the file of this name: when `half` of
    it is on the disk, `before` it gets its name, or `after`."""

    def dying(partial: Path, target: Path) -> None:
        if moment == "half":
            os.truncate(partial, partial.stat().st_size // 2)
        if moment == "after":
            os.rename(partial, target)
        os.kill(os.getpid(), number)

    _at_file(name, dying)


def wait_writing(name: str, signs: Path) -> None:
    """From now on this process waits before it writes the file of this name: it makes the file
    `signs`/waiting and goes on when there is `signs`/go."""

    def waiting(partial: Path, target: Path) -> None:
        (signs / "waiting").touch()
        wait_for((signs / "go").exists)
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


@contextmanager
def limit(kind: int, value: int) -> Iterator[None]:
    """A limit of the operating system on this process, while the block runs."""
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))


def memory_now() -> int:
    """Bytes of address space that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


_HOARD: list[bytearray] = []


def no_memory(crumbs: int = 2**14) -> None:
    """From now on this process gets no more memory, nor has it left pieces of this many bytes."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_now(), resource.RLIM_INFINITY))
    for size in (2**22, 2**18, 2**14):
        with suppress(MemoryError):
            while size >= crumbs:
                _HOARD.append(bytearray(size))


def memory_again() -> None:
    """What `no_memory` took is free again."""
    _HOARD.clear()
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def small_files(most: int) -> None:
    """From now on this process writes no file of more bytes: a disk that gets full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def linger(signs: Path) -> None:
    """Leaves a file for everybody who comes; all but the first wait for a second."""
    for number in count():
        with suppress(FileExistsError):
            (signs / str(number)).touch(exist_ok=False)
            time.sleep(min(number, 1))
            return


@dataclass(frozen=True)
class Faulty:
    """A folder whose writer has a fault; it is sent to the workers as the folder is."""

    folder: DatasetFolder
    fault: Callable[[], None]

    @property
    def chunk(self) -> int:
        return self.folder.chunk

    def write_chunk(self, chunk: int, records: Iterable[Record]) -> None:
        self.fault()
        self.folder.write_chunk(chunk, records)


@contextmanager
def faulty_workers(fault: Callable[[], None]) -> Iterator[None]:
    """While the block runs, every worker of `generate` begins its chunks with this fault."""

    def made(folder: DatasetFolder, config: GenerateConfig, todo: list[int]) -> Iterator[int]:
        return engines.make_chunks(Faulty(folder, fault), config, todo)  # type: ignore[arg-type]

    loop.make_chunks = made
    try:
        yield
    finally:
        loop.make_chunks = engines.make_chunks
