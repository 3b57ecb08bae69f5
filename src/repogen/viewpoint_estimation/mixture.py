"""Distributions over directions: mixtures of von Mises-Fisher."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Mixture(NamedTuple):
    """One mixture of k von Mises-Fisher distributions on the sphere for each of n people."""

    log_weights: Float[Tensor, "n k"]
    means: Float[Tensor, "n k 3"]
    concentrations: Float[Tensor, "n k"]


def outputs_to_mixture(outputs: Float[Tensor, "n m"]) -> Mixture:
    """A network's m = 5 k plain numbers a person as a mixture."""
    weights, means, concentrations = outputs.view(len(outputs), -1, 5).split([1, 3, 1], dim=2)
    return Mixture(
        torch.log_softmax(weights.squeeze(2), dim=1),
        nn.functional.normalize(means, dim=2),
        nn.functional.softplus(concentrations.squeeze(2) + 1) + 0.05,
    )


def log_density(mixture: Mixture, directions: Float[Tensor, "#n d 3"]) -> Float[Tensor, "n d"]:
    """Logarithm of the density, per steradian, of each person's mixture in d directions.

    A component's is k exp(k (cos - 1)) / (2 pi (1 - exp(-2 k))) (Mardia and Jupp, Directional
    Statistics, 2000, 9.3.4, written so that it does not overflow).
    """
    k = mixture.concentrations
    height = mixture.log_weights + torch.log(k / -torch.expm1(-2 * k)) - math.log(2 * math.pi)
    cosines = mixture.means @ directions.transpose(1, 2)
    return torch.logsumexp(height[:, :, None] + k[:, :, None] * (cosines - 1), dim=1)


def mode(mixture: Mixture) -> Float[Tensor, "n 3"]:
    """The most likely of the components' means: of two answers (in front? behind?) one of them,
    where the mean would lie between both."""
    best = log_density(mixture, mixture.means).argmax(dim=1)
    return mixture.means[torch.arange(len(best)), best]


def average_mixtures(one: Mixture, other: Mixture) -> Mixture:
    """Half of each."""
    return Mixture(
        torch.cat([one.log_weights, other.log_weights], dim=1) - math.log(2),
        torch.cat([one.means, other.means], dim=1),
        torch.cat([one.concentrations, other.concentrations], dim=1),
    )
