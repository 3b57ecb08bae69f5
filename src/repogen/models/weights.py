"""Weights in files: our safetensors, Hugging Face folders, mmpose 0.x ViTPose checkpoints."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from repogen.errors import UserError
from repogen.files import cannot_write, write_atomic
from repogen.models import MODELS, build_model
from repogen.models.checkpoints import read_checkpoint
from repogen.models.mmpose import Weights, from_mmpose, is_mmpose
from repogen.models.vitpose import SIZES

_RUN_FILES = ("best.safetensors", "last.safetensors", "model.safetensors", "pytorch_model.bin")


def save_weights(path: Path, weights: Mapping[str, Tensor], model: str) -> None:
    """Write weights and the name of their model as safetensors, whole or not at all.

    Raises `UserError` where the file cannot be written.
    """
    write_atomic(path, save({k: v.contiguous() for k, v in weights.items()}, {"model": model}))


def check_absent(path: Path) -> Path:
    """The path itself. Raises `UserError` where it exists: nothing is overwritten."""
    if path.exists():
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


def read_weights(path: Path) -> tuple[Weights, str | None]:
    """The tensors by our names, and the name of their model; None where it is not recognised.

    `path` is a file (.safetensors, .pth, …) or a folder with one: a run or a Hugging Face model.
    Raises `UserError` where it cannot be read; a pickle that holds more than tensors is refused.
    """
    if path.is_dir():
        found = [path / name for name in _RUN_FILES if (path / name).exists()]
        if not found:
            raise UserError(f"{path} holds no weights (looked for {', '.join(_RUN_FILES)})")
        path = found[0]
    if not path.exists():
        raise UserError(f"no weights at {path}; give a run, a folder, .safetensors or .pth")
    if path.suffix == ".onnx":
        raise UserError(f"{path} can only be run; give the run or weights it was exported from")
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, "pt") as file:
                model = (file.metadata() or {}).get("model")
            weights = load_file(path)
        except Exception as error:  # a broken header may raise anything
            raise UserError(f"{path} is not a safetensors file: {error}") from error
    else:
        weights, model = read_checkpoint(path), None
    if is_mmpose(weights):
        try:
            weights = from_mmpose(weights)
        except (IndexError, RuntimeError, TypeError, ValueError) as error:
            raise UserError(f"{path} holds another architecture: {error}") from error
    return weights, model or _recognise(weights)


def load_into(model: nn.Module, weights: Mapping[str, Tensor], source: str, name: str) -> list[str]:
    """Load weights into a model; returns the names of the tensors that they do not hold.

    Only a backbone without a head may lack some: those of the head and of the norm before it.
    `source` and `name` name the file and the model in errors. Raises `UserError` for another
    architecture, with the names or shapes that differ.
    """
    own = model.state_dict()
    wanted = set(own) - {k for k in own if k.endswith("num_batches_tracked")}
    bare = not any(k.startswith("head.") for k in weights)
    spared = ("head.", "backbone.layernorm.") if bare else ()
    missing = sorted(k for k in wanted - set(weights) if not k.startswith(spared))
    foreign = sorted(set(weights) - set(own))
    misshapen = sorted(k for k in wanted & set(weights) if own[k].shape != weights[k].shape)
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


def load_model(path: Path, name: str | None = None) -> tuple[nn.Module, str]:
    """The model that a run, folder or file holds, in evaluation mode, and its name.

    `name` overrides the recognised name. Raises `UserError` as `read_weights` and `load_into` do,
    and for a backbone without a head.
    """
    weights, found = read_weights(path)
    name = name or found
    if name is None:
        raise unrecognised_error(path, weights)
    model = build_model(name)
    kept = load_into(model, weights, str(path), name)
    if kept:
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


def unrecognised_error(path: Path, weights: Mapping[str, Tensor]) -> UserError:
    """The error for weights of an unknown model."""
    return UserError(
        f"{path} holds none of {', '.join(MODELS)}: it has {_shorten(sorted(weights))}"
    )


def _recognise(weights: Mapping[str, Tensor]) -> str | None:
    """The name of the model: tiny by its layers, vitpose by the width of its embedding."""
    position = weights.get("backbone.embeddings.position_embeddings")
    if position is None:
        return "tiny" if any(k.startswith("down.0.") for k in weights) else None
    widths = {width: size for size, (width, *_) in SIZES.items()}
    size = widths.get(position.shape[-1]) if position.ndim else None
    return f"vitpose-{size}" if size else None


def _shorten(names: list[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]
