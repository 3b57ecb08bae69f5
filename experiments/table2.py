"""Table 2: what synthetic people from above or below bring on real rare views, for ViTPose-S and
ViTPose-H. HRNet's rows show what the paper measured: repogen has no HRNet.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import tyro
from engine import Arm, Experiment, run

TESTS = ("bottom", "top", "wepdtof", "posefes")
NO_HRNET = "repogen has no HRNet, see experiments/README.md"


@dataclass(frozen=True, kw_only=True)
class Table2(Experiment):
    """The settings, the sets, and ViTPose-H."""

    init_h: Path | None = None
    """Weights of ViTPose-H trained on COCO; without them its arms are not run."""


def _published(*values: float) -> dict[str, float]:
    return dict(zip(TESTS, values, strict=True))


def _synthetic(preset: str) -> dict[str, object]:
    return {"preset": preset, "images": 3000}


def arms_of_small(experiment: Experiment) -> tuple[Arm, ...]:
    """The arms of ViTPose-S."""
    return (
        Arm("COCO", rotation=40, published=_published(35.1, 40.9, 47.1, 68.9)),
        Arm("COCO + rotation", published=_published(47.5, 44.0, 56.9, 74.4)),
        experiment.measured("AMASS top", _synthetic("paper-top"),
                            published=_published(49.0, 50.6, 58.2, 73.9)),
        experiment.measured("AMASS bottom", _synthetic("paper-bottom"),
                            published=_published(53.5, 44.1, 57.4, 74.6)),
        Arm("RePoGen top", _synthetic("paper-top"), published=_published(46.3, 55.7, 57.9, 75.2)),
        Arm("RePoGen bottom", _synthetic("paper-bottom"),
            published=_published(61.8, 41.2, 57.2, 74.8)),
        Arm("RePoGen top and bottom", _synthetic("paper-topbottom"), recipe="repogen-500",
            published=_published(53.9, 55.6, 58.5, 75.5)),
        Arm("rare-views preset", _synthetic("rare-views")),
    )  # fmt: skip


def arms_of_huge(experiment: Table2) -> tuple[Arm, ...]:
    """The arms of ViTPose-H."""
    arms = (
        Arm("ViTPose-H: COCO", rotation=40, published=_published(69.2, 62.0, 78.0, 77.8)),
        experiment.measured("ViTPose-H: AMASS top", _synthetic("paper-top"),
                            published=_published(73.0, 66.0, 84.3, 80.0)),
        experiment.measured("ViTPose-H: AMASS bottom", _synthetic("paper-bottom"),
                            published=_published(80.5, 63.7, 83.7, 79.6)),
        Arm("ViTPose-H: RePoGen top", _synthetic("paper-top"),
            published=_published(73.3, 69.4, 84.3, 80.3)),
        Arm("ViTPose-H: RePoGen bottom", _synthetic("paper-bottom"),
            published=_published(81.1, 63.0, 83.7, 79.9)),
    )  # fmt: skip
    if experiment.init_h is not None:
        return arms
    return tuple(replace(arm, lacks="give --init-h WEIGHTS") for arm in arms)


HRNET = tuple(
    Arm(f"HRNet: {data}", published={"posefes": ap}, lacks=NO_HRNET)
    for data, ap in {
        "COCO": 75.7,
        "THEODORE+, 160,000 images": 76.1,
        "RePoGen top, 30 epochs": 77.9,
        "RePoGen top, longer": 79.5,
    }.items()
)

if __name__ == "__main__":
    experiment = tyro.cli(Table2, description=__doc__)
    run(experiment, "table2", (*arms_of_small(experiment), *HRNET))
    huge = replace(experiment, model="vitpose-h", init=experiment.init_h)
    run(huge, "table2-vitpose-h", arms_of_huge(experiment))
