"""Sets named on the command line."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int

from repogen.coco.annotations import PersonAnnotations, read_people
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.shards import ShardFolder
from repogen.errors import UserError


def read_set(spec: str) -> PersonAnnotations:
    """The set that NAME=DATASET or NAME=ANNOTATIONS.json:IMAGES_DIR names, with :CAP (labelled
    persons of it to take, evenly spread) at its end. Raises `UserError` for anything else, and
    where nobody is labelled."""
    words = parse_set(spec)
    if words.shards is not None:
        raise UserError(
            f"set {spec!r} is shards, which can only be trained on; make a folder of them with "
            f"repogen convert {words.shards} FOLDER, and give that"
        )
    if words.annotations is None or words.images is None:
        raise UserError(f"set {spec!r} is images made while training, which are not kept")
    people = read_people(words.name, words.annotations, words.images)
    labelled = people.labelled()
    if len(labelled) == 0:
        raise UserError(
            f"set {spec!r} holds {len(people)} persons and no labelled joint of any; "
            "give a set with keypoints"
        )
    return people if words.cap is None else people.take(spread(labelled, words.cap))


def spread(persons: Int[np.ndarray, " n"], cap: int) -> Int[np.ndarray, " m"]:
    """At most `cap` of them, evenly spread."""
    if cap >= len(persons):
        return persons
    return persons[np.linspace(0, len(persons) - 1, cap).round().astype(int)]


def check_unique_names(specs: tuple[str, ...]) -> None:
    """Raise `UserError` where two sets have one name: their scores could not be told apart."""
    names = [spec.partition("=")[0] for spec in specs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(f"two sets are called {twice[0]!r}; give each NAME=… of its own")


@dataclass(frozen=True)
class SetSpec:
    """What a set's words on the command line say: a COCO file and its images, or shards, or the
    options of images that are made while training."""

    name: str
    annotations: Path | None = None
    images: Path | None = None
    shards: str | None = None
    """A folder, or a URL that fsspec knows."""
    live: Path | None = None
    """A TOML file with options of `repogen generate`."""
    cap: int | None = None
    weight: float = 1.0


_URL = re.compile(r"[a-zA-Z][\w+.-]*://")
_NUMBER = re.compile(r"(x?)(\d+(?:\.\d+)?)")
_LIVE = "live:"


def parse_set(spec: str) -> SetSpec:
    """Take NAME=DATASET, NAME=URL, NAME=live:OPTIONS.toml or NAME=ANNOTATIONS.json:IMAGES_DIR
    apart, with :CAP and :xWEIGHT at its end. Raises `UserError` for anything else and for folders
    that are not there."""
    malformed = UserError(
        f"set {spec!r} must read NAME=DATASET or NAME=ANNOTATIONS.json:IMAGES_DIR"
    )
    name, equals, rest = spec.partition("=")
    if not equals or not name or not rest:
        raise malformed
    url = _URL.match(rest)
    start = url[0] if url else _LIVE if rest.startswith(_LIVE) else ""
    parts, cap, weight = rest.removeprefix(start).split(":"), None, 1.0
    # A file needs its images after it, though their folder be called 2017.
    least = 1 + (not start and Path(parts[0]).is_file())
    while len(parts) > least:
        number = _NUMBER.fullmatch(parts[-1])
        if number is None:
            break
        parts.pop()
        if number[1]:
            weight = float(number[2])
        else:
            cap = int(float(number[2]))
    if cap == 0 or weight == 0:
        raise UserError(f"set {spec!r} takes nobody; leave it out, or give a number above 0")
    found = SetSpec(name, cap=cap, weight=weight)
    if start == _LIVE:
        return replace(found, live=Path(":".join(parts)))
    if start:
        return replace(found, shards=start + ":".join(parts))
    if len(parts) == 1:
        if ShardFolder(Path(parts[0])).complete:
            return replace(found, shards=parts[0])
        folder = DatasetFolder(Path(parts[0]))
        if not folder.complete:
            raise UserError(f"set {spec!r}: {folder.root} is no finished dataset of repogen")
        return replace(found, annotations=folder.annotations, images=folder.image(1).parent)
    if len(parts) != 2:
        raise malformed
    if not Path(parts[1]).is_dir():
        raise UserError(f"set {spec!r}: no folder {parts[1]}")
    return replace(found, annotations=Path(parts[0]), images=Path(parts[1]))
