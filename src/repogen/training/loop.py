"""One run of training, from top to bottom."""

import json
import math
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from repogen.datasets.crops import Augmentation
from repogen.datasets.folder import write_whole
from repogen.datasets.people import People
from repogen.datasets.samples import readable, training_sample
from repogen.datasets.sets import Mix, read_mix, read_set
from repogen.errors import UserError
from repogen.evaluation.scores import evaluate_estimates
from repogen.inference.estimate import estimate_people
from repogen.inference.network import network
from repogen.models import build_model
from repogen.models.heatmaps import joints_to_heatmaps
from repogen.models.pixels import normalize
from repogen.models.weights import blended, load_into, read_weights, save_weights
from repogen.training.config import TrainConfig
from repogen.training.optimizer import averaged_into, parameter_groups, rate_at


def train(config: TrainConfig) -> Path:
    """Train a model and write its run folder: best.safetensors, last.safetensors, run.json,
    log.jsonl (a line an epoch), steps.jsonl (a line a step), curve.png; returns the folder.

    A run that was stopped goes on from its last epoch with the same losses as if it had not
    been. Raises `UserError` for input a person can mend, and when a loss is no number.
    """
    out = config.out
    cv2.setNumThreads(0)  # processes forked from one whose OpenCV has threads wait for them forever
    mix = _with_images(read_mix(config.train))
    tests = [_readable(read_set(spec)) for spec in config.val]
    accelerator = Accelerator(mixed_precision=_precision(), cpu=not torch.cuda.is_available())
    torch.manual_seed(config.seed)
    model = build_model(config.model)
    start = _start(model, config)
    optimizer = torch.optim.AdamW(
        parameter_groups(model, config.learning_rate, config.weight_decay, config.layer_decay)
    )
    average = {k: v.clone() for k, v in model.state_dict().items()} if config.ema else None
    progress = _resume(out, config, mix, model, optimizer, average)
    model, optimizer = accelerator.prepare(model, optimizer)
    if average is not None:
        average = {k: v.to(accelerator.device) for k, v in average.items()}

    steps_an_epoch = math.ceil(len(mix) / config.batch)
    steps = steps_an_epoch * config.epochs
    for epoch in range(progress["epoch"], config.epochs):
        began = time.monotonic()
        losses = []
        model.train()
        bar = tqdm(
            _batches(mix, config, epoch, accelerator), total=steps_an_epoch, unit="step",
            desc=f"epoch {epoch + 1}/{config.epochs}", disable=not accelerator.is_main_process,
        )  # fmt: skip
        for batch, (crops, joints) in enumerate(bar):
            step = epoch * steps_an_epoch + batch
            torch.manual_seed(1_000_003 * config.seed + step)  # of drop-path: nothing to restore
            for group in optimizer.param_groups:
                group["lr"] = group["full_lr"] * rate_at(
                    step, steps, config.warmup, config.milestones
                )
            loss = heatmap_loss(model(normalize(crops)), joints)
            if not torch.isfinite(loss):
                raise UserError(
                    f"the loss of step {step} is {loss.item()}: lower --lr "
                    f"{config.learning_rate:g}; the last epoch's weights are in {out}"
                )
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), config.clip)
            optimizer.step()
            optimizer.zero_grad()
            if average is not None:
                # Early on the plain weights are better than their average with the first ones.
                decay = min(config.ema, (1 + step) / (10 + step))
                averaged_into(average, accelerator.unwrap_model(model), decay)
            losses.append(loss.item())
            bar.set_postfix(loss=f"{np.mean(losses[-50:]):.2e}")
        if accelerator.is_main_process:
            bare = accelerator.unwrap_model(model)
            weights = average if average is not None else bare.state_dict()
            entry = {
                "epoch": epoch + 1,
                "loss": float(np.mean(losses)),
                "seconds": round(time.monotonic() - began, 1),
                "lr": optimizer.param_groups[-1]["lr"],
            }
            entry |= _validated(config, weights, tests)
            progress["log"].append(entry)
            progress["losses"] += losses
            _keep(out, config, progress, epoch, bare, weights, optimizer, average, start)
        accelerator.wait_for_everyone()
    return out


def heatmap_loss(heatmaps: torch.Tensor, joints: torch.Tensor) -> torch.Tensor:
    """Mean squared error against Gaussians at `joints` (n, 17, 3: crop pixels and v), over the
    joints with v > 0; the others' maps are free."""
    wanted = torch.from_numpy(joints_to_heatmaps(joints[..., :2].cpu().numpy())).to(heatmaps.device)
    counted = (joints[..., 2] > 0).to(heatmaps.dtype)[..., None, None]
    return ((heatmaps.float() - wanted) ** 2 * counted).mean()


class _Crops(Dataset):
    """The crops of one epoch; each is drawn from (seed, epoch, place) alone."""

    def __init__(self, mix: Mix, config: TrainConfig, epoch: int) -> None:
        self.mix, self.config, self.epoch = mix, config, epoch
        self.rows = mix.epoch(np.random.default_rng([config.seed, epoch]))
        self.how = Augmentation(rotation=config.rotation)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        which, person = self.rows[place]
        people = self.mix.sets[which]
        rng = np.random.default_rng([self.config.seed, self.epoch, place])
        rendered = not np.isnan(people.views[people.image[person], 0])
        sample = training_sample(
            rng, people, int(person), self.how, self.config.degrade and rendered
        )
        return np.ascontiguousarray(sample.crop), sample.joints.astype(np.float32)


