"""Distributions of a joint angle between its bounds (docs/method.md#poses).

Each distribution is an object with two methods:
`sample(rng, bounds, n)` draws n poses, (n, m) degrees, from bounds (m, 2) in degrees;
`pdf(x, bounds)` is the density of one angle with bounds (lowest, highest) at x, per degree.
Where a bound is 0 the pair of Gaussians puts half of its mass on 0 itself; its `pdf` is that of
the other half.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float


class AngleDistribution(Protocol):
    """What every angle distribution offers; see the module."""

    def sample(
        self, rng: np.random.Generator, bounds: Float[np.ndarray, "m 2"], n: int
    ) -> Float[np.ndarray, "n m"]: ...

    def pdf(self, x: Float[np.ndarray, " k"], bounds: tuple[float, float]) -> np.ndarray: ...


@dataclass(frozen=True)
class PairOfGaussians:
    """t ~ N(0, 1/2): t times the upper bound where t >= 0, else |t| times the lower one.

    Equal chance of either side, bounds at two sigma, mode at 0. The paper's default.
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
    """Evenly between the bounds."""

    def sample(
        self, rng: np.random.Generator, bounds: Float[np.ndarray, "m 2"], n: int
    ) -> Float[np.ndarray, "n m"]:
        return rng.uniform(bounds[:, 0], bounds[:, 1], (n, len(bounds)))

    def pdf(self, x: Float[np.ndarray, " k"], bounds: tuple[float, float]) -> np.ndarray:
        x = np.asarray(x, dtype=float)
        return np.where((x >= bounds[0]) & (x <= bounds[1]), 1.0, 0.0) / (bounds[1] - bounds[0])


@dataclass(frozen=True)
class TruncatedGaussian:
    """One N(0, sigma) cut off at the bounds, sigma half of the wider bound (our reading)."""

    def sample(
        self, rng: np.random.Generator, bounds: Float[np.ndarray, "m 2"], n: int
    ) -> Float[np.ndarray, "n m"]:
        from scipy.special import ndtr, ndtri  # slow to import

        sigma = np.maximum(np.abs(bounds).max(axis=1) / 2, 1e-12)
        low, high = ndtr(bounds[:, 0] / sigma), ndtr(bounds[:, 1] / sigma)
        drawn = sigma * ndtri(rng.uniform(low, high, (n, len(bounds))))
        return np.clip(drawn, bounds[:, 0], bounds[:, 1])

    def pdf(self, x: Float[np.ndarray, " k"], bounds: tuple[float, float]) -> np.ndarray:
        from scipy.special import ndtr

        x = np.asarray(x, dtype=float)
        sigma = max(abs(bounds[0]), abs(bounds[1])) / 2
        mass = ndtr(bounds[1] / sigma) - ndtr(bounds[0] / sigma)
        bell = np.exp(-0.5 * (x / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi) * mass)
        return np.where((x >= bounds[0]) & (x <= bounds[1]), bell, 0.0)


@dataclass(frozen=True)
class ExponentialUniform:
    """The pose variance itself is Exp(rate), one draw a pose; then uniform (our reading)."""

    rate: float = 1.0

    def sample(
        self, rng: np.random.Generator, bounds: Float[np.ndarray, "m 2"], n: int
    ) -> Float[np.ndarray, "n m"]:
        variance = rng.exponential(1 / self.rate, (n, 1))
        return variance * rng.uniform(bounds[:, 0], bounds[:, 1], (n, len(bounds)))

    def pdf(self, x: Float[np.ndarray, " k"], bounds: tuple[float, float]) -> np.ndarray:
        from scipy.special import exp1

        # Integrating U(x; v low, v high) over v ~ Exp(rate) leaves an exponential integral.
        x = np.asarray(x, dtype=float)
        side = np.where(x >= 0, bounds[1], bounds[0])
        with np.errstate(divide="ignore", invalid="ignore"):
            density = self.rate * exp1(self.rate * x / side) / (bounds[1] - bounds[0])
        return np.where(side == 0, 0.0, density)


DISTRIBUTIONS: dict[str, AngleDistribution] = {
    "pair_of_gaussians": PairOfGaussians(),
    "uniform": Uniform(),
    "truncated_gaussian": TruncatedGaussian(),
    "exponential_uniform": ExponentialUniform(),
}
"""The four distributions the paper compares."""
