"""The run folder: what a run is between two epochs, written whole, and what it has come to."""

import hashlib
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
from repogen.datasets.folder import (
    PARTIALS,
    alone,
    cannot_write,
    remove_file,
    write_whole,
    written_whole,
)
from repogen.datasets.sets import parse_set
from repogen.errors import UserError, first_line
from repogen.models.weights import Weights, blended, save_weights
from repogen.training.config import TrainConfig
from repogen.training.curve import curve_figure
from repogen.training.mix import Mix

_FREE = ("workers", "shard_cache")
"""Options that do not change the losses: a run may go on with others."""

_LOCK = ".lock"


@dataclass
class State:
    """A run between two epochs."""

    out: Path
    """The run's folder."""
    model: nn.Module
    optimizer: torch.optim.Optimizer
    average: Weights | None
    """The average of the weights, where one is kept."""
    start: Weights | None
    """The weights of --init."""
    scaler: GradScaler | None = None
    """Of gradients in fp16."""
    epoch: int = 0
    """Epochs done."""
    log: list[dict[str, Any]] = field(default_factory=list)
    """An entry an epoch."""
    losses: list[float] = field(default_factory=list)
    """A loss a step."""

    @property
    def weights(self) -> Weights:
        """What is validated and kept: the average, or the weights themselves."""
        return self.average if self.average is not None else self.model.state_dict()


@contextmanager
def opened_run(
    config: TrainConfig,
    mix: Mix,
    tests: list[PersonAnnotations],
    state: State,
    accelerator: Accelerator,
) -> Iterator[None]:
    """Hold the run's folder for this run alone, made with its run.json, or with the state of the
    begun run in it put into `state`; the main process first.

    Raises `UserError` where another run writes into the folder, and where it holds other things
    or a run of other options or data.
    """
    out, chief = state.out, accelerator.is_main_process
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; choose another --out")
    found = [*out.iterdir()] if chief and out.exists() and not (out / "run.json").exists() else []
    if any(path.name != _LOCK and not path.match(PARTIALS) for path in found):
        raise UserError(f"{out} holds other files; choose another --out")
    with alone(out / _LOCK, out) if chief else nullcontext():
        try:
            with accelerator.main_process_first():
                if chief:
                    for leftover in out.glob(PARTIALS):  # of a run killed while writing
                        remove_file(leftover)
                _open(config, mix, tests, state, accelerator)
            yield
        finally:
            if chief:
                remove_file(out / _LOCK)


def _open(
    config: TrainConfig,
    mix: Mix,
    tests: list[PersonAnnotations],
    state: State,
    accelerator: Accelerator,
) -> None:
    out, path = state.out, state.out / "run.json"
    run = _description(config, mix, tests, state.model, accelerator)
    if path.exists():
        _check_same(_read(path), run, out)
    else:
        write_whole(path, (json.dumps(run, indent=1) + "\n").encode())
    last = out / "last.pt"
    if not last.exists():
        return
    try:
        saved = torch.load(last, map_location="cpu", weights_only=True)
        state.model.load_state_dict(saved["model"])
        state.optimizer.load_state_dict(saved["optimizer"])
        if state.average is not None:
            state.average.update(saved["average"])
        if state.scaler is not None:
            state.scaler.load_state_dict(saved["scaler"])
        state.epoch, state.log, state.losses = (saved[k] for k in ("epoch", "log", "losses"))
    except Exception as error:
        raise UserError(
            f"{last} cannot be gone on from ({first_line(error)[:120]}); "
            f"start afresh in another --out with --init {out / 'last.safetensors'}"
        ) from error


