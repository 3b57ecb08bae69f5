"""Images per second end to end, milliseconds per stage, and a comparison with pyrender.

    python benchmarks/generate.py --images 600 --workers 2 --backgrounds DIR
    python benchmarks/generate.py --backgrounds auto --wardrobe auto    # what generate does
    python benchmarks/generate.py --preset rare-views       # everything on
    python benchmarks/generate.py --preset ceiling-fisheye --people 5 --images 40
    python benchmarks/generate.py --against main --images 48    # CPU time over that of a commit

End to end is a whole run in a new process: its rate without start-up is the images by which a
long run is longer than a short one over the seconds it takes longer. Stages are CPU time of one
process. Every figure is a median, with its spread.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the workers

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import pyrender_way
from against import CASES, compare
from measuring import line

from repogen import GenerateConfig, load_body, sample_scene
from repogen.config import merged
from repogen.datasets.chunks import compact_json
from repogen.datasets.samples import encode_maps
from repogen.files import sha256_of_bytes
from repogen.generation.config import PRESETS
from repogen.labels.annotation import annotate
from repogen.pictures import encode_jpeg
from repogen.rendering import Renderer

MAPS = ("depth", "masks", "parts")
SHA256 = "SHA-256 of the picture and its record"


def run(images: int, workers: int, options: list[str]) -> float:
    """Seconds of one `repogen generate`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "repogen", "generate", f"{folder}/out",
            "--images", str(images), "--workers", str(workers), *options,
        ]  # fmt: skip
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - started


def end_to_end(images: int, workers: int, options: list[str]) -> tuple[float, float]:
    """Images per second without start-up, and the seconds of the whole long run."""
    short = 32 * workers
    begun, whole = run(short, workers, options), run(short + images, workers, options)
    return images / (whole - begun), whole


def stages(images: int, options: GenerateConfig) -> None:
    """Print the CPU milliseconds of each stage of an image, in one process with warm caches."""
    body = load_body()
    renderer = Renderer(body)
    for index in range(images):
        renderer.render(sample_scene(options, 0, index, body))
    spent: dict[str, list[float]] = {}
    timed = partial(measured, spent, time.process_time)
    for index in range(images):
        scene = timed("sample the scene, pose the body", sample_scene, options, 0, index, body)
        rendering = timed("render", renderer.render, scene)
        annotations = timed("label", annotate, rendering)
        picture = timed("JPEG", encode_jpeg, rendering.image)
        record = f"{compact_json(annotations)}{scene.to_json()}".encode()
        timed(SHA256, hash_sample, picture, record)
        timed("depth, masks, parts as PNG", encode_maps, rendering, annotations, MAPS)
    for name, values in spent.items():
        line(name, values, "ms")
    del spent["depth, masks, parts as PNG"]
    whole = np.sum(list(spent.values()), axis=0)
    line("an image with its labels, without maps", whole, "ms")
    line("  of it SHA-256", 100 * np.array(spent[SHA256]) / whole, "%")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'peak memory of one process':<42} {peak:7.0f} MB")


def hash_sample(picture: bytes, record: bytes) -> None:
    """What a run hashes of a sample: the picture once; the record when it is written, at each of
    three readings by the merge, and in the finished file."""
    sha256_of_bytes(picture)
    for _ in range(5):
        sha256_of_bytes(record)


def originals_way(images: int, options: GenerateConfig, spent: dict[str, list[float]]) -> float:
    """Images per second with pyrender; adds the milliseconds of its stages to `spent`."""
    body = load_body()
    timed = partial(measured, spent, time.perf_counter)
    started = {name: len(values) for name, values in spent.items()}
    for index in range(images):
        scene = sample_scene(options, 0, index, body)
        posed = timed("  a new body model, posed", pyrender_way.new_model, scene)
        pixels = timed("  pyrender", pyrender_way.picture, scene.camera, posed, body.surface)
        timed("  background and JPEG", pyrender_way.finished, scene, *pixels)
    own = [values[started.get(name, 0) :] for name, values in spent.items()]
    return 1000 / float(np.median(np.sum(own, axis=0)))


def measured(
    spent: dict[str, list[float]],
    clock: Callable[[], float],
    name: str,
    call: Callable[..., Any],
    *arguments: Any,
) -> Any:
    """The result of `call`; adds its milliseconds to `spent`."""
    started = clock()
    result = call(*arguments)
    spent.setdefault(name, []).append(1000 * (clock() - started))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--backgrounds", default="builtin")
    parser.add_argument("--wardrobe", default="painted")
    parser.add_argument("--preset", choices=list(PRESETS))
    parser.add_argument("--people", type=int, help="in every picture, in place of the preset's")
    parser.add_argument("--against", metavar="REV", help="compare with this commit, and end")
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    options = parser.parse_args()
    if options.against:
        compare(options.against, options.images, options.repeats, options.cases)
        return
    chosen = {
        "environment": {"backgrounds": options.backgrounds},
        "people": {"wardrobe": options.wardrobe},
    }
    flags = ["--backgrounds", options.backgrounds, "--wardrobe", options.wardrobe]
    if options.preset:
        chosen, flags = PRESETS[options.preset], ["--preset", options.preset]
    if options.people:
        chosen = merged(chosen, {"people": {"people": (options.people, options.people)}})
        flags = [*flags, "--people", str(options.people), str(options.people)]
    config = GenerateConfig(**(chosen | {"images": options.images}))
    what = options.preset or f"{options.backgrounds}, {options.wardrobe} clothes"
    print(f"{platform.machine()}, {platform.python_version()}, {config.camera.size[0]} px, {what}")
    stages(min(options.images, 200), config)
    line("warm start to one finished image", [run(1, 1, flags) for _ in range(3)], "s")
    why_not = "other pictures" if options.preset else pyrender_way.available()
    spent: dict[str, list[float]] = {}
    rates: dict[str, list[float]] = {"JPEG + annotations": [], "+ depth, masks, parts": []}
    totals, ratios = [], []
    for _ in range(options.repeats):  # alternating, since the speed of a machine varies
        rate, total = end_to_end(options.images, options.workers, flags)
        rates["JPEG + annotations"].append(rate)
        totals.append(total)
        if why_not is None:
            ratios.append(rate / originals_way(10, config, spent))
        rate, _ = end_to_end(options.images, options.workers, [*flags, "--write", *MAPS])
        rates["+ depth, masks, parts"].append(rate)
    line(f"{options.images + 32 * options.workers} images, start to end", totals, "s")
    for name, values in rates.items():
        line(name, values, "images/s")
    if why_not is not None:
        print(f"the original's way: skipped, {why_not}")
        return
    print("the original's way, one image")
    for name, values in spent.items():
        line(name, values, "ms")
    line("as fast as the original's way", ratios, "times")


if __name__ == "__main__":
    main()
