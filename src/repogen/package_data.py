"""Files that ship with the package, checked against their SHA-256 when they are read."""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from repogen.errors import UserError
from repogen.files import read_regular, sha256_of_bytes
from repogen.limits import MAX_CACHED

CHECKSUMS = "SHA256SUMS"
"""The file beside package data that lists their digests, as `sha256sum` writes it."""

REINSTALL = "install repogen again, in its clone: pip install --force-reinstall --no-deps ."
"""What to do where a file of the package is missing or damaged."""

_ROOT = Path(str(files("repogen")))


def read_package_data(folder: str, name: str) -> bytes:
    """The bytes of the file at the path `name` in `repogen/FOLDER/data/`.

    Raises `UserError` where the file is missing, cannot be read, or has other content than this
    version of repogen shipped with.
    """
    root = package_data_dir(folder)
    path = root / name
    try:
        data = read_regular(path, MAX_CACHED)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; {REINSTALL}") from error
    if sha256_of_bytes(data) != _checksums(root).get(name):
        raise UserError(f"{path} is damaged (its SHA-256 differs); {REINSTALL}")
    return data


def package_data_dir(folder: str) -> Path:
    """The folder of the files that ship with `repogen/FOLDER`."""
    return _ROOT / folder / "data"


@lru_cache
def _checksums(folder: Path) -> dict[str, str]:
    path = folder / CHECKSUMS
    try:
        lines = read_regular(path, MAX_CACHED).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path}: {error}; {REINSTALL}") from error
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
