"""Wall and CPU time of each step from `pip install` to the first picture.

    python benchmarks/first_minute.py              # help and a first picture, all caches warm
    python benchmarks/first_minute.py --cold       # then with no kernel compiled and no body built
    python benchmarks/first_minute.py --install    # then in a new environment: pip's part of it

Every step is a process of its own. A machine that does other work lengthens the seconds, hardly
those of the processor; both are medians.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

HELP = ("", "info", "validate", "convert", "predict", "assets", "evaluate", "train", "generate")
PICTURE = ("--images", "1", "--workers", "1")


def cost(
    command: list[str], repeats: int, env: dict[str, str] | None = None
) -> tuple[float, float]:
    """Median CPU seconds, of the process and its children, and median wall seconds."""
    rows = []
    for _ in range(repeats):
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=os.environ | (env or {}))
        after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - started
        rows.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall))
    processor, clock = np.median(rows, axis=0)
    return float(processor), float(clock)


def print_cost(name: str, processor: float, clock: float) -> None:
    print(f"{name:<46} {processor:7.2f} s of the processor {clock:8.2f} s in all", flush=True)


def picture(folder: str, name: str, env: dict[str, str] | None = None) -> None:
    """Generate one picture and print its cost."""
    out = f"{folder}/{name.replace(' ', '-')}"
    command = [sys.executable, "-m", "repogen", "generate", out, *PICTURE]
    print_cost(f"first picture, {name}", *cost(command, 1, env))


def imports(verb: str) -> list[tuple[str, float]]:
    """Packages that a command imports, with the seconds of each."""
    command = [sys.executable, "-X", "importtime", "-c", f"import repogen.commands.{verb}"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    seconds: Counter[str] = Counter()
    for line in said.splitlines():
        own, _, name = line.removeprefix("import time:").partition("|")
        if own.strip().isdecimal():
            seconds[name.split("|")[1].strip().split(".")[0]] += int(own)
    return [(name, spent / 1e6) for name, spent in seconds.most_common()]


def size_of(folder: Path) -> float:
    """Size of a folder's files in MB."""
    return sum(f.lstat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--cold", action="store_true", help="without any cache, which takes minutes"
    )
    parser.add_argument("--install", action="store_true", help="with pip, into a new environment")
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print_cost("python -c pass", *cost([sys.executable, "-c", "pass"], options.repeats))
    for verb in HELP:
        words = [*([verb] if verb else []), "--help"]
        command = [sys.executable, "-m", "repogen", *words]
        print_cost("repogen " + " ".join(words), *cost(command, options.repeats))
    found = imports("generate")
    total = sum(seconds for _, seconds in found)
    shares = ", ".join(f"{name} {100 * seconds / total:.0f} %" for name, seconds in found[:6])
    print(f"what generate --help imports: {shares}")
    with tempfile.TemporaryDirectory() as folder:
        picture(folder, "caches warm")
        if options.cold:
            kernels = f"{folder}/kernels"
            picture(folder, "kernels to be compiled", {"WARP_CACHE_PATH": kernels})
            print(f"kept: kernels of {size_of(Path(kernels)):.1f} MB")
        if options.install:
            new, root = f"{folder}/env", Path(__file__).parents[1]
            print_cost("python -m venv", *cost([sys.executable, "-m", "venv", new], 1))
            pip = [
                f"{new}/bin/pip",
                "install",
                "-q",
                "-c",
                str(root / "constraints.txt"),
                str(root),
            ]
            print_cost("pip install", *cost(pip, 1))
            print(f"installed: {size_of(Path(new)):,.0f} MB")


if __name__ == "__main__":
    main()
