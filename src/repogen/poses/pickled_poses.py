"""Read the poses of SMPL models from pickles without executing any of their code.

ROMP's npz files hold one pickled dict; the pkl files of 4D-Humans, VIBE, WHAM and PARE are written
by joblib, which puts the bytes of an array behind its description (and may compress the file).
"""

import io
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from repogen.bodies.smpl_pickle import (
    Inert,
    PickleFile,
    SafeUnpickler,
    array_from_bytes,
    to_array,
    to_objects,
)
from repogen.errors import UserError, first_line

_MAX_BYTES = 1 << 30
_MAX_DEPTH = 8
_ZLIB = b"\x78"


class _JoblibArray(Inert):
    """joblib's description of an array whose bytes follow: state is the dict of its attributes."""


class _PoseUnpickler(SafeUnpickler):
    stand_ins: ClassVar = {"joblib.numpy_pickle.NumpyArrayWrapper": _JoblibArray}
    dispatch: ClassVar = dict(SafeUnpickler.dispatch)

    def load_build(self) -> None:
        super().load_build()
        if isinstance(self.stack[-1], _JoblibArray):
            self.stack[-1] = self._array_that_follows(self.stack[-1].state)

    dispatch[ord("b")] = load_build

    def _array_that_follows(self, state: dict[str, Any]) -> np.ndarray:
        if state.get("numpy_array_alignment_bytes") is not None:
            self._file_read(self._file_read(1)[0])
        empty = array_from_bytes(b"", state["dtype"], (0,), "C")
        shape = tuple(state["shape"])
        raw = self._file_read(math.prod(shape) * empty.dtype.itemsize)
        return array_from_bytes(raw, state["dtype"], shape, state["order"])


def read_pickle(path: Path, data: bytes) -> object:
    """What a pickle or joblib file holds, with stand-ins for arrays. Raises `UserError` for a
    broken one, and for objects that poses do not need."""
    try:
        if data[:1] == _ZLIB:
            unpacker = zlib.decompressobj()
            data = unpacker.decompress(data, _MAX_BYTES)
            if unpacker.unconsumed_tail:
                raise UserError(f"{path} unpacks to more than {_MAX_BYTES:,} bytes; split it")
        unpickler = _PoseUnpickler(PickleFile(io.BytesIO(data)), encoding="latin1")
        unpickler.path = path
        return unpickler.load()
    except UserError:
        raise
    except Exception as error:  # a broken pickle may raise anything
        raise UserError(
            f"cannot read motion from {path}: it is truncated or no pickle ({first_line(error)})"
        ) from error


class Found(NamedTuple):
    """An array of poses in a file."""

    key: str
    array: np.ndarray
    root: np.ndarray | None = None
    """The rotations of the whole body, where they stand beside it."""
    positions: np.ndarray | None = None
    """The positions of the whole body, metres."""


def arrays_under(
    content: object, keys: Sequence[str], root_keys: Sequence[str], depth: int = 0
) -> list[Found]:
    """The arrays with the first of the keys that each dict has, in dicts, lists and arrays of
    objects inside each other, in the file's order; a dict's first of `root_keys` goes with it."""
    if depth > _MAX_DEPTH:
        return []
    if isinstance(content, dict):
        for key in keys:
            array = as_numbers(content.get(key))
            if array is not None:
                roots = (as_numbers(content.get(key)) for key in root_keys)
                return [Found(key, array, next((r for r in roots if r is not None), None))]
        content = list(content.values())
    children = content if isinstance(content, list | tuple) else to_objects(content)
    return [
        found for child in children for found in arrays_under(child, keys, root_keys, depth + 1)
    ]


def as_numbers(value: object) -> np.ndarray | None:
    """The array of numbers that a value from a pickle stands for; None for any other value."""
    try:
        array = value if isinstance(value, np.ndarray) else to_array(value)
    except Exception:  # a stand-in with damaged state may raise anything
        return None
    return array if array.dtype.kind in "fiu" else None
