"""Random numbers that depend on nothing but the run, the image and what they are for."""

import zlib

import numpy as np


def stream(seed: int, index: int, topic: str) -> np.random.Generator:
    """The random numbers of one topic of one image.

    Topics do not share draws: another view or background leaves the poses as they were.
    """
    key = [seed & 0xFFFFFFFF, seed >> 32, index & 0xFFFFFFFF, zlib.crc32(topic.encode())]
    if index >> 32:
        key.append(index >> 32)
    return np.random.default_rng(np.array(key, dtype=np.uint32))
