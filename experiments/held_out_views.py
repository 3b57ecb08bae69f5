"""Held-out synthetic people from above and below: what rotation and RePoGen's data bring there.

The ordinary set that takes the place of COCO is generated too: moderate poses seen from around
the horizon. The test sets have other bodies, poses, clothes (other seeds) and other photographs
behind them than any training set.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import tyro
from engine import Arm, Experiment, generate_once, run

from repogen.assets.panoramas import SUFFIXES
from repogen.environment.backgrounds import IMAGE_SUFFIXES

ORDINARY = {"views": "perimeter", "pose-variance": 0.5, "roll": (-10, 10)}
TESTS = {
    "ordinary": ORDINARY,
    "top": {"views": "top"},
    "bottom": {"views": "bottom"},
}

REPOGEN = {"images": 1500, "views": ("top=0.5", "bottom=0.5")}

ARMS = (
    Arm("without", rotation=40),
    Arm("without, twice the steps", rotation=40, repeat=2.0),
    Arm("+ RePoGen, without rotation", REPOGEN, rotation=40),
    Arm("+ rotation"),
    Arm("+ rotation, twice the steps", repeat=2.0),
    Arm("+ RePoGen", REPOGEN),
)


def halves(pictures: Path, out: Path) -> tuple[Path, Path]:
    """Two folders of links to every other photograph or panorama."""
    kinds = (*IMAGE_SUFFIXES, *SUFFIXES)
    files = sorted(p for p in pictures.iterdir() if p.suffix.lower() in kinds)
    folders = out / "train", out / "test"
    for place, file in enumerate(files):
        link = folders[place % 2] / file.name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(file.resolve())
    return folders


def main(experiment: Annotated[Experiment, tyro.conf.OmitArgPrefixes], persons: int = 1500) -> None:
    """--real and --test are made here: give --real made --test made. --backgrounds is a folder.

    Args:
        experiment: What to spend.
        persons: In the ordinary set.
    """
    behind, behind_tests = halves(Path(experiment.backgrounds), experiment.out / "backgrounds")
    experiment = replace(experiment, backgrounds=str(behind))
    data = experiment.out / "data"
    generate_once(experiment, data / "ordinary", ORDINARY | {"images": persons}, seed=1)
    for name, options in TESTS.items():
        generate_once(
            experiment,
            data / f"test-{name}",
            options | {"images": 300, "backgrounds": behind_tests},
            seed=2,
        )
    experiment = replace(
        experiment,
        real=f"ordinary={data / 'ordinary'}",
        test=tuple(f"{name}={data / f'test-{name}'}" for name in TESTS),
    )
    run(experiment, "held-out views", ARMS, ("AP", "OKS", "PCK", "swapped"))


if __name__ == "__main__":
    tyro.cli(main)
