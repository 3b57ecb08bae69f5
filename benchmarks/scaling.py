"""Speed and memory of generation by cores, image size, people and length of a run.

    python benchmarks/scaling.py rates      # images/s, and a model of the cost on N cores
    python benchmarks/scaling.py flat --images 10000
    python benchmarks/scaling.py memory --records 10000 100000

Every image of a run is stamped with the time and its process's CPU time when it is handed over, so
that start-up counts for none. On a busy machine `--clock cpu` fits the model to CPU time. Memory
is the peak of a fresh process for each figure, with one rendered record written over and over.
"""

import argparse
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the workers

import first_minute
import numpy as np

from repogen import GenerateConfig
from repogen.datasets.convert import convert
from repogen.datasets.folder import PICTURE, DatasetFolder, Sample
from repogen.datasets.reading import RUN_FORMAT, read_entries, write_run_info
from repogen.datasets.shards import ShardFolder, read_manifest, read_shard, unpack_shard
from repogen.generation.engines import make_chunks

_PICTURE_BYTES = 1000
"""Bytes in place of a picture, for measuring memory."""


@dataclass(frozen=True)
class Stamped:
    """A folder that records time, CPU time and peak memory after each image.

    It writes one file per chunk, with rows of seconds, CPU seconds and megabytes.
    """

    folder: DatasetFolder

    @property
    def chunk(self) -> int:
        return self.folder.chunk

    def write_chunk(self, chunk: int, samples: Iterable[Sample]) -> None:
        rows: list[tuple[float, float, float]] = []
        self.folder.write_chunk(chunk, self._timed(samples, rows))
        rows.append(_now())
        (self.folder.root / f"{chunk:06d}.times").write_text(json.dumps(rows))

    def _timed(self, samples: Iterable[Sample], rows: list) -> Iterator[Sample]:
        for sample in samples:
            rows.append(_now())
            yield sample


def _now() -> tuple[float, float, float]:
    return time.monotonic(), time.process_time(), peak_megabytes()


