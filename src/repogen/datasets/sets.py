"""Sets named on the command line, and mixes of them."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from repogen.datasets.folder import DatasetFolder
from repogen.datasets.people import People, read_people
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
    """The set that NAME=DATASET or NAME=ANNOTATIONS.json:IMAGES_DIR names, with :CAP (labelled
    persons of it to take, evenly spread) at its end. Raises `UserError` for anything else, and
    where nobody is labelled."""
    words = parse_set(spec)
    people = read_people(words.name, words.annotations, words.images)
    labelled = people.labelled()
    if len(labelled) == 0:
        raise UserError(
            f"set {spec!r} holds {len(people)} persons and no labelled joint of any; "
            "give a set with keypoints"
        )
    return people if words.cap is None else people.take(_spread(labelled, words.cap))


def read_mix(specs: tuple[str, ...]) -> Mix:
    """The trainable persons of sets as `read_set` reads them; :xW at the end of one is how
    often its persons come in an epoch. Raises `UserError` where that leaves nobody."""
    if not specs:
        raise UserError("no set to train on; give --train NAME=DATASET")
    names_differ(specs)
    words = [parse_set(spec) for spec in specs]
    sets = []
    for w in words:
        people = read_people(w.name, w.annotations, w.images).trainable()
        everybody = np.arange(len(people))
        sets.append(people.take(everybody if w.cap is None else _spread(everybody, w.cap)))
    mix = Mix(tuple(sets), tuple(w.weight for w in words))
    for spec, people, weight in zip(specs, mix.sets, mix.weights, strict=True):
        if round(weight * len(people)) == 0:
            raise UserError(
                f"set {spec!r} leaves nobody to train on: {len(people)} persons with keypoints "
                f"and a box, each {weight:g} times"
            )
    return mix


def _spread(persons: Int[np.ndarray, " n"], cap: int) -> Int[np.ndarray, " m"]:
    """At most `cap` of them, evenly spread."""
    if cap >= len(persons):
        return persons
    return persons[np.linspace(0, len(persons) - 1, cap).round().astype(int)]


def names_differ(specs: tuple[str, ...]) -> None:
    """Raise `UserError` where two sets have one name: their scores could not be told apart."""
    names = [spec.partition("=")[0] for spec in specs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(f"two sets are called {twice[0]!r}; give each NAME=… of its own")


@dataclass(frozen=True)
class SetSpec:
    """What a set's words on the command line say."""

    name: str
    annotations: Path
    images: Path
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
    # A file needs its images after it, though their folder be called 2017.
    while len(parts) > 1 + Path(parts[0]).is_file():
        number = re.fullmatch(r"(x?)(\d+(?:\.\d+)?)", parts[-1])
        if number is None:
            break
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
        return SetSpec(name, folder.annotations, folder.image(1).parent, cap, weight)
    if len(parts) != 2:
        raise malformed
    if not Path(parts[1]).is_dir():
        raise UserError(f"set {spec!r}: no folder {parts[1]}")
    return SetSpec(name, Path(parts[0]), Path(parts[1]), cap, weight)
