"""Checkpoints as torch.save writes them: their tensors and nothing else, no code."""

import pickletools
import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import torch
from torch import Tensor

from repogen.errors import UserError
from repogen.models.mmpose import Weights

_LONGEST_NAME = 300
"""Letters of a class's name: torch looks through longer ones, which it refuses, for hours."""

_OLD_PICKLES = 5
"""Pickles at the front of a file of torch before 1.6: number, version, system, table, keys."""


class _IgnoredNumber:
    """Stands for a NumPy number, of which mmpose's checkpoints hold some beside the tensors."""

    def __init__(self, *_values: object) -> None:
        pass

    def __setstate__(self, _state: object) -> None:
        pass


_NUMPY_NUMBERS = [
    (_IgnoredNumber, name)
    for name in ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.dtype")
]


def read_checkpoint(path: Path) -> Weights:
    """The tensors of a file that torch.save wrote. Raises `UserError` for a file that holds more
    than tensors, and numbers, or cannot be read."""
    try:
        with path.open("rb") as file:
            begins = file.read(2)
        if begins != b"PK" and begins[:1] != b"\x80":  # torch would take it for a tar file
            raise ValueError("neither a zip file nor a pickle")
        _check_names(path, begins == b"PK")
        with (
            torch.serialization.safe_globals(_NUMPY_NUMBERS),
            warnings.catch_warnings(action="ignore"),
        ):
            data = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        if code := re.search(r"Unsupported global: GLOBAL (\S+)", str(error)):
            why = f"it holds {code[1]}, which is no tensor"
        else:
            why = f"it is cut short or no checkpoint of plain tensors ({type(error).__name__})"
        raise UserError(f"{path} is refused: {why}") from error
    for key in ("state_dict", "model", "module"):
        if isinstance(data, dict) and isinstance(data.get(key), dict):
            data = data[key]
    if not isinstance(data, dict):
        raise UserError(f"{path} holds no table of weights")
    weights = {str(k).removeprefix("module."): v for k, v in data.items() if isinstance(v, Tensor)}
    if not weights:
        raise UserError(f"{path} holds no tensors")
    return weights


def _check_names(path: Path, zipped: bool) -> None:
    for pickled in _zipped_pickles(path) if zipped else _old_pickles(path):
        for code, argument, _ in pickletools.genops(pickled):
            if code.name == "GLOBAL" and len(str(argument)) > _LONGEST_NAME:
                raise ValueError("a name without end")


def _zipped_pickles(path: Path) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.filename.endswith("data.pkl"):
                if member.compress_type != zipfile.ZIP_STORED:
                    raise ValueError("torch compresses nothing")
                with archive.open(member) as file:
                    yield file


def _old_pickles(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        for _ in range(_OLD_PICKLES):
            yield file
