"""Mixtures over directions integrate to one and have the right densities and modes."""

import numpy as np
import pytest
import torch

from repogen.viewpoint_estimation.mixture import (
    Mixture,
    average_mixtures,
    log_density,
    mode,
    outputs_to_mixture,
)
from repogen.viewpoint_estimation.sphere import CELL_AREAS, cell_centers


def random_mixture(n=7, k=4):
    return outputs_to_mixture(3 * torch.randn(n, 5 * k, generator=torch.Generator().manual_seed(0)))


def single(direction, concentration):
    return Mixture(
        torch.zeros(1, 1),
        torch.tensor(direction).float().reshape(1, 1, 3),
        torch.full((1, 1), float(concentration)),
    )


def integral(mixture):
    at = torch.from_numpy(cell_centers().reshape(1, -1, 3)).float()
    density = log_density(mixture, at).exp().double().numpy()
    return (density * 4 * np.pi * CELL_AREAS.ravel()).sum(axis=1)


def test_the_density_integrates_to_one():
    assert integral(random_mixture()) == pytest.approx(1, abs=0.02)
    for concentration in (0.05, 1, 10, 40):
        for direction in ([0, 0, 1.0], [0, -1.0, 0], [0.6, 0, -0.8]):
            assert integral(single(direction, concentration)) == pytest.approx(1, abs=0.02)


def test_a_uniform_and_a_concentrated_distribution_have_known_densities():
    at = torch.tensor([[[0.0, 0.0, 1.0]]])
    assert log_density(single([1.0, 0, 0], 1e-3), at).item() == pytest.approx(
        -np.log(4 * np.pi), abs=1e-3
    )
    peak = log_density(single([0, 0, 1.0], 5000), at).item()
    assert peak == pytest.approx(np.log(5000 / (2 * np.pi)), abs=1e-4)


def test_the_mode_is_one_of_two_answers_not_between_them():
    """Front or back, 40 : 60: the mean direction would be neither."""
    means = torch.tensor([[[0.0, -1.0, 0.1], [0.0, 1.0, 0.1]]])
    mixture = Mixture(torch.log(torch.tensor([[0.4, 0.6]])), means, torch.full((1, 2), 20.0))
    assert mode(mixture).tolist() == means[0, 1:].tolist()


def test_the_average_density_is_the_mean_of_both():
    one, other = single([0, 0, 1.0], 9), single([1.0, 0, 0], 3)
    at = torch.from_numpy(cell_centers().reshape(1, -1, 3)).float()
    expected = (log_density(one, at).exp() + log_density(other, at).exp()) / 2
    assert torch.allclose(log_density(average_mixtures(one, other), at).exp(), expected, atol=1e-6)
