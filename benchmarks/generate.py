"""Images per second end to end, milliseconds per stage, and the original's way beside them.

    python benchmarks/generate.py --images 300 --workers 2 --backgrounds DIR

End to end means a whole run in a new process, start-up included and left out; stages are CPU
time of one process, medians with quartiles.
"""

import argparse
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import pyrender_way

from repogen import GenerateConfig, label, load_body, sample_scene
from repogen.datasets.folder import encode_jpeg
from repogen.generation.worker import encoded_maps
from repogen.rendering import Renderer

ORIGINAL = "the original's way: pyrender"


def end_to_end(name: str, images: int, workers: int, backgrounds: str, write: list[str]) -> float:
    """Run `repogen generate` twice, short and long: the difference is free of start-up."""
    times = {}
    for count in (16 * workers, 16 * workers + images):
        with tempfile.TemporaryDirectory() as folder:
            command = [
                sys.executable, "-m", "repogen", "generate", f"{folder}/out",
                "--images", str(count), "--workers", str(workers), "--backgrounds", backgrounds,
                *(["--write", *write] if write else []),
            ]  # fmt: skip
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times[count] = time.perf_counter() - started
    short, long = times[min(times)], times[max(times)]
    rate = images / (long - short)
    print(f"{name:<34} {rate:6.1f} images/s   ({max(times) / long:.1f} with start-up)")
    return rate


def first_image(backgrounds: str) -> None:
    """Seconds from the command to one finished image, everything cached."""
    times = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "repogen", "generate", f"{folder}/out", "--images", "1",
                 "--workers", "1", "--backgrounds", backgrounds],
                check=True, capture_output=True,
            )  # fmt: skip
            times.append(time.perf_counter() - started)
    print(f"{'warm start to a finished image':<34} {np.median(times):6.1f} s")


def stages(images: int, backgrounds: str) -> dict[str, float]:
    """CPU milliseconds of each stage of one image; returns the medians."""
    config = GenerateConfig(images=images, backgrounds=backgrounds)
    body = load_body()
    renderer = Renderer(body)
    spent: dict[str, list[float]] = {}

    def timed(name: str, call: Callable[..., Any], *arguments: Any) -> Any:
        started = time.process_time()
        result = call(*arguments)
        spent.setdefault(name, []).append(1000 * (time.process_time() - started))
        return result

    maps = ("depth", "masks", "parts")
    for index in range(images):
        scene = timed("sample the scene, pose the body", sample_scene, config, 0, index, body)
        rendering = timed("render", renderer.render, scene)
        annotations = timed("label", label, rendering)
        timed("JPEG", encode_jpeg, rendering.image)
        timed("depth, masks, parts PNG", encoded_maps, rendering, annotations, maps)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    why_not = pyrender_way.available()
    for index in range(min(images, 40) if why_not is None else 0):
        scene = sample_scene(config, 0, index, body)
        timed(ORIGINAL, pyrender_way.picture, scene, renderer.render(scene))
    for name, values in spent.items():
        low, middle, high = np.percentile(values[1:], [25, 50, 75])
        spread = f"(quartiles {low:.1f} to {high:.1f}, n={len(values) - 1})"
        print(f"{name:<34} {middle:6.1f} ms   {spread}")
    if why_not is not None:
        print(f"{ORIGINAL:<34} skipped: {why_not}")
    print(f"{'peak memory of this process':<34} {peak:6.0f} MB")
    return {name: float(np.median(values)) for name, values in spent.items()}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--backgrounds", default="builtin")
    options = parser.parse_args()
    print(f"{platform.machine()}, {platform.python_version()}, 512 px, {options.backgrounds}")
    load_body()
    median = stages(min(options.images, 200), options.backgrounds)
    first_image(options.backgrounds)
    for name, write in (
        ("JPEG + annotations", []),
        ("+ depth, masks, parts", ["depth", "masks", "parts"]),
    ):
        end_to_end(
            f"{options.workers} workers, {name}",
            options.images,
            options.workers,
            options.backgrounds,
            write,
        )
    theirs = median.get(ORIGINAL)
    if theirs:
        ours = median["render"]
        print(f"{'rendering, original / ours':<34} {theirs / ours:6.1f} x")  # fmt: skip


if __name__ == "__main__":
    main()
