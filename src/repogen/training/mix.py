"""A weighted mix of training sets."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from repogen.arrays import Int
from repogen.datasets.sets import check_unique_names, parse_set
from repogen.errors import UserError
from repogen.training.sources import Source, open_source


@dataclass(frozen=True)
class DataMix:
    """Training sources, and how often each person of a source occurs in an epoch."""

    sources: tuple[Source, ...]
    weights: tuple[float, ...]

    def counts(self) -> list[int]:
        """The number of crops of each source in an epoch."""
        return [round(w * len(s)) for s, w in zip(self.sources, self.weights, strict=True)]

    def __len__(self) -> int:
        return sum(self.counts())

    def epoch(self, rng: np.random.Generator) -> Int[np.ndarray, "n 2"]:
        """The (source index, person) of every crop of one epoch, in order.

        Each person of a source of weight w occurs floor(w) or ceil(w) times. The sources are
        shuffled together; within each, persons keep the order that `Source.order` gives.
        """
        counts = self.counts()
        which = rng.permutation(np.repeat(np.arange(len(counts)), counts))
        out = np.stack([which, np.zeros_like(which)], axis=1)
        for i, (source, count) in enumerate(zip(self.sources, counts, strict=True)):
            out[which == i, 1] = source.order(rng, count)
        return out


def read_data_mix(
    specs: tuple[str, ...], cache: Path | None = None, decoded_bytes: int = 0
) -> DataMix:
    """Open the sets that `specs` name (see `parse_set`) as a mix; a spec may end in :xWEIGHT.

    Shards at a URL are kept in the folder `cache`, and decoded pictures of files in at most
    `decoded_bytes` for each set. Raises `UserError` where a set has nobody to train on.
    """
    check_unique_names(specs)
    parsed = [parse_set(spec) for spec in specs]
    sources = tuple(
        open_source(p, spec, cache, decoded_bytes) for p, spec in zip(parsed, specs, strict=True)
    )
    mix = DataMix(sources, tuple(p.weight for p in parsed))
    for spec, source, weight, count in zip(specs, sources, mix.weights, mix.counts(), strict=True):
        if count == 0:
            raise UserError(
                f"set {spec!r} leaves nobody to train on: it has {len(source)} persons with "
                f"keypoints and a box, each {weight:g} times"
            )
    return mix
