"""Each distribution: its samples against its own density, and the paper's description."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest

from repogen.poses import DISTRIBUTIONS
from repogen.poses.distributions import ExponentialUniform

BOUNDS = [(-90.0, 45.0), (-30.0, 30.0), (-10.0, 140.0), (0.0, 150.0), (-120.0, 0.0)]
COUNT = 20_000


def draw(name, bounds, count=COUNT, seed=0):
    rng = np.random.default_rng(seed)
    return DISTRIBUTIONS[name].sample(rng, np.array(bounds, float).reshape(-1, 2), count)


def mass(name, bounds, low, high):
    """The integral of the density, in pieces: it has steps at the bounds and at 0."""
    stops = sorted({low, high, *(s for s in (*bounds, 0.0) if low < s < high)})
    pdf = DISTRIBUTIONS[name].pdf
    return sum(
        quad(lambda x: float(pdf(np.array([x]), bounds)[0]), a, b, limit=200)[0]
        for a, b in pairwise(stops)
    )


def has_lump(name, bounds):
    """The pair of Gaussians puts half its mass on 0 itself where a bound is 0."""
    return name == "pair_of_gaussians" and 0.0 in bounds


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("bounds", BOUNDS)
def test_density_integrates_to_one(name, bounds):
    total = mass(name, bounds, -4000.0, 4000.0)
    assert total == pytest.approx(0.5 if has_lump(name, bounds) else 1.0, abs=1e-5)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("bounds", BOUNDS)
def test_samples_follow_the_density(name, bounds):
    drawn = draw(name, [bounds])[:, 0]
    lump = 0.5 if has_lump(name, bounds) else 0
    assert np.mean(drawn == 0) == pytest.approx(lump, abs=0.02)
    drawn = drawn[drawn != 0]
    knots = np.quantile(drawn, np.linspace(0.002, 0.998, 60))
    steps = [mass(name, bounds, a, b) for a, b in pairwise(knots)]
    cdf = mass(name, bounds, -4000.0, knots[0]) + np.concatenate([[0], np.cumsum(steps)])
    if has_lump(name, bounds):
        cdf = cdf * 2
    inner = drawn[(drawn >= knots[0]) & (drawn <= knots[-1])]
    share = (np.interp(inner, knots, cdf) - cdf[0]) / (cdf[-1] - cdf[0])
    assert kstest(share, "uniform").pvalue > 1e-3
    assert cdf[-1] - cdf[0] == pytest.approx(0.996, abs=0.01)


@pytest.mark.parametrize("name", ["uniform", "truncated_gaussian"])
def test_samples_respect_the_bounds(name):
    drawn = draw(name, BOUNDS, 5000)
    low, high = np.array(BOUNDS).T
    assert (drawn >= low).all()
    assert (drawn <= high).all()
    assert (drawn.min(axis=0) < low + 0.1 * (high - low)).all()
    assert (drawn.max(axis=0) > high - 0.1 * (high - low)).all()


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_zero_bounds_give_zero_angles(name):
    assert (draw(name, [(0, 0), (-20, 20)], 100)[:, 0] == 0).all()


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_scaling_the_bounds_scales_the_angles(name):
    wide, narrow = draw(name, BOUNDS, 100), draw(name, 0.3 * np.array(BOUNDS), 100)
    assert narrow == pytest.approx(0.3 * wide)


def test_pair_of_gaussians_has_equal_sides_with_bounds_at_two_sigma():
    drawn = draw("pair_of_gaussians", [(-10.0, 140.0)])[:, 0]
    assert np.mean(drawn > 0) == pytest.approx(0.5, abs=0.015)
    for side, bound in ((drawn[drawn > 0], 140.0), (-drawn[drawn < 0], 10.0)):
        assert np.sqrt(np.mean(side**2)) == pytest.approx(bound / 2, rel=0.03)
        assert np.mean(side > bound) == pytest.approx(0.0455, abs=0.01)
    pdf = DISTRIBUTIONS["pair_of_gaussians"].pdf(np.array([-1e-9, 1e-9]), (-10.0, 140.0))
    assert pdf[0] / pdf[1] == pytest.approx(14)  # the step at 0


def correlation_of_sizes(name):
    """Between components of the same pose: sizes |angle| hang together where variance is shared."""
    sizes = np.abs(draw(name, [(-30, 30), (-60, 60)]))
    return np.corrcoef(sizes.T)[0, 1]


def test_exponential_uniform_draws_one_variance_per_pose():
    # |v u|, |v w| with v exponential: cov = E[v²]/4 - 1/4, var = E[v²]/3 - 1/4, so 3/5.
    assert correlation_of_sizes("exponential_uniform") == pytest.approx(0.6, abs=0.04)


@pytest.mark.parametrize("name", sorted(set(DISTRIBUTIONS) - {"exponential_uniform"}))
def test_other_distributions_draw_every_angle_independently(name):
    assert correlation_of_sizes(name) == pytest.approx(0, abs=0.03)


def test_a_higher_rate_of_exponential_uniform_gives_smaller_angles():
    bounds = np.array([[-60.0, 60.0]])
    slow, fast = (
        ExponentialUniform(rate).sample(np.random.default_rng(0), bounds, COUNT) for rate in (1, 4)
    )
    assert np.abs(slow).mean() == pytest.approx(30, rel=0.05)
    assert np.abs(fast).mean() == pytest.approx(7.5, rel=0.05)
