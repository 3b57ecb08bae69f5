"""Sources of training crops: COCO files, streamed shards, and images generated while training."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from repogen.arrays import Int
from repogen.coco.annotations import (
    PersonAnnotations,
    label_convention,
    parse_person_annotations,
    read_person_annotations,
)
from repogen.coco.augmentation import Augmentation
from repogen.coco.decoded import DecodedPictures
from repogen.coco.images import Relabel, TrainingCrop, drop_unreadable, training_crop
from repogen.coco.names import CATEGORY
from repogen.config import config_from_table, merged
from repogen.datasets.folder import PICTURE, Sample
from repogen.datasets.foreign_shards import open_shards, unpack_foreign_shard
from repogen.datasets.sets import SetSpec, take_uniformly, warn_of_convention
from repogen.datasets.shards import (
    FOREIGN,
    Manifest,
    Shard,
    read_bytes,
    read_shard,
    unpack_shard,
    with_ids,
)
from repogen.errors import UserError
from repogen.files import sha256_of, sha256_of_bytes
from repogen.generation.config import GenerateConfig
from repogen.poses.sampler import SAMPLER_FORMAT
from repogen.toml_files import read_config

_SHUFFLED_SHARDS = 8
"""Shards whose persons are shuffled together; a process keeps as many in memory."""

LIVE_PERSONS = 1000
"""Default live persons per epoch."""


class Source(Protocol):
    """A set of persons to train on, numbered from 0."""

    @property
    def name(self) -> str: ...

    def __len__(self) -> int: ...

    def order(self, rng: np.random.Generator, count: int) -> Int[np.ndarray, " n"]:
        """The persons of an epoch of `count` crops, in order."""

    def find(self, rng: np.random.Generator, epoch: int, person: int) -> "Found":
        """A person's labels and picture. Raises `UserError` for shards that cannot be read."""

    def digests(self) -> dict[str, str]:
        """The SHA-256 of each file that defines the source, by path."""


class Found(NamedTuple):
    """A person of a source."""

    people: PersonAnnotations
    row: int
    """The person's row in `people`."""
    pictures: list[bytes] | DecodedPictures | None
    """The JPEG of each image of `people`; None or the decoded ones where they are files."""


def sample_crop(
    source: Source,
    rng: np.random.Generator,
    epoch: int,
    person: int,
    augmentation: Augmentation,
    relabel: Relabel | None = None,
) -> TrainingCrop:
    """A randomly augmented crop of a person, with their own joints or those of `relabel`.

    Raises `UserError` for an image that cannot be read.
    """
    found = source.find(rng, epoch, person)
    return training_crop(rng, found.people, found.row, augmentation, found.pictures, relabel)


def open_source(
    parsed: SetSpec, spec: str, cache: Path | None = None, decoded_bytes: int = 0
) -> Source:
    """The source that a parsed set names; `spec` is its text, for errors. Shards at a URL are
    kept in the folder `cache`, and decoded pictures of files in at most `decoded_bytes`. Raises
    `UserError` where the set has nobody to train on."""
    if parsed.live is not None:
        options = _live_options(parsed.live, parsed.sampler)
        _ = options.backdrop  # fails now, not in the middle of a run
        warn_of_convention(parsed.name, options.output.label_convention)
        return LiveSource(parsed.name, parsed.live, options, parsed.cap or LIVE_PERSONS)
    if parsed.shards is not None:
        manifest = open_shards(parsed.shards)
        warn_of_convention(parsed.name, label_convention(manifest.header))
        persons = sum(shard.persons for shard in manifest.shards)
        return ShardSource(
            parsed.name, parsed.shards, manifest, min(parsed.cap or persons, persons), cache
        )
    assert parsed.annotations is not None
    assert parsed.images is not None
    people = read_person_annotations(parsed.name, parsed.annotations, parsed.images)
    warn_of_convention(people.name, people.label_convention)
    people = people.take(take_uniformly(people.labelled(), parsed.cap or len(people)))
    people = drop_unreadable(people)[0].trainable()
    if len(people) == 0:
        raise UserError(f"set {spec!r} leaves nobody to train on: nobody has keypoints and a box")
    decoded = None
    if decoded_bytes:
        decoded = DecodedPictures(people.sizes, people.image, decoded_bytes)
    return CocoSource(people, parsed.annotations, decoded)


@dataclass(frozen=True)
class CocoSource:
    """The persons of a COCO file."""

    people: PersonAnnotations
    file: Path
    decoded: DecodedPictures | None = None

    @property
    def name(self) -> str:
        return self.people.name

    def __len__(self) -> int:
        return len(self.people)

    def order(self, rng: np.random.Generator, count: int) -> Int[np.ndarray, " n"]:
        """Each person floor or ceil of `count` / n times, shuffled."""
        whole, rest = divmod(count, len(self))
        once_more = rng.permutation(len(self))[:rest]
        rows = np.concatenate([np.tile(np.arange(len(self)), whole), once_more])
        return rng.permutation(rows)

    def find(self, rng: np.random.Generator, epoch: int, person: int) -> Found:
        """See `Source.find`."""
        return Found(self.people, person, self.decoded)

    def digests(self) -> dict[str, str]:
        """The SHA-256 of the COCO file."""
        return {str(self.file): sha256_of(self.file)}


