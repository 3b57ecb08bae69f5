"""Table 5: without rotated crops, without backgrounds, without texture."""

import tyro
from engine import Arm, Experiment, run

TESTS = ("bottom", "bottom-seq")


def _arm(name: str, preset: str, *published: float, **options: object) -> Arm:
    ap = dict(zip(TESTS, published, strict=True))
    options = {"preset": preset, "images": 1000} | options
    return Arm(name, options, published=ap, recipe="repogen-500")


ARMS = (
    _arm("everything", "paper-bottom", 59.1, 89.0),
    Arm("without rotation", {"preset": "paper-bottom", "images": 1000}, rotation=40,
        recipe="repogen-500", published={"bottom": 45.9, "bottom-seq": 72.3}),
    _arm("without background", "paper-no-background", 56.2, 85.2, backgrounds="plain"),
    _arm("without texture", "paper-no-texture", 59.5, 88.2),
)  # fmt: skip

if __name__ == "__main__":
    run(tyro.cli(Experiment, description=__doc__), "table5", ARMS)
