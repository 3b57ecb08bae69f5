"""Options from a TOML file."""

from pathlib import Path
from typing import Any

from repogen.toml_files import read_toml


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
