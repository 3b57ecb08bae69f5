"""Wall and CPU time of each step from `pip install` to the first picture.

    python benchmarks/first_minute.py                     # help and a first picture, caches warm
    python benchmarks/first_minute.py --cold              # then with empty caches
    python benchmarks/first_minute.py --cold --install    # all in a new environment; sizes, too

Every step is a process of its own. A machine that does other work lengthens the seconds, hardly
those of the processor; both are medians. With --install the help and the pictures are those of the
new environment.
"""

import argparse
import contextlib
import ctypes
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
HELP = ("", "info", "validate", "convert", "predict", "assets", "evaluate", "train", "generate")
PICTURE = ("--images", "1", "--workers", "1")
SMALL_MB = 3
"""Packages below this size are one row of the table."""

SIZES = """
import importlib.metadata, json, pathlib
print(json.dumps({d.name: sum(
    p.stat().st_size for f in d.files or () if (p := pathlib.Path(d.locate_file(f))).is_file()
) for d in importlib.metadata.distributions()}))
"""


def seconds(command: list[str], env: dict[str, str] | None = None) -> tuple[float, float]:
    """CPU seconds, of the process and all that it starts, and wall seconds."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=os.environ | (env or {}))
    wall = time.perf_counter() - started
    with contextlib.suppress(ChildProcessError):
        while True:  # what outlives the process by a moment: `adopt_orphans`
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def adopt_orphans() -> None:
    """Let processes whose parent has ended become children of this one, so that their CPU time
    counts; only on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def measure(name: str, repeats: int, once: Callable[[], tuple[float, float]]) -> None:
    """Print the medians of `once`, and the least and the most wall seconds."""
    rows = np.array([once() for _ in range(repeats)])
    processor, clock = np.median(rows, axis=0)
    spread = f" ({rows[:, 1].min():.2f} to {rows[:, 1].max():.2f}, n = {repeats})"
    print(
        f"{name:<46} {processor:7.2f} s of the processor {clock:8.2f} s in all"
        + spread * (repeats > 1),
        flush=True,
    )


def imports(python: str, verb: str) -> list[tuple[str, float]]:
    """Packages that a command imports, with the seconds of each."""
    command = [python, "-X", "importtime", "-c", f"import repogen.commands.{verb}"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    spent: Counter[str] = Counter()
    for line in said.splitlines():
        own, _, name = line.removeprefix("import time:").partition("|")
        if own.strip().isdecimal():
            spent[name.split("|")[1].strip().split(".")[0]] += int(own)
    return [(name, total / 1e6) for name, total in spent.most_common()]


def install(folder: Path) -> str:
    """Make an environment, install the wheel and print what it took; returns its Python."""
    environment = folder / "environment"
    python = str(environment / "bin" / "python")
    pip = [python, "-m", "pip", "install", "-q", "-c", str(ROOT / "constraints.txt"), str(ROOT)]
    measure("python -m venv", 1, lambda: seconds([sys.executable, "-m", "venv", str(environment)]))
    before = size_of(environment)
    measure("pip install .", 1, lambda: seconds(pip))
    print(f"installed: {size_of(environment) - before:,.0f} MB, beside {before:.0f} MB of pip")
    print_sizes(python)
    wheel = [python, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)]
    subprocess.run(wheel, check=True, capture_output=True)
    print(f"wheel: {next(folder.glob('*.whl')).stat().st_size / 1e6:.1f} MB")
    return python


def print_sizes(python: str) -> None:
    """Print the size of each package of an environment, with its compiled Python files."""
    said = subprocess.run([python, "-c", SIZES], check=True, capture_output=True, text=True).stdout
    sizes = {name: size / 1e6 for name, size in json.loads(said).items()}
    for gone in ("pip", "setuptools"):
        sizes.pop(gone, None)
    for name in sorted(sizes, key=sizes.__getitem__, reverse=True):
        if sizes[name] >= SMALL_MB:
            print(f"  {name:<30} {sizes[name]:6.0f} MB")
    small = [size for size in sizes.values() if size < SMALL_MB]
    print(f"  {f'{len(small)} others':<30} {sum(small):6.0f} MB")


def size_of(folder: Path) -> float:
    """Size of a folder's files in MB."""
    return sum(f.lstat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6


def measure_pictures(python: str, folder: Path, repeats: int, cold: bool) -> None:
    """Print the cost of a first picture with warm and, if `cold`, with empty caches."""
    count = 0

    def picture(kernels: str) -> tuple[float, float]:
        nonlocal count
        count += 1
        words = [python, "-m", "repogen", "generate", str(folder / f"picture-{count}"), *PICTURE]
        new = {"REPOGEN_CACHE": str(folder / "cache"), "REPOGEN_ASSETS": str(folder / "packs")}
        return seconds(words, new | {"WARP_CACHE_PATH": str(folder / kernels.format(count))})

    if cold:
        measure("first picture, caches empty", repeats, lambda: picture("cold-{}"))
        print(f"kept: kernels of {size_of(folder / 'cold-1'):.1f} MB")
    picture("warm")
    measure("first picture, caches warm", repeats, lambda: picture("warm"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cold", action="store_true", help="also with empty caches")
    parser.add_argument("--install", action="store_true", help="with pip, into a new environment")
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    adopt_orphans()
    print(f"load when it began: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = install(folder) if options.install else sys.executable
        measure_pictures(python, folder, options.repeats, options.cold)
        measure("python -c pass", options.repeats, lambda: seconds([python, "-c", "pass"]))
        for verb in HELP:
            words = [*([verb] if verb else []), "--help"]
            command = [python, "-m", "repogen", *words]
            measure(
                "repogen " + " ".join(words), options.repeats, lambda words=command: seconds(words)
            )
        found = imports(python, "generate")
        total = sum(spent for _, spent in found)
        shares = ", ".join(f"{name} {100 * spent / total:.0f} %" for name, spent in found[:6])
        print(f"what generate --help imports: {shares}")


if __name__ == "__main__":
    main()
