"""Weights in files: our safetensors, Hugging Face models, ViTPose checkpoints of mmpose."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from repogen.errors import UserError, check_not_empty
from repogen.files import cannot_read, cannot_write, path_for_library, read_regular, write_atomic
from repogen.limits import MAX_INDEX, MAX_WEIGHTS
from repogen.models.catalog import build_model
from repogen.models.checkpoints import read_checkpoint
from repogen.models.hub import hub_folder
from repogen.models.identify import what_it_is
from repogen.models.mmpose import Weights, from_mmpose, is_mmpose
from repogen.models.movenet import STEMS
from repogen.models.packaged import packaged, packaged_weights
from repogen.models.parts import keep_coco_joints, select_expert, without_wrappers
from repogen.models.vitpose import SIZES

_INDEX = "model.safetensors.index.json"
"""In a Hugging Face folder: which of several files holds which tensor."""

_RUN_FILES = (
    "best.safetensors", "last.safetensors", "model.safetensors", _INDEX, "pytorch_model.bin",
)  # fmt: skip

_READS = (
    "repogen reads ViTPose of mmpose and transformers, MAE backbones, MoveNet, and its own runs"
)


def save_weights(path: Path, weights: Mapping[str, Tensor], model: str) -> None:
    """Write weights and the name of their model as safetensors, whole or not at all.

    Raises `UserError` where the file cannot be written.
    """
    write_atomic(path, save({k: v.contiguous() for k, v in weights.items()}, {"model": model}))


def check_absent(path: Path) -> Path:
    """The path itself. Raises `UserError` where it exists: nothing is overwritten."""
    if os.path.lexists(path):  # links to nothing, too
        raise UserError(f"{path} exists; remove it or choose another name")
    return path


@contextmanager
def workspace(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path`: make files in it, then move them to `path`.

    Raises `UserError` where the disk is full or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            yield Path(folder)
    except SafetensorError as error:
        raise UserError(f"cannot write {path}: {error}") from error
    except OSError as error:
        raise cannot_write(path, error) from error


def find_weights(path: Path) -> Path:
    """The file with the weights: `path` itself, the one in the folder `path`, or that of the
    Hugging Face model of this name, or a packaged one. Raises `UserError` where there is none."""
    if name := packaged(str(path)):
        return packaged_weights(name)
    if not path.exists():
        missing = (
            f"no weights at {path}; give thunder, lightning, a run, a folder, .safetensors or .pth"
        )
        if path.suffix in (".safetensors", ".pth", ".pt", ".bin", ".onnx") or not re.fullmatch(
            r"[\w.-]+/[\w.-]+", str(path)
        ):
            raise UserError(missing)
        path = hub_folder(str(path), f"{path} is neither a run, a folder nor a file")
    if not path.is_dir():
        return path
    found = [path / name for name in _RUN_FILES if (path / name).exists()]
    if not found:
        raise UserError(f"{path} holds no weights (looked for {', '.join(_RUN_FILES)})")
    return found[0]


def read_weights(path: Path, expert: str = "coco") -> tuple[Weights, str]:
    """The tensors by our names, and the name of their model.

    `path` is a file (.safetensors, .pth, …), a folder with one (a run or a Hugging Face model), or
    the name of a Hugging Face model. Of a mixture of experts (ViTPose+) only `expert` is kept.
    Raises `UserError` where it cannot be read; a pickle that holds more than tensors is refused,
    and so are the weights of other networks.
    """
    path = find_weights(path)
    check_not_empty(path)
    if path.suffix == ".onnx":
        raise UserError(f"{path} can only be run; give the run or weights it was exported from")
    weights, model = _read_tensors(path)
    weights = without_wrappers(weights)
    try:
        weights = select_expert(weights, expert)
        if is_mmpose(weights):
            weights = from_mmpose(weights)
        weights = keep_coco_joints(weights)
        _check_crop_size(weights)
    except UserError as error:
        raise UserError(f"{path} cannot be loaded: {error}") from error
    except (IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise UserError(f"{path} holds another architecture: {error}") from error
    model = model or _recognise(weights)
    if model is None:
        raise UserError(f"{path} holds {what_it_is(weights)}; {_READS}")
    return weights, model


def _read_tensors(path: Path) -> tuple[Weights, str | None]:
    """The tensors of a file by its own names, and the model's name where we wrote it."""
    if path.name == _INDEX:
        try:
            files = sorted(set(json.loads(read_regular(path, MAX_INDEX))["weight_map"].values()))
        except (AttributeError, KeyError, TypeError, UnicodeError, ValueError) as error:
            raise UserError(f"{path} is not an index of safetensors files") from error
        parts = [_read_tensors(path.with_name(Path(str(name)).name))[0] for name in files]
        return {k: v for part in parts for k, v in part.items()}, None
    if path.suffix != ".safetensors":
        return read_checkpoint(path), None
    try:
        with path_for_library(path, MAX_WEIGHTS) as own:
            with safe_open(own, "pt") as file:
                model = (file.metadata() or {}).get("model")
            return load_file(own), model
    except OSError as error:
        raise cannot_read(path, error) from error
    except Exception as error:  # a broken header may raise anything
        raise UserError(f"{path} is not a safetensors file: {error}") from error


