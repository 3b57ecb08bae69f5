"""Distributions of joint angles between their bounds (docs/method.md).

Each distribution is an object with two methods:
`sample(rng, bounds, n)` draws n poses, (n, m) degrees, from bounds (m, 2) in degrees;
`pdf(x, bounds)` is the density of one angle with bounds (lowest, highest) at x, per degree.
Where a bound is 0, half of the mass of the pair of Gaussians lies at 0; its `pdf` is the density
of the other half.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

import numpy as np

from repogen.arrays import Float


class AngleDistribution(Protocol):
    """The protocol of every angle distribution; see the module's docstring."""

    def sample(
        self, rng: np.random.Generator, bounds: Float[np.ndarray, "m 2"], n: int
    ) -> Float[np.ndarray, "n m"]: ...

    def pdf(self, x: Float[np.ndarray, " k"], bounds: tuple[float, float]) -> np.ndarray: ...


@dataclass(frozen=True)
class PairOfGaussians:
    """With t ~ N(0, 1/2): t times the upper bound where t >= 0, else |t| times the lower one.

    Both sides are equally likely, the bounds lie at two sigma, the mode is 0. The paper's default.
    """

    def sample(
        self, rng: np.random.Generator, bounds: Float[np.ndarray, "m 2"], n: int
    ) -> Float[np.ndarray, "n m"]:
        t = rng.normal(0.0, 0.5, (n, len(bounds)))
        return np.where(t >= 0, t * bounds[:, 1], -t * bounds[:, 0])

    def pdf(self, x: Float[np.ndarray, " k"], bounds: tuple[float, float]) -> np.ndarray:
        x = np.asarray(x, dtype=float)
        side = np.where(x >= 0, bounds[1], -bounds[0])
        sigma = np.where(side > 0, side, np.nan) / 2
        return np.nan_to_num(np.exp(-0.5 * (x / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi)))


@dataclass(frozen=True)
class Uniform:
    """Uniform between the bounds."""

    def sample(
        self, rng: np.random.Generator, bounds: Float[np.ndarray, "m 2"], n: int
    ) -> Float[np.ndarray, "n m"]:
        return rng.uniform(bounds[:, 0], bounds[:, 1], (n, len(bounds)))

    def pdf(self, x: Float[np.ndarray, " k"], bounds: tuple[float, float]) -> np.ndarray:
        x = np.asarray(x, dtype=float)
        return np.where((x >= bounds[0]) & (x <= bounds[1]), 1.0, 0.0) / (bounds[1] - bounds[0])


@dataclass(frozen=True)
class TruncatedGaussian:
    """N(0, sigma) truncated at the bounds, sigma half of the wider bound (our interpretation)."""

    def sample(
        self, rng: np.random.Generator, bounds: Float[np.ndarray, "m 2"], n: int
    ) -> Float[np.ndarray, "n m"]:
        sigma = np.maximum(np.abs(bounds).max(axis=1) / 2, 1e-12)
        low, high = _cdf(bounds[:, 0] / sigma), _cdf(bounds[:, 1] / sigma)
        drawn = sigma * _quantile(rng.uniform(low, high, (n, len(bounds))))
        return np.clip(drawn, bounds[:, 0], bounds[:, 1])

    def pdf(self, x: Float[np.ndarray, " k"], bounds: tuple[float, float]) -> np.ndarray:
        x = np.asarray(x, dtype=float)
        sigma = max(abs(bounds[0]), abs(bounds[1])) / 2
        mass = _cdf(bounds[1] / sigma) - _cdf(bounds[0] / sigma)
        bell = np.exp(-0.5 * (x / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi) * mass)
        return np.where((x >= bounds[0]) & (x <= bounds[1]), bell, 0.0)


@dataclass(frozen=True)
class ExponentialUniform:
    """Uniform, with a pose variance from Exp(rate) for each pose (our interpretation)."""

    rate: float = 1.0

    def sample(
        self, rng: np.random.Generator, bounds: Float[np.ndarray, "m 2"], n: int
    ) -> Float[np.ndarray, "n m"]:
        variance = rng.exponential(1 / self.rate, (n, 1))
        return variance * rng.uniform(bounds[:, 0], bounds[:, 1], (n, len(bounds)))

    def pdf(self, x: Float[np.ndarray, " k"], bounds: tuple[float, float]) -> np.ndarray:
        # Integrating U(x; v low, v high) over v ~ Exp(rate) leaves an exponential integral.
        x = np.asarray(x, dtype=float)
        side = np.where(x >= 0, bounds[1], bounds[0])
        with np.errstate(divide="ignore", invalid="ignore"):
            density = self.rate * _exp1(self.rate * x / side) / (bounds[1] - bounds[0])
        return np.where(side == 0, 0.0, density)


_cdf = np.vectorize(NormalDist().cdf, otypes=[float])
_quantile = np.vectorize(NormalDist().inv_cdf, otypes=[float])


@np.vectorize
def _exp1(x: float) -> float:
    """The exponential integral E1 (Abramowitz & Stegun 5.1.11 and 5.1.22): infinite at 0."""
    if not 0 < x < np.inf:
        return {0.0: np.inf, np.inf: 0.0}.get(x, np.nan)
    if x < 1:
        term, total = 1.0, -np.euler_gamma - math.log(x)
        for k in range(1, 20):
            term *= -x / k
            total -= term / k
        return total
    fraction = x
    for k in range(60, 0, -1):
        fraction = x + k / (1 + k / fraction)
    return math.exp(-x) / fraction


DISTRIBUTIONS: dict[str, AngleDistribution] = {
    "pair_of_gaussians": PairOfGaussians(),
    "uniform": Uniform(),
    "truncated_gaussian": TruncatedGaussian(),
    "exponential_uniform": ExponentialUniform(),
}
"""The four distributions the paper compares."""
