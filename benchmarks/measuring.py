"""Lines of figures, for all benchmarks."""

from collections.abc import Callable, Sequence

import numpy as np


def line(name: str, values: Sequence[float], unit: str) -> float:
    """Print the median and the quartiles; returns the median."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    spread = f"(quartiles {low:.1f} to {high:.1f}, n = {len(values)})"
    print(f"{name:<42} {middle:7.1f} {unit:<9} {spread}", flush=True)
    return float(middle)


def rates(call: Callable[[], object], count: int, repeats: int, clock: Callable[[], float]) -> list:
    """`count` over the seconds that `call` takes, each time but the first."""
    out = []
    for _ in range(repeats + 1):
        started = clock()
        call()
        out.append(count / (clock() - started))
    return out[1:]
