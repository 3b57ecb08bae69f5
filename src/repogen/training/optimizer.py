"""AdamW as transformers are tuned with it: decay where it helps, low layers slower."""

import re

import torch
from torch import nn


def parameter_groups(
    model: nn.Module, lr: float, weight_decay: float, layer_decay: float
) -> list[dict]:
    """Parameters by learning rate and decay. No decay on vectors and position embeddings; layer
    i of a transformer's n learns at lr x layer_decay^(n + 1 - i), embeddings as layer 0, all else
    at lr."""
    depths = {name: _depth(name) for name, _ in model.named_parameters()}
    top = 1 + max((depth for depth in depths.values() if depth is not None), default=0)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        depth = depths[name]
        rate = lr * layer_decay ** (0 if depth is None else top - depth)
        plain = parameter.ndim == 1 or name.endswith("position_embeddings")
        groups.setdefault((rate, 0.0 if plain else weight_decay), []).append(parameter)
    return [
        {"params": params, "lr": rate, "weight_decay": decay, "full_lr": rate}
        for (rate, decay), params in groups.items()
    ]


def _depth(name: str) -> int | None:
    """0 for a transformer's embeddings, from 1 for its layers, None for what is no part of it."""
    if ".embeddings." in name:
        return 0
    found = re.search(r"encoder\.layer\.(\d+)\.", name)
    return int(found[1]) + 1 if found else None


def rate_at(step: int, steps: int, warmup: int, milestones: tuple[float, ...]) -> float:
    """The learning rate of a step, as a share of the full one."""
    share = 0.1 ** sum(step >= round(m * steps) for m in milestones)
    return share * min(1.0, (step + 1) / (warmup + 1))


def averaged_into(average: dict[str, torch.Tensor], model: nn.Module, decay: float) -> None:
    """Move the average of a model's weights a step towards them; counters are copied."""
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                average[name].lerp_(value, 1 - decay)
            else:
                average[name].copy_(value)
