"""Several sets to train on at once."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from repogen.datasets.sets import check_unique_names, parse_set
from repogen.errors import UserError
from repogen.training.sources import Source, open_source


@dataclass(frozen=True)
class Mix:
    """Sources and how often their persons come in an epoch."""

    sources: tuple[Source, ...]
    weights: tuple[float, ...]

    def counts(self) -> list[int]:
        """Crops of each source in an epoch."""
        return [round(w * len(s)) for s, w in zip(self.sources, self.weights, strict=True)]

    def __len__(self) -> int:
        return sum(self.counts())

    def epoch(self, rng: np.random.Generator) -> Int[np.ndarray, "n 2"]:
        """(source, person) of every crop of one epoch: each person of a source of weight w comes
        w times, a part of them once more where w is no whole number. The sources are shuffled
        together, each keeping its own order."""
        counts = self.counts()
        which = rng.permutation(np.repeat(np.arange(len(counts)), counts))
        out = np.stack([which, np.zeros_like(which)], axis=1)
        for place, (source, count) in enumerate(zip(self.sources, counts, strict=True)):
            out[which == place, 1] = source.order(rng, count)
        return out


def read_mix(specs: tuple[str, ...], cache: Path | None = None) -> Mix:
    """The trainable persons of sets (`parse_set`); :xW at the end of one is how often its persons
    come in an epoch. Shards are kept in the folder `cache`. Raises `UserError` where that leaves
    nobody."""
    if not specs:
        raise UserError("no set to train on; give --train NAME=DATASET")
    check_unique_names(specs)
    words = [parse_set(spec) for spec in specs]
    sources = tuple(open_source(w, spec, cache) for w, spec in zip(words, specs, strict=True))
    mix = Mix(sources, tuple(w.weight for w in words))
    for spec, source, weight, count in zip(specs, sources, mix.weights, mix.counts(), strict=True):
        if count == 0:
            raise UserError(
                f"set {spec!r} leaves nobody to train on: {len(source)} persons with keypoints "
                f"and a box, each {weight:g} times"
            )
    return mix
