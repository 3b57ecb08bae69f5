"""Benchmark: crops trained per second on all cores; `crops.py` says how fast they are prepared.

    python benchmarks/training.py

Live images are generated while `tiny` trains on them (--train NAME=live:OPTIONS.toml). A training
step is forward, loss, backward and AdamW on ready crops.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from measuring import gflop, line, most_gflops, rates

from repogen.models import build_model
from repogen.models.movenet import VARIANTS
from repogen.training.batches import crop_of
from repogen.training.loop import train, training_loss
from repogen.training.optimizer import ChannelScaledAdamW, freeze_layers, parameter_groups

MODELS = ("vitpose-s", "tiny", "movenet-lightning", "movenet-thunder")


def trainer(name: str, batch: int, precision: torch.dtype | None):
    """A function that takes one optimisation step on random crops."""
    rng = np.random.default_rng(0)
    (width, height), _ = crop_of(name)
    crops = torch.from_numpy(rng.integers(0, 256, (batch, height, width, 3), dtype=np.uint8))
    joints = torch.from_numpy(np.full((batch, 17, 3), 96.0, dtype=np.float32))
    model = build_model(name).to(memory_format=torch.channels_last).train()
    is_movenet = name in VARIANTS
    freeze_layers(model, 4 if is_movenet else 0, name)
    kind = ChannelScaledAdamW if is_movenet else torch.optim.AdamW
    optimizer = kind(parameter_groups(model, 1e-5, 0.1, 0.8))

    def step() -> None:
        with torch.autocast("cpu", precision, enabled=precision is not None):
            loss = training_loss(model, is_movenet, crops, joints)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def live(folder: Path, workers: int, epochs: int, crops: int) -> list[dict[str, float]]:
    """The log of `tiny` trained on live images from `workers` worker processes, without the first
    epoch, which includes their start."""
    options = folder / "live.toml"
    options.write_text(
        '[camera]\nimage-size = 256\nviews = ["sphere"]\n[people]\nwardrobe = "painted"\n'
        '[environment]\nbackgrounds = "builtin"\n'
    )
    out = folder / f"run{workers}"
    train(
        out, train=f"made=live:{options}:{crops}", model="tiny", batch_size=16, warmup=10,
        epochs=epochs + 1, workers=workers,
    )  # fmt: skip
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()][1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--models", nargs="+", default=MODELS, help="networks to train")
    options = parser.parse_args()
    cv2.setNumThreads(0)
    print(f"{platform.machine()}, {os.cpu_count()} processors, torch {torch.__version__}")
    precisions: dict[str, torch.dtype | None] = {"float32": None}
    if torch.cpu._is_avx512_bf16_supported():  # in emulation it is many times slower
        precisions["bfloat16"] = torch.bfloat16
    with tempfile.TemporaryDirectory() as folder:
        for workers in (0, 1):
            log = live(Path(folder), workers, min(options.repeats, 3), 256)
            line(f"tiny on live images, {workers} loaders", [e["crops_a_second"] for e in log],
                 "crops/s")  # fmt: skip
            line("  the trainer waited", [100 * e["waited"] for e in log], "%")
    most = most_gflops(options.repeats)
    print(f"float32 products reach {most:.0f} GFLOP/s here")
    for name in options.models:
        for label, precision in precisions.items():
            step = trainer(name, options.batch, precision)
            speed = rates(step, options.batch, options.repeats, time.perf_counter)
            line(f"{name} trained in {label}", speed, "crops/s")
        cost = gflop(step) / options.batch
        print(f"  {cost:.2f} GFLOP a crop: no more than {most / cost:.1f} crops/s in float32")


if __name__ == "__main__":
    main()
