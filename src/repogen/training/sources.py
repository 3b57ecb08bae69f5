"""What crops are drawn from: sets that are listed, shards that are streamed, and images that are
made while training."""

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Int

from repogen.coco.annotations import PersonAnnotations, people_of, read_people
from repogen.coco.crops import Augmentation
from repogen.coco.samples import Sample, readable, training_sample
from repogen.config import config_from_table
from repogen.datasets.folder import PICTURE, Record
from repogen.datasets.sets import SetSpec, spread
from repogen.datasets.shards import (
    Manifest,
    Shard,
    read_bytes,
    read_manifest,
    read_shard,
    unpack,
    with_ids,
)
from repogen.errors import UserError
from repogen.generation.config import GenerateConfig
from repogen.generation.options import read_config
from repogen.labels.annotation import CATEGORY

_MIXED = 8
"""Shards whose persons are shuffled together, and that a process keeps at a time."""

LIVE_PERSONS = 1000
"""Of images made while training, in an epoch, where nobody asks for another number."""


class Source(Protocol):
    """Persons to train on, numbered from 0."""

    @property
    def name(self) -> str: ...

    def __len__(self) -> int: ...

    def order(self, rng: np.random.Generator, count: int) -> Int[np.ndarray, " n"]:
        """Which persons come in an epoch of `count`, in the order in which they come."""

    def sample(
        self, rng: np.random.Generator, epoch: int, person: int, how: Augmentation, degrade: bool
    ) -> Sample:
        """A randomly varied crop. Raises `UserError` for an image that cannot be read."""

    def digests(self) -> dict[str, str]:
        """SHA-256 of what defines it, by file."""


def open_source(words: SetSpec, spec: str, cache: Path | None = None) -> Source:
    """The source that a set's words name; shards are kept in `cache`. Raises `UserError` where
    there is nobody."""
    if words.live is not None:
        options = config_from_table(
            GenerateConfig, read_config(words.live, "live:"), str(words.live)
        )
        _ = options.environment.backdrop  # an error comes now, not when a run has begun
        return Live(words.name, words.live, options, words.cap or LIVE_PERSONS)
    if words.shards is not None:
        manifest = read_manifest(words.shards)
        persons = sum(shard.persons for shard in manifest.shards)
        return Sharded(
            words.name, words.shards, manifest, min(words.cap or persons, persons), cache
        )
    assert words.annotations is not None
    assert words.images is not None
    people = read_people(words.name, words.annotations, words.images).trainable()
    if words.cap is not None:
        people = people.take(spread(np.arange(len(people)), words.cap))
    if len(people) == 0:
        raise UserError(f"set {spec!r} leaves nobody to train on: nobody has keypoints and a box")
    return Listed(readable(people)[0], words.annotations)


@dataclass(frozen=True)
class Listed:
    """A COCO file's persons."""

    people: PersonAnnotations
    file: Path

    @property
    def name(self) -> str:
        return self.people.name

    def __len__(self) -> int:
        return len(self.people)

    def order(self, rng: np.random.Generator, count: int) -> Int[np.ndarray, " n"]:
        """Everybody as often, a part of them once more."""
        whole, rest = divmod(count, len(self))
        once_more = rng.permutation(len(self))[:rest]
        rows = np.concatenate([np.tile(np.arange(len(self)), whole), once_more])
        return rng.permutation(rows)

    def sample(
        self, rng: np.random.Generator, epoch: int, person: int, how: Augmentation, degrade: bool
    ) -> Sample:
        """See `Source.sample`."""
        rendered = bool(self.people.rendered[self.people.image[person]])
        return training_sample(rng, self.people, person, how, degrade and rendered)

    def digests(self) -> dict[str, str]:
        """Of the COCO file."""
        return {str(self.file): _digest(self.file.read_bytes())}


