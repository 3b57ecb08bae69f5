"""Renaming mmpose 0.x ViTPose checkpoints and MAE backbones to the names of transformers."""

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
"""Names in mmpose 0.x and in transformers, except for the attention's qkv, which is split."""

_PRETRAINING_ONLY = r"^backbone\.(cls_token|mask_token|norm|fc_norm|head|decoder_\w+)(\.|$)"
"""Tensors of an MAE file that ViTPose does not use: class token, last norm, decoder, classifier."""


def is_mmpose(weights: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of mmpose, or of an MAE backbone (without `backbone.`)."""
    return any(name.startswith(("backbone.blocks.", "blocks.")) for name in weights)


def from_mmpose(weights: Mapping[str, Tensor]) -> Weights:
    """The weights of a ViTPose checkpoint or an MAE backbone under transformers' names.

    A backbone is also fitted to crops of 256 x 192. Raises `UserError` for an unknown name.
    """
    out, unknown = {}, []
    for name, value in weights.items():
        full = name if name.startswith(("backbone.", "keypoint_head.")) else f"backbone.{name}"
        if re.match(_PRETRAINING_ONLY, full):
            continue
        if full != name:
            value = _fit_to_crops(name, value)
        if qkv := re.match(r"^backbone\.blocks\.(\d+)\.attn\.qkv\.(weight|bias)$", full):
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


def _fit_to_crops(name: str, value: Tensor) -> Tensor:
    """The tensor of a backbone, resampled or padded where square images gave it another size than
    crops of 256 x 192 need."""
    if name == "pos_embed" and value.ndim == 3:
        return resample_positions(value)
    if name == "patch_embed.proj.weight" and value.ndim == 4 and value.shape[-1] < _PATCH:
        # MAE's huge model has patches of 14 pixels; zeros around its kernels make them 16.
        before = (_PATCH - value.shape[-1]) // 2
        after = _PATCH - value.shape[-1] - before
        return torch.nn.functional.pad(value, (before, after, before, after))
    return value


def resample_positions(positions: Tensor) -> Tensor:
    """The position embedding of square images (1, s² or s² + 1, c) for crops (1, 193, c).

    The class token's embedding comes first and stays, zero without a class token: ViTPose and
    transformers add it to that of every patch. The others form a map, resampled bicubically. An
    embedding of other shapes is returned as it is.
    """
    _, count, width = positions.shape
    if isqrt(count) ** 2 == count:
        positions = torch.cat([positions.new_zeros(1, 1, width), positions], dim=1)
    side = isqrt(positions.shape[1] - 1)
    if side**2 != positions.shape[1] - 1:
        return positions  # of crops already
    token, patches = positions[:, :1], positions[:, 1:]
    grid = patches.reshape(1, side, side, width).permute(0, 3, 1, 2).float()
    grid = torch.nn.functional.interpolate(grid, _GRID, mode="bicubic", align_corners=False)
    patches = grid.flatten(2).transpose(1, 2).to(positions.dtype)
    return torch.cat([token, patches], dim=1)