def _batches(
    mix: Mix, config: TrainConfig, epoch: int, accelerator: Accelerator
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    workers = config.workers if config.workers >= 0 else max((os.cpu_count() or 1) - 1, 0)
    loader = DataLoader(
        _Crops(mix, config, epoch),
        batch_size=max(config.batch // accelerator.num_processes, 1),
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=_one_thread,
        prefetch_factor=4 if workers else None,
    )
    return iter(accelerator.prepare(loader))


def _one_thread(_worker: int) -> None:
    torch.set_num_threads(1)


def _precision() -> str:
    """bf16 where the processor multiplies it in hardware."""
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    return "bf16" if torch.cpu._is_avx512_bf16_supported() else "no"


def _readable(people: People) -> People:
    kept, said = readable(people)
    _say(said)
    return kept


def _with_images(mix: Mix) -> Mix:
    return Mix(tuple(_readable(people) for people in mix.sets), mix.weights)


def _start(model: torch.nn.Module, config: TrainConfig) -> dict[str, torch.Tensor] | None:
    """The weights of --init, put into the model; the ones a blend begins with."""
    if config.init is None:
        return None
    weights, _ = read_weights(config.init)
    fresh = load_into(model, weights, str(config.init), config.model)
    if fresh:
        _say(f"{config.init} is a backbone; the head ({len(fresh)} tensors) starts afresh")
    return {k: v.clone() for k, v in model.state_dict().items()}


def _validated(
    config: TrainConfig, weights: dict[str, torch.Tensor], tests: list[People]
) -> dict[str, Any]:
    model = build_model(config.model)
    model.load_state_dict(weights)
    scores = {}
    for people in tests:
        found = estimate_people(network(model.eval()), people)
        table = evaluate_estimates(people, found, draws=0)
        scores[people.name] = {name: table[name].value for name in ("AP", "AR", "OKS", "PCK")}
        _say(f"{people.name}: " + ", ".join(f"{k} {v:.3f}" for k, v in scores[people.name].items()))
    return {"val": scores} if scores else {}


def _keep(
    out: Path,
    config: TrainConfig,
    progress: dict[str, Any],
    epoch: int,
    model: torch.nn.Module,
    weights: dict[str, torch.Tensor],
    optimizer: torch.optim.Optimizer,
    average: dict[str, torch.Tensor] | None,
    start: dict[str, torch.Tensor] | None,
) -> None:
    """Write what an epoch has brought; last.pt, which a resumed run begins with, comes last."""
    progress["epoch"] = epoch + 1
    last = progress["log"][-1]
    score = next(iter(last["val"].values()))["OKS"] if "val" in last else -last["loss"]
    save_weights(out / "last.safetensors", weights, config.model)
    if progress["best"] is None or score > progress["best"]:
        progress["best"] = score
        save_weights(out / "best.safetensors", weights, config.model)
        if config.blend is not None and start is not None:
            cpu = {k: v.cpu() for k, v in weights.items()}
            mixed = blended(start, cpu, config.blend)
            save_weights(out / "blend.safetensors", mixed, config.model)
    write_whole(out / "log.jsonl", "".join(json.dumps(e) + "\n" for e in progress["log"]).encode())
    state = {
        "progress": progress,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "average": average,
    }
    partial = out / ".last.pt.partial"
    torch.save(state, partial)
    partial.replace(out / "last.pt")


def _resume(
    out: Path,
    config: TrainConfig,
    mix: Mix,
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    average: dict[str, torch.Tensor] | None,
) -> dict[str, Any]:
    """The progress of a begun run, its state put in place; that of a new one otherwise."""
    run = {
        "config": json.loads(json.dumps(asdict(config), default=str)),
        "persons": {people.name: len(people) for people in mix.sets},
        "torch": torch.__version__,
        "python": sys.version.split()[0],
    }
    free = ("out", "workers")
    if (out / "run.json").exists():
        before = json.loads((out / "run.json").read_text())["config"]
        changed = [k for k in run["config"] if k not in free and before.get(k) != run["config"][k]]
        if changed:
            k = changed[0]
            raise UserError(
                f"{out} was begun with {k} = {before.get(k)}, not {run['config'][k]}; use the same "
                "options to go on, or another --out"
            )
    elif out.exists() and any(out.iterdir()):
        raise UserError(f"{out} holds other files; choose another --out")
    write_whole(out / "run.json", (json.dumps(run, indent=1) + "\n").encode())
    if not (out / "last.pt").exists():
        return {"epoch": 0, "best": None, "log": [], "losses": []}
    state = torch.load(out / "last.pt", map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    if average is not None:
        average.update(state["average"])
    _say(f"going on after epoch {state['progress']['epoch']}")
    return state["progress"]


def _say(text: str) -> None:
    print(f"repogen: {text}", file=sys.stderr, flush=True)
