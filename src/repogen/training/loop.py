"""Training a pose estimator, from top to bottom."""

import math
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

from repogen.arrays import Float, UInt8
from repogen.coco.annotations import PersonAnnotations
from repogen.coco.images import drop_unreadable
from repogen.config import checked, config_from_keywords
from repogen.datasets.sets import read_set
from repogen.errors import UserError
from repogen.evaluation.scores import evaluate_estimates
from repogen.inference.estimate import estimate_people
from repogen.inference.network import torch_estimator
from repogen.messages import say, warn
from repogen.models import build_model
from repogen.models.heatmaps import joints_to_heatmaps
from repogen.models.mmpose import Weights
from repogen.models.movenet import MoveNet, scale_pixels
from repogen.models.pixels import normalize
from repogen.models.vitpose import set_drop_path
from repogen.models.weights import load_into, read_weights
from repogen.training.batches import Batches, TimedLoader, worker_errors
from repogen.training.config import TrainConfig
from repogen.training.mix import DataMix, read_data_mix
from repogen.training.movenet_loss import movenet_loss
from repogen.training.optimizer import (
    ChannelScaledAdamW,
    freeze_layers,
    learning_rate_factor,
    parameter_groups,
    update_ema,
)
from repogen.training.progress import Clock, ConstantLoss, nothing_learnt
from repogen.training.state import State, open_run, save_epoch
from repogen.training.tensorboard import TensorBoardLogger
from repogen.training.unlabeled import label_unlabeled


@checked
def train(out: Path | str, config: TrainConfig | None = None, **options: object) -> Path:
    """Train a pose estimator; returns the run folder `out`.

    The options are a `TrainConfig` or its keywords: `train("run", train="synth=dataset")`.

    The folder holds best.safetensors, last.safetensors, run.json (options, hashes of the data,
    versions), log.jsonl (one line per epoch), steps.jsonl (one line per step), curve.png,
    tensorboard/ and last.pt (the state to resume from).

    Run it again with the same options to resume a stopped run after its last finished epoch, with
    the same losses as without the stop. Raises `UserError` for bad input, and when the loss or its
    gradient is not finite.

    >>> repogen.train("run", train="synth=people", model="tiny", epochs=1, batch_size=2, workers=0)
    PosixPath('run')
    """
    config = config_from_keywords(TrainConfig, config, options)
    config.check_sets()
    cv2.setNumThreads(0)  # a fork of a process with OpenCV threads would wait for them forever
    accelerator = Accelerator(mixed_precision=_precision(), cpu=not torch.cuda.is_available())
    with accelerator.main_process_first():
        unlabeled = label_unlabeled(Path(out), config)
    specs = *config.data.train, *unlabeled
    decoded_bytes = int(1e9 * config.data.picture_cache) // (len(specs) * accelerator.num_processes)
    mix = read_data_mix(specs, config.data.shard_cache, decoded_bytes)
    val_sets = [drop_unreadable(read_set(spec))[0] for spec in config.data.val]
    if config.optimizer.batch_size % accelerator.num_processes:
        raise UserError(
            f"--batch-size {config.optimizer.batch_size} cannot be shared by "
            f"{accelerator.num_processes} processes; give a multiple"
        )
    torch.manual_seed(config.seed)
    state = _initial_state(Path(out), config, accelerator.scaler)
    with open_run(config, mix, val_sets, state, accelerator), worker_errors():
        if state.epoch:
            say(f"resuming after epoch {state.epoch} of {config.optimizer.epochs}")
        _run_epochs(config, mix, val_sets, state, accelerator)
    return state.out


