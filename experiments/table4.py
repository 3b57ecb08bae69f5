"""Table 4: the distribution of joint angles between their bounds, and measured poses (--amass)."""

import tyro
from engine import Arm, Experiment, run

PUBLISHED = {"pair-of-gaussians": 59.1, "truncated-gaussian": 55.6, "uniform": 59.2,
             "exponential-uniform": 58.5}  # fmt: skip
PUBLISHED_AMASS = 54.4

ARMS = tuple(
    Arm(name, {"preset": f"paper-{name}", "images": 1000}, published={"bottom": ap},
        recipe="repogen-500")
    for name, ap in PUBLISHED.items()
)  # fmt: skip


def measured(experiment: Experiment) -> Arm:
    """The arm with AMASS poses, from below as the others."""
    options = {"preset": "paper-bottom", "images": 1000}
    published = {"bottom": PUBLISHED_AMASS}
    return experiment.measured("AMASS", options, published=published, recipe="repogen-500")


if __name__ == "__main__":
    experiment = tyro.cli(Experiment, description=__doc__)
    run(experiment, "table4", (*ARMS, measured(experiment)))
