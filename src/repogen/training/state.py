"""The run folder: the state of a run between two epochs, its description and its results."""

import json
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler

from repogen.coco.annotations import PersonAnnotations
from repogen.config import flat_options
from repogen.datasets.sets import parse_set
from repogen.errors import UserError, check_not_empty, first_line
from repogen.files import (
    PARTIAL_PATTERN,
    atomic_path,
    cannot_write,
    exclusive,
    open_regular,
    read_regular,
    remove_file,
    sha256_of,
    write_atomic,
)
from repogen.limits import MAX_INDEX, MAX_WEIGHTS
from repogen.messages import warn
from repogen.models.mmpose import Weights
from repogen.models.packaged import packaged, packaged_weights
from repogen.models.vitpose import highest_drop_path
from repogen.models.weights import blend_tensors, save_weights
from repogen.training.config import TrainConfig
from repogen.training.figures import training_figure
from repogen.training.mix import DataMix

_CHANGEABLE = ("workers", "shard_cache", "picture_cache")
"""Options that do not change the losses: a run may resume with other values of them."""

_LOCK = ".lock"

UNLABELED = "unlabeled"
"""The folder with the labels of --unlabeled, which may be there before the run."""

MADE_FROM = "made-from.json"
"""The file that marks a folder of labels as ours, and says what they were made from."""


@dataclass
class State:
    """The state of a run between two epochs."""

    out: Path
    """The run's folder."""
    model: nn.Module
    optimizer: torch.optim.Optimizer
    ema: Weights | None
    """The exponential moving average of the weights; None without --ema."""
    initial: Weights | None
    """The weights of --init; None without it."""
    scaler: GradScaler | None = None
    """The gradient scaler; None but for fp16."""
    epoch: int = 0
    """Finished epochs."""
    log: list[dict[str, Any]] = field(default_factory=list)
    """The entries of log.jsonl, one per epoch."""
    losses: list[float] = field(default_factory=list)
    """The loss of each step."""

    @property
    def weights(self) -> Weights:
        """The weights to validate and save: the EMA, or the model's own without one."""
        return self.ema if self.ema is not None else self.model.state_dict()


def check_run_folder(out: Path) -> None:
    """Raise `UserError` where a run may not write into `out`: a file, or a folder with files that
    are not of a run."""
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; choose another --out")
    if not out.exists() or (out / "run.json").exists():
        return
    for path in out.iterdir():
        labels = path.name == UNLABELED and (path / "1" / MADE_FROM).is_file()
        if not labels and path.name != _LOCK and not path.match(PARTIAL_PATTERN):
            raise UserError(f"{out} holds other files; choose another --out")


@contextmanager
def open_run(
    config: TrainConfig,
    mix: DataMix,
    val_sets: list[PersonAnnotations],
    state: State,
    accelerator: Accelerator,
) -> Iterator[None]:
    """Lock the run folder, then create it with its run.json or load its last epoch into `state`.

    The main process does so first. Raises `UserError` where another run writes into the folder,
    and where it holds other files, or a run with other options or data.
    """
    out, is_main = state.out, accelerator.is_main_process
    if is_main:
        check_run_folder(out)
    with exclusive(out / _LOCK, out) if is_main else nullcontext():
        try:
            with accelerator.main_process_first():
                if is_main:
                    for partial in out.glob(PARTIAL_PATTERN):  # of a run killed while writing
                        remove_file(partial)
                _create_or_resume(config, mix, val_sets, state, accelerator)
            yield
        finally:
            if is_main:
                remove_file(out / _LOCK)


def _create_or_resume(
    config: TrainConfig,
    mix: DataMix,
    val_sets: list[PersonAnnotations],
    state: State,
    accelerator: Accelerator,
) -> None:
    out, path = state.out, state.out / "run.json"
    run_info = _run_info(config, mix, val_sets, state.model, accelerator)
    if path.exists():
        _check_unchanged(_read_run_info(path), run_info, out)
    else:
        write_atomic(path, (json.dumps(run_info, indent=1) + "\n").encode())
    last = out / "last.pt"
    if not last.exists():
        return
    try:
        with open_regular(last, MAX_WEIGHTS) as file:
            saved = torch.load(file, map_location="cpu", weights_only=True)
        state.model.load_state_dict(saved["model"])
        state.optimizer.load_state_dict(saved["optimizer"])
        if state.ema is not None:
            state.ema.update(saved["ema"])
        if state.scaler is not None:
            state.scaler.load_state_dict(saved["scaler"])
        state.epoch, state.log, state.losses = (saved[k] for k in ("epoch", "log", "losses"))
    except Exception as error:
        raise UserError(
            f"cannot resume from {last} ({first_line(error)[:120]}); "
            f"start a new run in another --out with --init {out / 'last.safetensors'}"
        ) from error