def peak_megabytes() -> float:
    """Peak memory of this process. (A new process inherits `ru_maxrss` from its parent.)"""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def stamps(root: Path, config: GenerateConfig, chunk: int) -> list[np.ndarray]:
    """Generate the images of a run; returns the rows of `Stamped` per chunk."""
    folder = DatasetFolder(root, chunk)
    todo = list(range(-(-config.images // chunk)))
    for _ in make_chunks(Stamped(folder), config, todo):  # type: ignore[arg-type]
        pass
    return [np.array(json.loads((root / f"{k:06d}.times").read_text())) for k in todo]


@dataclass(frozen=True)
class Cell:
    """Cost of one image under these options, in wall and CPU seconds of its worker."""

    workers: int
    size: int
    people: int
    wall: float
    cpu: float

    @property
    def rate(self) -> float:
        """Images per second of all workers."""
        return self.workers / self.wall


def measured(workers: int, size: int, people: int, images: int) -> Cell:
    """Medians over the images of each worker, without its first image."""
    config = GenerateConfig(
        images=images * workers, image_size=size, people=(people, people), workers=workers,
        backgrounds="builtin", wardrobe="painted", spread=3.0,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as root:
        steps = [np.diff(rows[:, :2], axis=0)[1:] for rows in stamps(Path(root), config, images)]
    wall, cpu = np.median(np.concatenate(steps), axis=0)
    return Cell(workers, size, people, float(wall), float(cpu))


def terms(cell: Cell) -> list[float]:
    """Terms of the cost model: a + b·people + c·megapixels + d·people·megapixels."""
    pixels = cell.size**2 / 1e6
    return [1.0, cell.people, pixels, cell.people * pixels]


def fitted(cells: list[Cell], clock: str) -> np.ndarray:
    """Seconds per term: least squares of relative errors, none negative."""
    from scipy.optimize import nnls

    seconds = np.array([getattr(cell, clock) for cell in cells])
    weighed = np.array([terms(cell) for cell in cells]) / seconds[:, None]
    return nnls(weighed, np.ones(len(cells)))[0]


def rates(options: argparse.Namespace) -> None:
    """Print every cell, and test a model fitted to the outer cells of one worker on the others."""
    start = start_up()  # while this process has no others to wait for
    cells = []
    print(f"{'workers':>7} {'px':>5} {'people':>6} {'images/s':>9} {'wall ms':>8} {'CPU ms':>7}")
    for workers, size, people in itertools.product(options.workers, options.sizes, options.people):
        cell = measured(workers, size, people, options.images or 16)
        cells.append(cell)
        print(
            f"{workers:7} {size:5} {people:6} {cell.rate:9.2f} {1000 * cell.wall:8.1f} "
            f"{1000 * cell.cpu:7.1f}",
            flush=True,
        )
    ends = (min(options.workers),), ends_of(options.sizes), ends_of(options.people)
    kept = [c for c in cells if (c.workers, c.size, c.people) in set(itertools.product(*ends))]
    cost = fitted(kept, options.clock)
    names = ("", "·people", "·Mpx", "·people·Mpx")
    text = " + ".join(f"{1000 * c:.2f}{n}" for c, n in zip(cost, names, strict=True))
    print(f"model of {options.clock} ms an image, from {len(kept)} cells: {text}")
    others = [c for c in cells if c not in kept]
    errors = []
    for cell in others:
        predicted, seen = float(terms(cell) @ cost), getattr(cell, options.clock)
        errors.append(abs(predicted / seen - 1))
        print(
            f"{cell.workers:7} {cell.size:5} {cell.people:6}  predicted {1000 * predicted:6.1f} "
            f"ms, measured {1000 * seen:6.1f} ms"
        )
    if others:
        print(f"off by {np.median(errors):.0%} in the median, {max(errors):.0%} at most")
    for workers in options.workers[1:]:
        alone = {(c.size, c.people): c.cpu for c in cells if c.workers == options.workers[0]}
        ratios = [c.cpu / alone[c.size, c.people] for c in cells if c.workers == workers]
        print(
            f"CPU time of an image, {workers} workers over {options.workers[0]}: "
            f"{np.median(ratios):.2f} in the median, {min(ratios):.2f} to {max(ratios):.2f}"
        )
    print(f"start-up to one finished image: {start[0]:.1f} s, {start[1]:.1f} s of CPU")
    one = float(np.array(terms(Cell(1, 512, 1, 0, 0))) @ cost)
    for cores in (1, 2, 8, 64, 640):
        seconds = start[options.clock == "cpu"] + 1e6 / cores * one
        print(f"  1,000,000 images of 512 px, one person, on {cores} cores: {seconds / 60:.1f} min")


def ends_of(values: list[int]) -> tuple[int, int]:
    return min(values), max(values)


def start_up() -> tuple[float, float]:
    """Wall and CPU seconds of `repogen generate --images 1` and the processes that it starts."""
    first_minute.adopt_orphans()
    with tempfile.TemporaryDirectory() as root:
        command = [sys.executable, "-m", "repogen", "generate", f"{root}/out", "--images", "1"]
        cpu, wall = first_minute.seconds([*command, "--backgrounds", "builtin"])
    return wall, cpu


def flat(options: argparse.Namespace) -> None:
    """Print the cost per image along one run, by number of images and by tenths."""
    config = GenerateConfig(
        images=options.images or 10_000, image_size=options.sizes[0], workers=1,
        backgrounds="builtin", wardrobe="painted",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as root:
        chunks = stamps(Path(root), config, 16)
        rows = np.concatenate([rows[:-1] for rows in chunks])
        merging = [
            (len(chunks[:count]) * 16, seconds_to_finish(DatasetFolder(Path(root)), count))
            for count in (len(chunks) // 10, len(chunks))
            if count
        ]
    steps = np.diff(rows, axis=0)
    print(f"one process, {config.camera.size[0]} px, {config.images} images")
    for count in (c for c in (100, 1000, 10_000, 100_000) if c <= config.images):
        wall, cpu, _ = 1000 * steps[:count].mean(axis=0)
        peak = rows[count - 1, 2]
        print(f"  the first {count:6}: {wall:7.2f} ms, {cpu:6.2f} ms of CPU, peak {peak:.0f} MB")
    for i, name in enumerate(("wall", "CPU")):
        tenths = [float(np.mean(tenth[:, i])) for tenth in np.array_split(steps, 10)]
        medians = [float(np.median(tenth[:, i])) for tenth in np.array_split(steps, 10)]
        print(
            f"  slowest tenth over fastest, {name}: {max(tenths) / min(tenths):.3f} of means, "
            f"{max(medians) / min(medians):.3f} of medians; last over first "
            f"{medians[-1] / medians[0]:.3f}"
        )
    for count, seconds in merging:
        print(f"  merging {count} images: {1e6 * seconds / count:.0f} µs of CPU an image")


def seconds_to_finish(folder: DatasetFolder, chunks: int) -> float:
    started = time.process_time()
    folder.finish(chunks, {"info": {}})
    return time.process_time() - started


MEMORY = {
    "folder written": ("write", "coco"),
    "shards written": ("write", "webdataset"),
    "folder to shards": ("convert", "coco"),
    "shards to folder": ("convert", "webdataset"),
    "folder read": ("read", "coco"),
    "shards read": ("read", "webdataset"),
}


def memory(options: argparse.Namespace) -> None:
    """Print the peak memory of new processes that write, convert and read datasets."""
    from repogen.generation.worker import SampleMaker

    config = GenerateConfig(images=1, workers=1, backgrounds="builtin", wardrobe="painted")
    made = replace(SampleMaker(config).make(0), files={})
    print(f"{'peak MB':>12}" + "".join(f"{name:>18}" for name in MEMORY))
    for count in options.records:
        print(f"{count:12,}", end="", flush=True)
        with tempfile.TemporaryDirectory(dir=options.scratch) as root:
            Path(root, "record.json").write_text(json.dumps(asdict(made)))
            for what, kind in MEMORY.values():
                command = [sys.executable, __file__, "child", what, kind, str(count), root]
                run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                                     stderr=subprocess.DEVNULL)  # fmt: skip
                print(f"{float(run.stdout):18.0f}", end="", flush=True)
        print()


def child(what: str, kind: str, count: int, root: Path) -> None:
    """Run one of `MEMORY` in this process and print its peak memory."""
    folder = ShardFolder(root / kind, 256) if kind == "webdataset" else DatasetFolder(root / kind)
    if what == "write":
        write(folder, count, Sample(**json.loads((root / "record.json").read_text())), kind)
    elif what == "convert":
        convert(str(folder.root), root / f"from-{kind}")
    elif kind == "coco":
        assert sum(1 for _ in read_entries(folder)) == count
    else:
        url = str(folder.root)
        for shard in read_manifest(url).shards:
            assert sum(1 for _ in unpack_shard(read_shard(url, shard), shard.name)) == shard.images
    print(peak_megabytes())


def write(folder: DatasetFolder, count: int, record: Sample, kind: str) -> None:
    config: dict[str, Any] = {"images": count, "write": [], "format": kind}
    write_run_info(folder, {"format": RUN_FORMAT, "config": config, "versions": {}})
    picture = os.urandom(_PICTURE_BYTES)

    def numbered(number: int) -> Sample:
        image = record.image | {"id": number, "file_name": f"{number:08d}.jpg"}
        return replace(record, image=image, files={PICTURE: picture})

    chunks = -(-count // folder.chunk)
    for chunk in range(chunks):
        first = chunk * folder.chunk + 1
        numbers = range(first, min(first + folder.chunk, count + 1))
        folder.write_chunk(chunk, map(numbered, numbers))
    folder.finish(chunks, {"info": {}})


PARTS = {"rates": rates, "flat": flat, "memory": memory}


def main() -> None:
    if sys.argv[1:2] == ["child"]:
        what, kind, count, root = sys.argv[2:]
        child(what, kind, int(count), Path(root))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", choices=list(PARTS), help="all of them without a name")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--people", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--images", type=int, help="of the run (flat), of a worker (rates)")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--records", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--scratch", help="a folder for the datasets of memory")
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    for part in [options.part] if options.part else PARTS:
        PARTS[part](options)


if __name__ == "__main__":
    main()
