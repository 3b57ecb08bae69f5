"""Figure 5: the pose variance, as a table and as a curve beside the published one; measured poses
(--amass) as a line across it.
"""

import numpy as np
import tyro
from engine import Arm, Experiment, run, values_of
from matplotlib.figure import Figure
from table4 import PUBLISHED_AMASS, measured

PUBLISHED = {0.2: 51.2, 0.33: 51.1, 0.67: 57.5, 1.0: 59.1, 1.25: 55.4, 2.0: 50.7}

ARMS = tuple(
    Arm(f"variance {variance}", {"preset": f"paper-variance-{variance}", "images": 1000},
        published={"bottom": ap}, recipe="repogen-500")
    for variance, ap in PUBLISHED.items()
)  # fmt: skip

if __name__ == "__main__":
    experiment = tyro.cli(Experiment, description=__doc__)
    amass = measured(experiment)
    reports = run(experiment, "figure5", (*ARMS, amass))
    axes = (figure := Figure(figsize=(5, 3.5), layout="constrained")).add_subplot()
    axes.plot(list(PUBLISHED), list(PUBLISHED.values()), "k--", label="bottom, published")
    axes.axhline(PUBLISHED_AMASS, color="k", ls=":", label="bottom, AMASS, published (Table 4)")
    for test in reports[0]["sets"]:
        values = np.array([values_of(reports, arm, test, "AP") for arm in ARMS])
        curve = axes.errorbar(
            list(PUBLISHED),
            values.mean(axis=1),
            [values.mean(axis=1) - values.min(axis=1), values.max(axis=1) - values.mean(axis=1)],
            capsize=3,
            label=test,
        )
        if not amass.lacks:
            level = values_of(reports, amass, test, "AP").mean()
            axes.axhline(level, color=curve[0].get_color(), ls=":", label=f"{test}, AMASS")
    axes.set_xlabel("pose variance")
    axes.set_ylabel("AP x 100: mean, lowest and highest of the seeds")
    axes.legend()
    figure.savefig(experiment.out / "figure5.png", dpi=120)
