"""Table 2: what synthetic people from above or below bring on real rare views.

The paper's AMASS arms need measured poses, which are not here. For ViTPose-H give --init and change
the budget in engine.py.
"""

import tyro
from engine import Arm, Experiment, run

TESTS = ("bottom", "top", "wepdtof", "posefes")


def _published(*values: float) -> dict[str, float]:
    return dict(zip(TESTS, values, strict=True))


def _synthetic(preset: str) -> dict[str, object]:
    return {"preset": preset, "images": 3000}


ARMS = (
    Arm("COCO", rotation=40, published=_published(35.1, 40.9, 47.1, 68.9)),
    Arm("COCO + rotation", rotation=120, published=_published(47.5, 44.0, 56.9, 74.4)),
    Arm("RePoGen top", _synthetic("paper-top"), published=_published(46.3, 55.7, 57.9, 75.2)),
    Arm("RePoGen bottom", _synthetic("paper-bottom"), published=_published(61.8, 41.2, 57.2, 74.8)),
    Arm("RePoGen top and bottom", _synthetic("paper-topbottom"),
        published=_published(53.9, 55.6, 58.5, 75.5)),
    Arm("rare-views preset", _synthetic("rare-views")),
)  # fmt: skip

if __name__ == "__main__":
    run(tyro.cli(Experiment, description=__doc__), "table2", ARMS)
