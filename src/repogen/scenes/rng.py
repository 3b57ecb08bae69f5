"""Random numbers that depend only on the run's seed, the image, the person and the topic."""

import zlib
from dataclasses import dataclass

import numpy as np

_PERSON_STRIDE = 2**32
"""More than any run has images: person k of image i draws as image i + k strides would."""


@dataclass(frozen=True)
class Streams:
    """The random numbers of one image of a run."""

    seed: int
    index: int
    attempt: int = 0
    """The number of earlier tries that were given up; each has draws of its own."""

    def rng(self, topic: str) -> np.random.Generator:
        """The generator of one topic, restarted at every call.

        Topics do not share draws: another view or background leaves the poses as they were.
        """
        index = self.index
        key = [self.seed & 0xFFFFFFFF, self.seed >> 32, index & 0xFFFFFFFF]
        name = f"{topic} {self.attempt}" if self.attempt else topic
        key.append(zlib.crc32(name.encode()))
        if index >> 32:
            key.append(index >> 32)
        return np.random.default_rng(np.array(key, dtype=np.uint32))

    def of_person(self, person_index: int) -> "Streams":
        """The random streams of one person; person 0 shares the image's own streams."""
        return Streams(self.seed, self.index + person_index * _PERSON_STRIDE)
