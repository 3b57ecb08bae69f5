"""Renaming ViTPose checkpoints of mmpose 0.x and 1.x, and MAE backbones, to the names of
transformers."""

import re
from collections.abc import Mapping
from math import isqrt

import torch
from torch import Tensor

from repogen.errors import UserError

Weights = dict[str, Tensor]

_GRID = (16, 12)
"""Rows and columns of patches in a crop."""

_PATCH = 16

_NAMES = (
    (r"^backbone\.pos_embed$", "backbone.embeddings.position_embeddings"),
    (
        r"^backbone\.patch_embed\.proj(?:ection)?\.",
        "backbone.embeddings.patch_embeddings.projection.",
    ),
    (
        r"^backbone\.(?:blocks|layers)\.(\d+)\.attn\.proj\.",
        r"backbone.encoder.layer.\1.attention.output.dense.",
    ),
    (
        r"^backbone\.(?:blocks|layers)\.(\d+)\.(?:norm|ln)1\.",
        r"backbone.encoder.layer.\1.layernorm_before.",
    ),
    (
        r"^backbone\.(?:blocks|layers)\.(\d+)\.(?:norm|ln)2\.",
        r"backbone.encoder.layer.\1.layernorm_after.",
    ),
    (r"^backbone\.blocks\.(\d+)\.mlp\.", r"backbone.encoder.layer.\1.mlp."),
    (r"^backbone\.layers\.(\d+)\.ffn\.layers\.0\.0\.", r"backbone.encoder.layer.\1.mlp.fc1."),
    (r"^backbone\.layers\.(\d+)\.ffn\.layers\.1\.", r"backbone.encoder.layer.\1.mlp.fc2."),
    (r"^backbone\.(?:last_norm|ln1)\.", "backbone.layernorm."),
    (r"^(?:keypoint_)?head\.deconv_layers\.0\.", "head.deconv1."),
    (r"^(?:keypoint_)?head\.deconv_layers\.1\.", "head.batchnorm1."),
    (r"^(?:keypoint_)?head\.deconv_layers\.3\.", "head.deconv2."),
    (r"^(?:keypoint_)?head\.deconv_layers\.4\.", "head.batchnorm2."),
    (r"^(?:keypoint_)?head\.final_layer\.", "head.conv."),
)
"""Names in mmpose 0.x (blocks, keypoint_head) or mmpose 1.x, whose backbone is mmpretrain's
(layers, ln1, ffn), and in transformers, except for the attention's qkv, which is split."""

_PRETRAINING_ONLY = r"^backbone\.(cls_token|mask_token|norm|fc_norm|head|decoder_\w+)(\.|$)"
"""Tensors of an MAE file that ViTPose does not use: class token, last norm, decoder, classifier."""


def is_mmpose(weights: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of a transformer in mmpose, or of an MAE backbone (without
    `backbone.`)."""
    return any(re.match(r"(backbone\.)?(blocks|layers)\.\d+\.attn\.", k) for k in weights)


def from_mmpose(weights: Mapping[str, Tensor]) -> Weights:
    """The weights of a ViTPose checkpoint or an MAE backbone under transformers' names.

    A backbone is also fitted to crops of 256 x 192. Raises `UserError` for an unknown name.
    """
    out, unknown = {}, []
    whole = any(name.startswith("backbone.") for name in weights)
    for name, value in weights.items():
        full = name if whole else f"backbone.{name}"
        if re.match(_PRETRAINING_ONLY, full):
            continue
        if full == "backbone.pos_embed" and value.ndim == 3:
            value = resample_positions(value)
        if full == "backbone.patch_embed.proj.weight" and value.ndim == 4:
            value = _pad_kernels(value)
        if qkv := re.match(r"^backbone\.(?:blocks|layers)\.(\d+)\.attn\.qkv\.(weight|bias)$", full):
            for part, piece in zip(("query", "key", "value"), value.chunk(3), strict=True):
                key = f"backbone.encoder.layer.{qkv[1]}.attention.attention.{part}.{qkv[2]}"
                out[key] = piece.clone()
            continue
        for pattern, ours in _NAMES:
            if re.match(pattern, full):
                out[re.sub(pattern, ours, full)] = value
                break
        else:
            unknown.append(name)
    if unknown:
        more = f" and {len(unknown) - 1} more" * (len(unknown) > 1)
        raise UserError(f"a ViTPose checkpoint has no tensor named {unknown[0]}{more}")
    return out


def _pad_kernels(kernels: Tensor) -> Tensor:
    """Patch kernels of 16 x 16: MAE's huge model has 14 x 14, and zeros around them."""
    missing = max(0, _PATCH - kernels.shape[-1])
    before, after = missing // 2, missing - missing // 2
    return torch.nn.functional.pad(kernels, (before, after, before, after)) if missing else kernels


def resample_positions(positions: Tensor) -> Tensor:
    """The position embedding of a square image or a crop for crops (1, 193, c).

    The class token's embedding comes first and stays, zero where there is none (s² or 192
    patches): ViTPose and transformers add it to that of every patch. The map of a square image
    is resampled bicubically. An embedding of other shapes is returned as it is.
    """
    _, count, width = positions.shape
    if isqrt(count) ** 2 == count or count == _GRID[0] * _GRID[1]:
        positions = torch.cat([positions.new_zeros(1, 1, width), positions], dim=1)
    side = isqrt(positions.shape[1] - 1)
    if side**2 != positions.shape[1] - 1:
        return positions  # of crops already
    token, patches = positions[:, :1], positions[:, 1:]
    grid = patches.reshape(1, side, side, width).permute(0, 3, 1, 2).float()
    grid = torch.nn.functional.interpolate(grid, _GRID, mode="bicubic", align_corners=False)
    patches = grid.flatten(2).transpose(1, 2).to(positions.dtype)
    return torch.cat([token, patches], dim=1)