def _run_epochs(
    config: TrainConfig,
    mix: DataMix,
    val_sets: list[PersonAnnotations],
    state: State,
    accelerator: Accelerator,
) -> None:
    """Train from epoch `state.epoch` to the last; validate and save after each."""
    model, optimizer = accelerator.prepare(state.model, state.optimizer)
    state.model, state.optimizer = accelerator.unwrap_model(model), optimizer
    if state.ema is not None:
        state.ema = {name: value.to(accelerator.device) for name, value in state.ema.items()}

    batches = Batches(mix, config, accelerator)
    steps_per_epoch = math.ceil(len(mix) / config.optimizer.batch_size)
    total_steps = steps_per_epoch * config.optimizer.epochs
    is_main = accelerator.is_main_process
    logger = None
    if is_main:
        logger = TensorBoardLogger(state.out / "tensorboard", state.epoch * steps_per_epoch)
    clock = Clock(state.epoch * steps_per_epoch, total_steps)
    is_movenet = isinstance(state.model, MoveNet)
    while state.epoch < config.optimizer.epochs:
        constant = None if is_movenet else ConstantLoss(steps_per_epoch)
        start, losses, joint_counts = time.monotonic(), [], torch.zeros(2)
        loader = TimedLoader(batches.epoch(state.epoch))
        bar = tqdm(
            loader, total=steps_per_epoch, unit="step",
            desc=f"epoch {state.epoch + 1}/{config.optimizer.epochs}", disable=not is_main,
        )  # fmt: skip
        model.train()
        for step, (crops, joints) in enumerate(bar, state.epoch * steps_per_epoch):
            # Drop-path draws from torch's generator; a seed per step leaves nothing to restore.
            torch.manual_seed(1_000_003 * config.seed + step)
            factor = learning_rate_factor(
                step, total_steps, config.optimizer.warmup, config.optimizer.milestones
            )
            for group in optimizer.param_groups:
                group["lr"] = group["base_lr"] * factor
            loss = training_loss(model, is_movenet, crops, joints)
            accelerator.backward(loss)
            grad_norm = accelerator.clip_grad_norm_(model.parameters(), config.optimizer.grad_clip)
            # In fp16 a gradient may overflow: the scaler skips that step.
            if not torch.isfinite(loss if accelerator.scaler else loss + grad_norm):
                raise _not_finite(config, state, step, loss.item(), grad_norm)
            optimizer.step()
            optimizer.zero_grad()
            if state.ema is not None:
                # A shorter average early on: the first weights are far worse than the current.
                update_ema(
                    state.ema, state.model, min(config.network.ema, (1 + step) / (10 + step))
                )
            losses.append(accelerator.reduce(loss.detach(), "mean").item())
            joint_counts += _corrected_and_all(joints)
            if constant is not None:
                constant.add(len(losses) - 1, losses[-1], joints)
            bar.set_postfix(
                loss=f"{np.mean(losses[-50:]):.2e}", run_left=clock.left(step + 1), refresh=False
            )
        state.epoch += 1
        if logger is not None:
            seconds = time.monotonic() - start
            entry = {
                "epoch": state.epoch,
                "loss": float(np.mean(losses)),
                "seconds": round(seconds, 1),
                "crops_a_second": round(len(mix) / seconds, 2),
                "steps_a_second": round(steps_per_epoch / seconds, 3),
                "precision": accelerator.mixed_precision.replace("no", "fp32"),
                "waited": round(loader.seconds / seconds, 4),
                "lr": config.learning_rate * factor,
            }
            if config.labels.targets == "corrected":
                corrected, joints_in_all = joint_counts.tolist()
                entry["corrected"] = round(corrected / max(joints_in_all, 1), 4)
            entry |= _validate(config, state.weights, val_sets)
            _say_progress(config, entry, clock.left(state.epoch * steps_per_epoch))
            reason = nothing_learnt(constant, entry.get("val", {}), val_sets)
            if reason:
                warn(f"the network has learnt nothing yet: {reason}")
            state.log.append(entry)
            state.losses += losses
            save_epoch(config, state)
            logger.log_epoch(entry, losses)
        accelerator.wait_for_everyone()
    if logger is not None:
        logger.close()


def _say_progress(config: TrainConfig, entry: dict[str, Any], left: str) -> None:
    epoch, epochs = entry["epoch"], config.optimizer.epochs
    end = f"{left} left" if epoch < epochs else "the run is finished"
    say(f"epoch {epoch} of {epochs}: loss {entry['loss']:.2e}, {end}")


