"""Kernel launches, uploads and read-backs of an image, by stage and by the file that asks for them.

    python benchmarks/device_traffic.py
    python benchmarks/device_traffic.py --preset ceiling-fisheye --people 5 --images 8

On a GPU each costs microseconds, however small it is, and a read-back waits for all before it. An
upload is an array made from NumPy's values, a read-back one that NumPy looks at. They are counted
at Warp's functions, so that the CPU, where nothing is copied, gives the same counts. What is
uploaded once and kept, as bodies, textures and panoramas are, is left out: every image is made once
before.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, cast

import numpy as np

import repogen
from repogen import GenerateConfig
from repogen.config import merged
from repogen.datasets.samples import rendering_to_sample
from repogen.generation.config import PRESETS
from repogen.generation.worker import SampleMaker
from repogen.scenes.sample.scene import sample_posed_scene
from repogen.warp_setup import wp

ROOT = Path(repogen.__file__).parent
KINDS = ("launches", "uploads", "read-backs", "uploaded MB", "read MB")
STAGES = ("sample and pose", "render", "label and encode")
WRAPPERS = ("rendering/buffers.py",)
"""Files that pass on what others ask for."""

Counts = Counter[tuple[str, str]]
"""By kind, and by the stage or the file."""


def asking_file() -> str:
    """The innermost file of repogen that the current call comes from, but for `WRAPPERS`."""
    frame = sys._getframe(1)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if (
            path.is_relative_to(ROOT)
            and (name := path.relative_to(ROOT).as_posix()) not in WRAPPERS
        ):
            return name
        frame = cast(Any, frame.f_back)
    return "elsewhere"


@contextmanager
def counted(counts: Counts) -> Iterator[None]:
    """While the block runs, add what Warp is asked for to `counts`, by file."""

    def count(kind: str, size: int = 0) -> None:
        file = asking_file()
        counts[kind, file] += 1
        if kind != "launches":
            counts["uploaded MB" if kind == "uploads" else "read MB", file] += size

    def counting(function: Callable, before: Callable) -> Callable:
        @wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            before(*arguments, **options)
            return function(*arguments, **options)

        return call

    def upload(_array: wp.array, data: Any = None, *_: Any, **__: Any) -> None:
        if data is not None:
            count("uploads", np.asarray(data).nbytes)

    array, launch, make, read = wp.array, wp.launch, wp.array.__init__, wp.array.numpy
    wp.launch = counting(launch, lambda *_, **__: count("launches"))
    array.__init__ = counting(make, upload)
    array.numpy = counting(read, lambda own: count("read-backs", own.capacity))
    try:
        yield
    finally:
        wp.launch, array.__init__, array.numpy = launch, make, read


def traffic(config: GenerateConfig) -> tuple[Counts, Counts]:
    """Counts of all images of a run, by stage and by file."""
    maker = SampleMaker(config)
    for index in range(config.images):
        maker.make(index)
    stages: Counts = Counter()
    files: Counts = Counter()

    def count(stage: str, call: Callable, *arguments: Any) -> Any:
        own: Counts = Counter()
        with counted(own):
            result = call(*arguments)
        files.update(own)
        for (kind, _), number in own.items():
            stages[kind, stage] += number
        return result

    for index in range(config.images):
        sampled = count(STAGES[0], sample_posed_scene, config, config.seed, index, maker.body)
        rendering = count(STAGES[1], maker.renderer.render, sampled.scene, sampled.people)
        count(STAGES[2], rendering_to_sample, rendering, config.output)
    return stages, files


def print_table(title: str, counts: Counts, names: list[str], images: int) -> None:
    """Print a row of numbers an image for each name, and their sums."""
    print(f"{title:<36}" + "".join(f"{kind:>13}" for kind in KINDS))
    for name in [*names, "all"]:
        values = [
            sum(n for (k, own), n in counts.items() if k == kind and name in (own, "all")) / images
            for kind in KINDS
        ]
        texts = [
            f"{v / 1e6:13.2f}" if "MB" in k else f"{v:13.1f}"
            for k, v in zip(KINDS, values, strict=True)
        ]
        print(f"  {name:<34}" + "".join(texts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--preset", choices=list(PRESETS))
    parser.add_argument("--people", type=int, help="in every picture, in place of the preset's")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    options = parser.parse_args()
    chosen = dict(PRESETS[options.preset]) if options.preset else {}
    if options.people:
        chosen = merged(chosen, {"people": {"people": (options.people, options.people)}})
    config = GenerateConfig(**(chosen | {"images": options.images, "device": options.device}))
    stages, files = traffic(config)
    print(
        f"{options.preset or 'default'}, {options.images} images, {options.device}: an image needs"
    )
    print_table("by stage", stages, list(STAGES), options.images)
    order = Counter({f: sum(n for (k, o), n in files.items() if o == f and "MB" not in k)
                     for _, f in files})  # fmt: skip
    print_table("by file", files, [name for name, _ in order.most_common()], options.images)


if __name__ == "__main__":
    main()