def save_epoch(config: TrainConfig, state: State) -> None:
    """Write the weights, logs and state after an epoch.

    last.pt is written last: a run that is killed before resumes from the previous epoch. Raises
    `UserError` where the folder cannot be written.
    """
    out = state.out
    save_weights(out / "last.safetensors", state.weights, config.network.model)
    ranks = [_epoch_rank(entry) for entry in state.log]
    if ranks[-1] > max(ranks[:-1], default=(-1e9,)):
        save_weights(out / "best.safetensors", state.weights, config.network.model)
        if config.network.blend is not None and state.initial is not None:
            blend = blend_tensors(state.initial, _to_cpu(state.weights), config.network.blend)
            save_weights(out / "blend.safetensors", blend, config.network.model)
    steps_per_epoch = len(state.losses) // len(state.log)
    lines = [
        {"step": step, "epoch": step // steps_per_epoch + 1, "loss": loss}
        for step, loss in enumerate(state.losses)
    ]
    write_atomic(out / "steps.jsonl", _json_lines(lines))
    write_atomic(out / "log.jsonl", _json_lines(state.log))
    with atomic_path(out / "curve.png") as path:
        training_figure(state.log, state.losses).savefig(path, dpi=110, format="png")
    saved = {
        "model": state.model.state_dict(), "optimizer": state.optimizer.state_dict(),
        "ema": state.ema, "epoch": state.epoch, "log": state.log, "losses": state.losses,
        "scaler": state.scaler.state_dict() if state.scaler is not None else None,
    }  # fmt: skip
    with atomic_path(out / "last.pt") as path:
        try:
            torch.save(saved, path)
        except RuntimeError as error:  # torch's error for a full disk
            raise cannot_write(out / "last.pt", OSError(0, first_line(error))) from error


def _epoch_rank(entry: dict[str, Any]) -> tuple[float, ...]:
    """Ranks epochs, the best highest: AP on the first validation set, then OKS; else -loss."""
    if "val" not in entry:
        return (-entry["loss"],)
    first = next(iter(entry["val"].values()))
    return (round(first["AP"], 6), first["OKS"])


def _read_run_info(path: Path) -> dict[str, Any]:
    try:
        run_info = json.loads(read_regular(path, MAX_INDEX))
        tables = run_info if isinstance(run_info, dict) else {}
        if not all(isinstance(tables.get(key), dict) for key in ("config", "sha256")):
            raise TypeError("it lacks config or sha256")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except (RecursionError, TypeError, ValueError) as error:
        check_not_empty(path)
        raise UserError(
            f"{path} is not a run of repogen train ({first_line(error)}); choose another --out"
        ) from error
    return run_info


def _run_info(
    config: TrainConfig,
    mix: DataMix,
    val_sets: list[PersonAnnotations],
    model: nn.Module,
    accelerator: Accelerator,
) -> dict[str, Any]:
    """The content of run.json: options (the model's own where they are None), hashes of the
    data, versions and device."""
    digests = {k: v for source in mix.sources for k, v in source.digests().items()}
    files = [path for spec in config.data.val if (path := parse_set(spec).annotations) is not None]
    options = asdict(config)
    options["optimizer"]["lr"] = config.learning_rate
    options["network"]["init"] = config.network.initial
    options["network"]["drop_path"] = highest_drop_path(model)
    return {
        "config": json.loads(json.dumps(options, default=str)),
        "persons": {source.name: len(source) for source in mix.sources},
        "val_persons": {people.name: len(people.labelled()) for people in val_sets},
        "sha256": digests | {str(path): sha256_of(path) for path in files + _weight_files(config)},
        "parameters": sum(p.numel() for p in model.parameters()),
        "versions": {
            name: version(name)
            for name in ("repogen", "torch", "transformers", "accelerate", "numpy")
        },
        "python": platform.python_version(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "precision": accelerator.mixed_precision,
        "processes": accelerator.num_processes,
        "command": sys.argv,
    }


def _check_unchanged(before: dict[str, Any], now: dict[str, Any], out: Path) -> None:
    old = dict(flat_options(before["config"]))
    for key, value in flat_options(now["config"]):
        if key not in _CHANGEABLE and old.get(key) != value:
            raise UserError(
                f"{out} was started with {key} = {old.get(key)}, not {value}; use the "
                "same options to resume, or another --out"
            )
    for key in ("versions", "device", "precision", "processes"):
        if before.get(key) != now[key]:
            warn(
                f"{out} was started with {key} {before.get(key)}, now {now[key]}: the losses will "
                "differ in the last digits"
            )
    for path, digest in now["sha256"].items():
        if before["sha256"].get(path) != digest:
            raise UserError(f"{path} has changed since {out} was started; choose another --out")


def _weight_files(config: TrainConfig) -> list[Path]:
    """The files of the weights that the run starts from and is taught by."""
    exact = config.labels.targets == "exact"
    used = [config.network.initial, None if exact else config.labels.teacher]
    files = []
    for path in filter(None, used):
        if name := packaged(str(path)):
            files.append(packaged_weights(name))
        else:
            files += [path] if path.is_file() else sorted(path.glob("*.safetensors"))
    return files


def _json_lines(entries: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(entry) + "\n" for entry in entries).encode()


def _to_cpu(weights: Weights) -> dict[str, Tensor]:
    return {name: value.cpu() for name, value in weights.items()}
