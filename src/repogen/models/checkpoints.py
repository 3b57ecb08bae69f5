"""Reading the tensors of torch.save checkpoints without running code in them."""

import pickletools
import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import torch
from torch import Tensor

from repogen.errors import UserError, first_line
from repogen.files import cannot_read, open_regular
from repogen.limits import MAX_WEIGHTS
from repogen.models.mmpose import Weights

_LONGEST_NAME = 300
"""Characters of a class name; torch would search a longer one for hours before it refuses it."""

_OLD_PICKLES = 5
"""Pickles at the start of a file of torch before 1.6: magic number, version, system, data, keys."""

_WRAPPERS = (
    "state_dict", "model_state_dict", "model", "module", "net",
    "state_dict_ema", "model_ema", "ema_state_dict", "ema",
)  # fmt: skip
"""Keys under which training programs put the weights; averaged ones count only without others
(mmengine and mmcv put the averaged weights under state_dict already)."""


class _IgnoredNumber:
    """Replaces a NumPy number; mmpose checkpoints hold some beside the tensors."""

    def __init__(self, *_values: object) -> None:
        pass

    def __setstate__(self, _state: object) -> None:
        pass


_NUMPY_NUMBERS = [
    (_IgnoredNumber, name)
    for name in ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.dtype")
]


def read_checkpoint(path: Path) -> Weights:
    """The tensors of a file that torch.save wrote, by name, on the CPU.

    Raises `UserError` for a file that cannot be read, or that holds other objects than tensors
    and numbers.
    """
    try:
        with open_regular(path, MAX_WEIGHTS) as file:
            magic = file.read(2)
        if magic != b"PK" and magic[:1] != b"\x80":  # torch would read it as a tar file
            raise ValueError("neither a zip file nor a pickle")
        _check_class_names(path, magic == b"PK")
        with (
            torch.serialization.safe_globals(_NUMPY_NUMBERS),
            warnings.catch_warnings(action="ignore"),
            open_regular(path, MAX_WEIGHTS) as file,
        ):
            data = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise cannot_read(path, error) from error
    except Exception as error:
        if code := re.search(r"Unsupported global: GLOBAL (\S+)", str(error)):
            reason = f"it holds {code[1]}, which is not a tensor"
            if code[1].startswith(("ultralytics.", "models.yolo")):
                reason = "it is an Ultralytics network with its code; export it to ONNX"
        else:
            reason = (
                f"it is truncated or not a checkpoint of plain tensors ({first_line(error)[:120]})"
            )
        raise UserError(f"{path} is refused: {reason}") from error
    while isinstance(data, dict) and (key := next((k for k in _WRAPPERS if _holds(data, k)), None)):
        data = data[key]
    if not isinstance(data, dict):
        raise UserError(f"{path} holds no weights by name")
    weights = {str(k): v for k, v in data.items() if isinstance(v, Tensor)}
    if not weights:
        raise UserError(f"{path} holds no tensors")
    return weights


def _holds(data: dict[object, object], key: str) -> bool:
    return isinstance(data.get(key), dict)


def _check_class_names(path: Path, zipped: bool) -> None:
    for pickled in _zipped_pickles(path) if zipped else _old_pickles(path):
        for code, argument, _ in pickletools.genops(pickled):
            if code.name == "GLOBAL" and len(str(argument)) > _LONGEST_NAME:
                raise ValueError("a class name is too long")


def _zipped_pickles(path: Path) -> Iterator[IO[bytes]]:
    with open_regular(path, MAX_WEIGHTS) as whole, zipfile.ZipFile(whole) as archive:
        for member in archive.infolist():
            if member.filename.endswith("data.pkl"):
                if member.compress_type != zipfile.ZIP_STORED:
                    raise ValueError("data.pkl is compressed, but torch never compresses it")
                with archive.open(member) as file:
                    yield file


def _old_pickles(path: Path) -> Iterator[IO[bytes]]:
    with open_regular(path, MAX_WEIGHTS) as file:
        for _ in range(_OLD_PICKLES):
            yield file
