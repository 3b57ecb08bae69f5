"""Real photographs of rare poses: trained on people upright in the picture (Leeds Sports Pose
Extended, torso `up`), tested on those sideways and upside down, never trained on.

A fifth of the images is left out for choosing settings: `--split dev` scores on those, with arms
that differ in the setting; `--split test` scores the experiment's arms on the rest, and
`--split clothes` arms whose people wear other things, `--split long` three arms that are worth
training longer (`--epochs 16`, `--share`), on the same.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from engine import Arm, Experiment, run

COUNTS = (500, 1500, 3000)
DISTRIBUTIONS = ("uniform", "truncated_gaussian", "exponential_uniform")
VIEWS = ("perimeter", "sphere", "topbottom")


def synthetic(count: int, views: str = "perimeter", **options: object) -> dict[str, object]:
    """Options of the images; any roll, as people in the pictures have."""
    return {"images": count, "views": views, "roll": (-180, 180)} | options


REAL = (
    Arm("real only", rotation=40),
    Arm("+ rotation"),
    Arm("+ rotation, half as many steps again", repeat=1.5),
)

TEST_ARMS = (
    *REAL,
    *(Arm(f"+ {count} synthetic", synthetic(count)) for count in COUNTS),
    *(Arm(f"+ 1500 {name}", synthetic(1500, **{"pose-distribution": name}))
      for name in DISTRIBUTIONS),
)  # fmt: skip

DRESSED = synthetic(1500, wardrobe="packs")

CLOTHES_ARMS = (
    REAL[2],
    Arm("+ 1500 synthetic", synthetic(1500)),
    Arm("+ 1500 dressed", DRESSED),
    Arm("+ 1500 dressed, in panoramas", DRESSED | {"backgrounds": "auto"}),
    Arm(
        "+ 1500 dressed, in panoramas, effects", DRESSED | {"backgrounds": "auto", "effects": "all"}
    ),
)
"""With the packs makehuman and environments installed."""


def long_arms(share: float) -> tuple[Arm, ...]:
    """With this share of synthetic crops; the first takes as many steps without any."""
    steps = Arm("+ rotation, as many steps", repeat=1 / (1 - share))
    return steps, CLOTHES_ARMS[1], CLOTHES_ARMS[3]


DEV_ARMS = (*REAL, *(Arm(f"+ 1500 {views}", synthetic(1500, views)) for views in VIEWS))


def split(annotations: Path, out: Path, share: float = 0.2) -> None:
    """Write up-train, and up, side and inv of the images for choosing (-dev) and the others
    (-test); seven eighths of the upright people of the latter are trained on."""
    data = json.loads(annotations.read_text())
    ids = np.random.default_rng(0).permutation([image["id"] for image in data["images"]])
    cut = round(share * len(ids))
    dev, held = set(ids[:cut].tolist()), set(ids[cut : 3 * cut // 2].tolist())
    parts: dict[str, list[dict]] = {}
    for annotation in data["annotations"]:
        torso, image = annotation.get("torso"), annotation["image_id"]
        if torso is None:
            continue
        part = "dev" if image in dev else "test"
        if torso == "up" and image not in dev | held:
            part = "train"
        parts.setdefault(f"{torso}-{part}", []).append(annotation)
    out.mkdir(parents=True, exist_ok=True)
    for name, people in parts.items():
        used = {annotation["image_id"] for annotation in people}
        images = [image for image in data["images"] if image["id"] in used]
        (out / f"{name}.json").write_text(
            json.dumps(data | {"annotations": people, "images": images})
        )


def main(
    experiment: Annotated[Experiment, tyro.conf.OmitArgPrefixes],
    split_: Annotated[str, tyro.conf.arg(name="split")] = "test",
) -> None:
    """--real takes LSPet as lspet=ANNOTATIONS.json:IMAGES; --test is not needed."""
    name, _, paths = experiment.real.partition("=")
    annotations, images = paths.split(":")
    folder = experiment.out / "splits"
    split(Path(annotations), folder)
    scored = "dev" if split_ == "dev" else "test"
    experiment = replace(
        experiment,
        real=f"{name}={folder / 'up-train.json'}:{images}",
        test=tuple(
            f"{torso}={folder}/{torso}-{scored}.json:{images}" for torso in ("up", "side", "inv")
        ),
    )
    arms = {
        "dev": DEV_ARMS,
        "test": TEST_ARMS,
        "clothes": CLOTHES_ARMS,
        "long": long_arms(experiment.share or 1 / 3),
    }[split_]
    run(experiment, f"real photographs, {split_}", arms, ("OKS", "PCK", "swapped"))


if __name__ == "__main__":
    tyro.cli(main)
