"""Sets named on the command line, and mixes of them."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from repogen.datasets.folder import DatasetFolder
from repogen.datasets.people import OUR_PIXEL_CENTER, People, read_people
from repogen.errors import UserError


@dataclass(frozen=True)
class Mix:
    """Persons of several sets to train on; the same person may come several times an epoch."""

    sets: tuple[People, ...]
    weights: tuple[float, ...]

    def __len__(self) -> int:
        return sum(round(w * len(s)) for s, w in zip(self.sets, self.weights, strict=True))

    def epoch(self, rng: np.random.Generator) -> Int[np.ndarray, "n 2"]:
        """(set, person) of every crop of one epoch, shuffled: each person of a set of weight w
        comes w times, a part of them once more where w is no whole number."""
        rows = []
        for place, (people, weight) in enumerate(zip(self.sets, self.weights, strict=True)):
            whole, rest = divmod(round(weight * len(people)), len(people))
            order = np.concatenate(
                [np.tile(np.arange(len(people)), whole), rng.permutation(len(people))[:rest]]
            )
            rows.append(np.stack([np.full(len(order), place), order], axis=1))
        out = np.concatenate(rows)
        return out[rng.permutation(len(out))]


def read_set(spec: str) -> People:
    """The set that NAME=DATASET or NAME=ANNOTATIONS.json:IMAGES_DIR names, with :CAP (persons
    of it to take, evenly spread) at its end. Raises `UserError` for anything else."""
    return _people(spec)


def read_mix(specs: tuple[str, ...]) -> Mix:
    """The trainable persons of sets as `read_set` reads them; :xW at the end of one is how
    often its persons come in an epoch. Raises `UserError` where a set leaves nobody."""
    if not specs:
        raise UserError("no set to train on; give --train NAME=DATASET")
    sets = tuple(_people(spec, trainable=True) for spec in specs)
    return Mix(sets, tuple(parse_set(spec).weight for spec in specs))


@dataclass(frozen=True)
class SetSpec:
    """What a set's words on the command line say."""

    name: str
    annotations: Path
    images: Path
    pixel_center: float
    cap: int | None = None
    weight: float = 1.0


def parse_set(spec: str) -> SetSpec:
    """Take NAME=DATASET or NAME=ANNOTATIONS.json:IMAGES_DIR apart, with :CAP and :xWEIGHT at its
    end. Raises `UserError` for anything else and for folders that are not there."""
    malformed = UserError(
        f"set {spec!r} must read NAME=DATASET or NAME=ANNOTATIONS.json:IMAGES_DIR"
    )
    name, equals, rest = spec.partition("=")
    if not equals or not name or not rest:
        raise malformed
    parts, cap, weight = rest.split(":"), None, 1.0
    while len(parts) > 1 and (number := re.fullmatch(r"(x?)(\d+(?:\.\d+)?)", parts[-1])):
        parts.pop()
        if number[1]:
            weight = float(number[2])
        else:
            cap = int(float(number[2]))
    if cap == 0 or weight == 0:
        raise UserError(f"set {spec!r} takes nobody; leave it out, or give a number above 0")
    if len(parts) == 1:
        folder = DatasetFolder(Path(parts[0]))
        if not folder.complete:
            raise UserError(f"set {spec!r}: {folder.root} is no finished dataset of repogen")
        return SetSpec(
            name, folder.annotations, folder.image(1).parent, OUR_PIXEL_CENTER, cap, weight
        )
    if len(parts) != 2:
        raise malformed
    if not Path(parts[1]).is_dir():
        raise UserError(f"set {spec!r}: no folder {parts[1]}")
    return SetSpec(name, Path(parts[0]), Path(parts[1]), 0.0, cap, weight)


def _people(spec: str, trainable: bool = False) -> People:
    words = parse_set(spec)
    people = read_people(words.name, words.annotations, words.images, words.pixel_center)
    if trainable:
        people = people.trainable()
    if words.cap is not None and words.cap < len(people):
        people = people.take(np.linspace(0, len(people) - 1, words.cap).round().astype(int))
    if len(people) == 0:
        raise UserError(f"set {spec!r} holds no person with labelled keypoints")
    return people
