"""Benchmark: forward crops per second, milliseconds to decode a person and to score 2,000.

    python benchmarks/inference.py

The forward pass uses all cores, decoding and scoring one.
"""

import argparse
import os
import platform
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from measuring import gflop, line, most_gflops, rates

from repogen.coco.annotations import PersonAnnotations
from repogen.evaluation.scores import evaluate_estimates
from repogen.inference.estimate import Estimates
from repogen.inference.network import load_estimator, torch_estimator
from repogen.models import build_model
from repogen.models.heatmaps import heatmaps_to_joints, joints_to_heatmaps
from repogen.models.onnx import export_onnx


def synthetic_set(rng: np.random.Generator, persons: int) -> tuple[PersonAnnotations, Estimates]:
    """A synthetic set of one person per image, and estimates with errors of some pixels."""
    joints = rng.uniform(50, 450, (persons, 17, 2))
    keypoints = np.concatenate([joints, np.full((persons, 17, 1), 2.0)], axis=2)
    low, high = joints.min(axis=1), joints.max(axis=1)
    index = np.arange(persons)
    people = PersonAnnotations(
        name="synthetic", root=Path(), files=("",) * persons,
        sizes=np.full((persons, 2), 500), image_ids=index, image=index, ids=index,
        boxes=np.concatenate([low, high - low], axis=1),
        areas=np.prod(high - low, axis=1) * 0.6, keypoints=keypoints,
        crowd=np.zeros(persons, dtype=bool), records=({"category_id": 1},) * persons,
        views=np.full((persons, 3), np.nan), rendered=np.zeros(persons, dtype=bool),
    )  # fmt: skip
    off = joints + rng.normal(0, 8, joints.shape)
    estimates = Estimates(
        keypoints=np.concatenate([off, rng.uniform(0, 1, (persons, 17, 1))], axis=2),
        scores=rng.uniform(0, 1, persons), image=index, person=index,
        kept=np.ones(persons, dtype=bool),
    )  # fmt: skip
    return people, estimates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--batch", type=int, default=16)
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, torch {torch.__version__}")
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (options.batch, 256, 192, 3), dtype=np.uint8)
    most = most_gflops(options.repeats)
    print(f"float32 products reach {most:.0f} GFLOP/s here")
    for name in ("vitpose-s", "tiny"):
        model = build_model(name).eval()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.onnx"
            export_onnx(model, path, name)
            for label, estimator in (
                ("torch", torch_estimator(model)),
                ("ONNX", load_estimator(path)),
            ):
                call = partial(estimator, crops)
                speed = rates(call, options.batch, options.repeats, time.perf_counter)
                line(f"{name} forward, {label}", speed, "crops/s")
            cost = gflop(partial(torch_estimator(model), crops)) / options.batch
            print(f"  {cost:.2f} GFLOP a crop: no more than {most / cost:.1f} crops/s in float32")
    maps = joints_to_heatmaps(torch.tensor(rng.uniform(5, 180, (64, 17, 2)))).numpy()
    decoded = rates(partial(heatmaps_to_joints, maps), 64, options.repeats, time.perf_counter)
    line("decoding a person", [1000 / rate for rate in decoded], "ms")
    people, estimates = synthetic_set(rng, 2000)
    for samples in (0, 1000):
        call = partial(evaluate_estimates, people, estimates, bootstrap_samples=samples)
        scored = rates(call, 1, options.repeats, time.perf_counter)
        line(
            f"scoring 2,000 persons, {samples} draws",
            [1000 / rate for rate in scored],
            "ms",
        )


if __name__ == "__main__":
    main()
