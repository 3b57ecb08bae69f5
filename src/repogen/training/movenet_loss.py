"""The loss of MoveNet's four heads: centre, regression, heat maps and offsets.

Each term asks for what `decode_pose` reads, so that a network that already answers rightly has
little to learn. After Zhou et al., *Objects as Points*, 2019 (centre, offset, regression); the
heat maps' term is the cross-entropy of the score by which the decoder chooses a joint's cell.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from repogen.arrays import Float
from repogen.models.movenet_decoding import CLOSENESS, STRIDE

WEIGHTS = {"heatmap": 1.0, "offset": 1.0, "regress": 0.1, "center": 0.1}
"""Factor of each head's term."""

_JOINT_SIGMA = 1.0
"""Cells over which a joint's heat map and offsets are taught around it."""

_CENTER_SIGMA = 1.3
"""Cells around a person's centre that are not taught to be background; the packaged network's
peaks are as wide."""

_JOINTS = 17

Heads = Mapping[str, Float[Tensor, "n c h w"]]


def movenet_loss(heads: Heads, joints: Float[Tensor, "n 17 c"]) -> Float[Tensor, ""]:
    """The weighted sum of `movenet_losses`."""
    losses = movenet_losses(heads, joints)
    return sum((WEIGHTS[name] * loss for name, loss in losses.items()), torch.zeros(()).to(joints))


def movenet_losses(heads: Heads, joints: Float[Tensor, "n 17 c"]) -> dict[str, Float[Tensor, ""]]:
    """The loss of each head, for joints with x, y in crop pixels and their weight.

    `heatmap`: cross-entropy (nats) over cells. `offset`: L1 in cells, near the joint. `regress`: L1
    in cells, at the true centre and at the one that the decoder takes. `center`: focal loss. Joints
    of weight 0 add nothing. The true centre is the mean of all 17 joints, as the packaged networks
    have it; joints of weight 0 stand there where the network itself regresses them.
    """
    heads = {name: value.float() for name, value in heads.items()}
    rows, columns = heads["center"].shape[2:]
    y = torch.arange(rows).to(joints)[:, None].expand(rows, columns).reshape(-1)
    x = torch.arange(columns).to(joints)[None].expand(rows, columns).reshape(-1)
    cells = torch.stack([y, x], dim=1)
    truth = (joints[..., [1, 0]] + 0.5) / STRIDE  # y, x in cells; 0 is the edge of the first
    weight = joints[..., 2]
    total = weight.sum().clamp(min=1e-6)

    closeness = 1 / (
        torch.linalg.norm(cells - cells.new_tensor([rows, columns]) / 2, dim=1) + CLOSENESS
    )
    chosen = (heads["center"].flatten(1).sigmoid() * closeness).argmax(dim=1)
    guess = _pairs_at(heads["regress"], chosen) + cells[chosen][:, None]
    center = torch.where(weight[..., None] > 0, truth, guess.detach()).mean(dim=1)
    center = center.clamp(min=center.new_zeros(2), max=center.new_tensor([rows - 1, columns - 1]))
    center = center.floor()
    true_cell = (center[:, 0] * columns + center[:, 1]).long()

    # n, 17, cells, (y, x): from each cell to the joint
    away = truth[:, :, None] - cells - 0.5
    near = torch.exp(-away.square().sum(dim=3) / (2 * _JOINT_SIGMA**2))
    near = near / near.sum(dim=2, keepdim=True).clamp(min=1e-6) * weight[..., None]

    reach = torch.linalg.norm(guess.detach()[:, :, None] - cells, dim=3) + CLOSENESS
    score = functional.logsigmoid(heads["heatmap"].flatten(2)) - reach.log()
    offset = heads["offset"].unflatten(1, (_JOINTS, 2)).flatten(3).transpose(2, 3)
    offset_error = (offset - away - 0.5).abs().sum(dim=3)
    guesses = guess, _pairs_at(heads["regress"], true_cell) + cells[true_cell][:, None]
    regress_error = sum(((g - truth).abs().sum(dim=2) * weight).sum() for g in guesses) / 2
    return {
        "heatmap": -(near * score.log_softmax(dim=2)).sum() / total,
        "offset": (near * offset_error).sum() / total,
        "regress": regress_error / total,
        "center": _focal(heads["center"].flatten(1), cells, center, weight.sum(dim=1) > 0),
    }


def _pairs_at(values: Float[Tensor, "n 34 h w"], cell: Tensor) -> Float[Tensor, "n 17 2"]:
    """y and x of each joint at one cell of each crop."""
    index = cell[:, None, None].expand(-1, 2 * _JOINTS, -1)
    return values.flatten(2).gather(2, index).view(-1, _JOINTS, 2)


def _focal(
    logits: Float[Tensor, "n m"], cells: Tensor, center: Float[Tensor, "n 2"], counted: Tensor
) -> Float[Tensor, ""]:
    """CenterNet's focal loss of the centre's map, over the crops that are counted."""
    square = (cells - center[:, None]).square().sum(dim=2)
    target = torch.exp(-square / (2 * _CENTER_SIGMA**2))
    chance = logits.sigmoid()
    positive = (square == 0) * (1 - chance).square() * functional.logsigmoid(logits)
    negative = (1 - target) ** 4 * chance.square() * functional.logsigmoid(-logits)
    each = -torch.where(square == 0, positive, negative).sum(dim=1)
    return (each * counted).sum() / counted.sum().clamp(min=1)