@dataclass(frozen=True)
class ShardSource:
    """The first `persons` persons of a sharded dataset, read a few shards at a time."""

    name: str
    url: str
    manifest: Manifest
    persons: int
    cache: Path | None = None
    """Folder for fetched shards; None fetches a shard whenever it is needed."""

    def __len__(self) -> int:
        return self.persons

    @cached_property
    def _ends(self) -> Int[np.ndarray, " s"]:
        """The number of persons up to the end of each shard."""
        return np.cumsum([shard.persons for shard in self.manifest.shards])

    def order(self, rng: np.random.Generator, count: int) -> Int[np.ndarray, " n"]:
        """The shards in random order; the persons shuffled within `_SHUFFLED_SHARDS` shards."""
        ends = np.minimum(self._ends, self.persons)
        starts = np.concatenate([[0], ends[:-1]])
        out: list[np.ndarray] = []
        while sum(map(len, out)) < count:
            shards = rng.permutation(np.flatnonzero(ends > starts))
            for first in range(0, len(shards), _SHUFFLED_SHARDS):
                group = shards[first : first + _SHUFFLED_SHARDS]
                rows = np.concatenate([np.arange(starts[k], ends[k]) for k in group])
                out.append(rng.permutation(rows))
        return np.concatenate(out)[:count]

    def find(self, rng: np.random.Generator, epoch: int, person: int) -> Found:
        """See `Source.find`. For a person without a labelled joint, the next one of the shard."""
        shard_index = int(np.searchsorted(self._ends, person, side="right"))
        shard = self.manifest.shards[shard_index]
        foreign = self.manifest.format == FOREIGN
        people, pictures = _shard_people(self.url, shard, self.cache, foreign)
        if len(people) == 0:
            raise UserError(f"{self.url}/{shard.name} holds nobody with keypoints and a box")
        person_in_shard = person - (int(self._ends[shard_index]) - shard.persons)
        row = np.searchsorted(people.ids, person_in_shard + 1) % len(people)
        return Found(people, int(row), pictures)

    def digests(self) -> dict[str, str]:
        """The SHA-256 of the manifest, which holds the hashes of the shards, else of each shard."""
        if self.manifest.format == FOREIGN:
            return {f"{self.url}/{shard.name}": shard.sha256 for shard in self.manifest.shards}
        address = f"{self.url}/shards.json"
        return {address: sha256_of_bytes(read_bytes(address))}


@lru_cache(maxsize=_SHUFFLED_SHARDS + 1)
def _shard_people(
    url: str, shard: Shard, cache: Path | None, foreign: bool
) -> tuple[PersonAnnotations, list[bytes]]:
    """The trainable persons of a shard, and each image's JPEG; the last few shards are cached."""
    unpack = unpack_foreign_shard if foreign else unpack_shard
    records = list(unpack(read_shard(url, shard, cache), f"{url}/{shard.name}"))
    return trainable_people(records, url, f"{url}/{shard.name}")


@dataclass(frozen=True)
class LiveSource:
    """Persons in images generated while training; no image occurs twice.

    `config` holds the options of `repogen generate` that the TOML file `file` names.
    """

    name: str
    file: Path
    config: GenerateConfig
    persons: int

    def __len__(self) -> int:
        return self.persons

    def order(self, rng: np.random.Generator, count: int) -> Int[np.ndarray, " n"]:
        """The persons in ascending order."""
        return np.arange(count)

    def find(self, rng: np.random.Generator, epoch: int, person: int) -> Found:
        """See `Source.find`. A random person of an image made for this (epoch, person) only."""
        from repogen.generation.worker import sample_maker

        for attempt in range(_MAX_TRIES):
            sample = sample_maker(self.config).make(live_image(epoch, person, attempt))
            people, pictures = trainable_people([sample], "", f"{self.file}: image {person}")
            if len(people):
                return Found(people, int(rng.integers(len(people))), pictures)
        raise UserError(
            f"{self.file}: {_MAX_TRIES} images in a row show nobody; check its camera options"
        )

    def digests(self) -> dict[str, str]:
        """The SHA-256 of the TOML files, of options and of their sampler."""
        files = {self.file, self.config.pose.sampler or self.file}
        return {str(file): sha256_of(file) for file in sorted(files)}


def _live_options(file: Path, sampler: Path | None) -> GenerateConfig:
    """The options in a TOML file, which may be a sampler itself, with a `sampler` if given."""
    table = read_config(file, "live:")
    if table.get("format") == SAMPLER_FORMAT:
        if sampler is not None:
            raise UserError(f"live:{file}:{sampler}: the first is a sampler; put options before it")
        return GenerateConfig(sampler=file)
    if sampler is not None:
        table = merged(table, {"pose": {"sampler": sampler}})
    return config_from_table(GenerateConfig, table, str(file))


def live_image(epoch: int, person: int, attempt: int = 0) -> int:
    """The number, from 0, of the image that is made for a person of an epoch; no two are equal."""
    return epoch * _EPOCH_STRIDE + attempt * _RETRY_STRIDE + person


_EPOCH_STRIDE, _RETRY_STRIDE = 2**48, 2**39

_MAX_TRIES = 16
"""Images without a labelled person before `LiveSource.find` gives up."""


def trainable_people(
    records: list[Sample], root: str, where: str
) -> tuple[PersonAnnotations, list[bytes]]:
    """The trainable persons of records, and the JPEG of each image; person ids count from 1."""
    data = with_ids(records) | {"categories": [CATEGORY]}
    people = parse_person_annotations("", data, where, Path(root)).trainable()
    return people, [record.files[PICTURE] for record in records]
