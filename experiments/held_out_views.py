"""What rotation and RePoGen's data bring on generated people from above and below, held out.

The ordinary set that takes the place of COCO is generated, too: moderate poses seen from around
the horizon. The test sets have other bodies, poses, clothes (other seeds) and photographs than any
training set.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import tyro
from engine import Arm, Settings, generate_once, on_sets, run

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
    for i, file in enumerate(files):
        link = folders[i % 2] / file.name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(file.resolve())
    return folders


def main(settings: Annotated[Settings, tyro.conf.OmitArgPrefixes], persons: int = 1500) -> None:
    """What rotated crops and RePoGen's data bring on rare views; --backgrounds is a folder.

    Args:
        settings: Where to work, and how much to train.
        persons: Size of the ordinary set.
    """
    training, testing = halves(Path(settings.backgrounds), settings.out / "backgrounds")
    settings = replace(settings, backgrounds=str(training))
    data = settings.out / "data"
    generate_once(settings, data / "ordinary", ORDINARY | {"images": persons}, seed=1)
    for name, options in TESTS.items():
        here = options | {"images": 300, "backgrounds": testing}
        generate_once(settings, data / f"test-{name}", here, seed=2)
    tests = tuple(f"{name}={data / f'test-{name}'}" for name in TESTS)
    experiment = on_sets(settings, f"ordinary={data / 'ordinary'}", tests)
    run(experiment, "held-out views", ARMS, ("AP", "OKS", "PCK", "swapped"))


if __name__ == "__main__":
    tyro.cli(main)
