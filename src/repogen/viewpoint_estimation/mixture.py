"""Mixtures of von Mises-Fisher distributions over directions."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from repogen.arrays import Float


class Mixture(NamedTuple):
    """For each of n people, a mixture of k von Mises-Fisher distributions on the sphere."""

    log_weights: Float[Tensor, "n k"]
    means: Float[Tensor, "n k 3"]
    concentrations: Float[Tensor, "n k"]


def outputs_to_mixture(outputs: Float[Tensor, "n m"]) -> Mixture:
    """The mixture that a network's m = 5 k raw outputs per person encode."""
    weights, means, concentrations = outputs.view(len(outputs), -1, 5).split([1, 3, 1], dim=2)
    return Mixture(
        torch.log_softmax(weights.squeeze(2), dim=1),
        nn.functional.normalize(means, dim=2),
        nn.functional.softplus(concentrations.squeeze(2) + 1) + 0.05,
    )


def log_density(mixture: Mixture, directions: Float[Tensor, "#n d 3"]) -> Float[Tensor, "n d"]:
    """The logarithm of the density, per steradian, of each person's mixture in d unit directions.

    A component of concentration k has the density k exp(k (cos - 1)) / (2 pi (1 - exp(-2 k)))
    (Mardia and Jupp, Directional Statistics, 2000, Equation 9.3.4, in a form without overflow).
    """
    k = mixture.concentrations
    height = mixture.log_weights + torch.log(k / -torch.expm1(-2 * k)) - math.log(2 * math.pi)
    cosines = mixture.means @ directions.transpose(1, 2)
    return torch.logsumexp(height[:, :, None] + k[:, :, None] * (cosines - 1), dim=1)


def mode(mixture: Mixture) -> Float[Tensor, "n 3"]:
    """The component mean of the highest density; unlike the mixture's mean, it does not lie
    between two likely directions."""
    best = log_density(mixture, mixture.means).argmax(dim=1)
    return mixture.means[torch.arange(len(best)), best]


def average_mixtures(one: Mixture, other: Mixture) -> Mixture:
    """The mixture of two mixtures with equal weights."""
    return Mixture(
        torch.cat([one.log_weights, other.log_weights], dim=1) - math.log(2),
        torch.cat([one.means, other.means], dim=1),
        torch.cat([one.concentrations, other.concentrations], dim=1),
    )