@dataclass(frozen=True)
class Sharded:
    """The persons of a dataset of shards, read a few shards at a time; the first `persons`."""

    name: str
    url: str
    manifest: Manifest
    persons: int
    cache: Path | None = None
    """Where shards are kept once they have been fetched."""

    def __len__(self) -> int:
        return self.persons

    @cached_property
    def _ends(self) -> Int[np.ndarray, " s"]:
        """How many persons there are up to the end of each shard."""
        return np.cumsum([shard.persons for shard in self.manifest.shards])

    def order(self, rng: np.random.Generator, count: int) -> Int[np.ndarray, " n"]:
        """The shards shuffled, then the persons of every `_MIXED` shards."""
        ends = np.minimum(self._ends, self.persons)
        starts = np.concatenate([[0], ends[:-1]])
        out: list[np.ndarray] = []
        while sum(map(len, out)) < count:
            shards = rng.permutation(np.flatnonzero(ends > starts))
            for first in range(0, len(shards), _MIXED):
                some = shards[first : first + _MIXED]
                rows = np.concatenate([np.arange(starts[k], ends[k]) for k in some])
                out.append(rng.permutation(rows))
        return np.concatenate(out)[:count]

    def sample(
        self, rng: np.random.Generator, epoch: int, person: int, how: Augmentation, degrade: bool
    ) -> Sample:
        """See `Source.sample`; one without a labelled joint gives way to the next of its shard."""
        which = int(np.searchsorted(self._ends, person, side="right"))
        shard = self.manifest.shards[which]
        people, pictures = _shard_people(self.url, shard, self.cache)
        if len(people) == 0:
            raise UserError(f"{self.url}/{shard.name} holds nobody with keypoints and a box")
        own = person - (int(self._ends[which]) - shard.persons)
        place = np.searchsorted(people.ids, own + 1) % len(people)
        return training_sample(rng, people, int(place), how, degrade, pictures)

    def digests(self) -> dict[str, str]:
        """Of the manifest, which holds those of the shards."""
        where = f"{self.url}/shards.json"
        return {where: _digest(read_bytes(where))}


@lru_cache(maxsize=_MIXED + 1)
def _shard_people(
    url: str, shard: Shard, cache: Path | None
) -> tuple[PersonAnnotations, list[bytes]]:
    records = list(unpack(read_shard(url, shard, cache), f"{url}/{shard.name}"))
    return _people_of(records, url, f"{url}/{shard.name}")


@dataclass(frozen=True)
class Live:
    """Images made while training, by `repogen generate`'s options: none comes twice."""

    name: str
    file: Path
    config: GenerateConfig
    persons: int

    def __len__(self) -> int:
        return self.persons

    def order(self, rng: np.random.Generator, count: int) -> Int[np.ndarray, " n"]:
        """One after the other."""
        return np.arange(count)

    def sample(
        self, rng: np.random.Generator, epoch: int, person: int, how: Augmentation, degrade: bool
    ) -> Sample:
        """See `Source.sample`: of somebody in an image of the run that no other person is of."""
        from repogen.generation.worker import maker

        for again in range(_TRIES):
            record = maker(self.config).record(epoch * _EPOCH + again * _AGAIN + person)
            people, pictures = _people_of([record], "", f"{self.file}: image {person}")
            if len(people):
                chosen = int(rng.integers(len(people)))
                return training_sample(rng, people, chosen, how, degrade, pictures)
        raise UserError(f"{self.file}: {_TRIES} images show nobody; does its camera see them?")

    def digests(self) -> dict[str, str]:
        """Of the options."""
        return {str(self.file): _digest(self.file.read_bytes())}


# Image numbers: far apart, with room between them for the people around the first.
_EPOCH, _AGAIN, _TRIES = 2**48, 2**39, 16


def _people_of(
    records: list[Record], root: str, where: str
) -> tuple[PersonAnnotations, list[bytes]]:
    """The trainable persons of records and the pictures, by image; ids count from 1."""
    data = with_ids(records) | {"categories": [CATEGORY]}
    people = people_of("", data, where, Path(root)).trainable()
    return people, [record.files[PICTURE] for record in records]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