def training_loss(
    model: nn.Module, is_movenet: bool, crops: UInt8[Tensor, "n h w 3"], joints: Tensor
) -> Float[Tensor, ""]:
    """The loss of a network for RGB crops and joints (n, 17, 3 or more): x, y in crop pixels and
    their weight. `is_movenet` tells the kind of a network that may be wrapped."""
    if is_movenet:
        return movenet_loss(model(scale_pixels(crops)), joints)
    return heatmap_loss(model(normalize(crops)), joints)


def _corrected_and_all(joints: Tensor) -> Tensor:
    """The number of joints whose teacher's answer was corrected, and of all that count."""
    corrected = joints[..., 3] > 0
    return torch.stack([corrected.sum(), (corrected | (joints[..., 2] > 0)).sum()]).cpu()


def heatmap_loss(heatmaps: Tensor, joints: Tensor) -> Tensor:
    """Mean squared error of heatmaps (n, 17, 64, 48) against Gaussians at `joints`.

    `joints` (n, 17, 3 or more) holds x, y in crop pixels and the weight of each map.
    """
    target = joints_to_heatmaps(joints[..., :2])
    weight = joints[..., 2].to(heatmaps.dtype)[..., None, None]
    return ((heatmaps.float() - target) ** 2 * weight).mean()


def _not_finite(
    config: TrainConfig, state: State, step: int, loss: float, grad_norm: Tensor
) -> UserError:
    last = state.out / "last.safetensors"
    return UserError(
        f"step {step}: the loss is {loss:g}, its gradient norm {grad_norm:g}; "
        f"lower --lr {config.learning_rate:g} in another --out"
        + (f", with --init {last}" if state.epoch else "")
    )


def _initial_state(out: Path, config: TrainConfig, scaler: GradScaler | None) -> State:
    """The model with the weights of --init or random ones, its optimizer and its EMA."""
    model = build_model(config.network.model).to(memory_format=torch.channels_last)
    if config.network.drop_path is not None:
        set_drop_path(model, config.network.drop_path)
    initial, init = None, config.network.initial
    if init is not None:
        weights, _ = read_weights(init)
        random = load_into(model, weights, str(init), config.network.model)
        if random:
            say(f"{init} is a backbone; the other {len(random)} tensors start at random")
        initial = _copy_weights(model)
    freeze_layers(model, config.network.freeze, config.network.model)
    groups = parameter_groups(
        model, config.learning_rate, config.optimizer.weight_decay, config.optimizer.layer_decay
    )
    ema = _copy_weights(model) if config.network.ema else None
    # MoveNet's batch norm is folded into its convolutions.
    kind = ChannelScaledAdamW if isinstance(model, MoveNet) else torch.optim.AdamW
    return State(out, model, kind(groups), ema, initial, scaler)


def _copy_weights(model: nn.Module) -> Weights:
    return {name: value.clone() for name, value in model.state_dict().items()}


def _precision() -> str:
    """The mixed precision to train in: bf16 where the hardware has it, fp16 on other GPUs."""
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    return "bf16" if torch.cpu._is_avx512_bf16_supported() else "no"


def _validate(
    config: TrainConfig, weights: Weights, val_sets: list[PersonAnnotations]
) -> dict[str, Any]:
    """{"val": scores by set and metric}, or {} without validation sets."""
    if not val_sets:
        return {}
    model = build_model(config.network.model)
    model.load_state_dict(weights)
    estimator, scores = torch_estimator(model), {}
    for people in val_sets:
        table = evaluate_estimates(people, estimate_people(estimator, people), bootstrap_samples=0)
        scores[people.name] = {name: table[name].value for name in ("AP", "AR", "OKS", "PCK")}
        say(f"{people.name}: " + ", ".join(f"{k} {v:.3f}" for k, v in scores[people.name].items()))
    return {"val": scores}
