"""Parameter groups with layer-wise learning rate decay, the learning rate schedule, the EMA."""

import re
from typing import Any

import torch
from torch import nn


def parameter_groups(
    model: nn.Module, lr: float, weight_decay: float, layer_decay: float
) -> list[dict[str, Any]]:
    """The parameter groups of an optimizer, one for each learning rate and weight decay.

    Layer i of n transformer layers learns at lr * layer_decay^(n + 1 - i), with the embeddings as
    layer 0 and everything else at lr (BEiT, Bao et al., ICLR 2022). Vectors (biases, norms) and
    position embeddings have no weight decay. `base_lr` is a group's rate before the schedule.
    """
    depths = {name: _layer_depth(name) for name, _ in model.named_parameters()}
    top = 1 + max((depth for depth in depths.values() if depth is not None), default=0)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        depth = depths[name]
        rate = lr * layer_decay ** (0 if depth is None else top - depth)
        plain = parameter.ndim == 1 or name.endswith("position_embeddings")
        groups.setdefault((rate, 0.0 if plain else weight_decay), []).append(parameter)
    return [
        {"params": params, "lr": rate, "weight_decay": decay, "base_lr": rate}
        for (rate, decay), params in groups.items()
    ]


def _layer_depth(name: str) -> int | None:
    """0 for a transformer's embeddings, 1 and up for its layers, None for other parameters."""
    if ".embeddings." in name:
        return 0
    found = re.search(r"encoder\.layer\.(\d+)\.", name)
    return int(found[1]) + 1 if found else None


def learning_rate_factor(
    step: int, steps: int, warmup: int, milestones: tuple[float, ...]
) -> float:
    """The learning rate of a step as a factor of the base rate: it rises linearly over `warmup`
    steps, then falls to a tenth at each milestone, a share of all `steps`."""
    factor = 0.1 ** sum(step >= round(m * steps) for m in milestones)
    return factor * min(1.0, (step + 1) / (warmup + 1))


def update_ema(ema: dict[str, torch.Tensor], model: nn.Module, decay: float) -> None:
    """Update the exponential moving average of a model's weights in place:
    ema = decay * ema + (1 - decay) * weights. Integer counters are copied."""
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                ema[name].lerp_(value, 1 - decay)
            else:
                ema[name].copy_(value)
