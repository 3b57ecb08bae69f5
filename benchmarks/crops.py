"""Benchmark: training crops that one core prepares, beside kornia's functions and another commit.

    python benchmarks/crops.py                      # of 96 generated pictures of 512 px
    python benchmarks/crops.py --against REV
    python benchmarks/crops.py --data coco=person_keypoints_val2017.json:val2017

A crop is all that a worker process does for one: reading, decoding, augmentation, joints. Each way
is a process of its own; they take turns, a few crops at a time, and CPU time counts. Kornia is not
installed with repogen: `pip install --no-deps kornia kornia_rs` in an environment of its own, or
with --target FOLDER and PYTHONPATH=FOLDER. Without it its rows are left out.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from against import ROOT, checked_out
from measuring import line

NETWORKS: dict[str, dict[str, Any]] = {
    "ViTPose, 192 x 256": {},
    "MoveNet, 192 x 192": {
        "crop": (192, 192), "padding": 1.15, "rotation": 180.0, "rotated": 0.8, "half_body": 0.0,
        "scale": 0.25,
    },
}  # fmt: skip
"""Options of `Augmentation` that `repogen train` sets."""

WAYS = ("then", "kornia", "first", "later")
"""Another commit; kornia; here in the first epoch, where every picture is decoded; and here in
later epochs, where decoded pictures are kept (`--picture-cache`)."""

_COMPARED = 200
"""Crops that are compared with those of the other commit."""

_BLOCK = 100
"""Crops that a process makes before it is the next one's turn."""


class Maker:
    """A process that prepares crops one of `WAYS`, with the package below `root`."""

    def __init__(self, root: Path, way: str, spec: str) -> None:
        paths = str(root / "src"), *filter(None, [os.environ.get("PYTHONPATH")])
        self._process = subprocess.Popen(
            [sys.executable, __file__, "child", way, spec],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        )

    def rate(
        self, options: dict[str, Any], first: int, count: int = _BLOCK, file: str = ""
    ) -> float:
        """Crops per CPU second of crops `first` to `first + count - 1`, saved in a `file` if it is
        named."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([options, first, count, file]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"a process ended with status {self._process.wait()}")
        return float(answer)

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def child(way: str, spec: str) -> None:
    """Prepare crops whenever a line asks for some, and answer with their number per CPU second."""
    from repogen.coco.augmentation import Augmentation
    from repogen.coco.images import training_crop
    from repogen.datasets.sets import read_set

    cv2.setNumThreads(0)
    people = read_set(spec).trainable()
    pictures = None
    if way == "kornia":
        import kornia_way

        kornia_way.available()
    if way == "later":
        from repogen.coco.decoded import DecodedPictures

        pictures = DecodedPictures(people.sizes, people.image, 4 * 10**9)
    for request in sys.stdin:
        options, first, count, file = json.loads(request)
        options["crop"] = tuple(options.get("crop", (192, 256)))
        how = Augmentation(**options)
        started, made = time.process_time(), []
        for number in range(first, first + count):
            rng = np.random.default_rng([0, number])
            person = number % len(people)
            if way == "kornia":
                kornia_way.crop_of(rng, people, person, how)
            else:
                crop = np.ascontiguousarray(training_crop(rng, people, person, how, pictures).crop)
                if file:
                    made.append(crop)
        if file:
            np.save(file, np.stack(made))
        print(count / (time.process_time() - started), flush=True)


def main() -> None:
    if sys.argv[1:2] == ["child"]:
        child(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="a set, as --train of repogen train takes it")
    parser.add_argument("--against", help="a commit to compare with")
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        spec = options.data
        if spec is None:
            command = [sys.executable, "-m", "repogen", "generate", f"{folder}/s", "--images", "96"]
            subprocess.run(command, check=True, capture_output=True)
            spec = f"s={folder}/s"
        with checked_out(options.against) if options.against else nullcontext() as before:
            compare(spec, before, options.repeats)


def compare(spec: str, before: Path | None, repeats: int) -> None:
    """Print the crops of each way, and how many times as many they are here."""
    import kornia_way

    why = kornia_way.available()
    if why:
        print(f"kornia is left out: {why}")
    roots = {"then": before, "kornia": None if why else ROOT, "first": ROOT, "later": ROOT}
    makers = {way: Maker(root, way, spec) for way in WAYS if (root := roots[way]) is not None}
    for network, own in NETWORKS.items():
        for degrade in (False, True):
            print(f"{network}{', degraded' if degrade else ''}")
            print_rates(makers, own | {"degrade": degrade}, repeats)
    if "then" in makers:
        for network, own in NETWORKS.items():
            print_agreement(network, makers, own | {"jitter": 0.0, "degrade": False})
    for maker in makers.values():
        maker.end()


def print_agreement(network: str, makers: dict[str, Maker], options: dict[str, Any]) -> None:
    """Print by how much crops without random colours differ from those of the other commit."""
    with tempfile.TemporaryDirectory() as folder:
        for way in ("then", "later"):
            makers[way].rate(options, 0, _COMPARED, f"{folder}/{way}.npy")
        then, now = (np.load(f"{folder}/{way}.npy").astype(int) for way in ("then", "later"))
    off = np.abs(now - then)
    errors = np.maximum((off**2).mean(axis=(1, 2, 3)), 1e-9)
    print(
        f"{network}, {_COMPARED} crops without random colours, then and now: at most {off.max()} "
        f"grey levels apart, {100 * (off > 0).mean():.4f} % of the values, "
        f"PSNR at least {10 * np.log10(255**2 / errors.max()):.0f} dB"
    )


def print_rates(makers: dict[str, Maker], options: dict[str, Any], repeats: int) -> None:
    rates: dict[str, list[float]] = {way: [] for way in makers}
    makers["later"].rate(options, 0, 10 * _BLOCK)  # until what it needs is decoded
    for repeat in range(repeats):
        for way, maker in makers.items():
            rates[way].append(maker.rate(options, repeat * _BLOCK))
    for way, values in rates.items():
        line(f"  {way}", values, "crops/s")
    for base in [way for way in ("then", "kornia") if way in makers]:
        for way in ("first", "later"):
            ratios = np.divide(rates[way], rates[base])
            line(f"  {way} over {base}", ratios, "times")


if __name__ == "__main__":
    main()
