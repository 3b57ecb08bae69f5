"""The part of a file of weights that estimates COCO's 17 joints: without wrappers, other datasets'
heads and experts, and further joints."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from repogen.coco.names import COCO_FIRST
from repogen.errors import UserError, unknown_choice
from repogen.models.mmpose import Weights

EXPERTS = ("coco", "aic", "mpii", "ap10k", "apt36k", "wholebody")
"""Datasets of ViTPose+ in the order of its experts; the head of the first is keypoint_head, the
others' are associate_keypoint_heads.0 and up."""

_COCO_JOINTS = 17

_PREFIXES = ("module.", "_orig_mod.", "model.", "ema_model.", "ema.")
"""What DistributedDataParallel, torch.compile, Lightning and averaging put before every name."""

_COUNTERS = ("n_averaged", "steps")
"""Tensors of torch's AveragedModel and of mmengine's that are no weights."""


def without_wrappers(weights: Mapping[str, Tensor]) -> Weights:
    """The weights by the names of the network itself.

    The `ema_` tensors beside them are left out: mmcv keeps the averaged weights under the
    plain names and the last step's under `ema_`.
    """
    out = {k: v for k, v in weights.items() if k not in _COUNTERS}
    while prefix := next((p for p in _PREFIXES if out and all(k.startswith(p) for k in out)), None):
        out = {k.removeprefix(prefix): v for k, v in out.items()}
    return {k: v for k, v in out.items() if not k.startswith("ema_")} or out


def select_expert(weights: Mapping[str, Tensor], expert: str) -> Weights:
    """The weights of a mixture of experts (ViTPose+) with one expert and its head only, and those
    of several datasets with COCO's head only.

    An expert's rows of the last layer of each MLP follow the shared ones, so the result is an
    ordinary ViTPose. Experts of datasets with other joints than COCO's leave a backbone without a
    head. Raises `UserError` for an expert that the file does not hold.
    """
    if expert not in EXPERTS:
        raise unknown_choice("--expert", expert, EXPERTS)
    number = EXPERTS.index(expert)
    pattern = re.compile(r"(.*\.mlp)\.experts\.(\d+)\.(weight|bias)$")
    parts = {k: match for k in weights if (match := pattern.match(k))}
    chosen = {(m[1], m[3]): weights[k] for k, m in parts.items() if int(m[2]) == number}
    if number and not chosen:
        raise UserError(f"--expert {expert} is for ViTPose+; these weights hold no such expert")
    own, others = "keypoint_head.", "associate_keypoint_heads."
    out = {}
    for name, value in weights.items():
        if name in parts:
            continue
        if layer := re.match(r"(.*\.mlp)\.fc2\.(weight|bias)$", name):
            rows = [value, *([chosen[layer[1], layer[2]]] if parts else [])]
            value = torch.cat(rows) if parts else value
        if number == 0:
            if name.startswith(others):
                continue
        elif name.startswith((own, "head.")):
            continue
        elif name.startswith(others):
            rest = name.removeprefix(f"{others}{number - 1}.")
            if expert != "wholebody" or rest == name:
                continue
            name = own + rest
        out[name] = value
    return out


def keep_coco_joints(weights: Weights) -> Weights:
    """The weights with the first 17 joints of a head for more, where these are COCO's.

    Raises `UserError` for a head of another number of joints.
    """
    last = weights.get("head.conv.bias")
    if last is None or last.ndim != 1 or len(last) == _COCO_JOINTS:
        return weights
    if len(last) not in COCO_FIRST:
        raise UserError(f"its head is for {len(last)} joints, and not for COCO's 17")
    cut = {k: weights[k][:_COCO_JOINTS].clone() for k in ("head.conv.weight", "head.conv.bias")}
    return weights | cut
