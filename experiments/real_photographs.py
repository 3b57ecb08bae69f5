"""Real photographs of rare poses: trained on people upright in the picture (Leeds Sports Pose
Extended, torso `up`), tested on people sideways and upside down, who are never trained on.

A fifth of the images is set aside for choosing settings: `--split dev` scores arms that differ in
the views on it. The other splits score on the rest: `test` compares numbers of images and
distributions, `clothes` what people wear, `long` three arms that are worth training longer
(`--epochs 16`, `--share`).
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro
from engine import Arm, Settings, on_sets, run

COUNTS = (500, 1500, 3000)
DISTRIBUTIONS = ("uniform", "truncated_gaussian", "exponential_uniform")
VIEWS = ("perimeter", "sphere", "topbottom")
TORSOS = ("up", "side", "inv")


def synthetic(count: int, views: str = "perimeter", **options: object) -> dict[str, object]:
    """Options of `repogen generate` with any roll, as people in the photographs have."""
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
"""Garments and panoramas are those of repogen's own asset pack."""


def long_arms(share: float) -> tuple[Arm, ...]:
    """Arms with this share of synthetic crops; the first takes as many steps without any."""
    steps = Arm("+ rotation, as many steps", repeat=1 / (1 - share))
    return steps, CLOTHES_ARMS[1], CLOTHES_ARMS[3]


DEV_ARMS = (*REAL, *(Arm(f"+ 1500 {views}", synthetic(1500, views)) for views in VIEWS))


def split(annotations: Path, out: Path, share: float = 0.2) -> None:
    """Write up-train.json, and up, side and inv of a `share` of the images (-dev) and of the others
    (-test); upright people of seven eighths of the latter are trained on."""
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
    settings: Annotated[Settings, tyro.conf.OmitArgPrefixes],
    real: str,
    split_: Annotated[
        Literal["dev", "test", "clothes", "long"], tyro.conf.arg(name="split")
    ] = "test",
) -> None:
    """What synthetic people bring on real photographs of people sideways and upside down.

    Args:
        settings: Where to work, and how much to train.
        real: LSPet as lspet=ANNOTATIONS.json:IMAGES_DIR.
        split_: Which arms to compare, and on which images.
    """
    name, _, paths = real.partition("=")
    annotations, _, images = paths.partition(":")
    if not images:
        sys.exit(f"--real {real} must read lspet=ANNOTATIONS.json:IMAGES_DIR")
    folder = settings.out / "splits"
    split(Path(annotations), folder)
    scored = "dev" if split_ == "dev" else "test"
    experiment = on_sets(
        settings,
        f"{name}={folder / 'up-train.json'}:{images}",
        tuple(f"{torso}={folder}/{torso}-{scored}.json:{images}" for torso in TORSOS),
    )
    arms = {
        "dev": DEV_ARMS,
        "test": TEST_ARMS,
        "clothes": CLOTHES_ARMS,
        "long": long_arms(settings.share or 1 / 3),
    }[split_]
    run(experiment, f"real photographs, {split_}", arms, ("OKS", "PCK", "swapped"))


if __name__ == "__main__":
    tyro.cli(main)
