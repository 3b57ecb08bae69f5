"""One run of training, from top to bottom."""

import math
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from tqdm import tqdm

from repogen.coco.annotations import PersonAnnotations
from repogen.coco.samples import readable
from repogen.config import config_from_keywords
from repogen.datasets.sets import read_set
from repogen.errors import UserError
from repogen.evaluation.scores import evaluate_estimates
from repogen.inference.estimate import estimate_people
from repogen.inference.network import network
from repogen.models import build_model
from repogen.models.heatmaps import joints_to_heatmaps
from repogen.models.pixels import normalize
from repogen.models.weights import Weights, load_into, read_weights
from repogen.training.batches import Batches, Waiting, deaths_told
from repogen.training.board import Board
from repogen.training.config import TrainConfig
from repogen.training.mix import Mix, read_mix
from repogen.training.optimizer import averaged_into, parameter_groups, rate_at
from repogen.training.state import State, keep, opened_run


def train(out: Path | str, config: TrainConfig | None = None, **options: object) -> Path:
    """Train a model and return its run folder `out`, which holds best.safetensors,
    last.safetensors, run.json (all that defines the run), log.jsonl (a line an epoch), steps.jsonl
    (a line a step), curve.png, tensorboard/ and last.pt.

    The options are a `TrainConfig` or its keywords: `train("run", train="synth=dataset")`. A run
    that was stopped goes on from its last epoch with the same losses as if it had not been. Raises
    `UserError` for input a person can mend, and when a loss is no number.
    """
    config = config_from_keywords(TrainConfig, config, options)
    cv2.setNumThreads(0)  # processes forked from one whose OpenCV has threads wait for them forever
    mix = read_mix(config.data.train, config.data.shard_cache)
    tests = [readable(read_set(spec))[0] for spec in config.data.val]
    accelerator = Accelerator(mixed_precision=_precision(), cpu=not torch.cuda.is_available())
    if config.optimizer.batch_size % accelerator.num_processes:
        raise UserError(
            f"--batch-size {config.optimizer.batch_size} cannot be shared by "
            f"{accelerator.num_processes} processes; give a multiple"
        )
    torch.manual_seed(config.seed)
    state = _begin(Path(out), config, accelerator.scaler)
    with opened_run(config, mix, tests, state, accelerator), deaths_told():
        if state.epoch:
            _say(f"going on after epoch {state.epoch} of {config.optimizer.epochs}")
        _go_on(config, mix, tests, state, accelerator)
    return state.out


