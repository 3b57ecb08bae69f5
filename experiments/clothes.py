"""Painted against dressed people: each kind of training data on tests of both kinds.

Painted: clothes painted on the skin, random lights, before photographs. Dressed: garments, hair and
light of repogen's own asset pack, with all sensor effects. Tests have other bodies, poses and
clothes (other seeds) and other photographs or panoramas than any training set.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import tyro
from engine import Arm, Settings, generate_once, on_sets, run
from held_out_views import ORDINARY, REPOGEN, halves

from repogen.assets import pack_dir

KINDS = {"painted": {}, "dressed": {"wardrobe": "packs", "effects": "all"}}

ARMS = (
    Arm("+ rotation, twice the steps", repeat=2.0),
    *(Arm(f"+ {kind}", REPOGEN | options) for kind, options in KINDS.items()),
)


def main(settings: Annotated[Settings, tyro.conf.OmitArgPrefixes], persons: int = 1500) -> None:
    """Painted against dressed people, on tests of both kinds; --backgrounds is a folder.

    Args:
        settings: Where to work, and how much to train.
        persons: Size of the ordinary set; most of its people are dressed, before photographs.
    """
    photographs = halves(Path(settings.backgrounds), settings.out / "photographs")
    panoramas = halves(pack_dir("core"), settings.out / "panoramas")
    settings = replace(settings, backgrounds=str(photographs[0]))
    data = settings.out / "data"
    ordinary = ORDINARY | {"images": persons, "wardrobe": "auto"}
    generate_once(settings, data / "ordinary", ordinary, seed=1)
    tests = {}
    for view in ("top", "bottom"):
        for kind, options in KINDS.items():
            folder = data / f"test-{view}-{kind}"
            backgrounds = {"painted": photographs, "dressed": panoramas}[kind][1]
            here = options | {"views": view, "images": 300, "backgrounds": backgrounds}
            generate_once(settings, folder, here, seed=2)
            tests[f"{view}-{kind}"] = folder
    arms = [
        replace(arm, generate=arm.generate | {"backgrounds": panoramas[0]})
        if arm.name == "+ dressed" and arm.generate
        else arm
        for arm in ARMS
    ]
    experiment = on_sets(
        settings,
        f"ordinary={data / 'ordinary'}",
        tuple(f"{name}={folder}" for name, folder in tests.items()),
    )
    run(experiment, "clothes", tuple(arms), ("AP", "OKS", "PCK", "swapped"))


if __name__ == "__main__":
    tyro.cli(main)
