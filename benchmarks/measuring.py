"""Functions that all benchmarks share.

PyTorch is imported only where it is used: it would count as memory of a process that generates.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np


def line(name: str, values: Sequence[float], unit: str) -> float:
    """Print the median and the quartiles; returns the median."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    spread = f"(quartiles {low:.1f} to {high:.1f}, n = {len(values)})"
    print(f"{name:<42} {middle:7.1f} {unit:<9} {spread}", flush=True)
    return float(middle)


def rates(call: Callable[[], object], count: int, repeats: int, clock: Callable[[], float]) -> list:
    """`count` divided by the seconds of each `call`, without the first call."""
    out = []
    for _ in range(repeats + 1):
        started = clock()
        call()
        out.append(count / (clock() - started))
    return out[1:]


def gflop(call: Callable[[], object]) -> float:
    """Billions of operations of a call in matrix products and convolutions."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops() / 1e9


def most_gflops(repeats: int) -> float:
    """Peak Gflop/s of this machine: the fastest of several products of large float32 matrices."""
    import torch

    one, other = torch.rand(2, 2048, 2048)
    return max(rates(lambda: one @ other, 1, repeats, time.perf_counter)) * 2 * 2048**3 / 1e9
