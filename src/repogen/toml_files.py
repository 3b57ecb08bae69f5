"""TOML files."""

import tomllib
from pathlib import Path
from typing import Any

from repogen.errors import UserError
from repogen.files import read_regular
from repogen.limits import MAX_OPTIONS


def read_toml(path: Path, name: str) -> dict[str, Any]:
    """The contents of a TOML file, with or without a byte-order mark; errors call it `name`.

    Raises `UserError` for a file that cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(read_regular(path, MAX_OPTIONS).decode("utf-8-sig"))
    except OSError as error:
        raise UserError(f"cannot read {name} {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{name} {path} is not a TOML file: {error}") from error


def read_config(path: Path, option: str = "--config") -> dict[str, Any]:
    """The contents of a TOML file, with underscores for dashes in keys.

    Raises `UserError`, naming the `option` that names it, for a file that cannot be read or is no
    TOML.
    """
    return _underscored(read_toml(path, option))


def _underscored(table: dict[str, Any]) -> dict[str, Any]:
    return {
        key.replace("-", "_"): _underscored(value) if isinstance(value, dict) else value
        for key, value in table.items()
    }
