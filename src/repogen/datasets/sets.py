"""Sets of annotated persons, as options of the command line name them."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from repogen.arrays import Int
from repogen.coco.annotations import PersonAnnotations, read_person_annotations
from repogen.datasets.folder import DatasetFolder
from repogen.datasets.foreign_shards import unpack_foreign_shards
from repogen.datasets.shards import ShardFolder
from repogen.errors import UserError
from repogen.messages import warn
from repogen.network import URL


def read_set(spec: str) -> PersonAnnotations:
    """The set NAME=DATASET or NAME=ANNOTATIONS.json:IMAGES_DIR.

    With :CAP at the end, at most CAP of its labelled persons, uniformly spread. Raises `UserError`
    for anything else, and where no person is labelled.
    """
    parsed = parse_set(spec)
    if parsed.shards is not None:
        found = unpack_foreign_shards(parsed.shards)
        if found is None:
            raise UserError(
                f"set {spec!r} is shards of repogen, which only training reads; run repogen "
                f"convert {parsed.shards} FOLDER and give that folder"
            )
        parsed = replace(parsed, annotations=found[0], images=found[1])
    if parsed.annotations is None or parsed.images is None:
        raise UserError(f"set {spec!r} is generated while training and not stored; give a dataset")
    people = read_person_annotations(parsed.name, parsed.annotations, parsed.images)
    warn_of_convention(people.name, people.label_convention)
    labelled = people.labelled()
    if len(labelled) == 0:
        raise UserError(
            f"set {spec!r} has {len(people)} persons, none with a labelled joint; give a set with "
            "keypoints"
        )
    return people if parsed.cap is None else people.take(take_uniformly(labelled, parsed.cap))


def warn_of_convention(name: str, convention: str) -> None:
    """Warn where the shoulders and hips of a set are not where COCO's annotators click."""
    if convention != "annotators":
        warn(
            f"set {name} has {convention} labels: its shoulders and hips lie about 2.5 cm below "
            "COCO's, so do not mix it with COCO or score COCO's models on it"
        )


def take_uniformly(persons: Int[np.ndarray, " n"], cap: int) -> Int[np.ndarray, " m"]:
    """At most `cap` of the persons, uniformly spread over them."""
    if cap >= len(persons):
        return persons
    return persons[np.linspace(0, len(persons) - 1, cap).round().astype(int)]


def check_unique_names(specs: tuple[str, ...]) -> None:
    """Raises `UserError` where two sets have the same name."""
    names = [spec.partition("=")[0] for spec in specs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(f"two sets are called {twice[0]!r}; give each set its own NAME=…")


@dataclass(frozen=True)
class SetSpec:
    """A set on the command line: a COCO file with images, or shards, or the options of `live:`."""

    name: str
    annotations: Path | None = None
    images: Path | None = None
    shards: str | None = None
    """A folder, or a URL for fsspec."""
    live: Path | None = None
    """A TOML file with options of `repogen generate`, or a sampler of `repogen mine`, for images
    made while training."""
    sampler: Path | None = None
    """The sampler, after the options."""
    cap: int | None = None
    weight: float = 1.0


_NUMBER = re.compile(r"x?\d+(\.\d+)?")
_LIVE = "live:"


def split_numbers(text: str, least: int = 1) -> tuple[list[str], list[str]]:
    """The parts of a text between colons, and the ones at its end that are CAP or xWEIGHT; at least
    `least` parts stand before these. A text that is a folder is one part."""
    if Path(text).is_dir():
        return [text], []
    parts = text.split(":")
    end = len(parts)
    while end > least and _NUMBER.fullmatch(parts[end - 1]):
        end -= 1
    return parts[:end], parts[end:]


def parse_set(spec: str) -> SetSpec:
    """Parse NAME=DATASET, NAME=URL, NAME=live:OPTIONS.toml, NAME=live:OPTIONS.toml:SAMPLER.toml or
    NAME=ANNOTATIONS.json:IMAGES_DIR.

    :CAP and :xWEIGHT may follow. Raises `UserError` for anything else and for missing folders.
    """
    malformed = UserError(f"set {spec!r} must be NAME=DATASET or NAME=ANNOTATIONS.json:IMAGES_DIR")
    name, equals, rest = spec.partition("=")
    if not equals or not name or not rest:
        raise malformed
    url = URL.match(rest)
    start = url[0] if url else _LIVE if rest.startswith(_LIVE) else ""
    text = rest.removeprefix(start)
    # After a COCO file comes its image folder, even if that is called 2017.
    parts, numbers = split_numbers(text, 1 + (not start and Path(text.split(":")[0]).is_file()))
    caps = [int(float(n)) for n in numbers if n[0] != "x"]
    weights = [float(n[1:]) for n in numbers if n[0] == "x"]
    cap, weight = caps[0] if caps else None, weights[0] if weights else 1.0
    if cap == 0 or weight == 0:
        raise UserError(f"set {spec!r} takes no persons; leave it out, or give a number above 0")
    found = SetSpec(name, cap=cap, weight=weight)
    if start == _LIVE and len(parts) == 2:
        return replace(found, live=Path(parts[0]), sampler=Path(parts[1]))
    if start == _LIVE:
        return replace(found, live=Path(":".join(parts)))
    if start:
        return replace(found, shards=start + ":".join(parts))
    if len(parts) == 1:
        if ShardFolder(Path(parts[0])).complete:
            return replace(found, shards=parts[0])
        folder = DatasetFolder(Path(parts[0]))
        ours = any((folder.root / own).exists() for own in (".parts", "run.json"))
        if not folder.complete and not ours and any(folder.root.glob("*.tar")):
            return replace(found, shards=parts[0])
        if not folder.complete:
            raise UserError(f"set {spec!r}: {folder.root} is not a finished repogen dataset")
        return replace(found, annotations=folder.annotations, images=folder.image(1).parent)
    if len(parts) != 2:
        raise malformed
    if not Path(parts[1]).is_dir():
        raise UserError(f"set {spec!r}: no folder {parts[1]}")
    return replace(found, annotations=Path(parts[0]), images=Path(parts[1]))
