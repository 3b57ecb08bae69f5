"""Decoded pictures of a set, kept in a file that the processes of a run share."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from shutil import disk_usage
from typing import Any

import numpy as np

from repogen.arrays import Int, UInt8
from repogen.cache import cache_dir
from repogen.coco.crops import FACTORS

_SHARE_OF_DISK = 0.5
"""Largest share of the free disk that the file may take."""


class DecodedPictures:
    """Pictures of a set, each decoded once: decoding is by far the dearest part of a crop.

    They are in a file without a name in the cache folder. The system keeps it in memory that
    nobody else needs, and removes it at the end of the run. Where it cannot be written or read, a
    picture is decoded each time, with the same pixels.
    """

    def __init__(
        self, sizes: Int[np.ndarray, "i 2"], wanted: Int[np.ndarray, " n"], most_bytes: int
    ) -> None:
        """`sizes` are the width and height of each picture of the set; the first of the `wanted`
        ones, as many as `most_bytes` hold at all `FACTORS`, are kept."""
        self._sizes = -(-sizes.astype(np.int64)[:, None] // np.array(FACTORS)[:, None])
        lengths = np.zeros(self._sizes.shape[:2], np.int64)
        lengths[wanted] = 3 * self._sizes[wanted].prod(axis=2)
        self._ends = np.cumsum(lengths).reshape(lengths.shape)
        self._starts = self._ends - lengths
        self._file = None
        with suppress(OSError):
            cache_dir().mkdir(parents=True, exist_ok=True)
            free = _SHARE_OF_DISK * disk_usage(cache_dir()).free
            self._most_bytes = min(most_bytes, int(free))
            self._file = tempfile.TemporaryFile(dir=cache_dir())  # noqa: SIM115

    def read(
        self, picture: int, factor: int, decode: Callable[[], UInt8[np.ndarray, "h w 3"]]
    ) -> UInt8[np.ndarray, "h w 3"]:
        """A picture by its index in the set, at one of the `FACTORS`; `decode` is asked for it
        until it is in the file."""
        slot = picture, FACTORS.index(factor)
        if self._file is None or self._ends[slot] > self._most_bytes:
            return decode()
        number, start = self._file.fileno(), int(self._starts[slot])
        width, height = self._sizes[slot].tolist()
        # A byte after all pictures says whether this one is there; it is written last.
        flag = int(self._ends[-1, -1]) + picture * len(FACTORS) + slot[1]
        with suppress(OSError):
            if os.pread(number, 1, flag) == b"1":
                data = os.pread(number, 3 * width * height, start)
                return np.frombuffer(data, np.uint8).reshape(height, width, 3)
        pixels = decode()
        with suppress(OSError):  # a full disk costs time only
            if os.pwrite(number, np.ascontiguousarray(pixels).data, start) == pixels.nbytes:
                os.pwrite(number, b"1", flag)
        return pixels

    def __getstate__(self) -> dict[str, Any]:
        """For workers that are not forked: the file of this process by its number, which Linux
        opens again."""
        number = None if self._file is None else self._file.fileno()
        path = None if number is None else f"/proc/{os.getpid()}/fd/{number}"
        return self.__dict__ | {"_file": path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state | {"_file": None})
        if state["_file"] is not None:
            with suppress(OSError):
                self._file = open(state["_file"], "r+b")  # noqa: SIM115
