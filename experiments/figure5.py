"""Figure 5: the pose variance, as a table and as a curve beside the published one."""

import numpy as np
import tyro
from engine import Arm, Experiment, run, values_of
from matplotlib.figure import Figure

PUBLISHED = {0.2: 51.2, 0.33: 51.1, 0.67: 57.5, 1.0: 59.1, 1.25: 55.4, 2.0: 50.7}

ARMS = tuple(
    Arm(f"variance {variance}", {"preset": f"paper-variance-{variance}", "images": 1000},
        published={"bottom": ap})
    for variance, ap in PUBLISHED.items()
)  # fmt: skip

if __name__ == "__main__":
    experiment = tyro.cli(Experiment, description=__doc__)
    reports = run(experiment, "figure5", ARMS)
    axes = (figure := Figure(figsize=(5, 3.5), layout="constrained")).add_subplot()
    axes.plot(list(PUBLISHED), list(PUBLISHED.values()), "k--", label="bottom, published")
    for test in reports[0]["sets"]:
        values = np.array([values_of(reports, arm, test, "AP") for arm in ARMS])
        axes.errorbar(
            list(PUBLISHED),
            values.mean(axis=1),
            [values.mean(axis=1) - values.min(axis=1), values.max(axis=1) - values.mean(axis=1)],
            capsize=3,
            label=test,
        )
    axes.set_xlabel("pose variance")
    axes.set_ylabel("AP x 100: mean, lowest and highest of the seeds")
    axes.legend()
    figure.savefig(experiment.out / "figure5.png", dpi=120)
