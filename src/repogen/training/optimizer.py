"""Parameter groups with layer-wise learning rate decay, frozen layers, steps for folded batch norm,
the learning rate schedule, the EMA."""

import re
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from repogen.errors import UserError


def parameter_groups(
    model: nn.Module, lr: float, weight_decay: float, layer_decay: float
) -> list[dict[str, Any]]:
    """The parameter groups of an optimizer, one for each learning rate and weight decay.

    Layer i of n transformer layers, or blocks of MoveNet, learns at lr * layer_decay^(n + 1 - i),
    with the embeddings or the stem as layer 0 and everything else at lr (BEiT, Bao et al., ICLR
    2022). Frozen parameters are left out. Vectors (biases, norms) and position embeddings have no
    weight decay. `base_lr` is a group's rate before the schedule.
    """
    depths = {name: _layer_depth(name) for name, _ in model.named_parameters()}
    top = 1 + max((depth for depth in depths.values() if depth is not None), default=0)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        depth = depths[name]
        rate = lr * layer_decay ** (0 if depth is None else top - depth)
        plain = parameter.ndim == 1 or name.endswith("position_embeddings")
        groups.setdefault((rate, 0.0 if plain else weight_decay), []).append(parameter)
    return [
        {"params": params, "lr": rate, "weight_decay": decay, "base_lr": rate}
        for (rate, decay), params in groups.items()
    ]


def freeze_layers(model: nn.Module, count: int, name: str) -> None:
    """Let the first `count` layers keep their weights, and the embeddings or stem before them.

    Raises `UserError` where the model, called `name`, has fewer.
    """
    depths = {key: _layer_depth(key) for key, _ in model.named_parameters()}
    layers = max((depth for depth in depths.values() if depth is not None), default=0)
    if count > layers:
        raise UserError(f"--freeze {count} is more than the {layers} layers of {name}")
    for key, parameter in model.named_parameters():
        depth = depths[key]
        parameter.requires_grad_(not count or depth is None or depth > count)


def _layer_depth(name: str) -> int | None:
    """0 for a transformer's embeddings or MoveNet's stem, 1 and up for its layers or blocks, None
    for other parameters."""
    if ".embeddings." in name or re.match(r"stem\.(weight|bias)$", name):
        return 0
    found = re.search(r"(?:encoder\.layer|^blocks)\.(\d+)\.", name)
    return int(found[1]) + 1 if found else None


class ChannelScaledAdamW(torch.optim.AdamW):
    """AdamW whose step of each weight is relative to the size of its output channel.

    Folded batch norm leaves channels whose weights differ by factors of thousands: a step of one
    size would destroy some and leave others as they are. A step is multiplied by the root mean
    square of the channel's weights, that of a bias by the one of all biases of its layer.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step of AdamW, scaled."""
        moved = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        before = [p.clone() for p in moved]
        loss = super().step(closure)
        for parameter, start in zip(moved, before, strict=True):
            parameter.sub_(start).mul_(_channel_size(start)).add_(start)
        return loss


def _channel_size(weights: Tensor) -> Tensor:
    """Root mean square of each output channel, or of all values of a vector."""
    others = tuple(range(1, weights.ndim)) or (0,)
    return weights.square().mean(dim=others, keepdim=True).sqrt()


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
