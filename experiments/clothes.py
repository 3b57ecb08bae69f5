"""Painted against dressed people: each kind of training data on tests of both kinds.

Painted: clothes painted on the skin, lamps, before photographs. Dressed: garments, hair and light
of asset packs (`repogen assets add makehuman`, `repogen assets add environments`), with the effects
of cameras. Tests have other bodies, poses and clothes (other seeds), and other photographs or
panoramas around them, than any training set.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import tyro
from engine import Arm, Experiment, generate_once, run
from held_out_views import ORDINARY, REPOGEN, halves

from repogen.assets import assets_dir

KINDS = {"painted": {}, "dressed": {"wardrobe": "packs", "effects": "all"}}

ARMS = (
    Arm("+ rotation, twice the steps", repeat=2.0),
    *(Arm(f"+ {kind}", REPOGEN | options) for kind, options in KINDS.items()),
)


def main(experiment: Annotated[Experiment, tyro.conf.OmitArgPrefixes], persons: int = 1500) -> None:
    """--real and --test are made here: give --real made --test made. --backgrounds is a folder.

    Args:
        experiment: What to spend.
        persons: In the ordinary set, most of them dressed, before photographs.
    """
    photographs = halves(Path(experiment.backgrounds), experiment.out / "photographs")
    panoramas = halves(assets_dir() / "environments", experiment.out / "panoramas")
    experiment = replace(experiment, backgrounds=str(photographs[0]))
    data = experiment.out / "data"
    ordinary = ORDINARY | {"images": persons, "wardrobe": "auto"}
    generate_once(experiment, data / "ordinary", ordinary, seed=1)
    tests = {}
    for view in ("top", "bottom"):
        for kind, options in KINDS.items():
            folder = data / f"test-{view}-{kind}"
            around = {"painted": photographs, "dressed": panoramas}[kind][1]
            here = options | {"views": view, "images": 300, "backgrounds": around}
            generate_once(experiment, folder, here, seed=2)
            tests[f"{view}-{kind}"] = folder
    arms = [
        replace(arm, generate=arm.generate | {"backgrounds": panoramas[0]})
        if arm.name == "+ dressed" and arm.generate
        else arm
        for arm in ARMS
    ]
    experiment = replace(
        experiment,
        real=f"ordinary={data / 'ordinary'}",
        test=tuple(f"{name}={folder}" for name, folder in tests.items()),
    )
    run(experiment, "clothes", tuple(arms), ("AP", "OKS", "PCK", "swapped"))


if __name__ == "__main__":
    tyro.cli(main)
