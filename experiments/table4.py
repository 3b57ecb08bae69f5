"""Table 4: the distribution of joint angles between their bounds. Measured poses are not here."""

import tyro
from engine import Arm, Experiment, run

PUBLISHED = {"pair-of-gaussians": 59.1, "truncated-gaussian": 55.6, "uniform": 59.2,
             "exponential-uniform": 58.5}  # fmt: skip

ARMS = tuple(
    Arm(name, {"preset": f"paper-{name}", "images": 1000}, published={"bottom": ap})
    for name, ap in PUBLISHED.items()
)

if __name__ == "__main__":
    run(tyro.cli(Experiment, description=__doc__), "table4", ARMS)