def _go_on(
    config: TrainConfig,
    mix: Mix,
    tests: list[PersonAnnotations],
    state: State,
    accelerator: Accelerator,
) -> None:
    """The epochs that a run still lacks."""
    model, optimizer = accelerator.prepare(state.model, state.optimizer)
    state.model, state.optimizer = accelerator.unwrap_model(model), optimizer
    if state.average is not None:
        state.average = {k: v.to(accelerator.device) for k, v in state.average.items()}

    batches = Batches(mix, config, accelerator)
    steps_an_epoch = math.ceil(len(mix) / config.optimizer.batch_size)
    steps = steps_an_epoch * config.optimizer.epochs
    chief = accelerator.is_main_process
    board = Board(state.out / "tensorboard", state.epoch * steps_an_epoch) if chief else None
    while state.epoch < config.optimizer.epochs:
        began, losses = time.monotonic(), []
        crops_ahead = Waiting(batches.epoch(state.epoch))
        model.train()
        bar = tqdm(
            crops_ahead, total=steps_an_epoch, unit="step",
            desc=f"epoch {state.epoch + 1}/{config.optimizer.epochs}", disable=not chief,
        )  # fmt: skip
        for batch, (crops, joints) in enumerate(bar):
            step = state.epoch * steps_an_epoch + batch
            torch.manual_seed(1_000_003 * config.seed + step)  # of drop-path: nothing to restore
            share = rate_at(step, steps, config.optimizer.warmup, config.optimizer.milestones)
            for group in optimizer.param_groups:
                group["lr"] = group["full_lr"] * share
            loss = heatmap_loss(model(normalize(crops)), joints)
            accelerator.backward(loss)
            length = accelerator.clip_grad_norm_(model.parameters(), config.optimizer.grad_clip)
            # In fp16 a gradient may overflow: the scaler leaves that step out.
            if not torch.isfinite(loss if accelerator.scaler else loss + length):
                last = state.out / "last.safetensors"
                raise UserError(
                    f"step {step}: the loss is {loss.item():g}, its gradient {length:g} long; "
                    f"lower --lr {config.learning_rate:g} in another --out"
                    + (f", with --init {last}" if state.epoch else "")
                )
            optimizer.step()
            optimizer.zero_grad()
            if state.average is not None:
                # Early on the plain weights are better than their average with the first ones.
                averaged_into(
                    state.average, state.model, min(config.network.ema, (1 + step) / (10 + step))
                )
            losses.append(accelerator.reduce(loss.detach(), "mean").item())
            bar.set_postfix(loss=f"{np.mean(losses[-50:]):.2e}", refresh=False)
        state.epoch += 1
        if board is not None:
            seconds = time.monotonic() - began
            entry = {"epoch": state.epoch, "loss": float(np.mean(losses))}
            entry |= {"seconds": round(seconds, 1)}
            entry |= {"crops_a_second": round(len(mix) / seconds, 2),
                      "waited": round(crops_ahead.seconds / seconds, 4)}  # fmt: skip
            entry |= {"lr": config.learning_rate * share} | _validated(config, state.weights, tests)
            state.log.append(entry)
            state.losses += losses
            keep(config, state)
            board.note(entry, losses)
        accelerator.wait_for_everyone()
    if board is not None:
        board.close()


def heatmap_loss(heatmaps: Tensor, joints: Tensor) -> Tensor:
    """Mean squared error against Gaussians at `joints` (n, 17, 3: crop pixels and v), over the
    joints with v > 0; the others' maps are free."""
    wanted = joints_to_heatmaps(joints[..., :2])
    counted = (joints[..., 2] > 0).to(heatmaps.dtype)[..., None, None]
    return ((heatmaps.float() - wanted) ** 2 * counted).mean()


def _begin(out: Path, config: TrainConfig, scaler: GradScaler | None) -> State:
    """The model with the weights of --init or fresh ones, and its optimizer."""
    model = build_model(config.network.model).to(memory_format=torch.channels_last)
    start = None
    if config.network.init is not None:
        weights, _ = read_weights(config.network.init)
        fresh = load_into(model, weights, str(config.network.init), config.network.model)
        if fresh:
            _say(
                f"{config.network.init} is a backbone; the other {len(fresh)} tensors start afresh"
            )
        start = _copied(model)
    groups = parameter_groups(
        model, config.learning_rate, config.optimizer.weight_decay, config.optimizer.layer_decay
    )
    average = _copied(model) if config.network.ema else None
    return State(out, model, torch.optim.AdamW(groups), average, start, scaler)


def _copied(model: nn.Module) -> Weights:
    return {name: value.clone() for name, value in model.state_dict().items()}


def _precision() -> str:
    """bf16 where the processor multiplies it in hardware."""
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    return "bf16" if torch.cpu._is_avx512_bf16_supported() else "no"


def _validated(
    config: TrainConfig, weights: Weights, tests: list[PersonAnnotations]
) -> dict[str, Any]:
    """Scores of the weights by set, none where there are no sets."""
    if not tests:
        return {}
    model = build_model(config.network.model)
    model.load_state_dict(weights)
    estimator, scores = network(model), {}
    for people in tests:
        table = evaluate_estimates(people, estimate_people(estimator, people), draws=0)
        scores[people.name] = {name: table[name].value for name in ("AP", "AR", "OKS", "PCK")}
        _say(f"{people.name}: " + ", ".join(f"{k} {v:.3f}" for k, v in scores[people.name].items()))
    return {"val": scores}


def _say(text: str) -> None:
    print(f"repogen: {text}", file=sys.stderr, flush=True)
