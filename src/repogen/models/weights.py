"""Weights in files: ours, Hugging Face folders, and ViTPose checkpoints of mmpose 0.x."""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from repogen.errors import UserError
from repogen.models import MODELS, build_model

Weights = dict[str, Tensor]

_RUN_FILES = ("best.safetensors", "last.safetensors", "model.safetensors", "pytorch_model.bin")


def save_weights(path: Path, weights: Mapping[str, Tensor], model: str) -> None:
    """Write weights and the name of their model as safetensors, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in weights.items()}, partial, {"model": model})
    partial.replace(path)


def read_weights(path: Path) -> tuple[Weights, str | None]:
    """Tensors by our names, and the model they are of where the file says or shows it.

    A file or a folder that holds one (a run of ours, a Hugging Face model). Raises `UserError`
    where nothing can be read; a pickle that holds more than tensors is refused.
    """
    if path.is_dir():
        found = [path / name for name in _RUN_FILES if (path / name).exists()]
        if not found:
            raise UserError(f"{path} holds no weights (looked for {', '.join(_RUN_FILES)})")
        path = found[0]
    if not path.exists():
        raise UserError(f"no weights at {path}; give a run, a folder, .safetensors or .pth")
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, "pt") as file:
                model = (file.metadata() or {}).get("model")
            weights = load_file(path)
        except (SafetensorError, OSError) as error:
            raise UserError(f"{path} is no safetensors file: {error}") from error
    else:
        weights, model = _read_pickle(path), None
    if any(name.startswith(("backbone.blocks.", "blocks.")) for name in weights):
        weights = from_mmpose(weights)
    return weights, model or _recognised(weights)


def _read_pickle(path: Path) -> Weights:
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise UserError(
            f"{path} is refused: it is no checkpoint of plain tensors "
            f"({str(error).splitlines()[0][:120]})"
        ) from error
    for key in ("state_dict", "model"):
        if isinstance(data, dict) and isinstance(data.get(key), dict):
            data = data[key]
    if not isinstance(data, dict):
        raise UserError(f"{path} holds no table of weights")
    weights = {str(k): v for k, v in data.items() if isinstance(v, Tensor)}
    if not weights:
        raise UserError(f"{path} holds no tensors")
    return weights


_MMPOSE = (
    (r"^backbone\.pos_embed$", "backbone.embeddings.position_embeddings"),
    (r"^backbone\.patch_embed\.proj\.", "backbone.embeddings.patch_embeddings.projection."),
    (
        r"^backbone\.blocks\.(\d+)\.attn\.proj\.",
        r"backbone.encoder.layer.\1.attention.output.dense.",
    ),
    (r"^backbone\.blocks\.(\d+)\.norm1\.", r"backbone.encoder.layer.\1.layernorm_before."),
    (r"^backbone\.blocks\.(\d+)\.norm2\.", r"backbone.encoder.layer.\1.layernorm_after."),
    (r"^backbone\.blocks\.(\d+)\.mlp\.", r"backbone.encoder.layer.\1.mlp."),
    (r"^backbone\.last_norm\.", "backbone.layernorm."),
    (r"^keypoint_head\.deconv_layers\.0\.", "head.deconv1."),
    (r"^keypoint_head\.deconv_layers\.1\.", "head.batchnorm1."),
    (r"^keypoint_head\.deconv_layers\.3\.", "head.deconv2."),
    (r"^keypoint_head\.deconv_layers\.4\.", "head.batchnorm2."),
    (r"^keypoint_head\.final_layer\.", "head.conv."),
)
"""Names of mmpose 0.x and of transformers, but for the attention's qkv, which is split."""


def from_mmpose(weights: Mapping[str, Tensor]) -> Weights:
    """ViTPose (or a bare MAE backbone, whose names lack `backbone.`) by transformers' names.

    Raises `UserError` for a name that has no place.
    """
    out, strange = {}, []
    for name, value in weights.items():
        full = name if name.startswith(("backbone.", "keypoint_head.")) else f"backbone.{name}"
        if full.startswith(("backbone.norm.", "backbone.cls_token", "backbone.head.")):
            continue  # of a classifier: MAE files have them, a pose estimator no use for them
        if qkv := re.match(r"^backbone\.blocks\.(\d+)\.attn\.qkv\.(weight|bias)$", full):
            for part, piece in zip(("query", "key", "value"), value.chunk(3), strict=True):
                key = f"backbone.encoder.layer.{qkv[1]}.attention.attention.{part}.{qkv[2]}"
                out[key] = piece.clone()
            continue
        for pattern, ours in _MMPOSE:
            if re.match(pattern, full):
                out[re.sub(pattern, ours, full)] = value
                break
        else:
            strange.append(name)
    if strange:
        raise UserError(f"a ViTPose checkpoint has no place for {_few(strange)}")
    return out


def load_into(model: nn.Module, weights: Mapping[str, Tensor], source: str, name: str) -> list[str]:
    """Put weights into a model; returns the names it keeps its own for: those of the head where
    the weights are a bare backbone.

    Raises `UserError` where they are of another architecture, with keys and shapes.
    """
    own = model.state_dict()
    wanted = set(own) - {k for k in own if k.endswith("num_batches_tracked")}
    bare = not any(k.startswith("head.") for k in weights)
    missing = sorted(k for k in wanted - set(weights) if not (bare and k.startswith("head.")))
    foreign = sorted(set(weights) - set(own))
    bent = sorted(k for k in wanted & set(weights) if own[k].shape != weights[k].shape)
    if missing or foreign or bent:
        told = [
            f"{verb} {_few(keys)}" for verb, keys in (("lacks", missing), ("has", foreign)) if keys
        ]
        if bent:
            k = bent[0]
            shapes = f"{tuple(weights[k].shape)}, not {tuple(own[k].shape)}"
            told.append(f"{k} is {shapes}" + f" and {len(bent) - 1} more" * (len(bent) > 1))
        raise UserError(f"{source} is no {name}: it {'; '.join(told)}")
    model.load_state_dict(dict(weights), strict=False)
    return sorted(wanted - set(weights))


def load_model(path: Path, name: str | None = None) -> tuple[nn.Module, str]:
    """The model a run, folder or file holds, ready to use, and its name."""
    weights, found = read_weights(path)
    name = name or found
    if name is None:
        raise UserError(f"{path} does not say which model it is; choose from {', '.join(MODELS)}")
    model = build_model(name)
    kept = load_into(model, weights, str(path), name)
    if kept:
        raise UserError(f"{path} holds a backbone alone: train it first, with --init {path}")
    return model.eval(), name


def blended(start: Mapping[str, Tensor], tuned: Mapping[str, Tensor], alpha: float) -> Weights:
    """(1 - alpha) start + alpha tuned, weight by weight (WiSE-FT, Wortsman et al., CVPR 2022)."""
    if set(start) != set(tuned):
        raise UserError("weights of two architectures cannot be blended")
    return {
        k: torch.lerp(start[k].float(), v.float(), alpha).to(v.dtype)
        if v.is_floating_point()
        else v
        for k, v in tuned.items()
    }


def _recognised(weights: Mapping[str, Tensor]) -> str | None:
    """The model whose embedding has this width."""
    from repogen.models.vitpose import SIZES

    position = weights.get("backbone.embeddings.position_embeddings")
    if position is None:
        return "tiny" if any(k.startswith("down.0.") for k in weights) else None
    widths = {width: size for size, (width, _, _) in SIZES.items()}
    size = widths.get(int(position.shape[-1]))
    return f"vitpose-{size}" if size else None


def _few(names: list[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]