def keep(config: TrainConfig, state: State) -> None:
    """Write what an epoch has brought. last.pt, which a stopped run goes on from, comes last:
    until then the epoch before counts."""
    out = state.out
    save_weights(out / "last.safetensors", state.weights, config.network.model)
    marks = [_mark(entry) for entry in state.log]
    if marks[-1] > max(marks[:-1], default=(-1e9,)):
        save_weights(out / "best.safetensors", state.weights, config.network.model)
        if config.network.blend is not None and state.start is not None:
            mixed = blended(state.start, _on_cpu(state.weights), config.network.blend)
            save_weights(out / "blend.safetensors", mixed, config.network.model)
    steps = len(state.losses) // len(state.log)
    lines = [{"step": k, "epoch": k // steps + 1, "loss": v} for k, v in enumerate(state.losses)]
    write_whole(out / "steps.jsonl", _json_lines(lines))
    write_whole(out / "log.jsonl", _json_lines(state.log))
    with written_whole(out / "curve.png") as path:
        curve_figure(state.log, state.losses).savefig(path, dpi=110, format="png")
    saved = {
        "model": state.model.state_dict(), "optimizer": state.optimizer.state_dict(),
        "average": state.average, "epoch": state.epoch, "log": state.log, "losses": state.losses,
        "scaler": state.scaler.state_dict() if state.scaler is not None else None,
    }  # fmt: skip
    with written_whole(out / "last.pt") as path:
        try:
            torch.save(saved, path)
        except RuntimeError as error:  # how torch says that a disk is full
            raise cannot_write(out / "last.pt", OSError(0, first_line(error))) from error


def _mark(entry: dict[str, Any]) -> tuple[float, ...]:
    """What makes an epoch the best: AP on the first validation set, then OKS; else the loss."""
    if "val" not in entry:
        return (-entry["loss"],)
    first = next(iter(entry["val"].values()))
    return (round(first["AP"], 6), first["OKS"])


def _read(path: Path) -> dict[str, Any]:
    try:
        run = json.loads(path.read_text())
        if not (isinstance(run["config"], dict) and isinstance(run["sha256"], dict)):
            raise TypeError("it has no config and hashes")
    except (OSError, KeyError, RecursionError, TypeError, ValueError) as error:
        why = f"{path} is no run of repogen train ({error})"
        raise UserError(f"{why}; choose another --out") from error
    return run


def _description(
    config: TrainConfig,
    mix: Mix,
    tests: list[PersonAnnotations],
    model: nn.Module,
    accelerator: Accelerator,
) -> dict[str, Any]:
    """Everything that defines a run."""
    digests = {k: v for source in mix.sources for k, v in source.digests().items()}
    files = [path for spec in config.data.val if (path := parse_set(spec).annotations) is not None]
    return {
        "config": json.loads(json.dumps(asdict(config), default=str)),
        "persons": {source.name: len(source) for source in mix.sources},
        "val_persons": {people.name: len(people.labelled()) for people in tests},
        "sha256": digests
        | {str(path): _digest(path) for path in files + _files(config.network.init)},
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


def _check_same(before: dict[str, Any], now: dict[str, Any], out: Path) -> None:
    old = dict(flat_options(before["config"]))
    for key, value in flat_options(now["config"]):
        if key not in _FREE and old.get(key) != value:
            raise UserError(
                f"{out} was begun with {key} = {old.get(key)}, not {value}; use the "
                "same options to go on, or another --out"
            )
    for key in ("versions", "device", "precision", "processes"):
        if before.get(key) != now[key]:
            print(
                f"repogen: {out} was begun with {key} {before.get(key)}, now {now[key]}: losses "
                "will not be the same to the last digit",
                file=sys.stderr,
            )
    for path, digest in now["sha256"].items():
        if before["sha256"].get(path) != digest:
            raise UserError(f"{path} has changed since {out} was begun; choose another --out")


def _files(init: Path | None) -> list[Path]:
    if init is None:
        return []
    return [init] if init.is_file() else sorted(init.glob("*.safetensors"))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _json_lines(entries: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(entry) + "\n" for entry in entries).encode()


def _on_cpu(weights: Weights) -> dict[str, Tensor]:
    return {name: value.cpu() for name, value in weights.items()}