def load_into(model: nn.Module, weights: Mapping[str, Tensor], source: str, name: str) -> list[str]:
    """Load weights into a model; returns the names of the tensors that they do not hold.

    Only a backbone without a head may lack some: those of the head and of the norm before it.
    `source` and `name` name the file and the model in errors. Raises `UserError` for another
    architecture, with the names or shapes that differ.
    """
    found = _recognise(weights)
    own = model.state_dict()
    wanted = set(own) - {k for k in own if k.endswith("num_batches_tracked")}
    bare = not any(k.startswith("head.") for k in weights)
    spared = ("head.", "backbone.layernorm.") if bare else ()
    missing = sorted(k for k in wanted - set(weights) if not k.startswith(spared))
    foreign = sorted(set(weights) - set(own))
    misshapen = sorted(k for k in wanted & set(weights) if own[k].shape != weights[k].shape)
    if (missing or foreign or misshapen) and found not in (None, name):
        raise UserError(f"{source} holds {found}, not {name}: choose the model {found}")
    if missing or foreign or misshapen:
        differences = [
            f"it {verb} {_shorten(keys)}"
            for verb, keys in (("lacks", missing), ("has", foreign))
            if keys
        ]
        if misshapen:
            k = misshapen[0]
            shapes = f"{tuple(weights[k].shape)}, not {tuple(own[k].shape)}"
            more = f" and {len(misshapen) - 1} more" * (len(misshapen) > 1)
            differences.append(f"its {k} is {shapes}{more}")
        raise UserError(f"{source} is not {name}: {'; '.join(differences)}")
    model.load_state_dict(dict(weights), strict=False)
    return sorted(wanted - set(weights))


def load_model(path: Path, expert: str = "coco") -> tuple[nn.Module, str]:
    """The model that a run, folder, file or Hugging Face model holds, in evaluation mode, and its
    name.

    Raises `UserError` as `read_weights` and `load_into` do, and for a backbone without a head.
    """
    weights, name = read_weights(path, expert)
    model = build_model(name)
    if load_into(model, weights, str(path), name):
        raise UserError(f"{path} holds only a backbone: train it first, with --init {path}")
    return model.eval(), name


def blend_tensors(
    start: Mapping[str, Tensor], tuned: Mapping[str, Tensor], alpha: float
) -> Weights:
    """(1 - alpha) * start + alpha * tuned for each tensor (WiSE-FT, Wortsman et al., CVPR 2022).

    Integer counters are those of `tuned`. Raises `UserError` for different architectures.
    """
    if set(start) != set(tuned):
        raise UserError("weights of different architectures cannot be blended")
    return {
        k: torch.lerp(start[k].float(), v.float(), alpha).to(v.dtype)
        if v.is_floating_point()
        else v
        for k, v in tuned.items()
    }


def _recognise(weights: Mapping[str, Tensor]) -> str | None:
    """The name of the model: tiny by its layers, MoveNet by the width of its first layer, vitpose
    by the width of its embedding and the kernel of its last layer."""
    if "stem.weight" in weights and "lateral.0.weight" in weights:
        return next((n for n, width in STEMS.items() if width == len(weights["stem.weight"])), None)
    position = weights.get("backbone.embeddings.position_embeddings")
    if position is None:
        return "tiny" if any(k.startswith("down.0.") for k in weights) else None
    widths = {width: size for size, (width, *_) in SIZES.items()}
    size = widths.get(position.shape[-1]) if position.ndim else None
    last = weights.get("head.conv.weight")
    simple = last is not None and last.shape[-2:] == (3, 3)
    return f"vitpose-{size}{'-simple' * simple}" if size else None


def _check_crop_size(weights: Mapping[str, Tensor]) -> None:
    """Raise `UserError` for position embeddings of crops of 3 : 4 with another size than ours."""
    position = weights.get("backbone.embeddings.position_embeddings")
    if position is None or position.ndim != 3:
        return
    steps = ((position.shape[1] - 1) / 12) ** 0.5
    if steps.is_integer() and steps != 4:
        size = f"{64 * steps:g} x {48 * steps:g}"
        raise UserError(f"it is a ViTPose for crops of {size}, and repogen's are 256 x 192")


def _shorten(names: list[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]
